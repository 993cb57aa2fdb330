#include "http/problem.hpp"

#include <algorithm>

#include "base/json_writer.hpp"

namespace latchkey::http {

ProblemKind ProblemOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kStateMismatch:
    case ErrorCode::kStateExpired:
      return {400, "The request is not valid"};
    case ErrorCode::kUnauthenticated:
      return {401, "Please sign in"};
    case ErrorCode::kSignInFailed:
      return {401, "Sign-in failed"};
    case ErrorCode::kForbidden:
    case ErrorCode::kAccessDenied:
      return {403, "Not allowed"};
    case ErrorCode::kCsrfMismatch:
      return {403, "The request could not be matched to your session"};
    case ErrorCode::kPolicyEnforced:
    case ErrorCode::kAdminConsentRequired:
    case ErrorCode::kConditionalAccess:
    case ErrorCode::kTenantNotAllowed:
      return {403, "Your organisation does not allow this"};
    case ErrorCode::kSenderNotAllowed:
      return {403, "The account may not send as this address"};
    case ErrorCode::kNotFound:
    case ErrorCode::kProviderNotConfigured:
      return {404, "Not found"};
    case ErrorCode::kConflict:
    case ErrorCode::kFenced:
    case ErrorCode::kLeaseLost:
    case ErrorCode::kCursorExpired:
      return {409, "Not possible right now"};
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kAlreadyConnected:
      return {409, "It exists already"};
    case ErrorCode::kWrongAccount:
      return {409, "A different account answered"};
    case ErrorCode::kReauthInvalidGrant:
    case ErrorCode::kReauthTestMode:
    case ErrorCode::kNoRefreshToken:
    case ErrorCode::kMfaRequired:
      return {409, "The account must be connected again"};
    case ErrorCode::kRequiredScopeMissing:
    case ErrorCode::kMissingScope:
    case ErrorCode::kSendScopeMissing:
      return {409, "A permission is missing"};
    case ErrorCode::kNoMailbox:
      return {409, "The account has no mailbox"};
    case ErrorCode::kIdempotencyKeyReused:
      return {409, "The key was used for another request"};
    case ErrorCode::kSendUnconfirmed:
      return {409, "The send could not be confirmed"};
    case ErrorCode::kSendRejected:
      return {422, "The provider did not accept the message"};
    case ErrorCode::kGone:
      return {410, "It no longer exists"};
    case ErrorCode::kPayloadTooLarge:
    case ErrorCode::kAttachmentTooLarge:
      return {413, "Too large"};
    case ErrorCode::kTooManyRequests:
      return {429, "Too many requests"};
    case ErrorCode::kProviderUnavailable:
    case ErrorCode::kMalformedReply:
      return {502, "The provider is not answering"};
    case ErrorCode::kInvalidClient:
    case ErrorCode::kRedirectUriMismatch:
    case ErrorCode::kApiNotEnabled:
      return {502, "The administrator must correct the provider's settings"};
    case ErrorCode::kTimeout:
      return {504, "It took too long"};
    case ErrorCode::kRateLimited:
    case ErrorCode::kQuotaExceeded:
      return {503, "The provider asks to wait"};
    case ErrorCode::kKeyUnavailable:
    case ErrorCode::kCancelled:
    case ErrorCode::kOverloaded:
    case ErrorCode::kStorageUnavailable:
      return {503, "Not available right now"};
    case ErrorCode::kDiskFull:
      return {503, "The disk is full"};
    case ErrorCode::kInternal:
      return {500, "Internal error"};
  }
  return {500, "Internal error"};
}

Response MakeProblem(int status, std::string_view code, std::string_view title, std::string_view request_id,
                     std::optional<std::chrono::milliseconds> retry_after, std::string_view detail) {
  json::Writer body(192);
  body.BeginObject().Member("type", "about:blank").Member("title", title).Member("status", status);
  body.Member("code", code);
  if (!detail.empty()) body.Member("detail", detail);
  body.Member("ref", request_id).EndObject();
  Response response;
  response.status = status;
  response.AddHeader("Content-Type", "application/problem+json");
  response.AddHeader("Cache-Control", "no-store");
  if (status == 401) response.AddHeader("WWW-Authenticate", "Bearer");
  if (retry_after) {
    // Rounded up: whoever waits exactly this long must not come too early.
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*retry_after).count();
    response.AddHeader("Retry-After", std::to_string(std::max<std::int64_t>(1, seconds)));
  }
  response.body = body.Take();
  return response;
}

Response MakeProblem(const Error& error, std::string_view request_id) {
  const ProblemKind kind = ProblemOf(error.code);
  auto retry_after = error.retry_after;
  if (!retry_after && error.code == ErrorCode::kDiskFull) retry_after = std::chrono::seconds(30);
  if (!retry_after && (kind.status == 429 || kind.status == 503)) retry_after = std::chrono::seconds(1);
  const bool told = error.code == ErrorCode::kInvalidArgument;
  return MakeProblem(kind.status, ToString(error.code), kind.title, request_id, retry_after,
                     told ? std::string_view(error.detail) : std::string_view());
}

Response MakeProblem(ErrorCode code, std::string_view request_id) {
  return MakeProblem(Error{.code = code, .detail = {}, .retry_after = std::nullopt}, request_id);
}

}  // namespace latchkey::http
