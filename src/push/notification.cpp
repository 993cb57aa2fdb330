#include "push/notification.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json/object.hpp>

#include "base/encoding.hpp"
#include "crypto/strict_json.hpp"

namespace latchkey::push {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMaxText = 512;

Result<bj::object> ParseObject(std::string_view text, std::size_t max_bytes) {
  crypto::JsonFault fault{};
  auto object = crypto::ParseStrictObject(text, max_bytes, fault);
  if (!object) return Fail(ErrorCode::kInvalidArgument, "not a JSON object");
  return std::move(*object);
}

std::string Text(const bj::object& object, std::string_view name) {
  const auto text = crypto::StringMember(object, name);
  return text && text->size() <= kMaxText ? std::string(*text) : std::string();
}

bool AllDigits(std::string_view text) {
  return !text.empty() && text.size() <= 20 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<GmailNotification> ParseGmailNotification(std::string_view body) {
  auto envelope = ParseObject(body, kMaxPubSubBody);
  if (!envelope) return Fail(std::move(envelope.error()));
  const auto* message = envelope->if_contains("message");
  if (message == nullptr || !message->is_object()) return Fail(ErrorCode::kInvalidArgument, "no message");
  const auto data = crypto::StringMember(message->get_object(), "data");
  if (!data) return Fail(ErrorCode::kInvalidArgument, "no data");
  // Pub/Sub writes the alphabet of RFC 4648 section 4; that of section 5 is read too.
  auto decoded = Base64Decode(*data);
  if (!decoded) decoded = Base64UrlDecode(*data);
  if (!decoded) return Fail(ErrorCode::kInvalidArgument, "data is not base64");
  auto content = ParseObject(*decoded, kMaxPubSubBody);
  if (!content) return Fail(std::move(content.error()));
  GmailNotification notification;
  notification.email = Text(*content, "emailAddress");
  if (notification.email.empty()) return Fail(ErrorCode::kInvalidArgument, "no address");
  std::ranges::transform(notification.email, notification.email.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (const auto* id = content->if_contains("historyId")) {
    if (id->is_string()) notification.history_id = Text(*content, "historyId");
    if (id->is_int64()) notification.history_id = std::to_string(id->get_int64());
    if (id->is_uint64()) notification.history_id = std::to_string(id->get_uint64());
  }
  if (!AllDigits(notification.history_id)) return Fail(ErrorCode::kInvalidArgument, "no history id");
  return notification;
}

Result<std::vector<GraphNotification>> ParseGraphNotifications(std::string_view body) {
  auto object = ParseObject(body, kMaxGraphBody);
  if (!object) return Fail(std::move(object.error()));
  const auto* list = object->if_contains("value");
  if (list == nullptr || !list->is_array()) return Fail(ErrorCode::kInvalidArgument, "no list of notifications");
  if (list->get_array().size() > kMaxGraphNotifications) {
    return Fail(ErrorCode::kInvalidArgument, "too many notifications");
  }
  std::vector<GraphNotification> notifications;
  for (const auto& entry : list->get_array()) {
    if (!entry.is_object()) return Fail(ErrorCode::kInvalidArgument, "an entry is no object");
    const auto& item = entry.get_object();
    GraphNotification notification;
    notification.subscription_id = Text(item, "subscriptionId");
    notification.client_state = Text(item, "clientState");
    if (notification.subscription_id.empty()) continue;
    using Kind = GraphNotification::Kind;
    if (const auto* event = item.if_contains("lifecycleEvent"); event != nullptr && !event->is_null()) {
      const std::string name = Text(item, "lifecycleEvent");
      if (name == "reauthorizationRequired") {
        notification.kind = Kind::kReauthorizationRequired;
      } else if (name == "subscriptionRemoved") {
        notification.kind = Kind::kSubscriptionRemoved;
      } else if (name == "missed") {
        notification.kind = Kind::kMissed;
      } else {
        continue;
      }
    }
    notifications.push_back(std::move(notification));
  }
  return notifications;
}

Result<CalendarNotification> ReadCalendarNotification(
    const std::function<std::optional<std::string_view>(std::string_view name)>& header) {
  const auto read = [&](std::string_view name) {
    const auto value = header(name);
    return value && value->size() <= kMaxText ? std::string(*value) : std::string();
  };
  CalendarNotification notification;
  notification.channel_id = read("X-Goog-Channel-ID");
  notification.token = read("X-Goog-Channel-Token");
  notification.resource_id = read("X-Goog-Resource-ID");
  if (notification.channel_id.empty()) return Fail(ErrorCode::kInvalidArgument, "no channel");
  const std::string state = read("X-Goog-Resource-State");
  if (state == "sync") {
    notification.state = CalendarNotification::State::kSync;
  } else if (state == "exists") {
    notification.state = CalendarNotification::State::kExists;
  } else if (state == "not_exists") {
    notification.state = CalendarNotification::State::kNotExists;
  } else {
    return Fail(ErrorCode::kInvalidArgument, "no resource state");
  }
  return notification;
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace latchkey::push
