#include "simulator/faults/payloads.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "simulator/faults/calendar_payloads.hpp"
#include "simulator/graph/errors.hpp"
#include "simulator/microsoft/entra_errors.hpp"

namespace latchkey::simulator {
namespace {

enum class Shape {
  kOld,      ///< {"error": {"errors": [...], "code", "message"}}
  kNew,      ///< the same with "status"
  kNewInfo,  ///< and "details" with an ErrorInfo
  kOAuth,    ///< {"error", "error_description"}
  kHtml,
};

struct Payload {
  std::string_view name;
  int status;
  Shape shape;
  std::string_view reason;   ///< errors[].reason, or OAuth's error.
  std::string_view message;  ///< "{}" stands for the retry instant.
  std::string_view domain = "global";
  std::string_view rpc_status = "";
};

constexpr std::string_view kQuotaText =
    "Quota exceeded for quota metric 'Total Query Cost' and limit 'Units per minute per user' of service "
    "'gmail.googleapis.com' for consumer 'project_number:100000000001'.";
constexpr std::string_view kUnauthenticated =
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";

constexpr Payload kPayloads[] = {
    {"gmail.authError.401", 401, Shape::kOld, "authError", "Invalid Credentials"},
    {"gmail.unauthenticated-new-envelope.401", 401, Shape::kNew, "authError", kUnauthenticated, "global",
     "UNAUTHENTICATED"},
    {"gmail.rateLimitExceeded.403", 403, Shape::kOld, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits"},
    {"gmail.userRateLimitExceeded.403", 403, Shape::kOld, "userRateLimitExceeded", "User Rate Limit Exceeded",
     "usageLimits"},
    // Two blanks, and PERMISSION_DENIED for a rate limit: as the live service sends it.
    {"gmail.user-rate-retry-after.403", 403, Shape::kNew, "rateLimitExceeded",
     "User-rate limit exceeded.  Retry after {}", "usageLimits", "PERMISSION_DENIED"},
    {"gmail.quota-metric.429", 429, Shape::kNewInfo, "rateLimitExceeded", kQuotaText, "global", "RESOURCE_EXHAUSTED"},
    {"gmail.quota-metric.403", 403, Shape::kNewInfo, "rateLimitExceeded", kQuotaText, "usageLimits",
     "PERMISSION_DENIED"},
    {"gmail.too-many-concurrent.429", 429, Shape::kNew, "rateLimitExceeded", "Too many concurrent requests for user",
     "usageLimits", "RESOURCE_EXHAUSTED"},
    {"gmail.mail-sending-limit.429", 429, Shape::kNew, "rateLimitExceeded",
     "User-rate limit exceeded.  Retry after {} (Mail sending)", "usageLimits", "RESOURCE_EXHAUSTED"},
    {"gmail.dailyLimitExceeded.403", 403, Shape::kOld, "dailyLimitExceeded", "Daily Limit Exceeded", "usageLimits"},
    {"gmail.domainPolicy.403", 403, Shape::kOld, "domainPolicy", "The domain administrators have disabled Gmail apps."},
    {"gmail.accessNotConfigured.403", 403, Shape::kNew, "accessNotConfigured",
     "Gmail API has not been used in project 100000000001 before or it is disabled. Enable it, then retry.",
     "usageLimits", "PERMISSION_DENIED"},
    {"gmail.insufficientPermissions.403", 403, Shape::kNewInfo, "insufficientPermissions",
     "Request had insufficient authentication scopes.", "global", "PERMISSION_DENIED"},
    {"gmail.mail-service-not-enabled.400", 400, Shape::kNew, "failedPrecondition", "Mail service not enabled", "global",
     "FAILED_PRECONDITION"},
    {"gmail.badRequest.400", 400, Shape::kNew, "badRequest", "Bad Request", "global", "INVALID_ARGUMENT"},
    {"gmail.notFound.404", 404, Shape::kNew, "notFound", "Requested entity was not found.", "global", "NOT_FOUND"},
    {"gmail.backendError.500", 500, Shape::kOld, "backendError", "Backend Error"},
    {"gmail.unavailable.503", 503, Shape::kNew, "backendError", "The service is currently unavailable.", "global",
     "UNAVAILABLE"},
    {"gmail.bad-gateway-html.502", 502, Shape::kHtml, "", "The server encountered a temporary error."},
    {"google.invalid_grant.revoked.400", 400, Shape::kOAuth, "invalid_grant", "Token has been expired or revoked."},
    {"google.invalid_grant.bad-request.400", 400, Shape::kOAuth, "invalid_grant", "Bad Request"},
    {"google.invalid_grant.malformed-code.400", 400, Shape::kOAuth, "invalid_grant", "Malformed auth code."},
    {"google.invalid_grant.missing-verifier.400", 400, Shape::kOAuth, "invalid_grant", "Missing code verifier."},
    {"google.invalid_grant.rapt.400", 400, Shape::kOAuth, "invalid_grant", "reauth related error (invalid_rapt)"},
    {"google.invalid_grant.bare.400", 400, Shape::kOAuth, "invalid_grant", ""},
    {"google.invalid_grant.account-deleted.400", 400, Shape::kOAuth, "invalid_grant", "Account has been deleted"},
    {"google.invalid_client.401", 401, Shape::kOAuth, "invalid_client", "The OAuth client was not found."},
    {"google.deleted_client.401", 401, Shape::kOAuth, "deleted_client", "The OAuth client was deleted."},
    {"google.unauthorized_client.401", 401, Shape::kOAuth, "unauthorized_client", "Unauthorized"},
    {"google.redirect_uri_mismatch.400", 400, Shape::kOAuth, "redirect_uri_mismatch", "Bad Request"},
    {"google.unsupported_grant_type.400", 400, Shape::kOAuth, "unsupported_grant_type", "Invalid grant_type: password"},
    {"google.admin_policy_enforced.400", 400, Shape::kOAuth, "admin_policy_enforced",
     "Access to this scope is restricted by your administrator."},
    {"google.internal_failure.500", 500, Shape::kOAuth, "internal_failure", ""},
    {"google.unavailable-html.503", 503, Shape::kHtml, "", "The service is temporarily unavailable."},
};

boost::json::object ErrorInfo(const Payload& payload) {
  boost::json::object metadata;
  metadata["service"] = "gmail.googleapis.com";
  const bool quota = payload.reason == "rateLimitExceeded";
  if (quota) {
    metadata["quota_unit"] = "1/min/{project}/{user}";
    metadata["quota_limit"] = "defaultPerMinutePerUser";
    metadata["quota_limit_value"] = "6000";
    metadata["consumer"] = "projects/100000000001";
  }
  boost::json::object info;
  info["@type"] = "type.googleapis.com/google.rpc.ErrorInfo";
  info["reason"] = quota ? "RATE_LIMIT_EXCEEDED" : "ACCESS_TOKEN_SCOPE_INSUFFICIENT";
  info["domain"] = "googleapis.com";
  info["metadata"] = std::move(metadata);
  return info;
}

Response ApiError(const Payload& payload, const std::string& message) {
  boost::json::object detail;
  detail["message"] = payload.name.contains("unauthenticated") ? "Invalid Credentials" : std::string_view(message);
  detail["domain"] = payload.domain;
  detail["reason"] = payload.reason;
  if (payload.status == 401) {
    detail["location"] = "Authorization";
    detail["locationType"] = "header";
  }
  boost::json::object error;
  error["code"] = payload.status;
  error["message"] = message;
  error["errors"] = boost::json::array({std::move(detail)});
  if (payload.shape != Shape::kOld) error["status"] = payload.rpc_status;
  if (payload.shape == Shape::kNewInfo) error["details"] = boost::json::array({ErrorInfo(payload)});
  boost::json::object body;
  body["error"] = std::move(error);
  Response response = JsonResponse(payload.status, boost::json::serialize(body));
  if (payload.status == 401) {
    response.headers.Add("WWW-Authenticate", R"(Bearer realm="https://accounts.google.com/", error="invalid_token")");
  } else if (payload.reason == "insufficientPermissions") {
    response.headers.Add("WWW-Authenticate",
                         R"(Bearer realm="https://accounts.google.com/", error="insufficient_scope")");
  }
  return response;
}

Response OAuthError(const Payload& payload) {
  boost::json::object body;
  body["error"] = payload.reason;
  if (!payload.message.empty()) body["error_description"] = payload.message;
  if (payload.name.contains(".rapt.")) body["error_subtype"] = "invalid_rapt";
  return JsonResponse(payload.status, boost::json::serialize(body));
}

}  // namespace

std::string FormatRetryInstant(Instant instant) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(instant);
  std::string text = FormatInstant(millis);
  return text.substr(0, text.find('.') + 4) + "Z";
}

std::optional<Response> MakePayload(std::string_view name, Instant retry_at) {
  const auto* const payload = std::ranges::find(kPayloads, name, &Payload::name);
  if (payload == std::end(kPayloads)) {
    if (auto calendar = calendar::MakePayload(name)) return calendar;
    return name.starts_with("graph.") ? graph::MakePayload(name, retry_at) : entra::MakePayload(name, retry_at);
  }
  if (payload->shape == Shape::kHtml) {
    return HtmlResponse(payload->status, fmt::format("<html lang=en><meta charset=utf-8><title>Error {}</title>"
                                                     "<p>{}<p>Please try again in 30 seconds.\n",
                                                     payload->status, payload->message));
  }
  if (payload->shape == Shape::kOAuth) return OAuthError(*payload);
  std::string message(payload->message);
  if (const std::size_t at = message.find("{}"); at != std::string::npos) {
    message.replace(at, 2, FormatRetryInstant(retry_at));
  }
  return ApiError(*payload, message);
}

std::vector<std::string> PayloadNames() {
  std::vector<std::string> names = entra::PayloadNames();
  for (std::string& name : graph::PayloadNames()) names.push_back(std::move(name));
  for (std::string& name : calendar::PayloadNames()) names.push_back(std::move(name));
  for (const Payload& payload : kPayloads) names.emplace_back(payload.name);
  return names;
}

}  // namespace latchkey::simulator
