#include "tests/integration/support/server.hpp"

#include <signal.h>

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <filesystem>
#include <stdexcept>

#include "tests/integration/support/simulator.hpp"
#include "tests/integration/support/wait.hpp"

namespace latchkey::integration {

namespace bj = boost::json;

Server::Server(const Simulator& simulator, const Environment& more) {
  environment_ = {
      {"PATH", "/usr/bin:/bin"},
      {"LATCHKEY_LISTEN", "127.0.0.1:0"},
      {"LATCHKEY_DATA_DIR", data_directory()},
      {"LATCHKEY_READY_FILE", directory_.Sub("ready.json")},
      {"LATCHKEY_LOG_LEVEL", "debug"},
      {"LATCHKEY_POLL_SECONDS", "1"},
      {"AUTH_GOOGLE_CLIENT_ID", kClientId},
      {"AUTH_GOOGLE_CLIENT_SECRET", kClientSecret},
      {"GOOGLE_DISCOVERY_URL", simulator.discovery_url()},
      {"GOOGLE_GMAIL_URL", simulator.url()},
      {"GOOGLE_CALENDAR_URL", simulator.url()},
      {"GOOGLE_QUOTA_UNITS_PER_MINUTE", "0"},
      {"GOOGLE_PROJECT_QUOTA_UNITS_PER_MINUTE", "0"},
  };
  if (ScratchDatabase::Possible()) {
    database_ = std::make_unique<ScratchDatabase>();
    environment_["DATABASE_URL"] = database_->url();
  }
  for (const auto& [name, value] : more) environment_[name] = value;
}

void Server::Start() {
  const auto ready_path = directory_.Sub("ready.json");
  std::filesystem::remove(ready_path);
  Process::Options options;
  options.arguments = {LATCHKEY_SERVER_PATH, "serve"};
  options.environment = environment_;
  options.output_path = directory_.Sub("server.log");
  options.working_directory = directory_.path();
  process_ = std::make_unique<Process>(options);
  const auto text = WaitForFile(ready_path, *process_, kPatience);
  if (text.empty()) throw std::runtime_error("the server did not start:\n" + log());
  const auto ready = bj::parse(text);
  public_url_ = bj::value_to<std::string>(ready.at("public_url"));
  setup_url_ = ready.at("setup_url").is_null() ? std::string() : bj::value_to<std::string>(ready.at("setup_url"));
  const auto address = bj::value_to<std::string>(ready.at("url"));
  port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  environment_["LATCHKEY_LISTEN"] = "127.0.0.1:" + std::to_string(port_);
}

int Server::Stop() {
  process_->Signal(SIGTERM);
  const auto code = process_->Wait(kPatience);
  if (!code) process_->Kill();
  return code.value_or(-1);
}

void Server::Kill() { process_->Kill(); }

FailedStart RunServer(const Server::Environment& environment, const std::vector<std::string>& arguments) {
  const TempDirectory directory;
  Process::Options options;
  options.arguments = {LATCHKEY_SERVER_PATH};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  options.environment = environment;
  options.environment.emplace("PATH", "/usr/bin:/bin");
  options.output_path = directory.Sub("output");
  options.working_directory = directory.path();
  Process process(options);
  const auto code = process.Wait(kPatience);
  process.Kill();
  return {code.value_or(-1), ReadFile(directory.Sub("output"))};
}

}  // namespace latchkey::integration
