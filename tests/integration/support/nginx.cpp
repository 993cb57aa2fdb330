#include "tests/integration/support/nginx.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <regex>

#include "tests/integration/support/raw_client.hpp"
#include "tests/integration/support/wait.hpp"

namespace latchkey::integration {
namespace {

std::string NginxPath() {
  for (const char* path : {"/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return {};
}

}  // namespace

bool Nginx::Installed() { return !NginxPath().empty(); }

Nginx::Nginx(const std::string& first_port, const std::string& second_port) {
  auto site = ReadFile(LATCHKEY_SOURCE_DIR "/deploy/nginx/latchkey.conf");
  EXPECT_NE(site.find("proxy_next_upstream"), std::string::npos);
  site = std::regex_replace(site, std::regex("127\\.0\\.0\\.1:8001"), "127.0.0.1:" + first_port);
  site = std::regex_replace(site, std::regex("127\\.0\\.0\\.1:8002"), "127.0.0.1:" + second_port);
  site = std::regex_replace(site, std::regex("listen 443 ssl http2;"), "listen unix:" + socket() + ";");
  site = std::regex_replace(site, std::regex("listen 80;"), "listen unix:" + directory_.Sub("plain") + ";");
  site = std::regex_replace(site, std::regex("\n *ssl_[^\n]*"), "");
  const std::string user = ::geteuid() == 0 ? "user root;\n" : "";
  WriteFile(directory_.Sub("nginx.conf"), "daemon off;\nworker_processes 1;\n" + user + "pid " + directory_.Sub("pid") +
                                              ";\nerror_log stderr warn;\nevents {}\nhttp {\n" + "access_log off;\n" +
                                              TempPaths() + site + "}\n");
  Process::Options options;
  options.arguments = {NginxPath(), "-p", directory_.path(), "-c", directory_.Sub("nginx.conf"), "-e", "stderr"};
  options.environment = {{"PATH", "/usr/sbin:/usr/bin:/bin"}};
  options.output_path = directory_.Sub("log");
  options.working_directory = directory_.path();
  process_ = std::make_unique<Process>(options);
}

Nginx::~Nginx() {
  process_->Signal(SIGTERM);
  process_->Wait(kPatience);
}

std::string Nginx::Exchange(const std::string& request) const {
  RawClient client = RawClient::AtFile(socket());
  client.Send(request);
  return client.ReadAll();
}

std::string Nginx::TempPaths() const {
  std::string text;
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text += std::string(kind) + "_temp_path " + directory_.Sub(kind) + ";\n";
  }
  return text;
}

}  // namespace latchkey::integration
