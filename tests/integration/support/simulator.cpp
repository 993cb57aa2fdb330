#include "tests/integration/support/simulator.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <stdexcept>

#include "tests/integration/support/wait.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;

Process::Options Command(const TempDirectory& directory, const std::vector<std::string>& more) {
  Process::Options options;
  options.arguments = {LATCHKEY_SIMULATOR_PATH,
                       "--listen",
                       "127.0.0.1:0",
                       "--ready-file",
                       directory.Sub("ready.json"),
                       "--client-id",
                       kClientId,
                       "--client-secret",
                       kClientSecret,
                       "--microsoft-client-id",
                       kMicrosoftClientId,
                       "--microsoft-client-secret",
                       kMicrosoftClientSecret,
                       "--quiet"};
  options.arguments.insert(options.arguments.end(), more.begin(), more.end());
  options.environment = {{"PATH", "/usr/bin:/bin"}};
  options.output_path = directory.Sub("simulator.log");
  options.working_directory = directory.path();
  return options;
}

}  // namespace

Simulator::Simulator(std::vector<std::string> more_arguments) : process_(Command(directory_, more_arguments)) {
  const auto ready = WaitForFile(directory_.Sub("ready.json"), process_, kPatience);
  if (ready.empty()) throw std::runtime_error("the simulator did not start:\n" + log());
  url_ = bj::value_to<std::string>(bj::parse(ready).at("http"));
}

bj::value Simulator::Call(const std::string& method, const std::string& path, const bj::value* body) {
  HttpCall call;
  call.method = method;
  call.url = url_ + "/control" + path;
  if (body != nullptr) {
    call.headers = {"Content-Type: application/json"};
    call.body = bj::serialize(*body);
  }
  const auto reply = Fetch(call);
  EXPECT_EQ(reply.status / 100, 2) << method << " /control" << path << " -> " << reply.status << " "
                                   << reply.body.substr(0, 500);
  return reply.Json();
}

bj::value Simulator::Get(const std::string& path) { return Call("GET", path, nullptr); }
bj::value Simulator::Post(const std::string& path, const bj::value& body) { return Call("POST", path, &body); }
bj::value Simulator::Patch(const std::string& path, const bj::value& body) { return Call("PATCH", path, &body); }
void Simulator::Delete(const std::string& path) { Call("DELETE", path, nullptr); }

std::string Simulator::Authorize(const std::string& url, const Choice& choice) {
  bj::object body{{"url", url}, {"account", choice.account}, {"decision", choice.approve ? "approve" : "deny"}};
  if (!choice.untick.empty()) body["untick"] = bj::value_from(choice.untick);
  const bool google = PathOf(url).starts_with("/google/");
  const auto answer = Post(google ? "/google/authorize" : "/microsoft/authorize", body);
  const auto* location = answer.is_object() ? answer.as_object().if_contains("location") : nullptr;
  return location ? std::string(location->as_string()) : std::string();
}

std::string Simulator::Deliver(const std::string& email, const bj::value& message) {
  const auto answer = Post("/mail/" + email + "/messages", message);
  return answer.is_object() ? bj::value_to<std::string>(answer.at("id")) : std::string();
}

void Simulator::AddAccount(const std::string& email, const std::string& name) {
  Post("/accounts", bj::object{{"email", email}, {"name", name}});
}

}  // namespace latchkey::integration
