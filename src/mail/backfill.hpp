#pragma once

#include <string>

#include "mail/fault_policy.hpp"
#include "mail/folder_sync.hpp"
#include "mail/sync_parts.hpp"

namespace latchkey::mail {

/// The full read of a mailbox, job `backfill_emails`: lists every id newest first, fetches what this epoch has not seen
/// with many requests in flight, and commits in the list's order while fetching goes on. The page cursor moves in the
/// commit that completes the page; what an interrupted page had stored is recognised and skipped. After the last page
/// what the epoch did not see is swept away in chunks, and only then the epoch is complete. Leaves its place in the
/// queue after a while. Loop thread only; outlives its runs.
class Backfill {
 public:
  /// `folders`: for mailboxes kept in folders, each of which is read by itself; may be null.
  Backfill(const SyncParts& parts, FaultPolicy& faults, FolderSync* folders = nullptr)
      : parts_(parts), faults_(faults), folders_(folders) {}

  Task<jobs::Outcome> Run(const jobs::Job& job);

 private:
  const SyncParts& parts_;
  FaultPolicy& faults_;
  FolderSync* folders_;
};

}  // namespace latchkey::mail
