// How notifications reach their URL: at once, late, twice or with a wrong state, and again when nobody answers.
#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "simulator/graph/subscriptions.hpp"

namespace latchkey::simulator::graph {
namespace {

constexpr std::chrono::seconds kAnswerWithin{3};
constexpr std::chrono::hours kRetryFor{4};
constexpr std::chrono::milliseconds kFirstPause{10'000};
constexpr std::chrono::milliseconds kLongestPause{600'000};

std::string Envelope(boost::json::object notification) {
  return boost::json::serialize(boost::json::object{{"value", boost::json::array({std::move(notification)})}});
}

}  // namespace

void Subscriptions::Notify(Subscription& subscription, boost::json::object notification) {
  const std::string& style = settings_.graph_notifications;
  if (style == "off") return;
  if (style == "wrong_client_state") notification["clientState"] = "of-somebody-else";
  const std::size_t times = style == "duplicate" ? 2 : 1;
  const std::string body = Envelope(std::move(notification));
  for (std::size_t i = 0; i < times; ++i) {
    if (subscription.waiting >= kMaxWaiting) {
      if (!std::exchange(subscription.missed_told, true)) {
        static_cast<void>(SendLifecycle(subscription.id, "missed"));
      }
      return;
    }
    ++subscription.waiting;
    const Instant until = schedule_.Now() + kRetryFor;
    const std::chrono::milliseconds delay(settings_.graph_notification_milliseconds);
    const std::string id = subscription.id;
    const std::string url = subscription.notification_url;
    if (delay.count() == 0) {
      Deliver(id, url, body, until, kFirstPause);
    } else {
      schedule_.At(schedule_.Now() + delay,
                   [this, id, url, body, until] { Deliver(id, url, body, until, kFirstPause); });
    }
  }
}

void Subscriptions::Deliver(const std::string& id, const std::string& url, const std::string& body, Instant until,
                            std::chrono::milliseconds pause) {
  OutgoingRequest request;
  request.url = url;
  request.headers.Add("Content-Type", "application/json");
  request.body = body;
  request.deadline = kAnswerWithin;
  const bool sent =
      outgoing_.Send(std::move(request), [this, id, url, body, until, pause](const OutgoingAnswer& answer) {
        if (answer.status >= 200 && answer.status < 300) return Settled(id, true);
        const Instant again = schedule_.Now() + pause;
        // A subscription that is gone needs no further attempt.
        if (again >= until || !subscriptions_.contains(id)) return Settled(id, false);
        schedule_.At(again, [this, id, url, body, until, pause] {
          Deliver(id, url, body, until, std::min(pause * 2, kLongestPause));
        });
      });
  if (!sent) Settled(id, false);
}

void Subscriptions::Settled(const std::string& id, bool delivered) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  if (subscription.waiting > 0) --subscription.waiting;
  if (subscription.waiting == 0) subscription.missed_told = false;
  ++(delivered ? subscription.delivered : subscription.failed);
}

boost::json::array Subscriptions::Describe() {
  DropExpired();
  boost::json::array list;
  for (const auto& [id, subscription] : subscriptions_) {
    boost::json::object entry = Resource(subscription);
    entry["account"] = subscription.account->email;
    entry["immutable_ids"] = subscription.immutable_ids;
    entry["waiting"] = subscription.waiting;
    entry["delivered"] = subscription.delivered;
    entry["failed"] = subscription.failed;
    list.push_back(std::move(entry));
  }
  return list;
}

std::expected<void, std::string> Subscriptions::SendLifecycle(const std::string& id, const std::string& event) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return std::unexpected(fmt::format("there is no subscription {}", id));
  if (event != "reauthorizationRequired" && event != "missed" && event != "subscriptionRemoved") {
    return std::unexpected("\"event\" must be reauthorizationRequired, missed or subscriptionRemoved");
  }
  const Subscription subscription = found->second;
  if (event == "subscriptionRemoved") subscriptions_.erase(found);
  if (subscription.lifecycle_url.empty()) return {};
  boost::json::object notification;
  notification["lifecycleEvent"] = event;
  notification["subscriptionId"] = id;
  notification["subscriptionExpirationDateTime"] = FormatInstant(subscription.expires);
  notification["clientState"] = subscription.client_state;
  notification["tenantId"] = subscription.account->microsoft.tid;
  OutgoingRequest request;
  request.url = subscription.lifecycle_url;
  request.headers.Add("Content-Type", "application/json");
  request.body = Envelope(std::move(notification));
  request.deadline = kAnswerWithin;
  if (!outgoing_.Send(std::move(request), [](const OutgoingAnswer&) {})) {
    return std::unexpected("too many notifications are on their way");
  }
  return {};
}

}  // namespace latchkey::simulator::graph
