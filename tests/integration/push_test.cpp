// Push with real programs: the mailbox is watched and no longer watched, and whatever comes in without proof changes
// nothing and learns nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

class Push : public IntegrationTest {
 protected:
  void SetUp() override {
    server_.environment()["GOOGLE_PUBSUB_TOPIC"] = "projects/example/topics/gmail";
    server_.environment()["GOOGLE_PUBSUB_SERVICE_ACCOUNT"] = "push@example.iam.gserviceaccount.com";
    IntegrationTest::SetUp();
    ada_ = NewPerson();
    ada_->SignIn();
  }
  HttpReply Hook(const std::string& path, std::vector<std::string> headers, std::string body = "") {
    HttpCall call{.method = "POST", .url = server_.url() + "/webhooks/" + path, .headers = std::move(headers)};
    call.body = std::move(body);
    return ada_->SendRaw(std::move(call));
  }
  std::string Channels(const std::string& where = "1") {
    DatabaseFile database(server_.data_directory() + "/latchkey.db");
    return database.Query("SELECT count(*) FROM push_channels WHERE " + where)[0][0];
  }
  std::string CheckOf(const std::string& account, std::string_view name) {
    const auto reply = ada_->Get("/api/v1/connected-accounts/" + account + "/health");
    const auto health = reply.Json();
    EXPECT_EQ(reply.status, 200) << reply.body;
    for (const auto& check : health.at("checks").as_array()) {
      if (check.at("name").as_string() == name) return std::string(check.at("status").as_string());
    }
    return {};
  }

  std::unique_ptr<Person> ada_;
};

TEST_F(Push, AMailboxIsWatchedWhileItIsConnectedAndWorks) {
  const auto account = ada_->Connect(kAda);
  ASSERT_TRUE(WaitUntil([&] { return Channels("state = 'active' AND resource = 'ada@example.com'") == "1"; }));
  EXPECT_EQ(CheckOf(account, "push"), "ok");
  ada_->WaitUntilImported(account);
  ada_->Post("/api/v1/connected-accounts/" + account + "/pause");
  ASSERT_TRUE(WaitUntil([&] { return Channels() == "0"; })) << "nothing is fetched, so nothing is listened to";
  ada_->Post("/api/v1/connected-accounts/" + account + "/resume");
  ASSERT_TRUE(WaitUntil([&] { return Channels("state = 'active'") == "1"; }));
  ada_->Send("DELETE", "/api/v1/connected-accounts/" + account);
  EXPECT_TRUE(WaitUntil([&] { return Channels() == "0"; }));
}

TEST_F(Push, WithoutProofNothingHappensAndNothingIsLearned) {
  const auto account = ada_->Connect(kAda);
  ada_->WaitUntilImported(account);
  const std::string json = "Content-Type: application/json";
  const std::string body =
      R"({"message":{"data":"eyJlbWFpbEFkZHJlc3MiOiJhZGFAZXhhbXBsZS5jb20iLCJoaXN0b3J5SWQiOiI5MSJ9"}})";
  for (const auto& headers :
       {std::vector<std::string>{json}, {json, "Authorization: Bearer a.b.c"}, {json, "Authorization: Basic eDp5"}}) {
    const auto reply = Hook("google/gmail", headers, body);
    EXPECT_EQ(reply.status, 401);
    EXPECT_THAT(reply.body, Not(HasSubstr("bearer"))) << "no word on why";
  }
  EXPECT_EQ(
      Hook("google/calendar", {"X-Goog-Channel-ID: nobody", "X-Goog-Channel-Token: x", "X-Goog-Resource-State: exists"})
          .status,
      404);
  EXPECT_EQ(Hook("google/calendar", {"X-Goog-Resource-State: exists"}).status, 400);
  EXPECT_EQ(Hook("microsoft?validationToken=Validation%3a+x", {"Content-Type: text/plain"}).status, 400)
      << "we are creating no subscription";
  const auto unknown = Hook("microsoft", {json}, R"({"value":[{"subscriptionId":"a","clientState":"b"}]})");
  EXPECT_EQ(unknown.status, 202) << "acknowledged, and ignored";
  EXPECT_EQ(Hook("microsoft", {json}, "no json").status, 400);
  EXPECT_EQ(Hook("microsoft", {json}, std::string(300 << 10, ' ')).status, 400) << "more than we read";
}

/// Nobody polls within the life of a test: what arrives was told of.
class PushAlone : public Push {
 protected:
  void SetUp() override {
    server_.environment()["LATCHKEY_POLL_SECONDS"] = "3600";
    Push::SetUp();
  }
};

TEST_F(PushAlone, NewMailArrivesBecauseGoogleSaidSo) {
  const bj::object subscription{{"endpoint", server_.url() + "/webhooks/google/gmail"},
                                {"service_account", "push@example.iam.gserviceaccount.com"},
                                {"issuer", simulator_.url() + "/google"}};
  const HttpCall put{.method = "PUT",
                     .url = simulator_.url() + "/control/pubsub/subscription",
                     .headers = {"Content-Type: application/json"},
                     .body = bj::serialize(subscription)};
  ASSERT_EQ(Fetch(put).status, 200);
  const auto account = ada_->Connect(kAda);
  ada_->WaitUntilImported(account);
  ASSERT_TRUE(WaitUntil([&] { return Channels("state = 'active'") == "1"; }));
  // The watch itself was told of at once; what follows within a second is dropped.
  ASSERT_TRUE(WaitUntil([&] {
    simulator_.Deliver(kAda, Mail("Told of"));
    return simulator_.Get("/pubsub/subscription").at("published").to_number<int>() >= 2;
  }));
  EXPECT_TRUE(WaitUntil([&] { return !ada_->Messages().empty(); }))
      << bj::serialize(simulator_.Get("/pubsub/subscription"));
}

}  // namespace
}  // namespace latchkey::integration
