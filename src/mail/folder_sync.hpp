#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "mail/fault_policy.hpp"
#include "mail/folder_store.hpp"
#include "mail/sync_parts.hpp"

namespace latchkey::mail {

/// The sync of mailboxes that are kept in folders (folder_provider.hpp), under the same two jobs as any other mailbox.
///
/// The live lane (`fetch_emails`) reads the tree of folders, follows the link of every folder that was read once, and
/// asks for the messages that left a folder: a message that its folder no longer holds was moved or deleted, and only
/// the provider's word on its id tells which. While a folder's first read still goes on, its newest messages are looked
/// at, so that new mail is not kept waiting by old. The full read (`backfill_emails`) takes folder after folder, the
/// inbox first, newest messages first. A link that is no longer good begins the folder's next round in place: nothing
/// goes meanwhile, and what the round did not see is asked for by id at its end.
///
/// Every page commits together with the link behind it. Loop thread only; outlives its runs.
class FolderSync {
 public:
  FolderSync(const SyncParts& parts, FolderStore& store, FaultPolicy& faults)
      : parts_(parts), store_(store), faults_(faults) {}

  Task<jobs::Outcome> RunLive(const jobs::Job& job, const AccountStatus::Account& account,
                              std::shared_ptr<FolderMailProvider> provider);
  Task<jobs::Outcome> RunBackfill(const jobs::Job& job, const AccountStatus::Account& account,
                                  std::shared_ptr<FolderMailProvider> provider);

 private:
  struct Run;
  /// What is remembered of an account between runs; forgotten, it only costs reading.
  struct Memory {
    std::size_t tree = 0;  ///< Hash of the tree that was stored last.
    Instant set_aside_tried{};
    struct Reading {
      Instant at{};
      std::int64_t total = 0;
    };
    std::unordered_map<std::string, Reading> readings;
  };

  Task<jobs::Outcome> Conclude(const Run& run, Result<bool> finished);
  Task<Result<bool>> Live(Run& run);
  Task<Result<bool>> Backfill(Run& run);
  /// The tree as it is now, stored where it changed.
  Task<Result<std::vector<Folder>>> ReadTree(Run& run);
  Task<Result<void>> ConfirmAbsent(Run& run, std::vector<Folder>& folders);
  /// Follows one folder's link, to its end unless the run's time or pages are over.
  Task<Result<void>> Follow(Run& run, FolderCursor cursor, Lane lane);
  Task<Result<void>> Peek(Run& run, const FolderCursor& cursor);
  bool IsDue(const Run& run, const Folder& folder, std::size_t folders) const;

  Task<Result<void>> AnswerChecks(Run& run);
  /// One batch of checks. False when none are due.
  Task<Result<bool>> AnswerSome(Run& run);
  /// One message that cannot be had: tried again at once, set aside after the last attempt.
  Task<Result<void>> ReadWhole(Run& run, const std::string& id, CheckCommit& commit);
  Task<Result<void>> RetrySetAside(Run& run);

  Memory& MemoryOf(const ConnectedAccountId& account);

  const SyncParts& parts_;
  FolderStore& store_;
  FaultPolicy& faults_;
  std::unordered_map<ConnectedAccountId, Memory> memory_;
};

}  // namespace latchkey::mail
