#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "jobs/job.hpp"
#include "mail/message.hpp"

namespace latchkey::mail {

using OutboxId = Id<struct OutboxTag>;
using UploadId = Id<struct UploadTag>;

/// The kind of the job that brings one mail out; its unique key is the kind and the outbox id.
inline constexpr std::string_view kSendEmailKind = "send_email";
std::string SendKey(const OutboxId& id);

/// How far a mail is:
///
///   queued -> sending -> sent         taken by the provider; unconfirmed when it then is nowhere to be found there
///     |  ^       |-----> failed       nothing was sent; the person may retry
///     |  '-------+-----> unconfirmed  what became of it could not be decided; the person decides
///     '-> cancelled                   held: from a restored backup, waits for the person
enum class OutboxState { kQueued, kSending, kSent, kFailed, kUnconfirmed, kHeld, kCancelled };
std::string_view ToString(OutboxState state);
std::optional<OutboxState> ParseOutboxState(std::string_view text);

/// A file that a person sent us to attach.
struct Upload {
  UploadId id;
  std::string name;
  std::string mime_type;
  std::int64_t size = 0;
  bool complete = false;
  Instant expires_at{};
};

struct OutgoingAttachment {
  UploadId upload;  ///< Empty once the content is no longer kept.
  std::string name;
  std::string mime_type;
  std::string content_id;  ///< Without angle brackets; of inline parts.
  std::int64_t size = 0;
  bool is_inline = false;
};

/// A mail as it is to leave: validated, so that no value can break a header or a MIME part apart.
struct OutgoingMail {
  Address from;
  std::vector<Address> to, cc, bcc;
  std::string subject, text, html;
  std::string message_id;  ///< Ours, without angle brackets.
  std::string in_reply_to;
  std::vector<std::string> references;
  enum class Relation { kNew, kReply, kForward };
  Relation relation = Relation::kNew;
  std::string related_external_id;  ///< The provider's id of the mail answered or passed on.
  std::string thread_id;            ///< The provider's conversation it belongs to; empty: a new one.
  std::vector<OutgoingAttachment> attachments;
};
std::string_view ToString(OutgoingMail::Relation relation);

struct OutboxEntry {
  OutboxId id;
  UserId user_id;
  ConnectedAccountId account_id;
  OutboxState state = OutboxState::kQueued;
  std::optional<ErrorCode> error;
  OutgoingMail mail;
  /// Just before the call after which the mail can be out; nullopt: nothing can have been sent.
  std::optional<Instant> handed_over_at;
  int checks = 0;       ///< How often its fate was looked for since then, or, once sent, its copy in vain.
  bool resend = false;  ///< The person wants it sent again although it may be out already.
  std::string draft_id, external_id;
  /// The stored copy that the provider keeps of it; empty until the sync brought it, and while what it brought is the
  /// draft yet.
  MessageId synced;
  Instant created_at{}, send_at{};
  std::optional<Instant> sent_at;
};

struct OutboxPage {
  std::vector<OutboxEntry> items;  ///< Newest first; without texts.
  std::string next_cursor;
};

/// What the outbox needs of the database. Writes of a job name its lease: kLeaseLost when another worker holds the job,
/// kFenced when the account is being erased.
class OutboxStore {
 public:
  virtual ~OutboxStore() = default;

  /// An upload in pieces of at most kChunkBytes, in order. kConflict when the person keeps more than the limit of
  /// unsent files already, or for a piece out of order; kNotFound for somebody else's.
  static constexpr std::size_t kChunkBytes = 256 << 10;
  virtual Task<Result<Upload>> BeginUpload(const UserId& user, std::string_view name, std::string_view mime_type) = 0;
  virtual Task<Result<void>> AppendUpload(const UserId& user, const UploadId& id, std::int64_t position,
                                          std::string_view bytes) = 0;
  virtual Task<Result<Upload>> FinishUpload(const UserId& user, const UploadId& id) = 0;
  virtual Task<Result<Upload>> GetUpload(const UserId& user, const UploadId& id) = 0;
  /// kConflict while a mail on its way holds it.
  virtual Task<Result<void>> DeleteUpload(const UserId& user, const UploadId& id) = 0;
  /// The piece at `position`; empty behind the last one. kGone when the content is no longer kept.
  virtual Task<Result<std::string>> ReadUpload(const UploadId& id, std::int64_t position) = 0;

