#include "simulator/faults/calendar_payloads.hpp"

#include <algorithm>

#include "simulator/calendar/google_errors.hpp"

namespace latchkey::simulator::calendar {
namespace {

struct Payload {
  std::string_view name;
  int status;
  std::string_view reason;
  std::string_view message;
  std::string_view domain = "global";
  std::string_view location = "";
  std::string_view location_type = "parameter";
};

constexpr Payload kPayloads[] = {
    {"calendar.authError.401", 401, "authError", "Invalid Credentials", "global", "Authorization", "header"},
    {"calendar.login-required.401", 401, "required", "Login Required", "global", "Authorization", "header"},
    {"calendar.rateLimitExceeded.403", 403, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits"},
    {"calendar.rateLimitExceeded.429", 429, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits"},
    {"calendar.userRateLimitExceeded.403", 403, "userRateLimitExceeded", "User Rate Limit Exceeded", "usageLimits"},
    {"calendar.quotaExceeded.403", 403, "quotaExceeded", "Calendar usage limits exceeded.", "usageLimits"},
    {"calendar.backendError.500", 500, "backendError", "Backend Error"},
    {"calendar.notFound.404", 404, "notFound", "Not Found"},
    {"calendar.duplicate.409", 409, "duplicate", "The requested identifier already exists."},
    {"calendar.deleted.410", 410, "deleted", "Resource has been deleted"},
    {"calendar.fullSyncRequired.410", 410, "fullSyncRequired",
     "Sync token is no longer valid, a full sync is required.", "calendar", "syncToken"},
    {"calendar.updatedMinTooLongAgo.410", 410, "updatedMinTooLongAgo",
     "The requested minimum modification time lies too far in the past.", "calendar", "updatedMin"},
    {"calendar.conditionNotMet.412", 412, "conditionNotMet", "Precondition Failed", "global", "If-Match", "header"},
    {"calendar.forbiddenForNonOrganizer.403", 403, "forbiddenForNonOrganizer",
     "Shared properties can only be changed by the organizer of the event.", "calendar"},
    {"calendar.syncToken-with-other-params.400", 400, "invalid",
     "Sync token cannot be used with other query restrictions.", "global", "syncToken"},
    {"calendar.timeRangeEmpty.400", 400, "timeRangeEmpty", "The specified time range is empty.", "calendar", "timeMax"},
};
constexpr std::string_view kScopes = "calendar.insufficientPermissions.403";
constexpr std::string_view kQuota = "calendar.per-user-quota-new-envelope.403";

}  // namespace

std::optional<Response> MakePayload(std::string_view name) {
  if (name == kScopes) return InsufficientScopes("calendar.v3.Events.Insert");
  if (name == kQuota) return QuotaExceeded(true);
  const auto* const payload = std::ranges::find(kPayloads, name, &Payload::name);
  if (payload == std::end(kPayloads)) return std::nullopt;
  Response response = GoogleError(payload->status, payload->reason, payload->message, payload->domain,
                                  payload->location, payload->location_type);
  if (payload->status == 401) {
    response.headers.Add("WWW-Authenticate",
                         payload->reason == "required"
                             ? R"(Bearer realm="https://accounts.google.com/")"
                             : R"(Bearer realm="https://accounts.google.com/", error="invalid_token")");
  }
  return response;
}

std::vector<std::string> PayloadNames() {
  std::vector<std::string> names = {std::string(kScopes), std::string(kQuota)};
  for (const Payload& payload : kPayloads) names.emplace_back(payload.name);
  return names;
}

}  // namespace latchkey::simulator::calendar
