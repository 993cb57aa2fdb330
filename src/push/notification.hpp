#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// What notifications say, before anybody has proved that they come from the provider. Any thread.
namespace latchkey::push {

/// Bodies beyond these are not read. A notification names what changed; it carries nothing.
inline constexpr std::size_t kMaxPubSubBody = 64 << 10;
inline constexpr std::size_t kMaxGraphBody = 256 << 10;
/// Notifications of one POST.
inline constexpr std::size_t kMaxGraphNotifications = 1000;

/// A Pub/Sub push envelope of a Gmail watch.
struct GmailNotification {
  std::string email;  ///< In lower case.
  /// Decimal; the provider sends it as string or number.
  std::string history_id;
};
/// kInvalidArgument for anything that is not one.
Result<GmailNotification> ParseGmailNotification(std::string_view body);

/// One entry of a POST of Graph, which may mix subscriptions.
struct GraphNotification {
  std::string subscription_id;
  std::string client_state;
  enum class Kind { kChange, kReauthorizationRequired, kSubscriptionRemoved, kMissed };
  Kind kind = Kind::kChange;
};
/// kInvalidArgument when the whole is not a list of notifications; entries without a subscription are left out, and so
/// are lifecycle events that are not known.
Result<std::vector<GraphNotification>> ParseGraphNotifications(std::string_view body);

/// A notification of a Google Calendar channel is all in its headers.
struct CalendarNotification {
  std::string channel_id;
  std::string token;
  std::string resource_id;
  enum class State { kSync, kExists, kNotExists };
  State state = State::kExists;
};
/// `header` finds one by name. kInvalidArgument when one that must be there is missing.
Result<CalendarNotification> ReadCalendarNotification(
    const std::function<std::optional<std::string_view>(std::string_view name)>& header);

/// Text made harmless for an answer that a browser might take for HTML.
std::string EscapeHtml(std::string_view text);

}  // namespace latchkey::push