  /// What a person asks to have sent, once.
  struct NewEntry {
    OutboxEntry entry;
    std::string idempotency_key, request_hash;
    std::int64_t generation = 0;
  };
  struct Accepted {
    OutboxEntry entry;
    bool repeated = false;  ///< The same request came before: this is what became of it.
  };
  /// The row, its hold on the uploads, its job and the event in one transaction. kIdempotencyKeyReused when the key
  /// belongs to another request, kNotFound for an account or upload of somebody else, kConflict for an upload that is
  /// incomplete or belongs to another account's mail, kTooManyRequests when too many wait, kFenced when the account is
  /// being erased.
  virtual Task<Result<Accepted>> Enqueue(const NewEntry& entry) = 0;
  /// The entry that this key made earlier, whatever it was asked with; kNotFound. `request_hash` as in Enqueue.
  virtual Task<Result<OutboxEntry>> FindByKey(const UserId& user, std::string_view key,
                                              std::string_view request_hash) = 0;

  virtual Task<Result<OutboxEntry>> Get(const UserId& user, const OutboxId& id) = 0;
  virtual Task<Result<OutboxPage>> List(const UserId& user, const ConnectedAccountId& account, std::string_view cursor,
                                        int limit) = 0;
  /// Takes back what is queued or held; what has ended leaves the list. kConflict while it is being sent.
  virtual Task<Result<OutboxEntry>> Dismiss(const UserId& user, const OutboxId& id) = 0;
  /// Queues what failed, is held or unconfirmed once more. What may be out already is looked for first, and sent again
  /// only when it is certainly not there or `confirmed`: the person accepts that it may arrive twice. To let a held one
  /// go says so already. kGone when a file of it is no longer kept, kConflict for all else.
  virtual Task<Result<OutboxEntry>> Retry(const UserId& user, const OutboxId& id, bool confirmed) = 0;

  // The job's half.
  virtual Task<Result<OutboxEntry>> GetForWork(const OutboxId& id) = 0;
  /// queued -> sending; from here on the person cannot take it back. kConflict when it is no longer queued or sending.
  virtual Task<Result<void>> Claim(const jobs::Lease& lease, const OutboxId& id) = 0;
  virtual Task<Result<void>> NoteDraft(const jobs::Lease& lease, const OutboxId& id, std::string_view draft_id) = 0;
  /// Written to the disk before the call that sends. kConflict when that was done before and nobody asked for another
  /// try.
  virtual Task<Result<void>> HandOver(const jobs::Lease& lease, const OutboxId& id) = 0;
  /// Sent is a fact, whoever holds the job: recorded without a lease, also over `unconfirmed`. Asks for a sync, writes
  /// the event. The uploads are kept until Proven, in case the person has to send it again.
  virtual Task<Result<void>> MarkSent(const OutboxId& id, std::string_view external_id, std::string_view thread_id) = 0;
  /// Certainly not sent: queued again until `next_try`, or failed when there is none. The hand-over is forgotten, the
  /// draft is not: the next attempt goes on with it.
  virtual Task<Result<void>> MarkNotSent(const jobs::Lease& lease, const OutboxId& id, ErrorCode error,
                                         std::optional<Instant> next_try) = 0;
  /// Another look was in vain. `unconfirmed`: from now on the person is told.
  virtual Task<Result<void>> MarkUndecided(const jobs::Lease& lease, const OutboxId& id, bool unconfirmed) = 0;

  /// The copy of a sent mail is in the mailbox, or cannot be looked for: its uploads are of no use any more.
  virtual Task<Result<void>> Proven(const jobs::Lease& lease, const OutboxId& id) = 0;
  /// A mail that the provider took was looked for there, in vain, once more. `tell`: it is `unconfirmed` from now on.
  /// kConflict when it is not `sent`.
  virtual Task<Result<void>> NoteMissing(const jobs::Lease& lease, const OutboxId& id, bool tell) = 0;

  /// Gives open entries without a living job one again (law nine: never a silent drop). Returns how many.
  virtual Task<Result<int>> Requeue(int limit) = 0;
  /// Deletes expired uploads that no mail needs, and entries that ended before `before`; at most `limit` of each.
  virtual Task<Result<int>> Prune(Instant before, int limit) = 0;
};

}  // namespace latchkey::mail
