#include "push/notification.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/encoding.hpp"

namespace latchkey::push {
namespace {

using Kind = GraphNotification::Kind;

std::string Envelope(const std::string& data) { return R"({"message":{"data":")" + Base64Encode(data) + R"("}})"; }

TEST(GmailNotification, TheHistoryIdIsTextOrNumberAndTheAddressInLowerCase) {
  for (const auto* id : {R"("9876543210")", "9876543210"}) {
    const auto parsed =
        ParseGmailNotification(Envelope(R"({"emailAddress":"Ada@Example.com","historyId":)" + std::string(id) + "}"));
    ASSERT_TRUE(parsed) << id;
    EXPECT_EQ(parsed->email, "ada@example.com");
    EXPECT_EQ(parsed->history_id, "9876543210");
  }
}

TEST(GmailNotification, WhatIsNoneIsRefused) {
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"message":1})"),
        std::string(R"({"message":{"data":"%%%"}})"), Envelope("no json"), Envelope("{}"),
        Envelope(R"({"emailAddress":"","historyId":"1"})"), Envelope(R"({"emailAddress":"a@example.com"})"),
        Envelope(R"({"emailAddress":"a@example.com","historyId":-1})"),
        Envelope(R"({"emailAddress":"a@example.com","historyId":"1x"})"),
        Envelope(R"({"emailAddress":7,"historyId":"1"})"), std::string(kMaxPubSubBody + 1, ' ')}) {
    const auto parsed = ParseGmailNotification(body);
    ASSERT_FALSE(parsed) << body.substr(0, 80);
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(GraphNotifications, MixedSubscriptionsAndLifecycleEventsAreToldApart) {
  const auto parsed = ParseGraphNotifications(R"({"value":[
    {"subscriptionId":"a","clientState":"s1","changeType":"created","resource":"Users/1/Messages/2"},
    {"subscriptionId":"b","clientState":"s2","lifecycleEvent":"reauthorizationRequired"},
    {"subscriptionId":"b","clientState":"s2","lifecycleEvent":"subscriptionRemoved"},
    {"subscriptionId":"c","lifecycleEvent":"missed"},
    {"subscriptionId":"c","lifecycleEvent":"somethingNew"},
    {"clientState":"without a subscription"}]})");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 4u);
  EXPECT_EQ((*parsed)[0].kind, Kind::kChange);
  EXPECT_EQ((*parsed)[0].client_state, "s1");
  EXPECT_EQ((*parsed)[1].kind, Kind::kReauthorizationRequired);
  EXPECT_EQ((*parsed)[2].kind, Kind::kSubscriptionRemoved);
  EXPECT_EQ((*parsed)[3].kind, Kind::kMissed);
  EXPECT_EQ((*parsed)[3].client_state, "");
}

TEST(GraphNotifications, WhatIsNoListIsRefused) {
  for (const auto* body : {"", "{}", R"({"value":1})", R"({"value":[1]})", "[]"}) {
    ASSERT_FALSE(ParseGraphNotifications(body)) << body;
  }
  std::string many = R"({"value":[{})";
  for (std::size_t i = 0; i < kMaxGraphNotifications; ++i) many += ",{}";
  EXPECT_FALSE(ParseGraphNotifications(many + "]}"));
  EXPECT_TRUE(ParseGraphNotifications(R"({"value":[]})"));
}

TEST(CalendarNotifications, AllIsInTheHeaders) {
  std::map<std::string, std::string, std::less<>> headers{{"X-Goog-Channel-ID", "c"},
                                                          {"X-Goog-Channel-Token", "t"},
                                                          {"X-Goog-Resource-ID", "r"},
                                                          {"X-Goog-Resource-State", "sync"}};
  const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto found = headers.find(name);
    return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  };
  auto read = ReadCalendarNotification(find);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->channel_id, "c");
  EXPECT_EQ(read->token, "t");
  EXPECT_EQ(read->state, CalendarNotification::State::kSync);
  headers["X-Goog-Resource-State"] = "not_exists";
  EXPECT_EQ(ReadCalendarNotification(find)->state, CalendarNotification::State::kNotExists);
  headers["X-Goog-Resource-State"] = "else";
  EXPECT_FALSE(ReadCalendarNotification(find));
  headers["X-Goog-Resource-State"] = "exists";
  headers["X-Goog-Channel-ID"] = std::string(600, 'x');
  EXPECT_FALSE(ReadCalendarNotification(find));
}

TEST(Validation, ABrowserWouldShowTheTokenAsText) {
  EXPECT_EQ(EscapeHtml(R"(<script>"a"&'b')"), "&lt;script&gt;&quot;a&quot;&amp;&#39;b&#39;");
}

}  // namespace
}  // namespace latchkey::push
