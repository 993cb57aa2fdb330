#include "push/receiver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "oauth/testing/fake_provider.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::push {
namespace {

using namespace std::chrono_literals;
using oauth::testing::FakeProvider;

constexpr std::string_view kAudience = "https://latchkey.example.org/webhooks/google/gmail";
constexpr std::string_view kServiceAccount = "push@project.iam.gserviceaccount.com";

class ReceiverTest : public ::testing::Test {
 protected:
  ReceiverTest() {
    Add("mail-channel", Service::kMail, "ada.mail@example.com", "", "");
    Add("calendar-channel", Service::kCalendar, "primary", "resource-1", "calendar secret");
  }
  void Add(const std::string& id, Service service, const std::string& resource, const std::string& external_id,
           const std::string& secret, bool active = true) {
    Channel channel;
    channel.id = id;
    channel.account_id = account_.id;
    channel.generation = account_.generation;
    channel.service = service;
    channel.resource = resource;
    channel.secret_hash = secret.empty() ? "" : crypto::Sha256Hex(secret);
    channel.created_at = scratch_.clock().Now();
    scratch_.Get(store().Insert(channel));
    if (active) scratch_.Get(store().Activate(id, external_id, scratch_.clock().Now() + 24h));
  }
  PushStore& store() { return scratch_.database().push(); }

  /// A token as Pub/Sub signs it, with members replaced or added.
  std::string Token(const std::string& members = "", const std::string& audience = std::string(kAudience)) {
    const auto now = ToMicros(scratch_.clock().Now()) / 1'000'000;
    return google_.key().SignClaims(R"({"iss":")" + std::string(FakeProvider::kIssuer) + R"(","aud":")" + audience +
                                    R"(","azp":"1137","sub":"1137","email":")" + std::string(kServiceAccount) +
                                    R"(","iat":)" + std::to_string(now) + R"(,"exp":)" + std::to_string(now + 3600) +
                                    (members.empty() ? R"(,"email_verified":true)" : "," + members) + "}");
  }
  static std::string Body(const std::string& email = "Ada.Mail@Example.com") {
    return R"({"message":{"data":")" + Base64Encode(R"({"emailAddress":")" + email + R"(","historyId":"12"})") +
           R"("}})";
  }
  template <class T>
  Result<T> Run(Task<Result<T>> task) {
    return latchkey::testing::RunTask(scratch_.loop(), Ended(std::move(task)));
  }
  template <class T>
  Task<Result<T>> Ended(Task<Result<T>> task) {
    auto result = co_await std::move(task);
    co_await hints_.Stop();
    co_return result;
  }
  std::size_t Queued(const std::string& kind) {
    return scratch_.Get(scratch_.database().jobs().List({.kind = kind})).items.size();
  }
  Result<void> Calendar(std::map<std::string, std::string, std::less<>> headers) {
    const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
      const auto found = headers.find(name);
      return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->second);
    };
    return Run(receiver_.Calendar(find));
  }

  storage::testing::ScratchStore scratch_;
  identity::User user_ = scratch_.AddUser("ada");
  connected_accounts::ConnectedAccount account_ = scratch_.AddAccount(user_, "ada.mail");
  FakeProvider google_{scratch_.clock()};
  PubSubToken token_{{.discovery_url = FakeProvider::DiscoveryUrl(),
                      .issuer = std::string(FakeProvider::kIssuer),
                      .audience = std::string(kAudience),
                      .service_account = std::string(kServiceAccount)},
                     google_,
                     scratch_.clock(),
                     scratch_.loop().get_executor()};
  Hints hints_{scratch_.loop().get_executor(), scratch_.database().jobs(), scratch_.clock(), {.gap = 1ms}};
  Receiver receiver_{{store(), hints_, scratch_.clock(), &token_}};
};

TEST_F(ReceiverTest, ASignedNotificationWakesTheMailbox) {
  ASSERT_TRUE(Run(receiver_.Gmail("Bearer " + Token(), Body())));
  EXPECT_EQ(Queued("fetch_emails"), 1u);
  EXPECT_EQ(scratch_.Get(store().Stand(account_.id, scratch_.clock().Now())).notified_at, scratch_.clock().Now());
}

TEST_F(ReceiverTest, AMailboxThatNobodyHasIsAcknowledgedAndIgnored) {
  ASSERT_TRUE(Run(receiver_.Gmail("Bearer " + Token(), Body("eve@example.com"))));
  EXPECT_EQ(Queued("fetch_emails"), 0u);
}

