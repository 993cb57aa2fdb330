#include "mail/testing/memory_message_store.hpp"

#include <algorithm>

namespace latchkey::mail::testing {

Result<void> MemoryMessageStore::CheckFence(const WriteFence& fence) const {
  if (fence.generation != generation) return Fail(ErrorCode::kFenced);
  return {};
}

Task<Result<SyncState>> MemoryMessageStore::GetSyncState(const ConnectedAccountId&) {
  SyncState copy = state;
  copy.message_count = static_cast<std::int64_t>(rows.size());
  co_return copy;
}

void MemoryMessageStore::Upsert(const Message& message, std::int64_t epoch, SyncCommitResult& result) {
  const auto found = rows.find(message.external_id);
  if (found == rows.end()) {
    const auto tombstone = tombstones_.find(message.external_id);
    if (tombstone != tombstones_.end() && tombstone->second >= epoch) return;
    rows.emplace(message.external_id, Row{.message = message, .epoch = epoch});
    ++result.inserted;
    return;
  }
  found->second.epoch = std::max(found->second.epoch, epoch);
  if (message.version < found->second.message.version) return;
  found->second.message = message;
  ++result.updated;
}

void MemoryMessageStore::ChangeLabels(const LabelChange& change, std::uint64_t version_before, std::int64_t epoch) {
  const auto found = rows.find(change.external_id);
  if (found == rows.end() || change.version <= version_before) return;
  Message& message = found->second.message;
  std::set<std::string> now(message.label_ids.begin(), message.label_ids.end());
  now.insert(change.added.begin(), change.added.end());
  for (const std::string& label : change.removed) now.erase(label);
  message.label_ids.assign(now.begin(), now.end());
  message.is_read = !now.contains("UNREAD");
  message.version = std::max(message.version, change.version);
  found->second.epoch = std::max(found->second.epoch, epoch);
}

Task<Result<SyncCommitResult>> MemoryMessageStore::Apply(const SyncCommit& commit) {
  if (auto fenced = CheckFence(commit.fence); !fenced) co_return std::unexpected(std::move(fenced.error()));
  if (commit.epoch < state.backfill.epoch) co_return Fail(ErrorCode::kConflict, "a newer epoch has begun");
  SyncCommitResult result;
  std::map<std::string, std::uint64_t> before;
  for (const Message& message : commit.upserts) Upsert(message, commit.epoch, result);
  for (const LabelChange& change : commit.label_changes) {
    const auto row = rows.find(change.external_id);
    if (row == rows.end()) continue;
    const auto version = before.try_emplace(change.external_id, row->second.message.version).first->second;
    ChangeLabels(change, version, commit.epoch);
  }
  for (const std::string& id : commit.seen) {
    if (const auto row = rows.find(id); row != rows.end())
      row->second.epoch = std::max(row->second.epoch, commit.epoch);
  }
  for (const std::string& id : commit.deletions) {
    result.deleted += static_cast<std::int64_t>(rows.erase(id));
    tombstones_[id] = commit.epoch;
  }
  if (commit.labels) labels = *commit.labels;
  for (const SyncCursor& cursor : commit.cursors) {
    std::erase_if(state.cursors, [&](const SyncCursor& old) { return old.lane == cursor.lane; });
    state.cursors.push_back(cursor);
  }
  if (commit.backfill) {
    state.backfill = *commit.backfill;
    if (state.backfill.complete) tombstones_.clear();
  }
  if (commit.synced_at) state.synced_at = commit.synced_at;
  for (const auto& item : commit.failed_items) set_aside.insert(item.external_id);
  for (const std::string& id : commit.recovered_items) {
    failures.erase(id);
    set_aside.erase(id);
  }
  jobs.insert(jobs.end(), commit.jobs.begin(), commit.jobs.end());
  if (!commit.upserts.empty()) commit_sizes.push_back(commit.upserts.size());
  co_return result;
}

Task<Result<std::vector<MessageStore::Known>>> MemoryMessageStore::FindKnown(const ConnectedAccountId&,
                                                                             std::int64_t epoch,
                                                                             const std::vector<std::string>& ids) {
  std::vector<Known> known;
  for (const std::string& id : ids) {
    if (const auto row = rows.find(id); row != rows.end()) {
      known.push_back(
          {.external_id = id, .version = row->second.message.version, .seen_in_epoch = row->second.epoch >= epoch});
    }
  }
  co_return known;
}

Task<Result<std::int64_t>> MemoryMessageStore::Sweep(const WriteFence& fence, std::int64_t epoch, int limit) {
  if (auto fenced = CheckFence(fence); !fenced) co_return std::unexpected(std::move(fenced.error()));
  std::int64_t swept = 0;
  for (auto row = rows.begin(); row != rows.end() && swept < limit;) {
    if (row->second.epoch < epoch) {
      row = rows.erase(row);
      ++swept;
    } else {
      ++row;
    }
  }
  co_return swept;
}

Task<Result<std::int64_t>> MemoryMessageStore::RecordItemFailure(const WriteFence& fence, const std::string& id,
                                                                 std::string_view) {
  if (auto fenced = CheckFence(fence); !fenced) co_return std::unexpected(std::move(fenced.error()));
  co_return ++failures[id];
}

Task<Result<std::vector<std::string>>> MemoryMessageStore::ListSetAside(const ConnectedAccountId&, int limit) {
  std::vector<std::string> ids(set_aside.begin(), set_aside.end());
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(limit)));
  co_return ids;
}

Task<Result<std::int64_t>> MemoryMessageStore::IndexPending(int) { co_return 0; }

}  // namespace latchkey::mail::testing
