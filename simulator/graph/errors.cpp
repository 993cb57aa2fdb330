#include "simulator/graph/errors.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "base/random.hpp"

namespace latchkey::simulator::graph {
namespace {

struct Payload {
  std::string_view slug;  ///< Behind "graph.error." and before the status.
  int status;
  std::string_view code;
  std::string_view message;
  std::string_view retry_after = "";
};

constexpr std::string_view kResync =
    "Resync required. Replace any local items with the server's version (including deletes).";
constexpr std::string_view kSyncState = "The sync state generation is not found.";

constexpr Payload kPayloads[] = {
    {"ApplicationThrottled", 429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", "4"},
    {"throttled-documented", 429, "TooManyRequests", "Please retry again later.", "2.128"},
    {"throttled-bare", 429, "TooManyRequests", "Too Many Requests"},
    {"ErrorAccessDenied", 403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."},
    {"ErrorAccountSuspend", 403, "ErrorAccountSuspend",
     "Account suspended. Follow the instructions in your Inbox to verify your account., WASCL UserAction verdict is "
     "not "
     "None. Actual verdict is Suspend."},
    {"ErrorExceededMessageLimit", 403, "ErrorExceededMessageLimit",
     "Cannot send mail. Follow the instructions in your Inbox to verify your account."},
    {"ErrorSendAsDenied", 403, "ErrorSendAsDenied",
     "The user account which was used to submit this request does not have the right to send mail on behalf of the "
     "specified sending account., Cannot submit message."},
    {"ErrorInternalServerTransientError", 500, "ErrorInternalServerTransientError", "Cannot open mailbox."},
    {"ErrorInvalidIdMalformed", 400, "ErrorInvalidIdMalformed", "Id is malformed."},
    {"ErrorIrresolvableConflict", 409, "ErrorIrresolvableConflict",
     "The send or update operation could not be performed because the change key passed in the request does not match "
     "the current change key for the item."},
    {"ErrorItemNotFound", 404, "ErrorItemNotFound", "The specified object was not found in the store."},
    {"ErrorMessageSizeExceeded", 413, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size."},
    {"InvalidAuthenticationToken.expired", 401, "InvalidAuthenticationToken",
     "Lifetime validation failed, the token is expired."},
    {"InvalidAuthenticationToken.empty", 401, "InvalidAuthenticationToken", "Access token is empty."},
    {"InvalidAuthenticationToken.malformed", 401, "InvalidAuthenticationToken",
     "CompactToken parsing failed with error code: 80049217"},
    {"InvalidAuthenticationToken.audience", 401, "InvalidAuthenticationToken",
     "Access token validation failure. Invalid audience."},
    {"claims-challenge", 401, "InvalidAuthenticationToken",
     "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
     "TokenIssuedBeforeRevocationTimestamp"},
    {"MailboxNotEnabledForRESTAPI", 404, "MailboxNotEnabledForRESTAPI",
     "The mailbox is either inactive, soft-deleted, or is hosted on-premise."},
    {"ResourceNotFound", 404, "ResourceNotFound", "The object was not found."},
    {"UnknownError", 504, "UnknownError", ""},
    {"gateway-html", 502, "", "The server is temporarily unavailable."},
    {"invalidRequest.delta-params", 400, "ErrorInvalidParameter", "startDateTime and endDateTime are required"},
    {"resyncRequired", 410, "resyncRequired", kResync},
    {"resyncRequired", 400, "resyncRequired", kResync},
    {"resyncRequired", 404, "resyncRequired", kResync},
    {"syncStateNotFound", 410, "SyncStateNotFound", kSyncState},
    {"syncStateNotFound", 400, "SyncStateNotFound", kSyncState},
    {"syncStateNotFound", 404, "SyncStateNotFound", kSyncState},
    {"syncStateInvalid", 410, "SyncStateInvalid", "The sync state is invalid."},
    {"syncStateInvalid", 400, "SyncStateInvalid", "The sync state is invalid."},
    {"serviceNotAvailable", 503, "serviceNotAvailable", "The service is temporarily unavailable.", "30"},
    {"subscription-exists", 409, "ExtensionError",
     "Operation: Create; Exception: [Status Code: Conflict; Reason: Subscription already exists.]"},
    {"subscription-validation-failed", 400, "InvalidRequest",
     "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request."},
};

std::string PayloadName(const Payload& payload) {
  return fmt::format("graph.error.{}.{}", payload.slug, payload.status);
}

constexpr std::string_view kRealm =
    R"(Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", )";

}  // namespace

std::string NewGuid() {
  const std::string hex = HexEncode(RandomBytes(16));
  return fmt::format("{}-{}-4{}-8{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(13, 3), hex.substr(17, 3),
                     hex.substr(20));
}

Response Json(int status, const boost::json::object& body) {
  Response response = JsonResponse(status, boost::json::serialize(body));
  response.headers.Set("Content-Type",
                       "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; "
                       "charset=utf-8");
  return response;
}

Response Error(int status, std::string_view code, std::string_view message, Instant now) {
  boost::json::object inner;
  inner["date"] = FormatInstant(now).substr(0, 19);
  inner["request-id"] = "";
  inner["client-request-id"] = "";
  boost::json::object error;
  error["code"] = code;
  error["message"] = message;
  error["innerError"] = std::move(inner);
  Response response = JsonResponse(status, boost::json::serialize(boost::json::object{{"error", std::move(error)}}));
  response.headers.Set("Content-Type", "application/json");
  if (status == 401) {
    response.headers.Add("WWW-Authenticate",
                         std::string(kRealm) + R"(client_id="00000003-0000-0000-c000-000000000000")");
  }
  return response;
}

Response ItemNotFound(Instant now) {
  return Error(404, "ErrorItemNotFound", "The specified object was not found in the store.", now);
}
Response IdMalformed(Instant now) { return Error(400, "ErrorInvalidIdMalformed", "Id is malformed.", now); }
Response AccessDenied(Instant now) {
  return Error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.", now);
}
Response BadRequest(std::string_view message, Instant now, std::string_view code) {
  return Error(400, code, message, now);
}

void Finish(Response& response, std::string_view request_id, std::string_view client_request_id) {
  response.headers.Set("request-id", std::string(request_id));
  response.headers.Set("client-request-id", std::string(client_request_id));
  if (!response.headers.Find("Cache-Control")) response.headers.Add("Cache-Control", "private");
  const auto fill = [&](std::string_view name, std::string_view id) {
    const std::string empty = fmt::format("\"{}\":\"\"", name);
    if (const std::size_t at = response.body.find(empty); at != std::string::npos) {
      response.body.replace(at, empty.size(), fmt::format("\"{}\":\"{}\"", name, id));
    }
  };
  if (response.status >= 400 && response.body.starts_with("{\"error\"")) {
    fill("client-request-id", client_request_id);
    fill("request-id", request_id);
  }
}

std::vector<std::string> PayloadNames() {
  std::vector<std::string> names;
  for (const Payload& payload : kPayloads) names.push_back(PayloadName(payload));
  return names;
}

std::optional<Response> MakePayload(std::string_view name, Instant now) {
  for (const Payload& payload : kPayloads) {
    if (PayloadName(payload) != name) continue;
    if (payload.code.empty()) {
      return HtmlResponse(payload.status, fmt::format("<html><head><title>{0}</title></head><body><h2>{1}</h2></body>"
                                                      "</html>\r\n",
                                                      payload.status, payload.message));
    }
    Response response = Error(payload.status, payload.code, payload.message, now);
    if (payload.slug == "throttled-documented") {
      boost::json::value body = boost::json::parse(response.body);
      boost::json::object& inner = body.at("error").at("innerError").as_object();
      inner["code"] = "429";
      inner["message"] = "Please retry after";
      inner["status"] = "429";
      response.body = boost::json::serialize(body);
    }
    if (payload.slug == "claims-challenge") {
      response.headers.Set("WWW-Authenticate",
                           std::string(kRealm) + R"(error="insufficient_claims", claims=")" +
                               Base64Encode(R"({"access_token":{"nbf":{"essential":true,"value":"1772000000"}}})") +
                               "\"");
    }
    if (!payload.retry_after.empty()) response.headers.Set("Retry-After", std::string(payload.retry_after));
    return response;
  }
  return std::nullopt;
}

}  // namespace latchkey::simulator::graph