TEST_F(ReceiverTest, WhateverIsWrongWithTheTokenIsRefused) {
  auto stranger = oauth::testing::ForgeKey::Rsa(google_.key().kid());
  const auto now = std::to_string(ToMicros(scratch_.clock().Now()) / 1'000'000);
  const auto old = std::to_string(ToMicros(scratch_.clock().Now()) / 1'000'000 - 7200);
  const std::string payload = R"({"iss":")" + std::string(FakeProvider::kIssuer) + R"(","aud":")" +
                              std::string(kAudience) + R"(","sub":"1","email":")" + std::string(kServiceAccount) +
                              R"(","email_verified":true,"iat":)";
  const std::string good = Token();
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"no header", ""},
      {"not bearer", "Basic " + good},
      {"no token", "Bearer "},
      {"garbage", "Bearer a.b.c"},
      {"another key", "Bearer " + stranger.SignClaims(payload + now + R"(,"exp":)" + now + "000}")},
      {"another audience", "Bearer " + Token("", "https://elsewhere.example.org")},
      {"not verified", "Bearer " + Token(R"("email_verified":false)")},
      {"verified is absent", "Bearer " + Token(R"("x":1)")},
      {"expired", "Bearer " + google_.key().SignClaims(payload + old + R"(,"exp":)" + old + "}")},
      {"none", "Bearer " + Base64UrlEncode(R"({"alg":"none"})") + "." + Base64UrlEncode(payload + now + "}") + "."},
      {"another account",
       "Bearer " + google_.key().SignClaims(R"({"iss":")" + std::string(FakeProvider::kIssuer) + R"(","aud":")" +
                                            std::string(kAudience) +
                                            R"(","sub":"1","email":"eve@example.com","email_verified":true,"iat":)" +
                                            now + R"(,"exp":)" + std::to_string(std::stoll(now) + 60) + "}")},
      {"another issuer",
       "Bearer " + google_.key().SignClaims(R"({"iss":"https://evil.example","aud":")" + std::string(kAudience) +
                                            R"(","sub":"1","email":")" + std::string(kServiceAccount) +
                                            R"(","email_verified":true,"iat":)" + now + R"(,"exp":)" + now + "}")},
  };
  for (const auto& [what, authorization] : wrong) {
    const auto result = latchkey::testing::RunTask(scratch_.loop(), receiver_.Gmail(authorization, Body()));
    ASSERT_FALSE(result) << what;
    EXPECT_EQ(result.error().code, ErrorCode::kUnauthenticated) << what;
  }
  EXPECT_EQ(Queued("fetch_emails"), 0u);
}

TEST_F(ReceiverTest, WithoutConfigurationThereIsNothingThere) {
  Receiver unconfigured({store(), hints_, scratch_.clock(), nullptr});
  EXPECT_EQ(Run(unconfigured.Gmail("Bearer " + Token(), Body())).error().code, ErrorCode::kNotFound);
}

TEST_F(ReceiverTest, ACalendarChannelIsKnownByItsIdAndToken) {
  std::map<std::string, std::string, std::less<>> headers{{"X-Goog-Channel-ID", "calendar-channel"},
                                                          {"X-Goog-Channel-Token", "calendar secret"},
                                                          {"X-Goog-Resource-State", "exists"}};
  auto wrong = headers;
  wrong["X-Goog-Channel-Token"] = "guessed";
  auto absent = headers;
  absent.erase("X-Goog-Channel-Token");
  auto unknown = headers;
  unknown["X-Goog-Channel-ID"] = "gone";
  auto mail = headers;
  mail["X-Goog-Channel-ID"] = "mail-channel";
  mail["X-Goog-Channel-Token"] = "";
  for (const auto& [tried, code] : {std::pair{wrong, ErrorCode::kUnauthenticated},
                                    {absent, ErrorCode::kUnauthenticated},
                                    {unknown, ErrorCode::kNotFound},
                                    {mail, ErrorCode::kNotFound}}) {
    const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
      const auto found = tried.find(name);
      return found == tried.end() ? std::nullopt : std::optional<std::string_view>(found->second);
    };
    EXPECT_EQ(latchkey::testing::RunTask(scratch_.loop(), receiver_.Calendar(find)).error().code, code);
  }
  EXPECT_EQ(Queued("fetch_calendar"), 0u);
  ASSERT_TRUE(Calendar(headers));
  EXPECT_EQ(Queued("fetch_calendar"), 1u);
}

