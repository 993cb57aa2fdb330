#include "storage/folder_store.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "mail/sync_parts.hpp"
#include "storage/message_content.hpp"
#include "storage/message_events.hpp"
#include "storage/message_writer.hpp"

namespace latchkey::storage {
namespace {

using Change = MessageWriter::Change;

const Statement kListFolders(R"sql(
SELECT folder_id, link, round, complete, done, total FROM folder_cursors WHERE connected_account_id = $1)sql");
const Statement kFindFolder(R"sql(
SELECT link, round, complete, done FROM folder_cursors WHERE connected_account_id = $1 AND folder_id = $2)sql");
const Statement kNextRound(R"sql(
UPDATE email_sync_status SET folder_round = folder_round + 1 WHERE connected_account_id = $1 RETURNING folder_round)sql");
const Statement kBeginRound(R"sql(
INSERT INTO folder_cursors (connected_account_id, folder_id, link, round, complete, done, total, updated_at)
VALUES ($1, $2, '', $3, FALSE, 0, $4, $5)
ON CONFLICT (connected_account_id, folder_id)
DO UPDATE SET link = '', round = excluded.round, complete = FALSE, done = 0,
  total = CASE WHEN folder_cursors.total > excluded.total THEN folder_cursors.total ELSE excluded.total END,
  updated_at = excluded.updated_at)sql");
const Statement kMoveLink(R"sql(
UPDATE folder_cursors SET link = $3, complete = $4, done = $5, updated_at = $6
WHERE connected_account_id = $1 AND folder_id = $2 AND (link <> $3 OR complete <> $4 OR done <> $5))sql");
const Statement kDropFolder("DELETE FROM folder_cursors WHERE connected_account_id = $1 AND folder_id = $2");

// A folder that was read to its end has as many messages as were read, whatever the provider's count said.
const Statement kReadStatus(R"sql(
SELECT s.epoch, s.backfill_complete, s.backfill_started_at, s.backfill_completed_at,
       CAST(coalesce(sum(f.done), 0) AS bigint),
       CAST(coalesce(sum(CASE WHEN f.complete OR f.done > f.total THEN f.done ELSE f.total END), 0) AS bigint),
       coalesce(min(CASE WHEN f.complete THEN 1 ELSE 0 END), 0)
FROM email_sync_status s LEFT JOIN folder_cursors f ON f.connected_account_id = s.connected_account_id
WHERE s.connected_account_id = $1 GROUP BY s.id)sql");
const Statement kWriteStatus(R"sql(
UPDATE email_sync_status
SET epoch = $2, backfill_complete = $3, backfill_done = $4, backfill_total = $5, backfill_started_at = $6,
    backfill_completed_at = $7, sync_stage = CASE WHEN $3 THEN 'INCREMENTAL' ELSE 'INITIAL' END,
    sync_status = CASE WHEN $3 THEN 'COMPLETED' ELSE 'IN_PROGRESS' END, updated_at = $8
WHERE connected_account_id = $1)sql");
const Statement kCount(R"sql(
UPDATE email_sync_status SET synced_messages_count = synced_messages_count + $2, updated_at = $3
WHERE connected_account_id = $1)sql");
const Statement kCaughtUp(R"sql(
UPDATE email_sync_status
SET last_sync_at = $2, next_sync_at = $3,
    sync_status = CASE WHEN backfill_complete THEN 'COMPLETED' ELSE 'IN_PROGRESS' END,
    sync_stage = CASE WHEN backfill_complete THEN 'INCREMENTAL' ELSE 'INITIAL' END, updated_at = $4
WHERE connected_account_id = $1)sql");
const Statement kWriteSuccess("UPDATE connected_accounts SET last_success_at = $2, updated_at = $3 WHERE id = $1");
const Statement kAnyIncomplete(
    "SELECT 1 FROM folder_cursors WHERE connected_account_id = $1 AND complete = FALSE LIMIT 1");

const Statement kAddCheck(R"sql(
INSERT INTO message_checks (connected_account_id, external_id, due_at, asked, whole) VALUES ($1, $2, $3, 0, $4)
ON CONFLICT (connected_account_id, external_id)
DO UPDATE SET due_at = CASE WHEN message_checks.due_at < excluded.due_at THEN message_checks.due_at ELSE excluded.due_at END,
  asked = 0, whole = message_checks.whole OR excluded.whole)sql");
const Statement kCheckFolder(R"sql(
INSERT INTO message_checks (connected_account_id, external_id, due_at, asked, whole)
SELECT m.connected_account_id, m.external_message_id, CAST($3 AS timestamptz), 0, FALSE
FROM labels l JOIN message_labels p ON p.label_row = l.row_id JOIN synced_messages m ON m.row_id = p.message_row
WHERE l.connected_account_id = $1 AND l.external_id = $2 AND m.epoch < $4
ON CONFLICT (connected_account_id, external_id) 
DO UPDATE SET due_at = CASE WHEN message_checks.due_at < excluded.due_at THEN message_checks.due_at ELSE excluded.due_at END,
  asked = 0)sql");
const Statement kListChecks(R"sql(
SELECT c.external_id, c.asked, c.whole, m.row_id IS NOT NULL
FROM message_checks c LEFT JOIN synced_messages m
  ON m.connected_account_id = c.connected_account_id AND m.external_message_id = c.external_id
WHERE c.connected_account_id = $1 AND c.due_at <= $2 ORDER BY c.due_at LIMIT $3)sql");
const Statement kFindCheck("SELECT asked FROM message_checks WHERE connected_account_id = $1 AND external_id = $2");
const Statement kAskAgain(R"sql(
INSERT INTO message_checks (connected_account_id, external_id, due_at, asked, whole) VALUES ($1, $2, $3, 1, FALSE)
ON CONFLICT (connected_account_id, external_id)
DO UPDATE SET due_at = excluded.due_at, asked = message_checks.asked + 1, whole = FALSE)sql");
const Statement kDropCheck("DELETE FROM message_checks WHERE connected_account_id = $1 AND external_id = $2");
const Statement kReadLabels(
    "SELECT labels FROM synced_messages WHERE connected_account_id = $1 AND external_message_id = $2");

// Tombstones of these accounts count the instant at which the message was found gone.
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
const Statement kRecovered("DELETE FROM failed_items WHERE connected_account_id = $1 AND external_id = $2");

/// No page stays in flight for longer than this.
constexpr std::chrono::hours kLongestFlight(1);
/// How often a message may be found where its folder does not tell of it, before its place is believed all the same.
constexpr int kAskedEnough = 3;

/// The folder among a message's labels.
std::string FolderOf(const std::vector<std::string>& labels) {
  for (const std::string& label : labels) {
    if (!label.starts_with(mail::kCategoryPrefix) && label != mail::kFlaggedLabel) return label;
  }
  return {};
}

/// One write of an account whose mail is in folders.
class FolderWriter {
 public:
  FolderWriter(Transaction& transaction, const mail::WriteFence& fence, Instant now)
      : transaction_(transaction), fence_(fence), account_(fence.account_id), now_(now) {}

