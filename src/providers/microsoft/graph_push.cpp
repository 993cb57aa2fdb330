#include "providers/microsoft/graph_push.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "base/json.hpp"

namespace latchkey::microsoft {
namespace {

namespace bj = boost::json;
using connected_accounts::Capability;
using push::Service;

/// Under seven days for messages and events ("subscription resource type"); a little less, for clocks differ, and what
/// is longer than the maximum is refused.
constexpr std::chrono::minutes kLife{10'080 - 60};

bool May(const connected_accounts::ConnectedAccount& account, Capability capability) {
  return std::ranges::find(account.granted, capability) != account.granted.end();
}

std::string_view ResourceOf(Service service) { return service == Service::kMail ? "me/messages" : "me/events"; }

}  // namespace

Result<push::PushProvider::Granted> ParseSubscription(std::string_view json) {
  const auto answer = json::Parse(json);
  if (!answer || !answer->is_object()) return Fail(ErrorCode::kMalformedReply, "subscription: not an object");
  const auto& object = answer->get_object();
  const auto* id = object.if_contains("id");
  const auto* end = object.if_contains("expirationDateTime");
  if (id == nullptr || !id->is_string() || end == nullptr || !end->is_string()) {
    return Fail(ErrorCode::kMalformedReply, "subscription: no id or no end");
  }
  const auto expires = ParseInstant(std::string_view(end->get_string().data(), end->get_string().size()));
  if (!expires) return Fail(ErrorCode::kMalformedReply, "subscription: its end is no instant");
  return push::PushProvider::Granted{.external_id = std::string(id->get_string()), .expires_at = *expires};
}

Instant GraphPush::WantedEnd() const { return clock_.Now() + kLife; }

Task<Result<std::vector<push::PushProvider::Watch>>> GraphPush::Wanted(
    const connected_accounts::ConnectedAccount& account) {
  std::vector<Watch> wanted;
  if (webhook_.empty()) co_return wanted;
  // Every folder with one subscription, and every calendar of the default calendar's mailbox: notifications are hints.
  if (May(account, Capability::kReadMail)) wanted.push_back({.service = Service::kMail, .resource = {}});
  if (May(account, Capability::kReadCalendar)) wanted.push_back({.service = Service::kCalendar, .resource = {}});
  co_return wanted;
}

Task<Result<push::PushProvider::Granted>> GraphPush::Create(const push::Channel& channel, const SecretString& secret) {
  const bj::object body{{"changeType", "created,updated,deleted"},
                        {"notificationUrl", webhook_},
                        {"lifecycleNotificationUrl", webhook_},
                        {"resource", ResourceOf(channel.service)},
                        {"expirationDateTime", FormatInstant(WantedEnd())},
                        {"clientState", secret.Reveal()}};
  const GraphRequest request{.call = GraphCall::kSubscription,
                             .method = "POST",
                             .path = "subscriptions",
                             .body = bj::serialize(body),
                             .once = true};
  const auto client = clients_.For(channel.account_id);
  auto answer = co_await client->Send(request);
  if (!answer && answer.error().code == ErrorCode::kAlreadyExists) {
    // Left over from a call whose answer never arrived: its secret is lost, so it is of no use.
    auto removed = co_await RemoveLeftOver(*client, channel.service);
    if (!removed) co_return Fail(std::move(removed.error()));
    answer = co_await client->Send(request);
  }
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return ParseSubscription(answer->body);
}

Task<Result<void>> GraphPush::RemoveLeftOver(GraphClient& client, Service service) {
  const GraphRequest list{.call = GraphCall::kSubscription, .path = "subscriptions"};
  auto answer = co_await client.Send(list);
  if (!answer) co_return Fail(std::move(answer.error()));
  const auto document = json::Parse(answer->body);
  const auto* entries = document && document->is_object() ? document->get_object().if_contains("value") : nullptr;
  if (entries == nullptr || !entries->is_array()) co_return Fail(ErrorCode::kMalformedReply, "no subscriptions");
  for (const auto& entry : entries->get_array()) {
    const auto text = [&](std::string_view name) -> std::string {
      const auto* value = entry.is_object() ? entry.get_object().if_contains(name) : nullptr;
      return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    if (text("notificationUrl") != webhook_ || text("resource") != ResourceOf(service) || text("id").empty()) continue;
    const GraphRequest remove{
        .call = GraphCall::kSubscription, .method = "DELETE", .path = "subscriptions/" + PercentEncode(text("id"))};
    auto removed = co_await client.Send(remove);
    const bool gone =
        !removed && (removed.error().code == ErrorCode::kNotFound || removed.error().code == ErrorCode::kGone);
    if (!removed && !gone) co_return Fail(std::move(removed.error()));
  }
  co_return Result<void>();
}

Task<Result<push::PushProvider::Granted>> GraphPush::Renew(const push::Channel& channel) {
  const bj::object body{{"expirationDateTime", FormatInstant(WantedEnd())}};
  const GraphRequest request{.call = GraphCall::kSubscription,
                             .method = "PATCH",
                             .path = "subscriptions/" + PercentEncode(channel.external_id),
                             .body = bj::serialize(body)};
  auto answer = co_await clients_.For(channel.account_id)->Send(request);
  if (!answer && answer.error().code == ErrorCode::kNotFound) co_return Fail(ErrorCode::kGone, answer.error().detail);
  if (!answer) co_return Fail(std::move(answer.error()));
  auto granted = ParseSubscription(answer->body);
  if (granted && granted->external_id != channel.external_id) {
    co_return Fail(ErrorCode::kMalformedReply, "subscription: another one was extended");
  }
  co_return granted;
}

Task<Result<void>> GraphPush::Check(const push::Channel& channel) {
  const GraphRequest request{.call = GraphCall::kSubscription,
                             .path = "subscriptions/" + PercentEncode(channel.external_id)};
  auto answer = co_await clients_.For(channel.account_id)->Send(request);
  if (!answer && answer.error().code == ErrorCode::kNotFound) co_return Fail(ErrorCode::kGone, answer.error().detail);
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return Result<void>();
}

Task<Result<void>> GraphPush::Stop(const push::Channel& channel) {
  if (channel.external_id.empty()) co_return Result<void>();
  const GraphRequest request{.call = GraphCall::kSubscription,
                             .method = "DELETE",
                             .path = "subscriptions/" + PercentEncode(channel.external_id)};
  auto answer = co_await clients_.For(channel.account_id)->Send(request);
  if (!answer && (answer.error().code == ErrorCode::kNotFound || answer.error().code == ErrorCode::kGone)) {
    co_return Result<void>();
  }
  if (!answer) co_return Fail(std::move(answer.error()));
  co_return Result<void>();
}

}  // namespace latchkey::microsoft
