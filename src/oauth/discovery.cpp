#include "oauth/discovery.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "crypto/strict_json.hpp"
#include "oauth/provider_url.hpp"
#include "telemetry/log.hpp"

namespace latchkey::oauth {
namespace {

namespace bj = boost::json;

constexpr std::chrono::hours kFresh{1};
constexpr std::chrono::hours kUsable{24};
constexpr std::chrono::seconds kPauseAfterFailure{2};
constexpr std::chrono::minutes kPauseWhileUsable{1};

bool OffersOnlyOther(const bj::object& document, std::string_view name, std::string_view wanted) {
  const bj::value* list = document.if_contains(name);
  if (list == nullptr || !list->is_array()) return false;
  for (const bj::value& item : list->get_array()) {
    if (item.is_string() && std::string_view(item.get_string()) == wanted) return false;
  }
  return true;
}

}  // namespace

Result<Discovery> Discovery::Parse(std::string_view text, std::string_view issuer) {
  return Read(text, issuer, nullptr);
}

Result<Discovery> Discovery::Parse(std::string_view text, const IssuerRules& rules) { return Read(text, {}, &rules); }

Result<Discovery> Discovery::Read(std::string_view text, std::string_view expected, const IssuerRules* rules) {
  crypto::JsonFault fault{};
  const auto document = crypto::ParseStrictObject(text, kMaxProviderDocument, fault);
  if (!document) return Fail(ErrorCode::kMalformedReply, "discovery: not a strict JSON object");
  const std::string issuer(crypto::StringMember(*document, "issuer").value_or(""));
  if (rules != nullptr ? !rules->MayDiscover(issuer) : issuer != expected) {
    return Fail(ErrorCode::kMalformedReply, "discovery: issuer differs from the configured one");
  }
  const bool loopback = IsLoopbackHttpUrl(rules != nullptr ? rules->origin() : std::string_view(issuer));
  Discovery discovery;
  discovery.issuer_ = issuer;
  const struct {
    std::string_view name;
    std::string& target;
    bool required;
  } endpoints[] = {
      {"authorization_endpoint", discovery.authorization_endpoint_, true},
      {"token_endpoint", discovery.token_endpoint_, true},
      {"jwks_uri", discovery.jwks_uri_, true},
      {"revocation_endpoint", discovery.revocation_endpoint_, false},
  };
  for (const auto& [name, target, required] : endpoints) {
    if (!document->contains(name)) {
      if (required) return Fail(ErrorCode::kMalformedReply, fmt::format("discovery: no {}", name));
      continue;
    }
    const auto url = crypto::StringMember(*document, name);
    if (!url || !IsSecureUrl(*url) || (!loopback && IsLoopbackHttpUrl(*url))) {
      return Fail(ErrorCode::kMalformedReply, fmt::format("discovery: {} is not https", name));
    }
    if (rules != nullptr && !url->starts_with(std::string(rules->origin()) + '/')) {
      return Fail(ErrorCode::kMalformedReply, fmt::format("discovery: {} is on another host", name));
    }
    target = std::string(*url);
  }
  const bj::value* sends = document->if_contains("authorization_response_iss_parameter_supported");
  discovery.sends_issuer_ = sends != nullptr && sends->is_bool() && sends->get_bool();
  discovery.needs_basic_ = OffersOnlyOther(*document, "token_endpoint_auth_methods_supported", "client_secret_post");
  return discovery;
}

DiscoveryCache::DiscoveryCache(std::string url, std::string issuer, const IssuerRules* rules,
                               http_client::HttpClient& http, const Clock& clock, const Executor& executor)
    : url_(std::move(url)),
      issuer_(std::move(issuer)),
      rules_(rules),
      http_(http),
      clock_(clock),
      one_at_a_time_(executor, 1) {}

Task<Result<std::shared_ptr<const Discovery>>> DiscoveryCache::Get() {
  if (document_ && clock_.Now() < fetched_at_ + kFresh) co_return document_;
  const auto permit = co_await one_at_a_time_.Acquire();
  // Somebody may have brought it, or failed to, while this one waited.
  const Instant now = clock_.Now();
  if (document_ && now < fetched_at_ + kFresh) co_return document_;
  const bool usable = document_ && now < fetched_at_ + kUsable;
  if (now < retry_after_) {
    if (usable) co_return document_;
    co_return Fail(last_error_);
  }
  auto fetched = co_await Fetch();
  if (fetched) {
    document_ = *fetched;
    fetched_at_ = clock_.Now();
    retry_after_ = {};
    co_return document_;
  }
  last_error_ = fetched.error();
  retry_after_ = clock_.Now() + (usable ? std::chrono::seconds(kPauseWhileUsable) : kPauseAfterFailure);
  log::Warn("oauth.discovery_failed", {{"issuer", issuer_},
                                       {"error_code", ToString(last_error_.code)},
                                       {"detail", last_error_.detail},
                                       {"uses_cached", usable}});
  if (usable) co_return document_;
  co_return fetched;
}

Task<Result<std::shared_ptr<const Discovery>>> DiscoveryCache::Fetch() {
  http_client::HttpRequest request;
  request.url = url_;
  request.headers = {{"Accept", "application/json"}};
  request.timeout = kProviderDeadline;
  request.max_response_bytes = kMaxProviderDocument;
  const auto response = co_await http_.Send(request);
  if (!response) co_return Fail(response.error());
  if (response->status != 200) {
    co_return Fail(ErrorCode::kProviderUnavailable, fmt::format("discovery: status {}", response->status));
  }
  auto discovery =
      rules_ != nullptr ? Discovery::Parse(response->body, *rules_) : Discovery::Parse(response->body, issuer_);
  if (!discovery) co_return Fail(discovery.error());
  co_return std::make_shared<const Discovery>(std::move(*discovery));
}

}  // namespace latchkey::oauth
