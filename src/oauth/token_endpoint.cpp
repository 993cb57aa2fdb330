#include "oauth/token_endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/encoding.hpp"
#include "crypto/strict_json.hpp"

namespace latchkey::oauth {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMaxToken = 16 * 1024;
constexpr std::size_t kMaxScopes = 200;
constexpr double kMaxSeconds = 10.0 * 365 * 86400;

/// A number of seconds, as a JSON number or, as some servers write it, in digits. kMalformedReply for anything else.
Result<std::optional<std::chrono::seconds>> Seconds(const bj::object& reply, std::string_view name) {
  const bj::value* member = reply.if_contains(name);
  if (member == nullptr || member->is_null()) return std::nullopt;
  double seconds = -1;
  if (member->is_string()) {
    const bj::string& text = member->get_string();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size()) seconds = -1;
  } else if (member->is_number()) {
    seconds = member->to_number<double>();
  }
  if (!std::isfinite(seconds) || seconds < 0) {
    return Fail(ErrorCode::kMalformedReply, fmt::format("token response: {} is not a time", name));
  }
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, kMaxSeconds)));
}

Result<SecretString> Token(const bj::object& reply, std::string_view name, bool required) {
  const bj::value* member = reply.if_contains(name);
  if (!required && (member == nullptr || member->is_null())) return SecretString();
  const auto text = crypto::StringMember(reply, name);
  // RFC 6749 appendix A.12: visible characters.
  if (!text || text->size() > kMaxToken || (required && text->empty()) ||
      !std::ranges::all_of(*text, [](char c) { return c >= 0x20 && c < 0x7f; })) {
    return Fail(ErrorCode::kMalformedReply, fmt::format("token response: bad {}", name));
  }
  return SecretString(std::string(*text));
}

std::vector<std::string> SplitScopes(std::string_view text) {
  std::vector<std::string> scopes;
  while (!text.empty() && scopes.size() < kMaxScopes) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) scopes.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return scopes;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return lower(x) == lower(y);
  });
}

ErrorCode MeaningOf(std::string_view code, Grant grant) {
  if (code == "invalid_grant") {
    return grant == Grant::kRefreshToken ? ErrorCode::kReauthInvalidGrant : ErrorCode::kSignInFailed;
  }
  if (code == "invalid_client" || code == "unauthorized_client" || code == "deleted_client" ||
      code == "disabled_client") {
    return ErrorCode::kInvalidClient;
  }
  if (code == "redirect_uri_mismatch") return ErrorCode::kRedirectUriMismatch;
  if (code == "admin_policy_enforced" || code == "org_internal") return ErrorCode::kPolicyEnforced;
  if (code == "temporarily_unavailable" || code == "server_error" || code == "internal_failure") {
    return ErrorCode::kProviderUnavailable;
  }
  if (code == "rate_limit_exceeded" || code == "slow_down") return ErrorCode::kRateLimited;
  // invalid_request, invalid_scope, unsupported_grant_type: what we sent is wrong.
  return ErrorCode::kInternal;
}

}  // namespace

std::string SafeErrorCode(std::optional<std::string_view> text) {
  const auto ok = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  if (!text || text->size() > 64 || !std::ranges::all_of(*text, ok)) return {};
  return std::string(*text);
}

Result<TokenSet> ParseTokenResponse(std::string_view body, Instant now) {
  crypto::JsonFault fault{};
  const auto reply = crypto::ParseStrictObject(body, kMaxProviderDocument, fault);
  if (!reply) return Fail(ErrorCode::kMalformedReply, "token response: not a strict JSON object");
  const auto type = crypto::StringMember(*reply, "token_type");
  if (!type || !EqualsIgnoringCase(*type, "bearer")) {
    return Fail(ErrorCode::kMalformedReply, "token response: token_type is not bearer");
  }
  auto access = Token(*reply, "access_token", true);
  auto refresh = Token(*reply, "refresh_token", false);
  auto id_token = Token(*reply, "id_token", false);
  const auto expires_in = Seconds(*reply, "expires_in");
  const auto refresh_expires_in = Seconds(*reply, "refresh_token_expires_in");
  if (!access) return Fail(access.error());
  if (!refresh) return Fail(refresh.error());
  if (!id_token) return Fail(id_token.error());
  if (!expires_in) return Fail(expires_in.error());
  if (!refresh_expires_in) return Fail(refresh_expires_in.error());
  TokenSet tokens{
      .access_token = std::move(*access), .refresh_token = std::move(*refresh), .id_token = std::move(*id_token)};
  if (*expires_in) tokens.expires_at = now + **expires_in;
  if (*refresh_expires_in) tokens.refresh_expires_at = now + **refresh_expires_in;
  if (const bj::value* scope = reply->if_contains("scope"); scope != nullptr && !scope->is_null()) {
    if (!scope->is_string()) return Fail(ErrorCode::kMalformedReply, "token response: scope is not text");
    tokens.scopes = SplitScopes(std::string_view(scope->get_string()));
  }
  return tokens;
}

