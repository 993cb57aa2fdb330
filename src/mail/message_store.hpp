#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "events/event.hpp"
#include "jobs/job.hpp"
#include "mail/message.hpp"

namespace latchkey::mail {

/// Who writes, on which authority. Every write of a sync checks it inside its transaction: the account's generation
/// (kFenced when it changed: erased, reconnected) and, when set, the job's lease (kLeaseLost).
struct WriteFence {
  ConnectedAccountId account_id;
  std::int64_t generation = 0;
  jobs::Lease lease;
};

/// How far a mailbox is known. `lane` names the cursor: "live" (Gmail: historyId) or "backfill" (epoch, page token).
struct SyncCursor {
  std::string lane;
  std::string value;  ///< Opaque JSON or text of the provider's adapter; versioned by it.
};

/// The mailbox-wide facts of a running or finished full read, kept with the cursor and shown as progress.
struct BackfillState {
  std::int64_t epoch = 0;  ///< Rises with every full read; rows carry the epoch that last saw them.
  bool complete = false;
  std::int64_t done = 0;
  std::int64_t total = 0;  ///< The provider's estimate; 0 when unknown.
  std::optional<Instant> started_at;
  std::optional<Instant> completed_at;
};

/// One page of sync work: all of it commits in one transaction, with its cursors and events, or none (law one).
struct SyncCommit {
  WriteFence fence;
  /// A piece of a full read: makes way for writes that somebody waits for.
  bool bulk = false;
  std::int64_t epoch = 0;
  /// Inserted, or updated where the stored version is lower; refused for ids with a tombstone of this epoch. Marked
  /// with epoch.
  std::vector<Message> upserts;
  /// Known and unchanged: only marked as seen in this epoch.
  std::vector<std::string> seen;
  std::vector<LabelChange> label_changes;
  /// The provider's own deletions. A tombstone is kept for the epoch, so that a page fetched earlier cannot revive
  /// them.
  std::vector<std::string> deletions;
  /// Full replacement of the label list when set.
  std::optional<std::vector<Label>> labels;
  std::vector<SyncCursor> cursors;
  std::optional<BackfillState> backfill;
  /// Jobs that must exist if and only if this commit does (indexing, the next page).
  std::vector<jobs::NewJob> jobs;
  /// Items set aside after repeated failures, and those that recovered.
  struct FailedItem {
    std::string external_id;
    std::string error_code;
  };
  std::vector<FailedItem> failed_items;
  std::vector<std::string> recovered_items;
  /// Set by the live lane when it caught up: the instant as of which the mailbox is current.
  std::optional<Instant> synced_at;
  std::optional<Instant> next_sync_at;
};

struct SyncCommitResult {
  std::int64_t inserted = 0, updated = 0, deleted = 0;
};

struct SyncState {
  std::vector<SyncCursor> cursors;
  /// When the live lane last caught up.
  std::optional<Instant> synced_at;
  BackfillState backfill;
  std::int64_t message_count = 0;
};

/// What the sync needs of the database. Implemented in storage/; the conformance suite in storage/ runs on each engine.
class MessageStore {
 public:
  virtual ~MessageStore() = default;
  virtual Task<Result<SyncState>> GetSyncState(const ConnectedAccountId& account) = 0;
  /// kFenced, kLeaseLost; kConflict when a newer epoch than the commit's has begun: nothing is written then.
  virtual Task<Result<SyncCommitResult>> Apply(const SyncCommit& commit) = 0;
  /// Which of `external_ids` are stored, with their versions and whether this epoch has seen them.
  struct Known {
    std::string external_id;
    std::uint64_t version = 0;
    bool seen_in_epoch = false;
  };
  virtual Task<Result<std::vector<Known>>> FindKnown(const ConnectedAccountId& account, std::int64_t epoch,
                                                     const std::vector<std::string>& external_ids) = 0;
  /// Deletes up to `limit` rows that the completed epoch did not see; with events. 0 means swept.
  virtual Task<Result<std::int64_t>> Sweep(const WriteFence& fence, std::int64_t epoch, int limit) = 0;
  /// How often each item has failed so far.
  virtual Task<Result<std::int64_t>> RecordItemFailure(const WriteFence& fence, const std::string& external_id,
                                                       std::string_view error_code) = 0;
  /// Items set aside after repeated failures, the longest untried first.
  virtual Task<Result<std::vector<std::string>>> ListSetAside(const ConnectedAccountId& account, int limit) = 0;
  /// Indexes up to `limit` stored messages that search does not know yet (all accounts); returns how many.
  virtual Task<Result<std::int64_t>> IndexPending(int limit) = 0;
};

/// Reading side, always limited to the owner in the query itself.
struct MessageQuery {
  UserId user_id;
  ConnectedAccountId account_id;  ///< Empty: all accounts of the user.
  std::string label_id;           ///< Provider label id, or a role name such as "inbox" across accounts.
  std::string search;
  std::string thread_id;
  std::string cursor;
  int limit = 50;
};

struct MessageSummary {
  MessageId id;
  ConnectedAccountId account_id;
  std::string external_id, thread_id, subject, snippet;
  Address from;
  std::int64_t to_count = 0;
  Instant received_at{};
  bool is_read = true, is_starred = false, has_attachments = false;
  std::vector<std::string> label_ids;
};

struct MessageList {
  std::vector<MessageSummary> items;
  std::string next_cursor;
};

struct StoredAttachment {
  std::string id;
  Attachment attachment;
};

struct StoredMessage {
  MessageId id;
  ConnectedAccountId account_id;
  Message message;
  std::vector<StoredAttachment> attachments;
};

struct LabelCount {
  ConnectedAccountId account_id;
  Label label;
  std::int64_t total = 0, unread = 0;
};

class MessageReader {
 public:
  virtual ~MessageReader() = default;
  /// Newest first by (received_at, id). kInvalidArgument for a cursor that is not ours.
  virtual Task<Result<MessageList>> List(const MessageQuery& query) = 0;
  /// kNotFound also for another user's message.
  virtual Task<Result<StoredMessage>> Get(const UserId& user, const MessageId& id) = 0;
  virtual Task<Result<std::vector<LabelCount>>> ListLabels(const UserId& user, const ConnectedAccountId& account) = 0;
};

}  // namespace latchkey::mail
