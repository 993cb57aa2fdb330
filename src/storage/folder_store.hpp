#pragma once

#include "mail/folder_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// mail::FolderStore over the database. Loop thread.
class FolderStore final : public mail::FolderStore {
 public:
  FolderStore(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  Task<Result<std::vector<mail::FolderCursor>>> ListFolders(const ConnectedAccountId& account) override;
  Task<Result<void>> ReplaceFolders(const mail::WriteFence& fence, const std::vector<mail::Folder>& folders) override;
  Task<Result<void>> RestartFolder(const mail::WriteFence& fence, const mail::FolderCursor& before) override;
  Task<Result<mail::SyncCommitResult>> ApplyPage(const mail::FolderCommit& commit) override;
  Task<Result<std::vector<mail::MessageCheck>>> ListChecks(const ConnectedAccountId& account, Instant now,
                                                           int limit) override;
  Task<Result<void>> AddChecks(const mail::WriteFence& fence, const std::vector<std::string>& external_ids) override;
  Task<Result<mail::SyncCommitResult>> ApplyChecks(const mail::CheckCommit& commit) override;
  Task<Result<void>> CaughtUp(const mail::WriteFence& fence, Instant synced_at, Instant next_sync_at) override;

 private:
  Task<Result<std::vector<std::string>>> Encode(const std::vector<mail::Message>& messages, Urgency urgency);

  Engine& engine_;
  const Clock& clock_;
};

}  // namespace latchkey::storage
