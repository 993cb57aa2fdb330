#include "providers/google/google_push.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <deque>

#include "async/testing.hpp"

namespace latchkey::google {
namespace {

using connected_accounts::Capability;
using push::Service;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ScriptedHttp final : public http_client::HttpClient {
 public:
  std::deque<std::pair<int, std::string>> script;
  std::vector<std::string> seen, bodies;

  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    seen.push_back(request.method + " " + request.url);
    bodies.emplace_back(request.body.empty() ? std::string(request.body_view) : request.body);
    if (script.empty()) co_return Fail(ErrorCode::kInternal);
    http_client::HttpResponse response;
    std::tie(response.status, response.body) = script.front();
    script.pop_front();
    co_return response;
  }
};

class Tokens final : public connected_accounts::TokenSource {
 public:
  Task<Result<SecretString>> AccessToken(const ConnectedAccountId&, const SecretString&) override {
    co_return SecretString("token");
  }
};

class GooglePushTest : public ::testing::Test {
 protected:
  GooglePushTest() {
    account_.id = ConnectedAccountId("01890000-0000-7000-8000-000000000001");
    account_.email = "Ada@Example.com";
    account_.granted = {Capability::kReadMail, Capability::kReadCalendar};
    channel_.id = "01890000-0000-7000-8000-000000000002";
    channel_.account_id = account_.id;
    channel_.created_at = clock_.Now();
  }
  template <class T>
  T Run(Task<T> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }

  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  ScriptedHttp http_;
  Tokens tokens_;
  sync::QuotaBudget budget_{clock_, {.account_units_per_minute = 0, .project_units_per_minute = 0}};
  WorkerPool pool_{1};
  GoogleParts parts_{.http = http_,
                     .tokens = tokens_,
                     .budget = budget_,
                     .pool = pool_,
                     .clock = clock_,
                     .options = {.gmail_url = "https://gmail.example",
                                 .calendar_url = "https://calendar.example",
                                 .retry_delay = std::chrono::milliseconds(1)}};
  std::vector<std::string> calendars_{"primary@example.com"};
  GooglePush push_{
      parts_,
      parts_,
      {.topic = "projects/p/topics/t", .calendar_webhook = "https://latchkey.example/webhooks"},
      [this](const ConnectedAccountId&) -> Task<Result<std::vector<std::string>>> { co_return calendars_; }};
  connected_accounts::ConnectedAccount account_;
  push::Channel channel_;
};

TEST_F(GooglePushTest, WhatIsWatchedFollowsWhatWasGrantedAndChosen) {
  const push::PushProvider::Watch mail{.service = Service::kMail, .resource = "ada@example.com"};
  const push::PushProvider::Watch calendar{.service = Service::kCalendar, .resource = "primary@example.com"};
  EXPECT_THAT(*Run(push_.Wanted(account_)), ElementsAre(mail, calendar));
  account_.granted = {Capability::kReadCalendar};
  EXPECT_THAT(*Run(push_.Wanted(account_)), ElementsAre(calendar));
  calendars_.clear();
  EXPECT_THAT(*Run(push_.Wanted(account_)), IsEmpty());
}

TEST_F(GooglePushTest, AMailboxIsWatchedAgainEveryDay) {
  http_.script = {{200, R"({"historyId":"1234567890","expiration":"1800604800000"})"}};
  channel_.service = Service::kMail;
  const auto granted = Run(push_.Renew(channel_));
  ASSERT_TRUE(granted) << granted.error().detail;
  EXPECT_EQ(granted->expires_at, FromMicros(1'800'604'800'000'000));
  EXPECT_THAT(http_.seen, ElementsAre("POST https://gmail.example/gmail/v1/users/me/watch"));
  EXPECT_THAT(http_.bodies, ElementsAre(R"({"topicName":"projects/p/topics/t"})"));
  EXPECT_EQ(granted->expires_at - push_.Ahead(Service::kMail) - clock_.Now(), std::chrono::hours(24));
}

TEST_F(GooglePushTest, ACalendarsChannelCarriesOurIdAndSecretAndIsNeverExtended) {
  channel_.service = Service::kCalendar;
  channel_.resource = "a/b@example.com";
  http_.script = {{200, R"({"id":"x","resourceId":"r-1","expiration":"1800604800000"})"}, {204, ""}};
  const SecretString secret("the secret");
  const auto granted = Run(push_.Create(channel_, secret));
  ASSERT_TRUE(granted) << granted.error().detail;
  EXPECT_EQ(granted->external_id, "r-1");
  EXPECT_EQ(http_.bodies[0],
            R"({"id":"01890000-0000-7000-8000-000000000002","type":"web_hook","address":)"
            R"("https://latchkey.example/webhooks","token":"the secret","expiration":"1800604800000"})");
  EXPECT_EQ(Run(push_.Renew(channel_)).error().code, ErrorCode::kConflict);
  channel_.external_id = "r-1";
  EXPECT_TRUE(Run(push_.Stop(channel_)));
  EXPECT_THAT(http_.seen,
              ElementsAre("POST https://calendar.example/calendar/v3/calendars/a%2Fb%40example.com/events/watch",
                          "POST https://calendar.example/calendar/v3/channels/stop"));
  EXPECT_EQ(http_.bodies[1], R"({"id":"01890000-0000-7000-8000-000000000002","resourceId":"r-1"})");
}

TEST_F(GooglePushTest, StoppingWhatIsGoneSucceeds) {
  channel_.service = Service::kCalendar;
  http_.script = {{404, R"({"error":{"code":404,"errors":[{"reason":"notFound"}]}})"}};
  EXPECT_TRUE(Run(push_.Stop(channel_)));
}

TEST_F(GooglePushTest, AnAnswerWithoutAnEndIsNone) {
  for (const auto* body : {"", "[]", "{}", R"({"expiration":"soon"})", R"({"expiration":"-1"})",
                           R"({"expiration":"99999999999999999999"})"}) {
    EXPECT_EQ(ParseWatchAnswer(body).error().code, ErrorCode::kMalformedReply) << body;
  }
}

}  // namespace
}  // namespace latchkey::google
