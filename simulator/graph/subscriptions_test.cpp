#include "simulator/graph/subscriptions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "simulator/graph/mail_area.hpp"

namespace latchkey::simulator::graph {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

/// Keeps what would be posted until the test answers.
class Recorder final : public Outgoing {
 public:
  bool Send(OutgoingRequest request, Done done) override {
    posts.push_back(std::move(request));
    dones.push_back(std::move(done));
    return true;
  }
  void Answer(int status, std::string body = {}) {
    OutgoingAnswer answer;
    answer.status = status;
    answer.body = std::move(body);
    answer.headers.Add("Content-Type", "text/plain");
    Done done = std::move(dones.front());
    dones.erase(dones.begin());
    done(std::move(answer));
  }
  /// What a good receiver answers to the last post.
  std::string Token() const {
    Request request;
    const std::string& url = posts.back().url;
    request.SetTarget(url.substr(url.find('/', 8)));
    return std::string(request.query.Get("validationToken"));
  }
  json::object Notification(std::size_t index) const {
    return json::parse(posts.at(index).body).at("value").at(0).as_object();
  }

  std::vector<OutgoingRequest> posts;
  std::vector<Done> dones;
};

class Notifications : public ::testing::Test {
 protected:
  Notifications() {
    service_.Add(area_);
    service_.Add(subscriptions_);
    area_.SetListener(subscriptions_);
    subscriptions_.SetResolve([this](const Account& account, std::string_view, const std::string& name) {
      return area_.FolderId(account, name);
    });
    subscriptions_.SetConsented([this](const Account&) { return consented_; });
  }

  Response Send(const std::string& method, const std::string& target, const json::value& body = nullptr) {
    Request request;
    request.method = method;
    request.SetTarget("/v1.0" + target);
    request.scheme = "http";
    request.host = "127.0.0.1:8025";
    request.headers.Add("Prefer", "IdType=\"ImmutableId\"");
    if (!body.is_null()) request.body = json::serialize(body);
    GraphService::Prepare(request, &ada_);
    Response response = service_.Handle(request, grant_);
    if (response.deferred) {
      response.deferred->Then([this](Response later) { later_ = std::move(later); });
    }
    return response;
  }
  json::object Wish(int minutes = 1000) const {
    return {{"changeType", "created,updated,deleted"},
            {"notificationUrl", "https://app.example/hooks/graph"},
            {"resource", "me/mailFolders('Inbox')/messages"},
            {"expirationDateTime", FormatInstant(clock_.Now() + std::chrono::minutes(minutes))},
            {"clientState", "secret"}};
  }
  /// Makes a subscription whose receiver behaves; returns its id.
  std::string Subscribe(const json::object& wish) {
    EXPECT_TRUE(Send("POST", "/subscriptions", wish).deferred);
    outgoing_.Answer(200, outgoing_.Token());
    if (wish.contains("lifecycleNotificationUrl")) outgoing_.Answer(200, outgoing_.Token());
    EXPECT_EQ(later_.status, 201) << later_.body;
    outgoing_.posts.clear();
    return std::string(json::parse(later_.body).at("id").as_string());
  }
  std::string Deliver() {
    IncomingMessage message;
    message.raw = "From: bo@example.org\r\nSubject: hi\r\n\r\nx";
    return std::string(area_.Deliver(ada_, message)->at("id").as_string());
  }

  ManualClock clock_{Instant(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20))};
  AccountRegistry accounts_;
  Account& ada_ = accounts_.AddMicrosoft("ada@example.com", "Ada Example");
  Settings settings_;
  Schedule schedule_{clock_};
  Recorder outgoing_;
  GraphService service_{clock_, settings_};
  MailArea area_{clock_, accounts_, settings_, schedule_};
  Subscriptions subscriptions_{settings_, schedule_, outgoing_};
  Grant grant_{&ada_, "client", {"Mail.ReadWrite"}};
  bool consented_ = true;
  Response later_;
};

