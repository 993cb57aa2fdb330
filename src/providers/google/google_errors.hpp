#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http_client/http_client.hpp"

namespace latchkey::google {

/// Which call an answer belongs to: the same 404 means "gone" for a message and "start over" for a history cursor.
enum class GoogleCall {
  kProfile,
  kLabels,
  kHistory,
  kList,
  kMessage,
  kAttachment,
  kSend,
  kDraft,         ///< A draft by its id: gone when it was sent.
  kSendAs,        ///< The list of addresses that may be sent from.
  kWatch,         ///< Gmail's watch and stop.
  kCalendarList,  ///< The list of calendars.
  kEvents,        ///< The events of a calendar, whole or since a sync token.
  kChannel,       ///< Calendar's watch and stop.
};

/// The one place where an answer of Gmail or Calendar that is no success becomes an ErrorCode. Google sends rate limits
/// as 403 and as 429, with a status of PERMISSION_DENIED too, so the reason decides, never the status alone.
/// retry_after comes from the Retry-After header (seconds, decimal seconds or an HTTP date) or from the text "Retry
/// after <time>", at least one second and at most a day from `now`.
///
///   kUnauthenticated      the access token was refused: refresh once, call once more
///   kSendScopeMissing     the grant covers no sending        kSendRejected   this mail is refused as it is
///   kAttachmentTooLarge   the mail is beyond the provider's limit
///   kMissingScope         the grant does not cover the call          kNoMailbox      the account has no Gmail
///   kPolicyEnforced       the domain's administrators forbid it      kApiNotEnabled  the operator's project lacks it
///   kRateLimited          wait                                       kQuotaExceeded  the project's daily cap: wait
///   long kProviderUnavailable  5xx of any shape                           kGone           message or attachment is no
///   more kCursorExpired        history id or page token no longer valid   kInvalidArgument / kForbidden  all else
Error ClassifyGoogleError(GoogleCall call, const http_client::HttpResponse& response, Instant now);

}  // namespace latchkey::google
