#include "simulator/gmail/errors.hpp"

#include <fmt/format.h>

#include "simulator/gmail/json_writer.hpp"

namespace latchkey::simulator {
namespace {

constexpr std::string_view kProject = "123456789012";

}  // namespace

Response ErrorResponse(const GoogleError& error) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("error").BeginObject();
  json.Key("code").Number(error.code).Key("message").String(error.message);
  json.Key("errors").BeginArray().BeginObject();
  json.Key("message").String(error.detail_message.empty() ? error.message : error.detail_message);
  json.Key("domain").String(error.domain).Key("reason").String(error.reason);
  json.EndObject().EndArray();
  json.Key("status").String(error.status);
  if (!error.details.empty()) json.Key("details").Raw(error.details);
  json.EndObject().EndObject();
  return JsonResponse(error.code, std::move(body));
}

Response InvalidArgument(std::string message) {
  return ErrorResponse(
      {.code = 400, .message = std::move(message), .reason = "invalidArgument", .status = "INVALID_ARGUMENT"});
}

Response NotFound() {
  return ErrorResponse(
      {.code = 404, .message = "Requested entity was not found.", .reason = "notFound", .status = "NOT_FOUND"});
}

Response MailServiceNotEnabled() {
  return ErrorResponse({.code = 400,
                        .message = "Mail service not enabled",
                        .reason = "failedPrecondition",
                        .status = "FAILED_PRECONDITION"});
}

Response DelegationDenied(std::string_view user) {
  return ErrorResponse({.code = 403,
                        .message = fmt::format("Delegation denied for {}", user),
                        .reason = "forbidden",
                        .status = "PERMISSION_DENIED"});
}

Response InsufficientScopes(std::string_view rpc, std::string_view wanted_scope) {
  Response response =
      ErrorResponse({.code = 403,
                     .message = "Request had insufficient authentication scopes.",
                     .reason = "insufficientPermissions",
                     .status = "PERMISSION_DENIED",
                     .detail_message = "Insufficient Permission",
                     .details = fmt::format(R"([{{"@type":"type.googleapis.com/google.rpc.ErrorInfo",)"
                                            R"("reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT","domain":"googleapis.com",)"
                                            R"("metadata":{{"service":"gmail.googleapis.com","method":"{}"}}}}])",
                                            rpc)});
  response.headers.Set("WWW-Authenticate",
                       fmt::format("Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", "
                                   "scope=\"{}\"",
                                   wanted_scope));
  return response;
}

Response UserRateLimit(std::string_view retry_at) {
  return ErrorResponse({.code = 403,
                        .message = fmt::format("User-rate limit exceeded.  Retry after {}", retry_at),
                        .reason = "rateLimitExceeded",
                        .status = "PERMISSION_DENIED",
                        .domain = "usageLimits",
                        .detail_message = "User-rate limit exceeded."});
}

Response QuotaMetric(bool per_user, std::int64_t limit_value) {
  const std::string_view limit = per_user ? "Units per minute per user" : "Units per minute";
  const std::string_view unit = per_user ? "1/min/{project}/{user}" : "1/min/{project}";
  const std::string_view name = per_user ? "defaultPerMinutePerUser" : "defaultPerMinutePerProject";
  return ErrorResponse(
      {.code = 429,
       .message = fmt::format("Quota exceeded for quota metric 'Total Query Cost' and limit '{}' of service "
                              "'gmail.googleapis.com' for consumer 'project_number:{}'.",
                              limit, kProject),
       .reason = "rateLimitExceeded",
       .status = "RESOURCE_EXHAUSTED",
       .details =
           fmt::format(R"([{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED",)"
                       R"("domain":"googleapis.com","metadata":{{"service":"gmail.googleapis.com","quota_unit":"{}",)"
                       R"("quota_limit":"{}","quota_limit_value":"{}","consumer":"projects/{}"}}}}])",
                       unit, name, limit_value, kProject)});
}

Response TooManyBatchParts() {
  return ErrorResponse({.code = 400,
                        .message = "The batch request exceeds the maximum of 100 calls.",
                        .reason = "badRequest",
                        .status = "INVALID_ARGUMENT"});
}

Response NoContent() {
  Response response;
  response.status = 204;
  return response;
}

}  // namespace latchkey::simulator
