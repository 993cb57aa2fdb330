#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "mail/message_store.hpp"

namespace latchkey::mail::testing {

/// MessageStore in memory for one account, with the rules of the port: all or nothing, fences, versions, epochs and
/// tombstones. For tests of the sync only; the conformance suite in storage/ holds the real ones to the same rules.
class MemoryMessageStore final : public MessageStore {
 public:
  struct Row {
    Message message;
    std::int64_t epoch = 0;
  };

  Task<Result<SyncState>> GetSyncState(const ConnectedAccountId& account) override;
  Task<Result<SyncCommitResult>> Apply(const SyncCommit& commit) override;
  Task<Result<std::vector<Known>>> FindKnown(const ConnectedAccountId& account, std::int64_t epoch,
                                             const std::vector<std::string>& external_ids) override;
  Task<Result<std::int64_t>> Sweep(const WriteFence& fence, std::int64_t epoch, int limit) override;
  Task<Result<std::int64_t>> RecordItemFailure(const WriteFence& fence, const std::string& external_id,
                                               std::string_view error_code) override;
  Task<Result<std::vector<std::string>>> ListSetAside(const ConnectedAccountId& account, int limit) override;
  Task<Result<std::int64_t>> IndexPending(int limit) override;

  std::int64_t generation = 1;
  std::map<std::string, Row> rows;
  std::map<std::string, std::int64_t> failures;
  std::set<std::string> set_aside;
  std::vector<jobs::NewJob> jobs;
  std::vector<Label> labels;
  SyncState state;
  /// Sizes of the commits that brought messages, in order.
  std::vector<std::size_t> commit_sizes;

 private:
  Result<void> CheckFence(const WriteFence& fence) const;
  void Upsert(const Message& message, std::int64_t epoch, SyncCommitResult& result);
  void ChangeLabels(const LabelChange& change, std::uint64_t version_before, std::int64_t epoch);

  std::map<std::string, std::int64_t> tombstones_;
};

}  // namespace latchkey::mail::testing