TEST_F(Notifications, UrlIsValidatedWhileTheRequestIsOpen) {
  later_.status = 0;
  EXPECT_TRUE(Send("POST", "/subscriptions", Wish()).deferred);
  EXPECT_EQ(later_.status, 0) << "no answer before the receiver's";
  ASSERT_EQ(outgoing_.posts.size(), 1u);
  EXPECT_THAT(outgoing_.posts[0].url,
              HasSubstr("https://app.example/hooks/graph?validationToken=Validation%3A+Testing+"));
  EXPECT_EQ(outgoing_.posts[0].deadline, std::chrono::seconds(10));
  outgoing_.Answer(200, outgoing_.Token());
  EXPECT_EQ(later_.status, 201);
  const json::object made = json::parse(later_.body).as_object();
  EXPECT_EQ(made.at("clientState"), "secret");
  EXPECT_FALSE(later_.headers.Get("request-id").empty());
  EXPECT_EQ(Send("POST", "/subscriptions", Wish()).status, 409);
}

TEST_F(Notifications, ReceiverThatDoesNotEchoGetsNone) {
  for (const auto& [status, body] :
       {std::pair(200, std::string("something else")), std::pair(404, std::string()), std::pair(0, std::string())}) {
    Send("POST", "/subscriptions", Wish());
    outgoing_.Answer(status, body);
    EXPECT_EQ(later_.status, 400);
    EXPECT_THAT(later_.body, HasSubstr("Subscription validation request failed"));
  }
  EXPECT_TRUE(subscriptions_.Describe().empty());
}

TEST_F(Notifications, WishesAreChecked) {
  const auto with = [&](const char* name, json::value value) {
    json::object wish = Wish();
    wish[name] = std::move(value);
    return Send("POST", "/subscriptions", wish).status;
  };
  EXPECT_EQ(with("resource", "me/contacts"), 400);
  EXPECT_EQ(with("resource", "users/eve@example.com/messages"), 400);
  EXPECT_EQ(with("resource", "me/mailFolders('nowhere')/messages"), 400);
  EXPECT_EQ(with("resource", "me/events"), 403) << "no scope for calendars";
  EXPECT_EQ(with("changeType", "moved"), 400);
  EXPECT_EQ(with("notificationUrl", "http://app.example/hooks"), 400);
  EXPECT_EQ(with("clientState", json::string(129, 'x')), 400);
  EXPECT_EQ(with("expirationDateTime", "soon"), 400);
  EXPECT_EQ(with("expirationDateTime", "2026-11-19T00:00:00Z"), 400);
  EXPECT_EQ(with("expirationDateTime", "2026-11-28T00:00:00Z"), 400) << "longer than seven days";
  EXPECT_TRUE(outgoing_.posts.empty());
}

TEST_F(Notifications, ChangesOfTheFolderArePosted) {
  const std::string id = Subscribe(Wish());
  const std::string message = Deliver();
  ASSERT_EQ(outgoing_.posts.size(), 1u);
  const json::object created = outgoing_.Notification(0);
  EXPECT_EQ(created.at("subscriptionId"), json::string(id));
  EXPECT_EQ(created.at("changeType"), "created");
  EXPECT_EQ(created.at("clientState"), "secret");
  EXPECT_EQ(created.at("resource"), json::string("Users/" + ada_.microsoft.oid + "/Messages/" + message));
  outgoing_.Answer(202);
  Send("POST", "/me/messages/" + message + "/move", {{"destinationId", "archive"}});
  ASSERT_EQ(outgoing_.posts.size(), 2u) << "leaving the inbox; arriving elsewhere is nobody's";
  EXPECT_EQ(outgoing_.Notification(1).at("changeType"), "deleted");
}

