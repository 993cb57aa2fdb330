#include "storage/message_store.hpp"

#include "storage/message_content.hpp"
#include "storage/message_events.hpp"
#include "storage/message_writer.hpp"

namespace latchkey::storage {
namespace {

const Statement kReadStatus(R"sql(
SELECT epoch, backfill_complete, backfill_done, backfill_total, backfill_started_at, backfill_completed_at,
       synced_messages_count, last_sync_at
FROM email_sync_status WHERE connected_account_id = $1)sql");
const Statement kReadEpoch("SELECT epoch FROM email_sync_status WHERE connected_account_id = $1");
const Statement kReadCursors("SELECT lane, value FROM sync_cursors WHERE connected_account_id = $1");
const Statement kFindKnown(R"sql(
SELECT version, epoch FROM synced_messages WHERE connected_account_id = $1 AND external_message_id = $2)sql");

const Statement kWriteCursor(R"sql(
INSERT INTO sync_cursors (connected_account_id, lane, value, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (connected_account_id, lane) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
WHERE sync_cursors.value IS DISTINCT FROM excluded.value)sql");
const Statement kWriteBackfill(R"sql(
UPDATE email_sync_status
SET epoch = $2, backfill_complete = $3, backfill_done = $4, backfill_total = $5, backfill_started_at = $6,
    backfill_completed_at = $7, sync_stage = CASE WHEN $3 THEN 'INCREMENTAL' ELSE 'INITIAL' END,
    sync_status = CASE WHEN $3 THEN 'COMPLETED' ELSE 'IN_PROGRESS' END, updated_at = $8
WHERE connected_account_id = $1)sql");
// Also the place where the seed's columns learn of progress: any commit means that the sync works again.
const Statement kWriteStatus(R"sql(
UPDATE email_sync_status
SET synced_messages_count = synced_messages_count + $2,
    last_sync_at = coalesce($3, last_sync_at),
    next_sync_at = coalesce($4, next_sync_at),
    sync_status = CASE WHEN backfill_complete THEN 'COMPLETED' ELSE 'IN_PROGRESS' END,
    sync_stage = CASE WHEN backfill_complete THEN 'INCREMENTAL' ELSE 'INITIAL' END,
    updated_at = $5
WHERE connected_account_id = $1)sql");
const Statement kWriteSuccess("UPDATE connected_accounts SET last_success_at = $2, updated_at = $3 WHERE id = $1");

const Statement kWriteTombstone(R"sql(
INSERT INTO tombstones (connected_account_id, external_id, epoch) VALUES ($1, $2, $3)
ON CONFLICT (connected_account_id, external_id) DO UPDATE SET epoch = excluded.epoch
WHERE tombstones.epoch < excluded.epoch)sql");
const Statement kClearTombstones("DELETE FROM tombstones WHERE connected_account_id = $1 AND epoch <= $2");

const Statement kSetAside(R"sql(
INSERT INTO failed_items (connected_account_id, external_id, failures, set_aside, error_code, first_at, last_at)
VALUES ($1, $2, 1, TRUE, $3, $4, $4)
ON CONFLICT (connected_account_id, external_id)
DO UPDATE SET set_aside = TRUE, error_code = excluded.error_code, last_at = excluded.last_at)sql");
const Statement kCountFailure(R"sql(
INSERT INTO failed_items (connected_account_id, external_id, failures, error_code, first_at, last_at)
VALUES ($1, $2, 1, $3, $4, $4)
ON CONFLICT (connected_account_id, external_id)
DO UPDATE SET failures = failed_items.failures + 1, error_code = excluded.error_code, last_at = excluded.last_at
RETURNING failures)sql");
const Statement kListSetAside(R"sql(
SELECT external_id FROM failed_items WHERE connected_account_id = $1 AND set_aside = TRUE ORDER BY last_at LIMIT $2)sql");
const Statement kRecovered("DELETE FROM failed_items WHERE connected_account_id = $1 AND external_id = $2");

const Statement kFindUnseen(R"sql(
SELECT row_id FROM synced_messages WHERE connected_account_id = $1 AND epoch < $2 LIMIT $3)sql");
const Statement kStillUnseen("SELECT 1 FROM synced_messages WHERE row_id = $1 AND epoch < $2");
const Statement kCountDown(R"sql(
UPDATE email_sync_status SET synced_messages_count = synced_messages_count - $2, updated_at = $3
WHERE connected_account_id = $1)sql");

/// Everything of one commit inside its transaction.
class CommitWriter {
 public:
  CommitWriter(Transaction& transaction, const mail::SyncCommit& commit, const std::vector<std::string>& contents,
               Instant now)
      : transaction_(transaction),
        commit_(commit),
        contents_(contents),
        account_(commit.fence.account_id),
        now_(now),
        messages_(transaction, commit.fence.account_id, commit.epoch, now) {}

  Result<mail::SyncCommitResult> Run() {
    auto fenced = CheckFence(transaction_, commit_.fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    user_ = fenced->user_id;
    if (NewerEpochHasBegun()) return Fail(ErrorCode::kConflict, "a newer epoch has begun");
    if (commit_.labels) messages_.ReplaceLabels(*commit_.labels);
    messages_.Expect(commit_.upserts);
    WriteMessages();
    messages_.Flush();
    WriteItems();
    WriteProgress();
    for (const auto& job : commit_.jobs) {
      auto inserted = InsertJob(transaction_, job, now_);
      if (!inserted) return Fail(std::move(inserted.error()));
    }
    WriteEvents();
    return result_;
  }

 private:
  /// A full read that was overtaken (its job still ran when the live lane began the next one) writes nothing any more.
  bool NewerEpochHasBegun() {
    Rows status = transaction_.Query(kReadEpoch, account_);
    return status.Step() && status.Int(0) > commit_.epoch;
  }

  void WriteMessages() {
    using Change = MessageWriter::Change;
    for (std::size_t i = 0; i < commit_.upserts.size(); ++i) {
      const auto change = messages_.Upsert(commit_.upserts[i], contents_[i]);
      result_.inserted += change == Change::kInserted ? 1 : 0;
      result_.updated += change == Change::kUpdated ? 1 : 0;
    }
    for (const auto& id : commit_.seen) messages_.MarkSeen(id);
    for (const auto& change : commit_.label_changes) {
      result_.updated += messages_.ChangeLabels(change) == Change::kUpdated ? 1 : 0;
    }
    for (const auto& id : commit_.deletions) {
      result_.deleted += messages_.Delete(id) ? 1 : 0;
      transaction_.Send(kWriteTombstone, account_, id, commit_.epoch);
      transaction_.Send(kRecovered, account_, id);
    }
  }

  void WriteItems() {
    for (const auto& item : commit_.failed_items) {
      transaction_.Send(kSetAside, account_, item.external_id, item.error_code, now_);
    }
    for (const auto& id : commit_.recovered_items) transaction_.Execute(kRecovered, account_, id);
  }

  void WriteProgress() {
    for (const auto& cursor : commit_.cursors) {
      transaction_.Send(kWriteCursor, account_, cursor.lane, cursor.value, now_);
    }
    if (commit_.backfill) {
      const auto& state = *commit_.backfill;
      transaction_.Send(kWriteBackfill, account_, state.epoch, state.complete, state.done, state.total,
                        state.started_at, state.completed_at, now_);
      // Pages of this epoch can no longer be in flight.
      if (state.complete) transaction_.Send(kClearTombstones, account_, state.epoch);
    }
    transaction_.Send(kWriteStatus, account_, result_.inserted - result_.deleted, commit_.synced_at,
                      commit_.next_sync_at, now_);
    if (commit_.synced_at) transaction_.Send(kWriteSuccess, account_, *commit_.synced_at, now_);
  }

  void WriteEvents() {
    // A backfill tells its progress once per commit; its messages need no event each.
    if (commit_.backfill) {
      const auto& state = *commit_.backfill;
      WriteProgressEvent(transaction_, user_, account_, state, now_);
      if (state.complete || state.done == 0) WriteAccountUpdated(transaction_, user_, account_, now_);
    } else {
      WriteUpserted(transaction_, user_, account_, messages_.upserted_ids(), now_);
    }
    WriteDeleted(transaction_, user_, account_, messages_.deleted_ids(), now_);
  }

  Transaction& transaction_;
  const mail::SyncCommit& commit_;
  const std::vector<std::string>& contents_;
  const ConnectedAccountId& account_;
  const Instant now_;
  MessageWriter messages_;
  UserId user_;
  mail::SyncCommitResult result_;
};

}  // namespace

Task<Result<mail::SyncState>> MessageStore::GetSyncState(const ConnectedAccountId& account) {
  auto read = [&](Connection& connection) -> Result<mail::SyncState> {
    mail::SyncState state;
    Rows status = connection.Query(kReadStatus, account);
    if (!status.Step()) return Fail(ErrorCode::kNotFound, "no such account");
    state.backfill = {.epoch = status.Int(0),
                      .complete = status.Bool(1),
                      .done = status.Int(2),
                      .total = status.Int(3),
                      .started_at = status.MaybeTime(4),
                      .completed_at = status.MaybeTime(5)};
    state.message_count = status.Int(6);
    state.synced_at = status.MaybeTime(7);
    Rows cursors = connection.Query(kReadCursors, account);
    while (cursors.Step()) state.cursors.push_back({.lane = cursors.String(0), .value = cursors.String(1)});
    return state;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<mail::SyncCommitResult>> MessageStore::Apply(const mail::SyncCommit& commit) {
  const Instant now = clock_.Now();
  const Urgency urgency = commit.bulk ? Urgency::kBulk : Urgency::kUsual;
  // Compressing costs more than inserting: not on the one thread that writes.
  std::vector<std::string> contents;
  if (!commit.upserts.empty()) {
    auto encode = [&]() -> Result<std::vector<std::string>> {
      std::vector<std::string> encoded;
      encoded.reserve(commit.upserts.size());
      for (const auto& message : commit.upserts) encoded.push_back(EncodeContent(message));
      return encoded;
    };
    auto encoded = co_await engine_.Compute(encode, urgency);
    if (!encoded) co_return Fail(std::move(encoded.error()));
    contents = std::move(*encoded);
  }
  auto write = [&](Transaction& transaction) { return CommitWriter(transaction, commit, contents, now).Run(); };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted, urgency);
}

Task<Result<std::vector<mail::MessageStore::Known>>> MessageStore::FindKnown(
    const ConnectedAccountId& account, std::int64_t epoch, const std::vector<std::string>& external_ids) {
  auto read = [&](Connection& connection) -> Result<std::vector<Known>> {
    std::vector<Known> known;
    for (const auto& id : external_ids) {
      Rows rows = connection.Query(kFindKnown, account, id);
      if (!rows.Step()) continue;
      known.push_back({.external_id = id,
                       .version = static_cast<std::uint64_t>(rows.Int(0)),
                       .seen_in_epoch = rows.Int(1) >= epoch});
    }
    return known;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<std::int64_t>> MessageStore::Sweep(const mail::WriteFence& fence, std::int64_t epoch, int limit) {
  const Instant now = clock_.Now();
  // Looking through the account is the long part: on a reader. The writer looks at each row again.
  auto find = [&](Connection& connection) -> Result<std::vector<std::int64_t>> {
    std::vector<std::int64_t> rows;
    Rows found = connection.Query(kFindUnseen, fence.account_id, epoch, limit);
    while (found.Step()) rows.push_back(found.Int(0));
    return rows;
  };
  auto unseen = co_await engine_.Read(find);
  if (!unseen) co_return Fail(std::move(unseen.error()));
  auto write = [&](Transaction& transaction) -> Result<std::int64_t> {
    auto fenced = CheckFence(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    MessageWriter messages(transaction, fence.account_id, epoch, now);
    for (const std::int64_t row : *unseen) {
      if (transaction.Query(kStillUnseen, row, epoch).Step()) messages.DeleteRow(row);
    }
    messages.Flush();
    const auto deleted = static_cast<std::int64_t>(messages.deleted_ids().size());
    if (deleted > 0) transaction.Send(kCountDown, fence.account_id, deleted, now);
    WriteDeleted(transaction, fenced->user_id, fence.account_id, messages.deleted_ids(), now);
    // Rows that were seen meanwhile do not mean that everything is swept.
    return static_cast<std::int64_t>(unseen->size());
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted, Urgency::kBulk);
}

Task<Result<std::int64_t>> MessageStore::RecordItemFailure(const mail::WriteFence& fence,
                                                           const std::string& external_id,
                                                           std::string_view error_code) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<std::int64_t> {
    auto fenced = CheckFence(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    Rows rows = transaction.Query(kCountFailure, fence.account_id, external_id, error_code, now);
    rows.Step();
    const std::int64_t failures = rows.Int(0);
    rows.Step();
    return failures;
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::vector<std::string>>> MessageStore::ListSetAside(const ConnectedAccountId& account, int limit) {
  auto read = [&](Connection& connection) -> Result<std::vector<std::string>> {
    std::vector<std::string> ids;
    Rows rows = connection.Query(kListSetAside, account, limit);
    while (rows.Step()) ids.push_back(rows.String(0));
    return ids;
  };
  co_return co_await engine_.Read(read);
}

}  // namespace latchkey::storage