TEST_F(ReceiverTest, OnePostMayMixSubscriptionsAndEachHasItsOwnSecret) {
  // The row's provider decides: this account is at Microsoft.
  storage::sqlite::Connection(scratch_.directory() + "/latchkey.db", storage::sqlite::Connection::Mode::kReadWrite)
      .Run("UPDATE connected_accounts SET provider = 'microsoft'");
  Add("graph-mail", Service::kMail, "", "sub-mail", "first");
  Add("graph-calendar", Service::kCalendar, "", "sub-calendar", "second");
  const auto entry = [](const std::string& id, const std::string& state, const std::string& more = "") {
    return R"({"subscriptionId":")" + id + R"(","clientState":")" + state + "\"" + more + "}";
  };
  std::string storm;
  for (int i = 0; i < 500; ++i) storm += entry("sub-mail", "first") + ",";
  ASSERT_TRUE(Run(receiver_.Graph(R"({"value":[)" + storm + entry("sub-calendar", "first") + "," +
                                  entry("unknown", "first") + "]}")));
  EXPECT_EQ(Queued("fetch_emails"), 1u);
  EXPECT_EQ(Queued("fetch_calendar"), 0u) << "the other subscription's secret";
}

TEST_F(ReceiverTest, LifecycleEventsBringTheChannelBackIntoCare) {
  storage::sqlite::Connection(scratch_.directory() + "/latchkey.db", storage::sqlite::Connection::Mode::kReadWrite)
      .Run("UPDATE connected_accounts SET provider = 'microsoft'");
  Add("graph-mail", Service::kMail, "", "sub-mail", "first");
  scratch_.Get(store().LookAgain(account_.id, scratch_.clock().Now() + 100h));
  const auto body = [](const std::string& event) {
    return R"({"value":[{"subscriptionId":"sub-mail","clientState":"first","lifecycleEvent":")" + event + R"("}]})";
  };
  const auto due = [&] { return scratch_.Get(store().ScheduleDue(scratch_.clock().Now(), 1h, 10)); };
  ASSERT_TRUE(latchkey::testing::RunTask(scratch_.loop(), receiver_.Graph(body("missed"))));
  EXPECT_EQ(due(), 0);
  ASSERT_TRUE(latchkey::testing::RunTask(scratch_.loop(), receiver_.Graph(body("reauthorizationRequired"))));
  EXPECT_EQ(due(), 1);
  const auto found = scratch_.Get(store().FindExternal("microsoft", "sub-mail"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->expires_at, scratch_.clock().Now() + 1h) << "so that it is extended at this look";
  ASSERT_TRUE(Run(receiver_.Graph(body("subscriptionRemoved"))));
  EXPECT_FALSE(scratch_.Get(store().FindExternal("microsoft", "sub-mail")));
  EXPECT_EQ(due(), 1);
  EXPECT_EQ(Queued("fetch_emails"), 1u) << "missed and removed: look what happened";
  EXPECT_EQ(Queued("renew_push"), 1u);
}

TEST_F(ReceiverTest, AValidationIsAnsweredOnlyWhileASubscriptionIsBeingCreated) {
  storage::sqlite::Connection(scratch_.directory() + "/latchkey.db", storage::sqlite::Connection::Mode::kReadWrite)
      .Run("UPDATE connected_accounts SET provider = 'microsoft'");
  EXPECT_EQ(Run(receiver_.Validate("Validation: x")).error().code, ErrorCode::kInvalidArgument);
  Add("graph-mail", Service::kMail, "", "", "first", false);
  EXPECT_EQ(Run(receiver_.Validate("Validation: <b>")).value(), "Validation: &lt;b&gt;");
  EXPECT_EQ(Run(receiver_.Validate("")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Run(receiver_.Validate(std::string(3000, 'x'))).error().code, ErrorCode::kInvalidArgument);
  scratch_.clock().Advance(std::chrono::minutes(3));
  EXPECT_EQ(Run(receiver_.Validate("Validation: x")).error().code, ErrorCode::kInvalidArgument) << "that call is over";
}

}  // namespace
}  // namespace latchkey::push
