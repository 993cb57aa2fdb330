#include "base/error.hpp"

namespace latchkey {

std::string_view ToString(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kUnauthenticated:
      return "unauthenticated";
    case ErrorCode::kForbidden:
      return "forbidden";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kAlreadyExists:
      return "already_exists";
    case ErrorCode::kPayloadTooLarge:
      return "payload_too_large";
    case ErrorCode::kTooManyRequests:
      return "too_many_requests";
    case ErrorCode::kCsrfMismatch:
      return "csrf_mismatch";
    case ErrorCode::kIdempotencyKeyReused:
      return "idempotency_key_reused";
    case ErrorCode::kSenderNotAllowed:
      return "sender_not_allowed";
    case ErrorCode::kAttachmentTooLarge:
      return "attachment_too_large";
    case ErrorCode::kStateMismatch:
      return "state_mismatch";
    case ErrorCode::kStateExpired:
      return "state_expired";
    case ErrorCode::kAccessDenied:
      return "access_denied";
    case ErrorCode::kRequiredScopeMissing:
      return "required_scope_missing";
    case ErrorCode::kNoRefreshToken:
      return "no_refresh_token";
    case ErrorCode::kWrongAccount:
      return "wrong_account";
    case ErrorCode::kAlreadyConnected:
      return "already_connected";
    case ErrorCode::kSignInFailed:
      return "sign_in_failed";
    case ErrorCode::kReauthInvalidGrant:
      return "reauth_invalid_grant";
    case ErrorCode::kReauthTestMode:
      return "reauth_test_mode";
    case ErrorCode::kMissingScope:
      return "missing_scope";
    case ErrorCode::kNoMailbox:
      return "no_mailbox";
    case ErrorCode::kPolicyEnforced:
      return "policy_enforced";
    case ErrorCode::kMfaRequired:
      return "mfa_required";
    case ErrorCode::kAdminConsentRequired:
      return "admin_consent_required";
    case ErrorCode::kConditionalAccess:
      return "conditional_access";
    case ErrorCode::kTenantNotAllowed:
      return "tenant_not_allowed";
    case ErrorCode::kSendScopeMissing:
      return "send_scope_missing";
    case ErrorCode::kInvalidClient:
      return "invalid_client";
    case ErrorCode::kRedirectUriMismatch:
      return "redirect_uri_mismatch";
    case ErrorCode::kApiNotEnabled:
      return "api_not_enabled";
    case ErrorCode::kProviderNotConfigured:
      return "provider_not_configured";
    case ErrorCode::kProviderUnavailable:
      return "provider_unavailable";
    case ErrorCode::kRateLimited:
      return "rate_limited";
    case ErrorCode::kQuotaExceeded:
      return "quota_exceeded";
    case ErrorCode::kSendRejected:
      return "send_rejected";
    case ErrorCode::kSendUnconfirmed:
      return "send_unconfirmed";
    case ErrorCode::kCursorExpired:
      return "cursor_expired";
    case ErrorCode::kGone:
      return "gone";
    case ErrorCode::kFenced:
      return "fenced";
    case ErrorCode::kLeaseLost:
      return "lease_lost";
    case ErrorCode::kMalformedReply:
      return "malformed_reply";
    case ErrorCode::kKeyUnavailable:
      return "key_unavailable";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kOverloaded:
      return "overloaded";
    case ErrorCode::kStorageUnavailable:
      return "storage_unavailable";
    case ErrorCode::kDiskFull:
      return "disk_full";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

FaultOwner OwnerOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kReauthInvalidGrant:
    case ErrorCode::kReauthTestMode:
    case ErrorCode::kMissingScope:
    case ErrorCode::kNoMailbox:
    case ErrorCode::kPolicyEnforced:
    case ErrorCode::kNoRefreshToken:
    case ErrorCode::kMfaRequired:
    case ErrorCode::kAdminConsentRequired:
    case ErrorCode::kConditionalAccess:
    case ErrorCode::kTenantNotAllowed:
    case ErrorCode::kSendScopeMissing:
      return FaultOwner::kAccount;
    case ErrorCode::kInvalidClient:
    case ErrorCode::kRedirectUriMismatch:
    case ErrorCode::kApiNotEnabled:
    case ErrorCode::kProviderNotConfigured:
    case ErrorCode::kKeyUnavailable:
      return FaultOwner::kOperator;
    case ErrorCode::kProviderUnavailable:
    case ErrorCode::kRateLimited:
    case ErrorCode::kQuotaExceeded:
    case ErrorCode::kCursorExpired:
    case ErrorCode::kGone:
    case ErrorCode::kMalformedReply:
    case ErrorCode::kTimeout:
    case ErrorCode::kSendUnconfirmed:
      return FaultOwner::kProvider;
    case ErrorCode::kFenced:
    case ErrorCode::kLeaseLost:
    case ErrorCode::kCancelled:
    case ErrorCode::kOverloaded:
    case ErrorCode::kStorageUnavailable:
    case ErrorCode::kDiskFull:
    case ErrorCode::kInternal:
      return FaultOwner::kOurselves;
    default:
      return FaultOwner::kCaller;
  }
}

std::optional<ErrorCode> ParseErrorCode(std::string_view name) {
  // kInternal is the last of the enumeration.
  for (int number = 0; number <= static_cast<int>(ErrorCode::kInternal); ++number) {
    const auto code = static_cast<ErrorCode>(number);
    if (ToString(code) == name) return code;
  }
  return std::nullopt;
}

}  // namespace latchkey