  Result<void> Begin() {
    auto fenced = CheckFence(transaction_, fence_);
    if (!fenced) return Fail(std::move(fenced.error()));
    user_ = fenced->user_id;
    return {};
  }

  std::int64_t NextRound() {
    Rows rows = transaction_.Query(kNextRound, account_);
    const std::int64_t round = rows.Step() ? rows.Int(0) : 1;
    rows.Step();
    return round;
  }
  void BeginRound(const std::string& folder, std::int64_t total) {
    transaction_.Send(kBeginRound, account_, folder, NextRound(), total, now_);
  }
  /// Everything stored in the folder that the round has not seen.
  void CheckUnseen(const std::string& folder, std::int64_t round) {
    transaction_.Send(kCheckFolder, account_, folder, now_, round);
  }
  void AddCheck(const std::string& id, bool whole) { transaction_.Send(kAddCheck, account_, id, now_, whole); }
  void DropCheck(const std::string& id) { transaction_.Send(kDropCheck, account_, id); }
  std::optional<std::string> StoredFolder(const std::string& id) {
    Rows rows = transaction_.Query(kReadLabels, account_, id);
    if (!rows.Step()) return std::nullopt;
    return FolderOf(ParseJsonArray(rows.Text(0)));
  }

  /// Writes what the folders' cursors add up to. `reread`: something that was complete is read again.
  mail::BackfillState UpdateStatus(bool reread) {
    mail::BackfillState state;
    bool was_complete = false, all_complete = false;
    {
      Rows rows = transaction_.Query(kReadStatus, account_);
      if (!rows.Step()) return state;
      was_complete = rows.Bool(1);
      all_complete = rows.Bool(6);
      state = {.epoch = rows.Int(0),
               .complete = was_complete,
               .done = rows.Int(4),
               .total = rows.Int(5),
               .started_at = rows.MaybeTime(2),
               .completed_at = rows.MaybeTime(3)};
    }
    const bool first = state.epoch == 0;
    if (first || (reread && was_complete)) {
      ++state.epoch;
      state.complete = false;
      state.started_at = now_;
      state.completed_at = std::nullopt;
    }
    if (all_complete && !state.complete) {
      state.complete = true;
      state.completed_at = now_;
    }
    transaction_.Send(kWriteStatus, account_, state.epoch, state.complete, state.done, state.total, state.started_at,
                      state.completed_at, now_);
    const bool in_progress = !was_complete || !state.complete;
    if (in_progress) WriteProgressEvent(transaction_, user_, account_, state, now_);
    if (first || was_complete != state.complete) WriteAccountUpdated(transaction_, user_, account_, now_);
    return state;
  }
  Result<void> QueueBackfill() { return Insert(mail::BackfillJob(fence_)); }
  Result<void> Insert(const jobs::NewJob& job) {
    auto inserted = InsertJob(transaction_, job, now_);
    if (!inserted) return Fail(std::move(inserted.error()));
    return {};
  }
  Result<void> Finish(MessageWriter& messages, const mail::SyncCommitResult& result,
                      const std::vector<jobs::NewJob>& jobs, bool quiet) {
    messages.Flush();
    if (result.inserted != result.deleted) {
      transaction_.Send(kCount, account_, result.inserted - result.deleted, now_);
    }
    if (!quiet) WriteUpserted(transaction_, user_, account_, messages.upserted_ids(), now_);
    WriteDeleted(transaction_, user_, account_, messages.deleted_ids(), now_);
    for (const auto& job : jobs) {
      if (auto inserted = Insert(job); !inserted) return inserted;
    }
    return {};
  }

