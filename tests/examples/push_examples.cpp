// What providers post to us.
#include <boost/json/serialize.hpp>

#include "providers/google/google_push.hpp"
#include "providers/microsoft/graph_push.hpp"
#include "push/notification.hpp"
#include "tests/examples/example.hpp"

namespace latchkey::examples {
namespace {

using Kind = push::GraphNotification::Kind;

void ClaimGraph(Claims& claims) {
  const auto notification = [&](const char* name, const char* subscription, Kind kind) {
    claims.Add(name, [=](const Example& example) {
      const auto parsed = push::ParseGraphNotifications(example.Text("request/body"));
      ASSERT_TRUE(parsed && !parsed->empty());
      EXPECT_EQ(parsed->front().subscription_id, subscription);
      EXPECT_EQ(parsed->front().client_state, "up to 128 chars");
      EXPECT_EQ(parsed->front().kind, kind);
    });
  };
  notification("graph.notification.message", "7f105c7d-2dc5-4530-97cd-4e7ae6534c07", Kind::kChange);
  notification("graph.lifecycle.missed", "e3898f08-5cd0-4a6a-80fc-6addbfb73b7b", Kind::kMissed);
  for (const auto& [event, kind] : {std::pair{"reauthorizationRequired", Kind::kReauthorizationRequired},
                                    {"subscriptionRemoved", Kind::kSubscriptionRemoved}}) {
    claims.Add(std::string("graph.lifecycle.") + event, [kind](const Example& example) {
      const auto parsed = push::ParseGraphNotifications(example.Text("request/body"));
      ASSERT_TRUE(parsed && parsed->size() == 1);
      EXPECT_EQ(parsed->front().subscription_id, example.Text("request/body/value/0/subscriptionId"));
      EXPECT_EQ(parsed->front().kind, kind);
    });
  }
  claims.Add("graph.subscriptions.create.201", [](const Example& example) {
    const auto granted = microsoft::ParseSubscription(example.Body());
    ASSERT_TRUE(granted);
    EXPECT_EQ(granted->external_id, "7f105c7d-2dc5-4530-97cd-4e7ae6534c07");
    EXPECT_EQ(granted->expires_at, ParseInstant("2026-11-26T18:23:45.935691Z")) << "seven digits of a second";
  });
  claims.Add("graph.subscriptions.validation", [](const Example& example) {
    EXPECT_TRUE(example.Text("request/url").contains("?validationToken=Validation%3a+Testing"));
    const std::string body = example.Text("expected_response/body");
    EXPECT_EQ(push::EscapeHtml(body), body) << "nothing in it that a browser could take for more than text";
    EXPECT_EQ(example.Response("expected_response").status, 200);
    EXPECT_EQ(example.Text("expected_response/headers/Content-Type"), "text/plain");
  });
}

}  // namespace

void ClaimPush(Claims& claims) {
  ClaimGraph(claims);
  claims.Add("pubsub.push.gmail", [](const Example& example) {
    const auto parsed = push::ParseGmailNotification(example.Text("request/body"));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->email, example.Text("decoded_data/emailAddress"));
    EXPECT_EQ(parsed->history_id, "9876543210");
  });
  claims.Add("calendar.push", [](const Example& example) {
    const auto response = example.Response("request");
    const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
      const auto value = response.Header(name);
      return value.empty() ? std::nullopt : std::optional(value);
    };
    const auto parsed = push::ReadCalendarNotification(find);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->channel_id, "4ba78bf0-6a47-11e2-bcfd-0800200c9a66");
    EXPECT_EQ(parsed->token, "398348u3tu83ut8uu38");
    EXPECT_EQ(parsed->resource_id, "ret08u3rv24htgh289g");
    EXPECT_EQ(parsed->state, push::CalendarNotification::State::kExists);
  });
  claims.Add("calendar.events.watch.200", [](const Example& example) {
    const auto granted = google::ParseWatchAnswer(example.Body());
    ASSERT_TRUE(granted);
    EXPECT_EQ(granted->external_id, "5tQ-hRd11vSoCaUPkuibThYg2kE");
    EXPECT_EQ(granted->expires_at, FromMicros(1'773'905'359'000'000));
    EXPECT_EQ(example.Text("request/body/type"), "web_hook");
  });
}

}  // namespace latchkey::examples
