#include "providers/microsoft/graph_push.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <deque>

#include "async/testing.hpp"

namespace latchkey::microsoft {
namespace {

using connected_accounts::Capability;
using push::Service;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

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

constexpr const char* kSubscription = R"({"id":"s-1","expirationDateTime":"2027-01-21T18:23:45.9356913Z"})";

class GraphPushTest : public ::testing::Test {
 protected:
  GraphPushTest() {
    channel_.id = "c";
    channel_.account_id = ConnectedAccountId("01890000-0000-7000-8000-000000000001");
    channel_.external_id = "s-1";
  }
  template <class T>
  T Run(Task<T> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }

  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  ScriptedHttp http_;
  Tokens tokens_;
  GraphClients clients_{
      {.http = http_,
       .tokens = tokens_,
       .clock = clock_,
       .options = {.base_url = "https://graph.example", .retry_delay = std::chrono::milliseconds(1)}}};
  GraphPush push_{clients_, clock_, "https://latchkey.example/webhooks/microsoft"};
  push::Channel channel_;
};

TEST_F(GraphPushTest, MailAndCalendarsHaveASubscriptionEach) {
  connected_accounts::ConnectedAccount account;
  account.granted = {Capability::kReadMail, Capability::kReadCalendar};
  EXPECT_THAT(*Run(push_.Wanted(account)), SizeIs(2));
  account.granted = {Capability::kSendMail};
  EXPECT_THAT(*Run(push_.Wanted(account)), SizeIs(0));
}

TEST_F(GraphPushTest, ASubscriptionNamesOurAddressForBothKindsOfNotification) {
  http_.script = {{201, kSubscription}};
  const SecretString secret("client state");
  const auto granted = Run(push_.Create(channel_, secret));
  ASSERT_TRUE(granted) << granted.error().detail;
  EXPECT_EQ(granted->external_id, "s-1");
  EXPECT_EQ(granted->expires_at, ParseInstant("2027-01-21T18:23:45.935691Z"));
  EXPECT_THAT(http_.seen, ElementsAre("POST https://graph.example/v1.0/subscriptions"));
  const std::string& body = http_.bodies[0];
  EXPECT_THAT(body, HasSubstr(R"("notificationUrl":"https://latchkey.example/webhooks/microsoft")"));
  EXPECT_THAT(body, HasSubstr(R"("lifecycleNotificationUrl":"https://latchkey.example/webhooks/microsoft")"));
  EXPECT_THAT(body, HasSubstr(R"("resource":"me/messages")"));
  EXPECT_THAT(body, HasSubstr(R"("clientState":"client state")"));
  EXPECT_THAT(body, HasSubstr(R"("changeType":"created,updated,deleted")"));
}

TEST_F(GraphPushTest, ItIsExtendedInPlaceAndGoneMeansAnotherOne) {
  http_.script = {{200, kSubscription}, {404, R"({"error":{"code":"ResourceNotFound","message":"x"}})"}};
  EXPECT_TRUE(Run(push_.Renew(channel_)));
  EXPECT_EQ(http_.seen[0], "PATCH https://graph.example/v1.0/subscriptions/s-1");
  EXPECT_EQ(Run(push_.Renew(channel_)).error().code, ErrorCode::kGone);
}

TEST_F(GraphPushTest, WhetherItStillExistsCanBeAsked) {
  http_.script = {{200, kSubscription},
                  {404, R"({"error":{"code":"ResourceNotFound","message":"x"}})"},
                  {503, ""},
                  {503, ""},
                  {503, ""}};
  EXPECT_TRUE(Run(push_.Check(channel_)));
  EXPECT_EQ(http_.seen[0], "GET https://graph.example/v1.0/subscriptions/s-1");
  EXPECT_EQ(Run(push_.Check(channel_)).error().code, ErrorCode::kGone);
  EXPECT_EQ(Run(push_.Check(channel_)).error().code, ErrorCode::kProviderUnavailable);
}

TEST_F(GraphPushTest, OneLeftOverFromALostAnswerIsRemovedAndMadeAgain) {
  http_.script = {{409, R"({"error":{"code":"ExtensionError","message":"Subscription already exists."}})"},
                  {200, R"({"value":[
                    {"id":"other-app","resource":"me/messages","notificationUrl":"https://elsewhere.example"},
                    {"id":"calendar","resource":"me/events",
                     "notificationUrl":"https://latchkey.example/webhooks/microsoft"},
                    {"id":"lost","resource":"me/messages",
                     "notificationUrl":"https://latchkey.example/webhooks/microsoft"}]})"},
                  {204, ""},
                  {201, kSubscription}};
  const SecretString secret("client state");
  ASSERT_TRUE(Run(push_.Create(channel_, secret)));
  EXPECT_THAT(http_.seen, ElementsAre("POST https://graph.example/v1.0/subscriptions",
                                      "GET https://graph.example/v1.0/subscriptions",
                                      "DELETE https://graph.example/v1.0/subscriptions/lost",
                                      "POST https://graph.example/v1.0/subscriptions"));
}

TEST_F(GraphPushTest, StoppingWhatIsGoneSucceeds) {
  http_.script = {{204, ""}, {404, R"({"error":{"code":"ResourceNotFound","message":"x"}})"}};
  EXPECT_TRUE(Run(push_.Stop(channel_)));
  EXPECT_TRUE(Run(push_.Stop(channel_)));
}

TEST_F(GraphPushTest, AnAnswerWithoutIdOrEndIsNone) {
  for (const auto* body : {"", "[]", "{}", R"({"id":"x"})", R"({"id":"x","expirationDateTime":"soon"})"}) {
    EXPECT_EQ(ParseSubscription(body).error().code, ErrorCode::kMalformedReply) << body;
  }
}

}  // namespace
}  // namespace latchkey::microsoft
