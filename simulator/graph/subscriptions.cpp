#include "simulator/graph/subscriptions.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"

namespace latchkey::simulator::graph {
namespace {

constexpr std::size_t kMaxClientState = 128;

std::string TextOf(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// Splits "created,updated" and checks the words.
bool ReadChangeTypes(const std::string& text) {
  std::string_view rest = text;
  if (rest.empty()) return false;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view word = rest.substr(0, comma);
    if (word != "created" && word != "updated" && word != "deleted") return false;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return true;
}

bool Has(const std::string& types, std::string_view type) {
  return ("," + types + ",").contains("," + std::string(type) + ",");
}

Response ValidationFailed(Instant now) { return *MakePayload("graph.error.subscription-validation-failed.400", now); }

}  // namespace

void Subscriptions::AddRoutes(Router& router) {
  const auto add = [&](std::string method, std::string path, Response (Subscriptions::*handler)(Call&)) {
    router.Add({std::move(method),
                std::move(path),
                {},
                [this, handler](Call& call) { return (this->*handler)(call); },
                false});
  };
  add("POST", "/subscriptions", &Subscriptions::Create);
  add("GET", "/subscriptions", &Subscriptions::List);
  add("GET", "/subscriptions/{}", &Subscriptions::One);
  add("PATCH", "/subscriptions/{}", &Subscriptions::Renew);
  add("DELETE", "/subscriptions/{}", &Subscriptions::Delete);
  add("POST", "/subscriptions/{}/reauthorize", &Subscriptions::Reauthorize);
}

bool Subscriptions::ReadResource(const Account& account, Subscription& subscription) const {
  Request request;
  std::string path = subscription.resource.substr(0, subscription.resource.find('?'));
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  request.SetTarget("/v1.0" + path);
  if (!Canonicalise(request, &account)) return false;
  const auto& segments = request.segments;
  if (segments.size() < 3 || !EqualsIgnoreCase(segments[1], "me")) return false;
  const std::string& last = segments.back();
  const bool messages = EqualsIgnoreCase(last, "messages");
  if (!messages && !EqualsIgnoreCase(last, "events")) return false;
  subscription.collection = messages ? "messages" : "events";
  if (segments.size() == 3) return true;
  if (segments.size() != 5 || !EqualsIgnoreCase(segments[2], messages ? "mailFolders" : "calendars")) return false;
  subscription.container = resolve_(account, subscription.collection, segments[3]);
  return !subscription.container.empty();
}

std::expected<Instant, Response> Subscriptions::ReadExpiry(const Call& call, const boost::json::object& body) const {
  auto expires = ParseInstant(TextOf(body, "expirationDateTime"));
  if (!expires) {
    return std::unexpected(BadRequest("expirationDateTime is missing or not a date.", call.now, "InvalidRequest"));
  }
  if (*expires <= call.now) {
    return std::unexpected(
        BadRequest("Subscription expiration can only be in the future.", call.now, "InvalidRequest"));
  }
  // A minute of slack: the client computed from its own clock.
  if (*expires > call.now + kLongest + std::chrono::minutes(1)) {
    return std::unexpected(
        BadRequest(fmt::format("Subscription expiration can only be {} minutes in the future.", kLongest.count()),
                   call.now, "InvalidRequest"));
  }
  return std::max(*expires, call.now + kShortest);
}

std::expected<Subscriptions::Subscription, Response> Subscriptions::Read(Call& call,
                                                                         const boost::json::object& body) const {
  const auto refuse = [&](std::string_view sentence) {
    return std::unexpected(BadRequest(sentence, call.now, "InvalidRequest"));
  };
  Subscription subscription;
  subscription.id = NewGuid();
  subscription.account = &call.account;
  subscription.client_id = call.grant.client_id;
  subscription.immutable_ids = call.immutable_ids();
  subscription.resource = TextOf(body, "resource");
  subscription.change_type = TextOf(body, "changeType");
  subscription.notification_url = TextOf(body, "notificationUrl");
  subscription.lifecycle_url = TextOf(body, "lifecycleNotificationUrl");
  subscription.client_state = TextOf(body, "clientState");
  if (!ReadResource(call.account, subscription)) {
    return refuse(fmt::format("The resource '{}' cannot be subscribed to.", subscription.resource));
  }
  const bool mail = subscription.collection == "messages";
  const std::string prefix = mail ? "Mail.Read" : "Calendars.Read";
  if (std::ranges::none_of(call.grant.scopes, [&](const std::string& scope) { return scope.starts_with(prefix); })) {
    return std::unexpected(AccessDenied(call.now));
  }
  if (!call.account.has_mailbox) {
    return std::unexpected(*MakePayload("graph.error.MailboxNotEnabledForRESTAPI.404", call.now));
  }
  if (!ReadChangeTypes(subscription.change_type)) return refuse("changeType must be created, updated or deleted.");
  if (subscription.client_state.size() > kMaxClientState) return refuse("clientState is longer than 128 characters.");
  for (const std::string* url : {&subscription.notification_url, &subscription.lifecycle_url}) {
    if (url == &subscription.lifecycle_url && url->empty()) continue;
    if (const std::string problem = WhyNotPostable(*url); !problem.empty()) {
      return refuse(fmt::format("The notification URL '{}' is not allowed: {}.", *url, problem));
    }
  }
  auto expires = ReadExpiry(call, body);
  if (!expires) return std::unexpected(std::move(expires.error()));
  subscription.expires = *expires;
  return subscription;
}

Response Subscriptions::Create(Call& call) {
  DropExpired();
  const auto body = call.Body();
  if (!body) return body.error();
  auto read = Read(call, *body);
  if (!read) return read.error();
  const auto subscription = std::make_shared<Subscription>(std::move(*read));
  const std::string key = subscription->resource + "|" + subscription->change_type + "|" + call.account.microsoft.oid;
  std::size_t of_mailbox = 0;
  bool exists = pending_.contains(key);
  for (const auto& [id, other] : subscriptions_) {
    if (other.account != &call.account) continue;
    ++of_mailbox;
    exists = exists || (other.resource == subscription->resource && other.change_type == subscription->change_type &&
                        other.notification_url == subscription->notification_url);
  }
  if (exists) return *MakePayload("graph.error.subscription-exists.409", call.now);
  if (of_mailbox >= kMaxPerMailbox) {
    return Error(403, "ExtensionError",
                 "Operation: Create; Exception: [Status Code: Forbidden; Reason: too many "
                 "subscriptions for this mailbox.]",
                 call.now);
  }
  pending_.insert(key);
  auto deferred = std::make_shared<Deferred>();
  const std::string context = call.base() + "/$metadata#subscriptions/$entity";
  const auto finish = [this, subscription, deferred, key, context](bool valid) {
    pending_.erase(key);
    if (!valid) return deferred->Complete(ValidationFailed(schedule_.Now()));
    boost::json::object answer;
    answer["@odata.context"] = context;
    for (auto& member : Resource(*subscription)) answer[member.key()] = std::move(member.value());
    subscriptions_.emplace(subscription->id, *subscription);
    deferred->Complete(Json(201, answer));
  };
  // Both URLs are asked, one after the other, while the client's request stays open.
  Validate(subscription, subscription->notification_url, [this, subscription, finish](bool valid) {
    if (!valid || subscription->lifecycle_url.empty()) return finish(valid);
    Validate(subscription, subscription->lifecycle_url, finish);
  });
  Response response;
  response.deferred = std::move(deferred);
  return response;
}

void Subscriptions::Validate(std::shared_ptr<Subscription> subscription, std::string url,
                             std::function<void(bool)> done) {
  // A blank, a colon and a sign that HTML escapes: what a receiver may get wrong.
  const std::string token =
      fmt::format("Validation: Testing client application reachability for subscription Request-Id: {}", NewGuid());
  OutgoingRequest request;
  request.url = url + (url.contains('?') ? "&" : "?") + "validationToken=";
  // Blanks travel as plus signs, as Graph sends them.
  std::string encoded;
  for (const char c : token) {
    if (c == ' ') {
      encoded += '+';
    } else {
      encoded += PercentEncode(std::string_view(&c, 1));
    }
  }
  request.url += encoded;
  request.headers.Add("Content-Type", "text/plain; charset=utf-8");
  request.deadline = std::chrono::seconds(10);
  const bool sent = outgoing_.Send(std::move(request), [subscription, token, done](OutgoingAnswer answer) {
    const std::string_view type = answer.headers.Get("Content-Type");
    done(answer.status == 200 && answer.body == token && EqualsIgnoreCase(type.substr(0, 10), "text/plain"));
  });
  if (!sent) done(false);
}

boost::json::object Subscriptions::Resource(const Subscription& subscription) const {
  boost::json::object out;
  out["id"] = subscription.id;
  out["resource"] = subscription.resource;
  out["applicationId"] = subscription.client_id;
  out["changeType"] = subscription.change_type;
  // Graph shows the state to its creator only; here that is who asks.
  if (subscription.client_state.empty()) {
    out["clientState"] = nullptr;
  } else {
    out["clientState"] = subscription.client_state;
  }
  out["notificationUrl"] = subscription.notification_url;
  out["notificationQueryOptions"] = nullptr;
  if (subscription.lifecycle_url.empty()) {
    out["lifecycleNotificationUrl"] = nullptr;
  } else {
    out["lifecycleNotificationUrl"] = subscription.lifecycle_url;
  }
  out["expirationDateTime"] = FormatInstant(subscription.expires);
  out["creatorId"] = subscription.account->microsoft.oid;
  out["includeResourceData"] = nullptr;
  out["latestSupportedTlsVersion"] = "v1_2";
  out["encryptionCertificate"] = nullptr;
  out["encryptionCertificateId"] = nullptr;
  out["notificationUrlAppId"] = nullptr;
  return out;
}

Subscriptions::Subscription* Subscriptions::Find(const Call& call, const std::string& id) {
  DropExpired();
  const auto found = subscriptions_.find(id);
  return found == subscriptions_.end() || found->second.account != &call.account ? nullptr : &found->second;
}

Response Subscriptions::List(Call& call) {
  DropExpired();
  boost::json::array value;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.account == &call.account) value.push_back(Resource(subscription));
  }
  boost::json::object answer;
  answer["@odata.context"] = call.base() + "/$metadata#subscriptions";
  answer["value"] = std::move(value);
  return graph::Json(200, answer);
}

