#include "providers/google/google_push.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "base/encoding.hpp"
#include "base/json.hpp"

namespace latchkey::google {
namespace {

namespace bj = boost::json;
using connected_accounts::Capability;
using push::Service;

/// Units of Gmail's watch and stop (Gmail API, "Usage limits").
constexpr std::int64_t kWatchUnits = 100, kStopUnits = 50;
/// The longest life of a channel that was seen; Calendar shortens what is beyond its own limit.
constexpr std::chrono::hours kChannelLife{24 * 7};

bool May(const connected_accounts::ConnectedAccount& account, Capability capability) {
  return std::ranges::find(account.granted, capability) != account.granted.end();
}

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace

Result<push::PushProvider::Granted> ParseWatchAnswer(std::string_view json) {
  const auto answer = json::Parse(json);
  if (!answer || !answer->is_object()) return Fail(ErrorCode::kMalformedReply, "watch: not an object");
  push::PushProvider::Granted granted;
  const auto& object = answer->get_object();
  if (const auto* resource = object.if_contains("resourceId"); resource != nullptr && resource->is_string()) {
    granted.external_id = std::string(resource->get_string());
  }
  std::int64_t milliseconds = 0;
  if (const auto* expiration = object.if_contains("expiration")) {
    if (expiration->is_string()) {
      const auto& text = expiration->get_string();
      std::from_chars(text.data(), text.data() + text.size(), milliseconds);
    } else if (expiration->is_int64()) {
      milliseconds = expiration->get_int64();
    }
  }
  constexpr std::int64_t kYear9999 = 253'402'300'799'000;
  if (milliseconds <= 0 || milliseconds > kYear9999) return Fail(ErrorCode::kMalformedReply, "watch: no expiration");
  granted.expires_at = FromMicros(milliseconds * 1000);
  return granted;
}

GooglePush::GooglePush(GoogleParts mail, GoogleParts calendar, PushSettings settings, SelectedCalendars calendars)
    : mail_(std::move(mail)),
      calendar_(std::move(calendar)),
      settings_(std::move(settings)),
      calendars_(std::move(calendars)) {}

std::chrono::seconds GooglePush::Ahead(Service service) const {
  // A watch lives for seven days; made again every day it never runs out, and tells every day that it works.
  return service == Service::kMail ? std::chrono::hours(24 * 6) : std::chrono::hours(24);
}

Task<Result<std::vector<push::PushProvider::Watch>>> GooglePush::Wanted(
    const connected_accounts::ConnectedAccount& account) {
  std::vector<Watch> wanted;
  if (!settings_.topic.empty() && May(account, Capability::kReadMail)) {
    wanted.push_back({.service = Service::kMail, .resource = Lower(account.email)});
  }
  if (!settings_.calendar_webhook.empty() && calendars_ && May(account, Capability::kReadCalendar)) {
    auto calendars = co_await calendars_(account.id);
    if (!calendars) co_return Fail(std::move(calendars.error()));
    for (auto& id : *calendars) wanted.push_back({.service = Service::kCalendar, .resource = std::move(id)});
  }
  co_return wanted;
}

Task<Result<push::PushProvider::Granted>> GooglePush::Create(const push::Channel& channel, const SecretString& secret) {
  if (channel.service == Service::kMail) co_return co_await WatchMailbox(channel.account_id);
  co_return co_await WatchCalendar(channel, secret);
}

Task<Result<push::PushProvider::Granted>> GooglePush::Renew(const push::Channel& channel) {
  if (channel.service == Service::kMail) co_return co_await WatchMailbox(channel.account_id);
  co_return Fail(ErrorCode::kConflict, "calendar channels cannot be extended");
}

Task<Result<push::PushProvider::Granted>> GooglePush::WatchMailbox(const ConnectedAccountId& account) {
  GoogleClient client(mail_, account);
  // No label filter: spam and trash are synced too.
  const bj::object body{{"topicName", settings_.topic}};
  const GoogleRequest request{.method = "POST",
                              .api = GoogleApi::kGmail,
                              .call = GoogleCall::kWatch,
                              .path = "watch",
                              .body = bj::serialize(body),
                              .units = kWatchUnits};
  auto answer = co_await client.Get(request);
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return ParseWatchAnswer(*answer);
}

Task<Result<push::PushProvider::Granted>> GooglePush::WatchCalendar(const push::Channel& channel,
                                                                    const SecretString& secret) {
  GoogleClient client(calendar_, channel.account_id);
  const auto until = channel.created_at + kChannelLife;
  const bj::object body{{"id", channel.id},
                        {"type", "web_hook"},
                        {"address", settings_.calendar_webhook},
                        {"token", secret.Reveal()},
                        {"expiration", std::to_string(ToMicros(until) / 1000)}};
  // A second channel with this id would be refused as not unique.
  const GoogleRequest request{.method = "POST",
                              .api = GoogleApi::kCalendar,
                              .call = GoogleCall::kChannel,
                              .path = "calendars/" + PercentEncode(channel.resource) + "/events/watch",
                              .body = bj::serialize(body),
                              .units = 1,
                              .once = true};
  auto answer = co_await client.Get(request);
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return ParseWatchAnswer(*answer);
}

Task<Result<void>> GooglePush::Stop(const push::Channel& channel) {
  const bool mail = channel.service == Service::kMail;
  GoogleClient client(mail ? mail_ : calendar_, channel.account_id);
  GoogleRequest request{.method = "POST"};
  if (mail) {
    request.call = GoogleCall::kWatch;
    request.path = "stop";
    request.units = kStopUnits;
  } else {
    request.api = GoogleApi::kCalendar;
    request.call = GoogleCall::kChannel;
    request.path = "channels/stop";
    request.body = bj::serialize(bj::object{{"id", channel.id}, {"resourceId", channel.external_id}});
    request.units = 1;
  }
  auto answer = co_await client.Send(request);
  if (!answer && (answer.error().code == ErrorCode::kGone || answer.error().code == ErrorCode::kNotFound)) {
    co_return Result<void>();
  }
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return Result<void>();
}

}  // namespace latchkey::google
