#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace latchkey {

/// Every outcome the product distinguishes. Tests, retries and clients switch on it; the spelled form (see ToString) is
/// stable and is what an API client reads as `code`.
enum class ErrorCode {
  // The caller's input or rights.
  kInvalidArgument,
  kUnauthenticated,
  kForbidden,
  kNotFound,
  kConflict,
  kAlreadyExists,
  kPayloadTooLarge,
  kTooManyRequests,
  kCsrfMismatch,
  kIdempotencyKeyReused,  ///< The key belongs to another request.
  kSenderNotAllowed,      ///< The account may not send as that address.
  kAttachmentTooLarge,
  // An authorization flow that did not end in access (see UX error texts).
  kStateMismatch,
  kStateExpired,
  kAccessDenied,
  kRequiredScopeMissing,
  kNoRefreshToken,
  kWrongAccount,
  kAlreadyConnected,
  kSignInFailed,
  // Account faults: the person must act.
  kReauthInvalidGrant,
  kReauthTestMode,
  kMissingScope,
  kNoMailbox,
  kPolicyEnforced,
  kMfaRequired,           ///< The provider wants a second check of the person.
  kAdminConsentRequired,  ///< The organisation has to approve this application first.
  kConditionalAccess,     ///< A rule of the organisation refused the sign-in.
  kTenantNotAllowed,      ///< Not one of the organisations this installation serves.
  kSendScopeMissing,
  // Operator faults: one notice, accounts untouched.
  kInvalidClient,
  kRedirectUriMismatch,
  kApiNotEnabled,
  kProviderNotConfigured,
  // Provider faults: wait.
  kProviderUnavailable,
  kRateLimited,
  kQuotaExceeded,
  // Sending.
  kSendRejected,     ///< The provider refused this mail; sending it again unchanged is of no use.
  kSendUnconfirmed,  ///< The provider's answer was lost and what became of the mail could not be decided.
  // Sync.
  kCursorExpired,
  kGone,            ///< The item no longer exists at the provider.
  kFenced,          ///< The account was erased, paused or reconnected while this work ran; its writes are refused.
  kLeaseLost,       ///< Another worker holds the job now.
  kMalformedReply,  ///< The provider's answer does not have the documented shape.
  // Ourselves.
  kKeyUnavailable,
  kTimeout,
  kCancelled,
  kOverloaded,
  kStorageUnavailable,
  kDiskFull,
  kInternal,
};

/// The stable snake_case name, for example "reauth_invalid_grant".
std::string_view ToString(ErrorCode code);
/// The code of that name; nullopt for any other text.
std::optional<ErrorCode> ParseErrorCode(std::string_view name);

/// An expected failure. `detail` is for the log only and never reaches a client.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string detail;
  /// How long the provider (or a limit of ours) asked to wait.
  std::optional<std::chrono::milliseconds> retry_after;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> Fail(ErrorCode code, std::string detail = {}) {
  return std::unexpected(Error{.code = code, .detail = std::move(detail), .retry_after = std::nullopt});
}
inline std::unexpected<Error> Fail(Error error) { return std::unexpected(std::move(error)); }

/// Whose problem a failure is (law six). Decides who is told and what a job does next.
enum class FaultOwner { kCaller, kAccount, kOperator, kProvider, kOurselves };
FaultOwner OwnerOf(ErrorCode code);

}  // namespace latchkey