Response Subscriptions::One(Call& call) {
  const Subscription* subscription = Find(call, call.parameter(0));
  if (!subscription) return *MakePayload("graph.error.ResourceNotFound.404", call.now);
  boost::json::object answer;
  answer["@odata.context"] = call.base() + "/$metadata#subscriptions/$entity";
  for (auto& member : Resource(*subscription)) answer[member.key()] = std::move(member.value());
  return graph::Json(200, answer);
}

Response Subscriptions::Renew(Call& call) {
  Subscription* subscription = Find(call, call.parameter(0));
  if (!subscription) return *MakePayload("graph.error.ResourceNotFound.404", call.now);
  const auto body = call.Body();
  if (!body) return body.error();
  if (body->contains("lifecycleNotificationUrl")) {
    return BadRequest("lifecycleNotificationUrl cannot be changed.", call.now, "InvalidRequest");
  }
  const auto expires = ReadExpiry(call, *body);
  if (!expires) return expires.error();
  subscription->expires = *expires;
  return One(call);
}

Response Subscriptions::Delete(Call& call) {
  if (!Find(call, call.parameter(0))) return *MakePayload("graph.error.ResourceNotFound.404", call.now);
  subscriptions_.erase(call.parameter(0));
  return Response{.status = 204};
}

Response Subscriptions::Reauthorize(Call& call) {
  if (!Find(call, call.parameter(0))) return *MakePayload("graph.error.ResourceNotFound.404", call.now);
  return Response{};
}

