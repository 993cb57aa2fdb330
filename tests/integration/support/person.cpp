#include "tests/integration/support/person.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include "tests/integration/support/contract.hpp"
#include "tests/integration/support/wait.hpp"

namespace latchkey::integration {

namespace bj = boost::json;

Browser::Observer HoldAgainstContract() {
  return [](const HttpCall& call, const HttpReply& reply) {
    // Only our server's answers are ours to promise.
    if (HostOf(call.url) != "localhost") return;
    for (const auto& problem : Contract::Shared().Check(call, reply)) ADD_FAILURE() << "contract: " << problem;
  };
}

Person::Person(Server& server, Simulator& simulator, std::string email, std::string provider)
    : server_(server),
      simulator_(simulator),
      email_(std::move(email)),
      provider_(std::move(provider)),
      browser_(HoldAgainstContract()) {}

HttpReply Person::Navigate(const std::string& path_or_url) {
  return browser_.Navigate(path_or_url.starts_with('/') ? Url(path_or_url) : path_or_url);
}

HttpReply Person::StartSignIn(const std::string& query) { return Navigate("/auth/login/" + provider_ + query); }

void Person::SignIn() {
  const auto start = StartSignIn();
  ASSERT_EQ(start.status, 307) << start.body;
  const auto back = simulator_.Authorize(start.Location(), {.account = email_, .approve = true, .untick = {}});
  ASSERT_FALSE(back.empty()) << start.Location();
  const auto end = Navigate(back);
  ASSERT_EQ(end.status, 303) << end.body;
  ASSERT_TRUE(PathOf(end.Location()) == "/auth/callback") << end.Location();
  const auto session = Session();
  ASSERT_TRUE(session.is_object() && session.at("user").is_object()) << bj::serialize(session);
}

void Person::SignInAsAdministrator() {
  ASSERT_FALSE(server_.setup_url().empty());
  const auto reply = Navigate(server_.setup_url());
  ASSERT_EQ(reply.status, 303) << reply.body;
  ASSERT_EQ(PathOf(reply.Location()), "/login") << reply.Location();
  SignIn();
  ASSERT_TRUE(Session().at("user").at("is_admin").as_bool());
}

HttpReply Person::Get(const std::string& path) {
  HttpCall call;
  call.url = Url(path);
  call.headers = {"Accept: application/json", "Sec-Fetch-Site: same-origin"};
  return browser_.Send(call);
}

HttpReply Person::Post(const std::string& path, const std::string& json) { return Send("POST", path, json); }

HttpReply Person::Send(const std::string& method, const std::string& path, const std::string& json) {
  HttpCall call;
  call.method = method;
  call.url = Url(path);
  call.body = json;
  call.headers = {"Accept: application/json", "Origin: " + server_.url(), "Sec-Fetch-Site: same-origin",
                  "X-CSRF-Token: " + csrf_};
  if (!json.empty()) call.headers.push_back("Content-Type: application/json");
  return browser_.Send(call);
}

bj::value Person::Session() {
  auto session = Get("/auth/session").Json();
  if (const auto* object = session.if_object()) {
    const auto* token = object->if_contains("csrfToken");
    csrf_ = token && token->is_string() ? std::string(token->as_string()) : std::string();
  }
  return session;
}

Person::Started Person::StartConnect(const std::vector<std::string>& capabilities) {
  const bj::object body{{"provider", provider_}, {"capabilities", bj::value_from(capabilities)}, {"mode", "popup"}};
  const auto created = Post("/api/v1/connect-attempts", bj::serialize(body));
  EXPECT_EQ(created.status, 201) << created.body;
  if (created.status != 201) return {};
  const auto attempt = created.Json();
  const auto sent = Navigate(bj::value_to<std::string>(attempt.at("url")));
  EXPECT_EQ(sent.status, 307) << sent.body;
  return {bj::value_to<std::string>(attempt.at("id")), sent.Location()};
}

std::string Person::Connect(const std::string& mailbox, const std::vector<std::string>& capabilities) {
  const auto started = StartConnect(capabilities);
  if (started.attempt_id.empty()) return {};
  const auto back = simulator_.Authorize(started.authorize_url, {.account = mailbox, .approve = true, .untick = {}});
  const auto end = Navigate(back);
  EXPECT_EQ(end.status, 303) << end.body;
  const auto attempt = Attempt(started.attempt_id);
  EXPECT_EQ(attempt.at("status").as_string(), "succeeded") << bj::serialize(attempt);
  if (!attempt.at("account").is_object()) return {};
  return bj::value_to<std::string>(attempt.at("account").at("id"));
}

bj::value Person::Attempt(const std::string& id) { return Get("/api/v1/connect-attempts/" + id).Json(); }

bj::value Person::Reconnect(const std::string& account_id, const std::string& mailbox) {
  const auto created = Post("/api/v1/connected-accounts/" + account_id + "/reconnect", R"({"mode":"popup"})");
  EXPECT_EQ(created.status, 201) << created.body;
  if (created.status != 201) return {};
  const auto attempt = created.Json();
  const auto sent = Navigate(bj::value_to<std::string>(attempt.at("url")));
  EXPECT_EQ(sent.status, 307) << sent.body;
  const auto back = simulator_.Authorize(sent.Location(), {.account = mailbox, .approve = true, .untick = {}});
  EXPECT_EQ(Navigate(back).status, 303);
  return Attempt(bj::value_to<std::string>(attempt.at("id")));
}

bj::value Person::Account(const std::string& id) { return Get("/api/v1/connected-accounts/" + id).Json(); }

bj::array Person::Messages(const std::string& query) {
  bj::array out;
  std::string cursor;
  do {
    auto path = "/api/v1/messages?limit=100" + query;
    if (!cursor.empty()) path += "&cursor=" + cursor;
    const auto reply = Get(path);
    EXPECT_EQ(reply.status, 200) << reply.body;
    if (reply.status != 200) return out;
    const auto page = reply.Json();
    for (const auto& item : page.at("items").as_array()) out.push_back(item);
    cursor = page.at("next_cursor").is_null() ? "" : bj::value_to<std::string>(page.at("next_cursor"));
  } while (!cursor.empty());
  return out;
}

void Person::WaitUntilImported(const std::string& account_id) {
  const bool done = WaitUntil([&] {
    const auto account = Account(account_id);
    const auto status = account.is_object() ? account.as_object().if_contains("status") : nullptr;
    return status != nullptr && status->is_string() && status->as_string() == "healthy";
  });
  EXPECT_TRUE(done) << bj::serialize(Account(account_id));
}

std::unique_ptr<EventReader> Person::OpenEvents(const std::string& last_event_id) {
  std::vector<std::string> headers{"Cookie: " + browser_.CookieHeader(Url("/"))};
  if (!last_event_id.empty()) headers.push_back("Last-Event-ID: " + last_event_id);
  return std::make_unique<EventReader>(Url("/api/v1/events"), headers);
}

}  // namespace latchkey::integration
