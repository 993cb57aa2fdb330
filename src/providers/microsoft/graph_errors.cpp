#include "providers/microsoft/graph_errors.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "mail/charset.hpp"
#include "mail/retry_after.hpp"

namespace latchkey::microsoft {
namespace {

using simdjson::dom::element;

std::string Lower(simdjson::simdjson_result<element> value) {
  std::string_view text;
  return value.get_string().get(text) == simdjson::SUCCESS ? mail::AsciiLower(text) : std::string();
}

/// What a log line may show of a foreign id.
std::string SafeId(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  std::string id(text.substr(0, kLongest));
  std::erase_if(id, [](unsigned char c) {
    return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_');
  });
  return id;
}

bool IsOneOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool IsExpiry(std::string_view code) { return code.starts_with("syncstate") || code.starts_with("resync"); }

bool IsThrottling(std::string_view code) {
  return IsOneOf(code, {"applicationthrottled", "toomanyrequests", "errortoomanyrequests", "activitylimitreached",
                        "errorserverbusy", "mailboxconcurrency", "throttledrequest"});
}

ErrorCode ClassifyForbidden(GraphCall call, std::string_view code) {
  const bool sends = call == GraphCall::kSend;
  if (IsOneOf(code, {"erroraccessdenied", "accessdenied", "authorization_requestdenied", "insufficientpermissions"})) {
    return sends ? ErrorCode::kSendScopeMissing : ErrorCode::kMissingScope;
  }
  if (IsOneOf(code, {"erroraccountsuspend", "erroraccountsuspendshowtierupgrade", "errormessagesubmissionblocked"})) {
    return sends ? ErrorCode::kSendRejected : ErrorCode::kPolicyEnforced;
  }
  if (IsOneOf(code, {"errorexceededmessagelimit", "errorexceededrecipientlimit", "errorquotaexceeded"})) {
    return ErrorCode::kQuotaExceeded;
  }
  if (code == "errorsendasdenied") return ErrorCode::kSenderNotAllowed;
  return ErrorCode::kForbidden;
}

ErrorCode ClassifyMissing(GraphCall call) {
  switch (call) {
    case GraphCall::kFolders:
    case GraphCall::kDeltaStart:
    case GraphCall::kDeltaLink:
    case GraphCall::kMessage:
    case GraphCall::kAttachment:
    case GraphCall::kCalendar:
    case GraphCall::kEvent:
    case GraphCall::kSend:
    case GraphCall::kPurge:
    case GraphCall::kSubscription:
      return ErrorCode::kGone;
    case GraphCall::kList:
    case GraphCall::kBatch:
      break;
  }
  return ErrorCode::kNotFound;
}

ErrorCode ClassifyRefusal(GraphCall call, std::string_view code) {
  if (call != GraphCall::kSend) return ErrorCode::kInvalidArgument;
  if (code == "errorsendasdenied") return ErrorCode::kSenderNotAllowed;
  if (code == "errormessagesizeexceeded" || code == "requestbodytoolarge") return ErrorCode::kAttachmentTooLarge;
  return ErrorCode::kSendRejected;
}

ErrorCode Classify(GraphCall call, int status, const GraphErrorDocument& document) {
  const std::string& code = document.code;
  const bool delta = call == GraphCall::kDeltaLink || call == GraphCall::kDeltaStart;
  if (delta && (status == 410 || IsExpiry(code) || IsExpiry(document.inner_code))) return ErrorCode::kCursorExpired;
  if (code.starts_with("mailboxnot") || code == "errormailboxnotfound" || code == "errornonexistentmailbox") {
    return ErrorCode::kNoMailbox;
  }
  if (status == 429 || status == 509 || IsThrottling(code)) return ErrorCode::kRateLimited;
  // Asking again is of no use.
  if (call == GraphCall::kPurge && status == 501) return ErrorCode::kInvalidArgument;
  // A part of a batch whose forerunner failed: nothing was wrong with it.
  if (status >= 500 || status == 408 || status == 424) return ErrorCode::kProviderUnavailable;
  switch (status) {
    case 400:
      if (call == GraphCall::kDeltaLink) return ErrorCode::kCursorExpired;
      return ClassifyRefusal(call, code);
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ClassifyForbidden(call, code);
    case 404:
    case 410:
      return ClassifyMissing(call);
    case 409:
      return call == GraphCall::kSubscription ? ErrorCode::kAlreadyExists : ErrorCode::kConflict;
    case 412:
      return ErrorCode::kConflict;
    case 413:
      return call == GraphCall::kSend ? ErrorCode::kAttachmentTooLarge : ErrorCode::kPayloadTooLarge;
    default:
      return ClassifyRefusal(call, code);
  }
}

}  // namespace

GraphErrorDocument ReadGraphError(const http_client::HttpResponse& response) {
  GraphErrorDocument document;
  document.request_id = SafeId(response.Header("request-id"));
  // Front ends answer 5xx with a page of HTML; anything long is no error of the API either.
  if (response.body.empty() || response.body.size() > (64 << 10)) return document;
  simdjson::dom::parser parser;
  element error;
  if (parser.parse(response.body).at_key("error").get(error) != simdjson::SUCCESS) return document;
  document.code = Lower(error.at_key("code"));
  for (const std::string_view name : {"innerError", "innererror"}) {
    element inner;
    if (error.at_key(name).get(inner) != simdjson::SUCCESS) continue;
    document.inner_code = Lower(inner.at_key("code"));
    if (document.request_id.empty()) document.request_id = SafeId(Lower(inner.at_key("request-id")));
  }
  return document;
}

Error ClassifyGraphError(GraphCall call, const http_client::HttpResponse& response, Instant now) {
  const GraphErrorDocument document = ReadGraphError(response);
  Error error;
  error.code = Classify(call, response.status, document);
  error.detail = fmt::format("graph answered {} {}", response.status, SafeId(document.code));
  if (!document.request_id.empty()) error.detail += ", request-id " + document.request_id;
  if (error.code == ErrorCode::kRateLimited || error.code == ErrorCode::kQuotaExceeded ||
      error.code == ErrorCode::kProviderUnavailable) {
    error.retry_after = mail::ReadRetryAfter(response.Header("Retry-After"), now);
  }
  return error;
}

}  // namespace latchkey::microsoft
