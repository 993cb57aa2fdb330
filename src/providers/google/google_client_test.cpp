#include "providers/google/google_client.hpp"

#include <boost/asio/io_context.hpp>
#include <deque>

#include <gmock/gmock.h>

#include "async/testing.hpp"

namespace latchkey::google {
namespace {

using ::testing::ElementsAre;

class ScriptedHttp final : public http_client::HttpClient {
 public:
  std::deque<Result<int>> script;
  std::vector<std::string> seen;
  bool lacks_permission = false;

  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    seen.push_back(request.method + " " + request.url + " " + std::string(request.body_view));
    if (script.empty()) co_return Fail(ErrorCode::kInternal);
    const auto status = script.front();
    script.pop_front();
    if (!status) co_return std::unexpected(status.error());
    http_client::HttpResponse response;
    response.status = *status;
    response.body = "{}";
    if (*status == 403 && lacks_permission) {
      response.body = R"({"error":{"code":403,"errors":[{"reason":"insufficientPermissions"}]}})";
    }
    co_return response;
  }
};

class Tokens final : public connected_accounts::TokenSource {
 public:
  int issued = 0;
  bool granted_more = false;
  Task<Result<SecretString>> AccessToken(const ConnectedAccountId&, const SecretString& refused) override {
    if (!refused.empty() || issued == 0) ++issued;
    co_return SecretString("token" + std::to_string(issued));
  }
  void Forget(const ConnectedAccountId&) override {
    if (granted_more) ++issued;
  }
};

class GoogleClientTest : public ::testing::Test {
 protected:
  Result<http_client::HttpResponse> Send(const GoogleRequest& request) {
    return latchkey::testing::RunTask(loop_, client_.Send(request));
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
                     .options = {.gmail_url = "https://gmail.example/",
                                 .calendar_url = "https://calendar.example",
                                 .retry_delay = std::chrono::milliseconds(1)}};
  GoogleClient client_{parts_, ConnectedAccountId("01890000-0000-7000-8000-000000000001")};
};

TEST_F(GoogleClientTest, EachApiHasItsPathHoweverItsAddressIsGiven) {
  http_.script = {200, 204, 201};
  GoogleRequest request{.api = GoogleApi::kCalendar, .path = "users/me/calendarList"};
  EXPECT_EQ(Send(request)->status, 200);
  parts_.options.calendar_url += "/calendar/v3";
  EXPECT_EQ(Send(request)->status, 204);
  request.api = GoogleApi::kGmailUpload;
  request.method = "POST";
  request.path = "messages/send";
  request.body = "mail";
  EXPECT_EQ(Send(request)->status, 201);
  EXPECT_THAT(http_.seen, ElementsAre("GET https://calendar.example/calendar/v3/users/me/calendarList ",
                                      "GET https://calendar.example/calendar/v3/users/me/calendarList ",
                                      "POST https://gmail.example/upload/gmail/v1/users/me/messages/send mail"));
}

TEST_F(GoogleClientTest, WhatMustHappenOnceIsNotRepeatedUnlessTheTokenWasRefused) {
  GoogleRequest request{.method = "POST", .call = GoogleCall::kSend, .path = "messages/send", .once = true};
  http_.script = {503, 200};
  EXPECT_EQ(Send(request).error().code, ErrorCode::kProviderUnavailable);
  EXPECT_EQ(http_.script.size(), 1U);
  http_.script = {Fail(ErrorCode::kTimeout), 200};
  EXPECT_EQ(Send(request).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(http_.script.size(), 1U);
  http_.script = {401, 200};
  EXPECT_TRUE(Send(request));
}

TEST_F(GoogleClientTest, APermissionGrantedSinceTheTokenWasReadIsUsedAtOnceAndALackingOneIsAskedForOnce) {
  http_.lacks_permission = true;
  const GoogleRequest request{.api = GoogleApi::kCalendar, .path = "users/me/calendarList"};
  http_.script = {403, 200};
  EXPECT_EQ(Send(request).error().code, ErrorCode::kMissingScope) << "the stored token is the one that was refused";
  EXPECT_EQ(http_.script.size(), 1U);
  tokens_.granted_more = true;
  http_.script = {403, 200};
  EXPECT_TRUE(Send(request));
  http_.script = {403, 403, 200};
  EXPECT_EQ(Send(request).error().code, ErrorCode::kMissingScope) << "no loop";
  EXPECT_EQ(http_.script.size(), 1U);
  http_.script = {403, 401, 200};
  EXPECT_TRUE(Send(request)) << "and the new one may have expired";
}

}  // namespace
}  // namespace latchkey::google
