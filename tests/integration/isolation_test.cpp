#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

class Isolation : public IntegrationTest {};

struct IdRoute {
  const char* method;
  std::string path;
  const char* body = "";
};

// Every route that takes an id, with ids of somebody else and ids of nobody: the answers must not differ.
TEST_F(Isolation, ForeignAndUnknownIdsGetTheSameNotFoundOnEveryRoute) {
  auto ada = NewPerson();
  ada->SignInAsAdministrator();
  simulator_.Deliver(kAda, {{"from", "x@example.net"},
                            {"to", kAda},
                            {"subject", "private"},
                            {"text", "canary-body"},
                            {"attachments", {{{"filename", "a.txt"}, {"text", "canary-attachment"}}}}});
  const auto account = ada->Connect(kAda);
  ada->WaitUntilImported(account);
  const auto messages = ada->Messages();
  ASSERT_EQ(messages.size(), 1U);
  const std::string message(messages[0].at("id").as_string());
  const auto detail = ada->Get("/api/v1/messages/" + message).Json();
  const std::string attachment(detail.at("attachments").at(0).at("id").as_string());
  const auto attempt = ada->StartConnect().attempt_id;
  const auto session = std::string(ada->Session().at("session").at("id").as_string());
  auto grace = NewPerson(kGrace);
  grace->SignIn();

  const auto routes = [](const std::string& account_id, const std::string& message_id, const std::string& attachment_id,
                         const std::string& attempt_id, const std::string& session_id, const std::string& erasure_id) {
    const auto base = "/api/v1/connected-accounts/" + account_id;
    return std::vector<IdRoute>{
        {"GET", base},
        {"PATCH", base, R"({"display_name":"Mine"})"},
        {"DELETE", base},
        {"GET", base + "/erasure-preview"},
        {"POST", base + "/sync"},
        {"POST", base + "/pause"},
        {"POST", base + "/resume"},
        {"POST", base + "/reconnect", "{}"},
        {"GET", base + "/activity"},
        {"GET", base + "/health"},
        {"GET", base + "/send-addresses"},
        {"GET", "/api/v1/outbox?account=" + account_id},
        {"GET", "/api/v1/erasures/" + erasure_id},
        {"GET", "/api/v1/labels?account=" + account_id},
        {"GET", "/api/v1/messages/" + message_id},
        {"GET", "/api/v1/messages/" + message_id + "/view"},
        {"GET", "/api/v1/messages/" + message_id + "/attachments/" + attachment_id},
        {"GET", "/api/v1/connect-attempts/" + attempt_id},
        {"DELETE", "/auth/sessions/" + session_id},
        {"GET", "/api/v1/email-connections/" + account_id},
        {"DELETE", "/api/v1/email-connections/" + account_id},
    };
  };
  const std::string nobody = "01931f30-1111-7000-8000-000000000001";
  auto foreign = routes(account, message, attachment, attempt, session, nobody);
  auto unknown = routes(nobody, nobody, nobody, nobody, nobody, nobody);
  for (std::size_t i = 0; i < foreign.size(); ++i) {
    const auto theirs = grace->Send(foreign[i].method, foreign[i].path, foreign[i].body);
    const auto none = grace->Send(unknown[i].method, unknown[i].path, unknown[i].body);
    EXPECT_EQ(theirs.status, 404) << foreign[i].method << " " << foreign[i].path << " " << theirs.body;
    EXPECT_EQ(none.status, 404) << unknown[i].method << " " << unknown[i].path << " " << none.body;
    EXPECT_EQ(theirs.Code(), none.Code());
    EXPECT_FALSE(theirs.body.contains("canary"));
  }
  // Text that is no id at all.
  for (const auto& route : routes("..%2f..%2f", "x", "y", "1", "'--", "0"))
    EXPECT_GE(grace->Send(route.method, route.path, route.body).status, 400) << route.path;
  // Lists and search hold nothing of others; filters by a foreign account give nothing.
  EXPECT_TRUE(grace->Messages().empty());
  EXPECT_TRUE(grace->Messages("&q=canary").empty());
  const auto filtered = grace->Get("/api/v1/messages?account=" + account);
  EXPECT_TRUE(filtered.status == 404 || filtered.Json().at("items").as_array().empty()) << filtered.body;
  // Administration is not for everybody.
  EXPECT_EQ(grace->Get("/api/v1/jobs").status, 403);
  EXPECT_EQ(grace->Get("/api/v1/admin/notices").status, 403);
  EXPECT_EQ(grace->Post("/api/v1/jobs/" + nobody + "/retry").status, 403);
  // And nothing of this changed anything.
  EXPECT_EQ(ada->Account(account).at("status").as_string(), "healthy");
  EXPECT_EQ(ada->Messages().size(), 1U);
  EXPECT_EQ(ada->Get("/auth/sessions").status, 200);
}

TEST_F(Isolation, StreamsTellOnlyOfOnesOwn) {
  auto ada = NewPerson();
  ada->SignIn();
  auto grace = NewPerson(kGrace);
  grace->SignIn();
  auto events = grace->OpenEvents();
  ASSERT_EQ(events->WaitForStatus(kPatience), 200);
  auto own = ada->OpenEvents();
  ASSERT_EQ(own->WaitForStatus(kPatience), 200);
  const auto account = ada->Connect(kAda);
  ada->WaitUntilImported(account);
  simulator_.Deliver(kAda, Mail("One"));
  ASSERT_TRUE(own->WaitFor([](const StreamedEvent& event) { return event.type == "message.upserted"; }, kPatience));
  EXPECT_TRUE(events->events().empty());
}

TEST_F(Isolation, WithoutASessionEveryPrivateRouteIsRefused) {
  auto nobody = NewPerson();
  for (const auto* path : {"/auth/sessions", "/api/v1/connected-accounts", "/api/v1/messages", "/api/v1/labels",
                           "/api/v1/sync-status", "/api/v1/jobs", "/api/v1/admin/notices", "/metrics",
                           "/api/connected-accounts", "/api/sync-status", "/api/v1/email-connections"})
    EXPECT_EQ(nobody->Get(path).status, 401) << path;
}

}  // namespace
}  // namespace latchkey::integration