TokenRefusal ClassifyTokenError(const http_client::HttpResponse& response, Grant grant) {
  Error error{.code = ErrorCode::kMalformedReply,
              .detail = fmt::format("token endpoint: status {}", response.status),
              .retry_after = RetryAfterOf(response)};
  if (response.status == 429) {
    error.code = ErrorCode::kRateLimited;
    return error;
  }
  if (response.status >= 500 || response.status == 408) {
    error.code = ErrorCode::kProviderUnavailable;
    return error;
  }
  crypto::JsonFault fault{};
  const auto reply = crypto::ParseStrictObject(response.body, kMaxProviderDocument, fault);
  if (!reply) return error;
  const std::string code = SafeErrorCode(crypto::StringMember(*reply, "error"));
  if (code.empty()) return error;
  error.code = MeaningOf(code, grant);
  error.detail += ", " + code;
  if (const std::string subtype = SafeErrorCode(crypto::StringMember(*reply, "error_subtype")); !subtype.empty()) {
    error.detail += "/" + subtype;
  }
  return error;
}

std::optional<std::chrono::milliseconds> RetryAfterOf(const http_client::HttpResponse& response) {
  const std::string_view text = response.Header("Retry-After");
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(seconds) ||
      seconds < 0) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(seconds, 3600.0) * 1000));
}

std::string EncodeForm(const TokenEndpoint::Form& form) {
  std::string body;
  for (const auto& [name, value] : form) {
    if (!body.empty()) body += '&';
    body += PercentEncode(name);
    body += '=';
    body += PercentEncode(value);
  }
  return body;
}

http_client::HttpRequest TokenEndpoint::MakeRequest(const Discovery& discovery, const std::string& url,
                                                    const Form& form) const {
  http_client::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  request.timeout = kProviderDeadline;
  request.max_response_bytes = kMaxProviderDocument;
  Form full = form;
  if (discovery.needs_basic()) {
    // RFC 6749 section 2.3.1: both parts are form-encoded first.
    request.headers.emplace_back("Authorization",
                                 "Basic " + Base64Encode(PercentEncode(client_.client_id) + ":" +
                                                         PercentEncode(client_.client_secret.Reveal())));
  } else {
    full.emplace_back("client_id", client_.client_id);
    if (!client_.client_secret.empty()) full.emplace_back("client_secret", client_.client_secret.Reveal());
  }
  request.body = EncodeForm(full);
  return request;
}

Task<TokenAnswer> TokenEndpoint::Ask(const Discovery& discovery, Grant grant, const Form& form) {
  const http_client::HttpRequest request = MakeRequest(discovery, discovery.token_endpoint(), form);
  const auto response = co_await http_.Send(request);
  if (!response) co_return Fail(response.error());
  if (response->status != 200) co_return std::unexpected(read_error_(*response, grant));
  auto tokens = ParseTokenResponse(response->body, clock_.Now());
  if (!tokens) co_return Fail(tokens.error());
  co_return std::move(*tokens);
}

Task<Result<Revocation>> TokenEndpoint::Revoke(const Discovery& discovery, const SecretString& token) {
  if (discovery.revocation_endpoint().empty()) co_return Revocation::kNotOffered;
  const Form form{{"token", token.Reveal()}};
  const http_client::HttpRequest request = MakeRequest(discovery, discovery.revocation_endpoint(), form);
  const auto response = co_await http_.Send(request);
  if (!response) co_return Fail(response.error());
  if (response->status == 200) co_return Revocation::kDone;
  crypto::JsonFault fault{};
  const auto reply = crypto::ParseStrictObject(response->body, kMaxProviderDocument, fault);
  // Google's answer for a token that is already dead; the goal is reached.
  if (response->status == 400 && reply && crypto::StringMember(*reply, "error") == "invalid_token") {
    co_return Revocation::kDone;
  }
  co_return Fail(read_error_(*response, Grant::kRefreshToken));
}

}  // namespace latchkey::oauth
