#pragma once

#include "mail/message_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// mail::MessageStore over the database. Loop thread.
class MessageStore final : public mail::MessageStore {
 public:
  MessageStore(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  Task<Result<mail::SyncState>> GetSyncState(const ConnectedAccountId& account) override;
  Task<Result<mail::SyncCommitResult>> Apply(const mail::SyncCommit& commit) override;
  Task<Result<std::vector<Known>>> FindKnown(const ConnectedAccountId& account, std::int64_t epoch,
                                             const std::vector<std::string>& external_ids) override;
  Task<Result<std::int64_t>> Sweep(const mail::WriteFence& fence, std::int64_t epoch, int limit) override;
  Task<Result<std::int64_t>> RecordItemFailure(const mail::WriteFence& fence, const std::string& external_id,
                                               std::string_view error_code) override;
  Task<Result<std::vector<std::string>>> ListSetAside(const ConnectedAccountId& account, int limit) override;
  Task<Result<std::int64_t>> IndexPending(int limit) override;

 private:
  Engine& engine_;
  const Clock& clock_;
};

}  // namespace latchkey::storage