  Transaction& transaction_;
  const mail::WriteFence& fence_;
  const ConnectedAccountId& account_;
  const Instant now_;
  UserId user_;
};

void Note(Change change, mail::SyncCommitResult& result) {
  result.inserted += change == Change::kInserted ? 1 : 0;
  result.updated += change == Change::kUpdated ? 1 : 0;
}

Result<mail::SyncCommitResult> WritePage(Transaction& transaction, const mail::FolderCommit& commit,
                                         const std::vector<std::string>& contents, Instant now) {
  FolderWriter folder(transaction, commit.fence, now);
  if (auto begun = folder.Begin(); !begun) return Fail(std::move(begun.error()));
  const mail::FolderCursor& before = commit.before;
  const ConnectedAccountId& account = commit.fence.account_id;
  bool complete = true, quiet = false;
  std::int64_t done = 0;
  if (!before.folder_id.empty()) {
    Rows rows = transaction.Query(kFindFolder, account, before.folder_id);
    if (!rows.Step() || rows.Text(0) != before.link || rows.Int(1) != before.round) {
      return Fail(ErrorCode::kConflict, "the folder was read on by somebody else");
    }
    complete = rows.Bool(2);
    done = rows.Int(3);
  }
  MessageWriter messages(transaction, account, before.round, now);
  messages.RespectTombstonesFrom(ToMicros(commit.asked_at));
  mail::SyncCommitResult result;
  messages.Expect(commit.upserts);
  for (std::size_t i = 0; i < commit.upserts.size(); ++i) {
    const mail::Message& message = commit.upserts[i];
    const Change change = messages.Upsert(message, contents[i]);
    Note(change, result);
    if (change == Change::kStale || before.folder_id.empty()) continue;
    folder.DropCheck(message.external_id);
    transaction.Send(kRecovered, account, message.external_id);
  }
  for (const auto& id : commit.incomplete) folder.AddCheck(id, true);
  for (const auto& id : commit.removed) {
    if (folder.StoredFolder(id) == before.folder_id) folder.AddCheck(id, false);
  }
  if (!before.folder_id.empty()) {
    // Written before it is looked for what the round has not seen.
    messages.Flush();
    if (!complete) done += static_cast<std::int64_t>(commit.upserts.size() + commit.incomplete.size());
    const bool ends = commit.round_complete && !complete;
    if (ends) folder.CheckUnseen(before.folder_id, before.round);
    transaction.Send(kMoveLink, account, before.folder_id, commit.link, complete || ends, done, now);
    // A full read tells its progress once per commit; its messages need no event each.
    if (!complete) quiet = !folder.UpdateStatus(false).complete;
  }
  if (auto written = folder.Finish(messages, result, commit.jobs, quiet); !written) {
    return Fail(std::move(written.error()));
  }
  return result;
}

Result<mail::SyncCommitResult> WriteChecks(Transaction& transaction, const mail::CheckCommit& commit,
                                           const std::vector<std::string>& contents, Instant now) {
  FolderWriter folder(transaction, commit.fence, now);
  if (auto begun = folder.Begin(); !begun) return Fail(std::move(begun.error()));
  const ConnectedAccountId& account = commit.fence.account_id;
  // Epoch 0: an answer by id is no folder's reading.
  MessageWriter messages(transaction, account, 0, now);
  messages.RespectTombstonesFrom(ToMicros(commit.asked_at));
  mail::SyncCommitResult result;
  for (const auto& id : commit.gone) {
    result.deleted += messages.Delete(id) ? 1 : 0;
    transaction.Send(kWriteTombstone, account, id, ToMicros(commit.asked_at));
    transaction.Send(kRecovered, account, id);
    folder.DropCheck(id);
  }
  for (const auto& state : commit.states) {
    const auto stored = folder.StoredFolder(state.external_id);
    int asked = 0;
    {
      Rows rows = transaction.Query(kFindCheck, account, state.external_id);
      if (rows.Step()) asked = static_cast<int>(rows.Int(0));
    }
    const Change change = messages.Restate(state);
    Note(change, result);
    // A newer answer came from its folder meanwhile.
    const bool settled = change == Change::kStale || !stored || asked >= kAskedEnough ||
                         (asked > 0 && *stored == FolderOf(state.label_ids));
    if (settled) {
      folder.DropCheck(state.external_id);
    } else {
      transaction.Send(kAskAgain, account, state.external_id, commit.again_at);
    }
  }
  for (std::size_t i = 0; i < commit.upserts.size(); ++i) {
    Note(messages.Upsert(commit.upserts[i], contents[i]), result);
    folder.DropCheck(commit.upserts[i].external_id);
    transaction.Send(kRecovered, account, commit.upserts[i].external_id);
  }
  for (const auto& item : commit.set_aside) {
    transaction.Send(kSetAside, account, item.external_id, item.error_code, now);
    folder.DropCheck(item.external_id);
  }
  if (auto written = folder.Finish(messages, result, commit.jobs, false); !written) {
    return Fail(std::move(written.error()));
  }
  return result;
}

Result<void> WriteFolders(Transaction& transaction, const mail::WriteFence& fence,
                          const std::vector<mail::Folder>& folders, Instant now) {
  FolderWriter writer(transaction, fence, now);
  if (auto begun = writer.Begin(); !begun) return begun;
  std::set<std::string> known, listed;
  {
    Rows rows = transaction.Query(kListFolders, fence.account_id);
    while (rows.Step()) known.insert(rows.String(0));
  }
  std::vector<mail::Label> labels;
  bool added = false;
  for (const auto& folder : folders) {
    const std::string& id = folder.label.external_id;
    if (id.empty() || !listed.insert(id).second) continue;
    labels.push_back(folder.label);
    if (known.contains(id)) continue;
    writer.BeginRound(id, folder.total);
    added = true;
  }
  for (const auto& id : known) {
    if (listed.contains(id)) continue;
    transaction.Send(kDropFolder, fence.account_id, id);
    writer.CheckUnseen(id, std::numeric_limits<std::int64_t>::max());
  }
  MessageWriter messages(transaction, fence.account_id, 0, now);
  messages.ReplaceLabels(labels);
  messages.Flush();
  writer.UpdateStatus(false);
  if (added) return writer.QueueBackfill();
  return {};
}

}  // namespace

Task<Result<std::vector<std::string>>> FolderStore::Encode(const std::vector<mail::Message>& messages,
                                                           Urgency urgency) {
  if (messages.empty()) co_return std::vector<std::string>();
  // Compressing costs more than inserting: not on the one thread that writes.
  auto encode = [&]() -> Result<std::vector<std::string>> {
    std::vector<std::string> encoded;
    encoded.reserve(messages.size());
    for (const auto& message : messages) encoded.push_back(EncodeContent(message));
    return encoded;
  };
  co_return co_await engine_.Compute(encode, urgency);
}

Task<Result<std::vector<mail::FolderCursor>>> FolderStore::ListFolders(const ConnectedAccountId& account) {
  auto read = [&](Connection& connection) -> Result<std::vector<mail::FolderCursor>> {
    std::vector<mail::FolderCursor> folders;
    Rows rows = connection.Query(kListFolders, account);
    while (rows.Step()) {
      folders.push_back({.folder_id = rows.String(0),
                         .link = rows.String(1),
                         .round = rows.Int(2),
                         .complete = rows.Bool(3),
                         .done = rows.Int(4),
                         .total = rows.Int(5)});
    }
    return folders;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> FolderStore::ReplaceFolders(const mail::WriteFence& fence,
                                               const std::vector<mail::Folder>& folders) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) { return WriteFolders(transaction, fence, folders, now); };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> FolderStore::RestartFolder(const mail::WriteFence& fence, const mail::FolderCursor& before) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    FolderWriter writer(transaction, fence, now);
    if (auto begun = writer.Begin(); !begun) return begun;
    {
      Rows rows = transaction.Query(kFindFolder, fence.account_id, before.folder_id);
      if (!rows.Step() || rows.Text(0) != before.link || rows.Int(1) != before.round) return {};
    }
    writer.BeginRound(before.folder_id, std::max(before.total, before.done));
    writer.UpdateStatus(true);
    return writer.QueueBackfill();
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<mail::SyncCommitResult>> FolderStore::ApplyPage(const mail::FolderCommit& commit) {
  const Instant now = clock_.Now();
  const Urgency urgency = commit.bulk ? Urgency::kBulk : Urgency::kUsual;
  auto contents = co_await Encode(commit.upserts, urgency);
  if (!contents) co_return Fail(std::move(contents.error()));
  auto write = [&](Transaction& transaction) { return WritePage(transaction, commit, *contents, now); };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted, urgency);
}

Task<Result<std::vector<mail::MessageCheck>>> FolderStore::ListChecks(const ConnectedAccountId& account, Instant now,
                                                                      int limit) {
  auto read = [&](Connection& connection) -> Result<std::vector<mail::MessageCheck>> {
    std::vector<mail::MessageCheck> checks;
    Rows rows = connection.Query(kListChecks, account, now, limit);
    while (rows.Step()) {
      checks.push_back({.external_id = rows.String(0),
                        .asked = static_cast<int>(rows.Int(1)),
                        .whole = rows.Bool(2),
                        .stored = rows.Bool(3)});
    }
    return checks;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> FolderStore::AddChecks(const mail::WriteFence& fence, const std::vector<std::string>& external_ids) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    FolderWriter writer(transaction, fence, now);
    if (auto begun = writer.Begin(); !begun) return begun;
    for (const auto& id : external_ids) writer.AddCheck(id, true);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<mail::SyncCommitResult>> FolderStore::ApplyChecks(const mail::CheckCommit& commit) {
  const Instant now = clock_.Now();
  auto contents = co_await Encode(commit.upserts, Urgency::kUsual);
  if (!contents) co_return Fail(std::move(contents.error()));
  auto write = [&](Transaction& transaction) { return WriteChecks(transaction, commit, *contents, now); };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> FolderStore::CaughtUp(const mail::WriteFence& fence, Instant synced_at, Instant next_sync_at) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    FolderWriter writer(transaction, fence, now);
    if (auto begun = writer.Begin(); !begun) return begun;
    transaction.Send(kCaughtUp, fence.account_id, synced_at, next_sync_at, now);
    transaction.Send(kWriteSuccess, fence.account_id, synced_at, now);
    transaction.Send(kClearTombstones, fence.account_id, ToMicros(now - kLongestFlight));
    // One that gave up when the account's access ended goes on now.
    const bool unread = transaction.Query(kAnyIncomplete, fence.account_id).Step();
    if (unread) return writer.QueueBackfill();
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

}  // namespace latchkey::storage