void Subscriptions::DropExpired() {
  const Instant now = schedule_.Now();
  std::erase_if(subscriptions_,
                [&](const auto& entry) { return entry.second.expires <= now || !consented_(*entry.second.account); });
}

void Subscriptions::Changed(const Account& account, const ItemChange& change) {
  if (subscriptions_.empty()) return;
  DropExpired();
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.account != &account || subscription.collection != change.collection) continue;
    if (!subscription.container.empty() && subscription.container != change.container) continue;
    if (!Has(subscription.change_type, change.type)) continue;
    const std::string& item = subscription.immutable_ids ? change.immutable_id : change.id;
    const std::string resource = fmt::format("Users/{}/{}/{}", account.microsoft.oid,
                                             change.collection == "messages" ? "Messages" : "Events", item);
    boost::json::object data;
    data["@odata.type"] = change.odata_type;
    data["@odata.id"] = resource;
    data["@odata.etag"] = change.etag;
    data["id"] = item;
    boost::json::object notification;
    notification["subscriptionId"] = subscription.id;
    notification["subscriptionExpirationDateTime"] = FormatInstant(subscription.expires);
    notification["changeType"] = change.type;
    notification["resource"] = resource;
    notification["resourceData"] = std::move(data);
    notification["clientState"] = subscription.client_state;
    notification["tenantId"] = account.microsoft.tid;
    Notify(subscription, std::move(notification));
  }
}

}  // namespace latchkey::simulator::graph
