#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http_client/http_client.hpp"

namespace latchkey::microsoft {

/// Which call an answer belongs to: the same 404 means "gone" for a message and "start over" for a delta link, and the
/// same 403 means another missing permission for reading than for sending.
enum class GraphCall {
  kFolders,       ///< Folders and their tree.
  kDeltaStart,    ///< First request of a delta round.
  kDeltaLink,     ///< A nextLink or deltaLink of one.
  kList,          ///< Lists without delta.
  kMessage,       ///< One message.
  kAttachment,    ///< One attachment.
  kCalendar,      ///< Calendars.
  kEvent,         ///< One event.
  kSend,          ///< Making, filling and sending drafts.
  kPurge,         ///< Deleting a message for good, which national clouds do not know.
  kSubscription,  ///< Push subscriptions.
  kBatch,         ///< The outer answer of $batch.
};

/// What the error document says, as far as decisions need it.
struct GraphErrorDocument {
  std::string code;        ///< error.code in lower case: Graph's own spelling of it varies.
  std::string inner_code;  ///< error.innerError.code in lower case.
  std::string request_id;  ///< Of the header request-id, else of the document; safe to log.
};
GraphErrorDocument ReadGraphError(const http_client::HttpResponse& response);

/// The one place where an answer of Microsoft Graph that is no success becomes an ErrorCode; an empty or HTML body is
/// fine. The detail names status, code and request-id. retry_after comes from the Retry-After header in any of its
/// forms (mail/retry_after.hpp) and is only set where waiting is the remedy.
///
///   kUnauthenticated      the access token was refused: refresh once, call once more
///   kMissingScope         the grant does not cover the call (kSendScopeMissing for kSend)
///   kNoMailbox            no mailbox behind the account (no licence, on premises)
///   kPolicyEnforced       the account is suspended or a policy forbids it
///   kRateLimited          wait                     kQuotaExceeded   the account's own cap: wait
///   kProviderUnavailable  5xx of any shape         kGone            the item, or the folder, is no more
///   kCursorExpired        a delta link that no longer works: 410, the sync state codes under any status, and any 400
///                         to a link (it was Graph's own and is sent back as it was)
///   kConflict             409, 412                 kAlreadyExists   a subscription of that kind exists
///   kSenderNotAllowed, kSendRejected, kAttachmentTooLarge  for kSend; kPayloadTooLarge elsewhere
///   kInvalidArgument / kForbidden / kNotFound  all else
Error ClassifyGraphError(GraphCall call, const http_client::HttpResponse& response, Instant now);

}  // namespace latchkey::microsoft
