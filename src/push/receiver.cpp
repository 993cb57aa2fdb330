#include "push/receiver.hpp"

#include <algorithm>
#include <tuple>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "telemetry/log.hpp"

namespace latchkey::push {
namespace {

/// A create call of ours is answered or given up within this.
constexpr std::chrono::minutes kLongestCreate{2};
constexpr std::size_t kMaxValidationToken = 2048;
/// What a subscription that has to be authorized again is counted on for; less than any provider's channel is renewed
/// ahead of its end.
constexpr std::chrono::hours kUnauthorizedLife{1};
/// When a channel was last heard of is shown to people; a storm need not be written down entry by entry.
constexpr std::chrono::seconds kNotedEvery{30};

bool Carries(const Channel& channel, std::string_view secret) {
  return !channel.secret_hash.empty() && crypto::EqualConstantTime(crypto::Sha256Hex(secret), channel.secret_hash);
}

}  // namespace

Task<void> Receiver::Heard(const Channel& channel) {
  parts_.hints.Hint(channel);
  const Instant now = parts_.clock.Now();
  if (channel.notified_at && now - *channel.notified_at < kNotedEvery) co_return;
  const auto noted = co_await parts_.store.Notified(channel.id, now);
  if (!noted) log::Debug("push.not_noted", {{"error_code", ToString(noted.error().code)}});
}

Task<Result<void>> Receiver::Gmail(std::string_view authorization, std::string_view body) {
  if (parts_.pub_sub == nullptr) co_return Fail(ErrorCode::kNotFound, "gmail push is not configured");
  auto checked = co_await parts_.pub_sub->Check(authorization);
  if (!checked) {
    log::Warn(
        "security.push_refused",
        {{"provider", "google"}, {"error_code", ToString(checked.error().code)}, {"detail", checked.error().detail}});
    co_return checked;
  }
  auto notification = ParseGmailNotification(body);
  if (!notification) co_return Fail(std::move(notification.error()));
  auto channels = co_await parts_.store.FindByResource("google", Service::kMail, notification->email);
  if (!channels) co_return Fail(std::move(channels.error()));
  for (const Channel& channel : *channels) co_await Heard(channel);
  co_return Result<void>();
}

Task<Result<void>> Receiver::Calendar(const std::function<std::optional<std::string_view>(std::string_view)>& header) {
  auto notification = ReadCalendarNotification(header);
  if (!notification) co_return Fail(std::move(notification.error()));
  auto found = co_await parts_.store.Find(notification->channel_id);
  if (!found) co_return Fail(std::move(found.error()));
  if (!*found || (*found)->provider != "google" || (*found)->service != Service::kCalendar) {
    co_return Fail(ErrorCode::kNotFound, "no such channel");
  }
  const Channel& channel = **found;
  if (!Carries(channel, notification->token)) {
    log::Warn("security.push_refused", {{"provider", "google"}, {"detail", "calendar channel: wrong token"}});
    co_return Fail(ErrorCode::kUnauthenticated, "wrong channel token");
  }
  co_await Heard(channel);
  co_return Result<void>();
}

Task<Result<void>> Receiver::Graph(std::string_view body) {
  auto notifications = ParseGraphNotifications(body);
  if (!notifications) co_return Fail(std::move(notifications.error()));
  // One POST often repeats a subscription many times.
  const auto key = [](const GraphNotification& one) {
    return std::tie(one.subscription_id, one.client_state, one.kind);
  };
  std::ranges::sort(*notifications, [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const GraphNotification* last = nullptr;
  for (const GraphNotification& notification : *notifications) {
    const bool repeated = last != nullptr && key(*last) == key(notification);
    last = &notification;
    if (repeated) continue;
    auto found = co_await parts_.store.FindExternal("microsoft", notification.subscription_id);
    if (!found) co_return Fail(std::move(found.error()));
    if (!*found) continue;
    const Channel& channel = **found;
    if (!Carries(channel, notification.client_state)) {
      log::Warn("security.push_refused", {{"provider", "microsoft"}, {"detail", "subscription: wrong clientState"}});
      continue;
    }
    using Kind = GraphNotification::Kind;
    if (notification.kind == Kind::kSubscriptionRemoved) {
      auto removed = co_await parts_.store.Remove(channel.id);
      if (!removed && removed.error().code != ErrorCode::kNotFound) co_return removed;
    }
    if (notification.kind == Kind::kReauthorizationRequired && channel.expires_at) {
      // Unless it is extended it will fall silent before the end that was agreed: from now on that is near.
      const Instant end = std::min(*channel.expires_at, parts_.clock.Now() + kUnauthorizedLife);
      auto shortened = co_await parts_.store.Activate(channel.id, channel.external_id, end);
      if (!shortened && shortened.error().code != ErrorCode::kNotFound) co_return shortened;
    }
    if (notification.kind == Kind::kSubscriptionRemoved || notification.kind == Kind::kReauthorizationRequired) {
      auto again = co_await parts_.store.LookAgain(channel.account_id, parts_.clock.Now());
      if (!again) co_return again;
    }
    if (notification.kind == Kind::kReauthorizationRequired) continue;
    // A removed subscription and missed notifications too: something may have changed that nobody told us of.
    co_await Heard(channel);
  }
  co_return Result<void>();
}

Task<Result<std::string>> Receiver::Validate(std::string_view validation_token) {
  if (validation_token.empty() || validation_token.size() > kMaxValidationToken) {
    co_return Fail(ErrorCode::kInvalidArgument, "not a validation token");
  }
  auto creating = co_await parts_.store.AnyCreating("microsoft", parts_.clock.Now() - kLongestCreate);
  if (!creating) co_return Fail(std::move(creating.error()));
  if (!*creating) co_return Fail(ErrorCode::kInvalidArgument, "no subscription is being created");
  co_return EscapeHtml(validation_token);
}

}  // namespace latchkey::push
