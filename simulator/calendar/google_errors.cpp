#include "simulator/calendar/google_errors.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace latchkey::simulator::calendar {
namespace {

namespace json = boost::json;

Response WithInfo(std::string_view message, std::string_view short_message, std::string_view domain,
                  std::string_view reason, std::string_view info_reason, json::object metadata) {
  const json::object info = {{"@type", "type.googleapis.com/google.rpc.ErrorInfo"},
                             {"reason", info_reason},
                             {"domain", "googleapis.com"},
                             {"metadata", std::move(metadata)}};
  const json::object detail = {{"message", short_message}, {"domain", domain}, {"reason", reason}};
  const json::object body = {{"error",
                              {{"code", 403},
                               {"message", message},
                               {"errors", json::array{detail}},
                               {"status", "PERMISSION_DENIED"},
                               {"details", json::array{info}}}}};
  return JsonResponse(403, json::serialize(body));
}

}  // namespace

Response GoogleError(int status, std::string_view reason, std::string_view message, std::string_view domain,
                     std::string_view location, std::string_view location_type) {
  json::object detail = {{"domain", domain}, {"reason", reason}, {"message", message}};
  if (!location.empty()) {
    detail["locationType"] = location_type;
    detail["location"] = location;
  }
  const json::object body = {{"error", {{"errors", json::array{detail}}, {"code", status}, {"message", message}}}};
  return JsonResponse(status, json::serialize(body));
}

Response NotFound() { return GoogleError(404, "notFound", "Not Found"); }

Response Invalid(std::string_view message, std::string_view parameter) {
  return GoogleError(400, "invalid", message, "global", parameter);
}

Response Required(std::string_view message) { return GoogleError(400, "required", message); }

Response InsufficientScopes(std::string_view rpc) {
  Response response = WithInfo("Request had insufficient authentication scopes.", "Insufficient Permission", "global",
                               "insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                               {{"service", "calendar-json.googleapis.com"}, {"method", rpc}});
  response.headers.Add("WWW-Authenticate",
                       R"(Bearer realm="https://accounts.google.com/", error="insufficient_scope")");
  return response;
}

Response FullSyncRequired() {
  return GoogleError(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.", "calendar",
                     "syncToken");
}

Response NeedsAccess(std::string_view role) {
  return GoogleError(403, "requiredAccessLevel", fmt::format("You need to have {} access to this calendar.", role),
                     "calendar");
}

Response QuotaExceeded(bool new_envelope) {
  if (!new_envelope) return GoogleError(429, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits");
  return WithInfo(
      "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service "
      "'calendar-json.googleapis.com' for consumer 'project_number:123456789012'.",
      "Rate Limit Exceeded", "usageLimits", "rateLimitExceeded", "RATE_LIMIT_EXCEEDED",
      {{"service", "calendar-json.googleapis.com"},
       {"quota_metric", "calendar-json.googleapis.com/default"},
       {"quota_limit", "defaultPerMinutePerUser"},
       {"quota_limit_value", "600"},
       {"consumer", "projects/123456789012"}});
}

}  // namespace latchkey::simulator::calendar