TEST_F(Notifications, FailedDeliveryIsTriedAgain) {
  Subscribe(Wish());
  Deliver();
  outgoing_.Answer(503);
  EXPECT_EQ(outgoing_.posts.size(), 1u);
  clock_.Advance(std::chrono::seconds(10));
  schedule_.RunDue();
  ASSERT_EQ(outgoing_.posts.size(), 2u);
  EXPECT_EQ(outgoing_.posts[0].body, outgoing_.posts[1].body);
  outgoing_.Answer(202);
  clock_.Advance(std::chrono::hours(1));
  schedule_.RunDue();
  EXPECT_EQ(outgoing_.posts.size(), 2u);
}

TEST_F(Notifications, AwkwardDelivery) {
  Subscribe(Wish());
  settings_.graph_notifications = "duplicate";
  Deliver();
  EXPECT_EQ(outgoing_.posts.size(), 2u);
  settings_.graph_notifications = "wrong_client_state";
  Deliver();
  EXPECT_NE(outgoing_.Notification(2).at("clientState"), "secret");
  settings_.graph_notifications = "normal";
  settings_.graph_notification_milliseconds = 60'000;
  Deliver();
  EXPECT_EQ(outgoing_.posts.size(), 3u);
  clock_.Advance(std::chrono::minutes(1));
  schedule_.RunDue();
  EXPECT_EQ(outgoing_.posts.size(), 4u);
}

TEST_F(Notifications, RenewalExpiryAndEnd) {
  const std::string id = Subscribe(Wish(100));
  EXPECT_EQ(Send("PATCH", "/subscriptions/" + id,
                 {{"expirationDateTime", FormatInstant(clock_.Now() + std::chrono::minutes(200))}})
                .status,
            200);
  EXPECT_EQ(Send("PATCH", "/subscriptions/" + id, {{"lifecycleNotificationUrl", "https://app.example/l"}}).status, 400);
  EXPECT_EQ(Send("POST", "/subscriptions/" + id + "/reauthorize").status, 200);
  clock_.Advance(std::chrono::minutes(201));
  EXPECT_EQ(Send("GET", "/subscriptions/" + id).status, 404);
  Deliver();
  EXPECT_TRUE(outgoing_.posts.empty());
  const std::string next = Subscribe(Wish());
  EXPECT_EQ(Send("DELETE", "/subscriptions/" + next).status, 204);
  EXPECT_EQ(Send("DELETE", "/subscriptions/" + next).status, 404);
  Subscribe(Wish());
  consented_ = false;
  EXPECT_TRUE(subscriptions_.Describe().empty()) << "they die with the consent";
}

TEST_F(Notifications, LifecycleEvents) {
  json::object wish = Wish();
  wish["lifecycleNotificationUrl"] = "https://app.example/hooks/graph/lifecycle";
  const std::string id = Subscribe(wish);
  EXPECT_TRUE(subscriptions_.SendLifecycle(id, "reauthorizationRequired"));
  EXPECT_EQ(outgoing_.posts.back().url, "https://app.example/hooks/graph/lifecycle");
  EXPECT_EQ(outgoing_.Notification(0).at("lifecycleEvent"), "reauthorizationRequired");
  EXPECT_FALSE(subscriptions_.SendLifecycle(id, "odd"));
  EXPECT_TRUE(subscriptions_.SendLifecycle(id, "subscriptionRemoved"));
  EXPECT_TRUE(subscriptions_.Describe().empty());
}

TEST_F(Notifications, TooManyWaitingAreReportedAsMissedOnce) {
  json::object wish = Wish();
  wish["lifecycleNotificationUrl"] = "https://app.example/lifecycle";
  Subscribe(wish);
  for (std::size_t i = 0; i < Subscriptions::kMaxWaiting + 5; ++i) Deliver();
  EXPECT_EQ(outgoing_.posts.size(), Subscriptions::kMaxWaiting + 1);
  EXPECT_THAT(outgoing_.posts.back().body, HasSubstr("missed"));
}

}  // namespace
}  // namespace latchkey::simulator::graph
