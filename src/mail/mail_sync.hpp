#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "mail/fault_policy.hpp"
#include "mail/folder_sync.hpp"
#include "mail/sync_parts.hpp"

namespace latchkey::mail {

/// The live lane, job `fetch_emails`: follows the provider's own record of changes, page by page; each page commits
/// together with the cursor behind it. The first run takes the cursor before anything is listed and starts the backfill
/// in the same commit; a cursor that the provider no longer knows starts the next epoch in place. Loop thread only;
/// outlives its runs.
class MailSync {
 public:
  /// `folders`: for mailboxes kept in folders, which have no history over all of them; may be null.
  MailSync(const SyncParts& parts, FaultPolicy& faults, FolderSync* folders = nullptr)
      : parts_(parts), faults_(faults), folders_(folders) {}

  Task<jobs::Outcome> Run(const jobs::Job& job);

 private:
  struct RunState;

  Task<Result<void>> Sync(RunState& run);
  /// Takes a fresh cursor, then commits it with the start of a full read.
  Task<Result<void>> StartEpoch(RunState& run, std::int64_t epoch);
  Task<Result<void>> ApplyPage(RunState& run, ChangePage page);
  Task<Result<void>> FetchInto(RunState& run, const std::vector<std::string>& ids, SyncCommit& commit);
  /// Stores what is fetched of a long page before its cursor moves, so that memory stays bounded. Writing it again
  /// after a crash changes nothing.
  Task<Result<void>> StoreAhead(RunState& run, SyncCommit& commit);
  Task<Result<void>> FindUnknown(RunState& run, const ChangePage& page, std::vector<std::string>& wanted);
  /// Once an hour, what was set aside gets another try.
  Task<Result<void>> AddSetAside(RunState& run, std::vector<std::string>& wanted);
  Task<Result<std::optional<std::vector<Label>>>> ReadLabelsIfChanged(RunState& run);

  const SyncParts& parts_;
  FaultPolicy& faults_;
  FolderSync* folders_;
  std::unordered_map<ConnectedAccountId, Instant> set_aside_tried_;
  /// What the labels of an account were when last stored, as a hash; forgotten labels are only stored once more.
  std::unordered_map<ConnectedAccountId, std::size_t> labels_seen_;
};

}  // namespace latchkey::mail
