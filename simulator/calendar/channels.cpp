#include "simulator/calendar/channels.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "simulator/calendar/google_errors.hpp"
#include "simulator/mime/date.hpp"

namespace latchkey::simulator::calendar {
namespace {

constexpr int kMaxAttempts = 10;

std::string_view TextOf(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->as_string()) : std::string_view();
}

/// A number, or a number as text: both occur.
std::optional<std::int64_t> NumberOf(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value) return std::nullopt;
  if (value->is_int64()) return value->as_int64();
  std::int64_t number = 0;
  const std::string_view text = TextOf(object, name);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Stable for a resource and account, and opaque.
std::string ResourceId(const std::string& account, const std::string& calendar) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const char c : account + "\n" + calendar) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return Base64UrlEncode(fmt::format("{:016x}", hash)).substr(0, 20);
}

/// "Tue, 19 Nov 2013 01:13:52 GMT"
std::string HttpDate(Instant instant) {
  const std::string text =
      mime::FormatDate(std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count());
  return text.substr(0, text.rfind(' ')) + " GMT";
}

}  // namespace

Response Channels::Watch(const Account& account, const Calendar* calendar, std::string resource_uri,
                         const boost::json::object& body) {
  const Instant now = schedule_.Now();
  Forget(now);
  const std::string id(TextOf(body, "id"));
  const std::string address(TextOf(body, "address"));
  if (id.empty()) return Required("Missing required field: id");
  if (id.size() > 64 || id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=") !=
                            std::string::npos) {
    return GoogleError(400, "channelIdInvalid",
                       "Channel id must match [A-Za-z0-9\\-_\\+/=]+ and have at most 64 characters.");
  }
  if (TextOf(body, "type") != "web_hook" && TextOf(body, "type") != "webhook") {
    return GoogleError(400, "channelUnknownType", "Unknown channel type.");
  }
  if (address.empty()) return Required("Missing required field: address");
  if (!WhyNotPostable(address).empty()) {
    return GoogleError(400, "push.webhookUrlNotHttps", fmt::format("WebHook callback must be HTTPS: {}", address));
  }
  if (std::ranges::find(channels_, id, [](const auto& channel) { return channel->id; }) != channels_.end()) {
    return GoogleError(400, "channelIdNotUnique", fmt::format("Channel id {} not unique", id));
  }
  if (channels_.size() >= kMaxChannels) return QuotaExceeded(false);
  Instant expires = now + kLife;
  if (const auto wanted = NumberOf(body, "expiration")) {
    if (*wanted * 1000 <= ToMicros(now)) return Invalid("Invalid expiration.");
    expires = std::min(expires, FromMicros(*wanted * 1000));
  }
  if (const auto* params = body.if_contains("params"); params && params->is_object()) {
    if (const auto ttl = NumberOf(params->as_object(), "ttl"); ttl && *ttl > 0) {
      expires = std::min(expires, now + std::chrono::seconds(*ttl));
    }
  }
  auto channel = std::make_shared<Channel>();
  channel->id = id;
  channel->calendar = calendar ? calendar->id : "";
  channel->resource_id = ResourceId(account.sub, channel->calendar);
  channel->resource_uri = std::move(resource_uri);
  channel->address = address;
  channel->token = TextOf(body, "token");
  channel->account = account.sub;
  channel->expires = expires;
  channels_.push_back(channel);
  Post(channel, "sync");
  boost::json::object out = {{"kind", "api#channel"},
                             {"id", channel->id},
                             {"resourceId", channel->resource_id},
                             {"resourceUri", channel->resource_uri}};
  if (!channel->token.empty()) out["token"] = channel->token;
  out["expiration"] = std::to_string(ToMicros(expires) / 1000);
  return JsonResponse(200, boost::json::serialize(out));
}

Response Channels::Stop(const Account& account, const boost::json::object& body) {
  Forget(schedule_.Now());
  const std::string_view id = TextOf(body, "id");
  const std::string_view resource = TextOf(body, "resourceId");
  const auto found = std::ranges::find_if(channels_, [&](const auto& channel) {
    return channel->id == id && channel->resource_id == resource && channel->account == account.sub;
  });
  if (found == channels_.end()) {
    return GoogleError(404, "notFound", fmt::format("Channel '{}' not found for project '123456789012'", id));
  }
  (*found)->stopped = true;
  channels_.erase(found);
  Response done;
  done.status = 204;
  return done;
}

void Channels::Changed(const Account& account, const Calendar* calendar) {
  if (channels_.empty()) return;
  Forget(schedule_.Now());
  const std::string_view id = calendar ? std::string_view(calendar->id) : "";
  for (const auto& channel : channels_) {
    if (channel->account != account.sub || channel->calendar != id || channel->pending) continue;
    channel->pending = true;
    // Not at once: changes of one request are one message.
    schedule_.At(schedule_.Now(), [this, channel] {
      channel->pending = false;
      if (!channel->stopped) Post(channel, "exists");
    });
  }
}

void Channels::Post(const std::shared_ptr<Channel>& channel, std::string state) {
  const std::uint64_t number = channel->next_number++;
  if (quirks_.drop) return;
  const Instant due = schedule_.Now() + quirks_.DelayOf(number);
  for (std::uint64_t copy = 0; copy <= quirks_.duplicates; ++copy) {
    schedule_.At(due, [this, channel, state, number] { Try(channel, state, number, 1); });
  }
}

void Channels::Try(const std::shared_ptr<Channel>& channel, const std::string& state, std::uint64_t number,
                   int attempt) {
  if (channel->stopped || channel->expires <= schedule_.Now()) return;
  OutgoingRequest request;
  request.url = channel->address;
  request.headers = {{"Content-Type", "application/json; utf-8"},
                     {"User-Agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"},
                     {"X-Goog-Channel-ID", channel->id},
                     {"X-Goog-Channel-Expiration", HttpDate(channel->expires)},
                     {"X-Goog-Resource-ID", channel->resource_id},
                     {"X-Goog-Resource-URI", channel->resource_uri},
                     {"X-Goog-Resource-State", state},
                     {"X-Goog-Message-Number", std::to_string(number)}};
  if (!channel->token.empty()) request.headers.Add("X-Goog-Channel-Token", channel->token);
  outgoing_.Send(std::move(request), [this, channel, state, number, attempt](const OutgoingAnswer& answer) {
    channel->last_status = answer.status;
    ++channel->posted;
    const bool again = answer.status == 0 || answer.status == 500 || (answer.status >= 502 && answer.status <= 504);
    if (!again || attempt >= kMaxAttempts) return;
    const auto wait = std::chrono::seconds(1) * (1 << std::min(attempt, 9));
    schedule_.At(schedule_.Now() + wait,
                 [this, channel, state, number, attempt] { Try(channel, state, number, attempt + 1); });
  });
}

void Channels::Forget(Instant now) {
  std::erase_if(channels_, [&](const auto& channel) { return channel->expires <= now; });
}

boost::json::array Channels::Describe() {
  Forget(schedule_.Now());
  boost::json::array out;
  for (const auto& channel : channels_) {
    out.push_back({{"id", channel->id},
                   {"resource_id", channel->resource_id},
                   {"calendar", channel->calendar},
                   {"address", channel->address},
                   {"expires", FormatInstant(channel->expires)},
                   {"messages", channel->next_number - 1},
                   {"posted", channel->posted},
                   {"last_status", channel->last_status}});
  }
  return out;
}

}  // namespace latchkey::simulator::calendar
