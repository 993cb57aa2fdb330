#include "config/settings.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

namespace latchkey::config {

std::string Settings::DatabasePath() const {
  if (SharedDatabase()) return database_url;
  return database_url.empty() ? data_dir + "/latchkey.db" : database_url.substr(std::string_view("sqlite:").size());
}

std::size_t Settings::WorkerThreads() const {
  return threads > 0 ? static_cast<std::size_t>(threads)
                     : std::max<std::size_t>(2, std::thread::hardware_concurrency());
}

void CompleteUrls(Settings& settings, unsigned short port) {
  if (settings.public_url.empty()) {
    const bool v6 = settings.listen_host.contains(':');
    settings.public_url = fmt::format("http://{}:{}", v6 ? "[" + settings.listen_host + "]" : "localhost", port);
  }
  if (settings.frontend_url.empty()) settings.frontend_url = settings.public_url;
  if (settings.webhook_url.empty()) settings.webhook_url = settings.public_url;
  const auto fill = [&](std::string& url, std::string_view path) {
    if (url.empty()) url = settings.public_url + std::string(path);
  };
  if (settings.google.pubsub_audience.empty()) {
    settings.google.pubsub_audience = settings.webhook_url + "/webhooks/google/gmail";
  }
  fill(settings.google.sign_in_callback_url, "/auth/login/google/callback");
  fill(settings.google.connect_callback_url, "/auth/apis/connect/google/callback");
  fill(settings.microsoft.sign_in_callback_url, "/auth/login/microsoft/callback");
  fill(settings.microsoft.connect_callback_url, "/auth/apis/connect/microsoft/callback");
}

}  // namespace latchkey::config
