#pragma once

#include "mail/outbox.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// mail::OutboxStore over the database: the person's half in outbox_store.cpp, the job's in outbox_work.cpp, files in
/// outbox_uploads.cpp. Loop thread.
class OutboxStore final : public mail::OutboxStore {
 public:
  OutboxStore(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  Task<Result<mail::Upload>> BeginUpload(const UserId& user, std::string_view name,
                                         std::string_view mime_type) override;
  Task<Result<void>> AppendUpload(const UserId& user, const mail::UploadId& id, std::int64_t position,
                                  std::string_view bytes) override;
  Task<Result<mail::Upload>> FinishUpload(const UserId& user, const mail::UploadId& id) override;
  Task<Result<mail::Upload>> GetUpload(const UserId& user, const mail::UploadId& id) override;
  Task<Result<void>> DeleteUpload(const UserId& user, const mail::UploadId& id) override;
  Task<Result<std::string>> ReadUpload(const mail::UploadId& id, std::int64_t position) override;

  Task<Result<Accepted>> Enqueue(const NewEntry& entry) override;
  Task<Result<mail::OutboxEntry>> FindByKey(const UserId& user, std::string_view key,
                                            std::string_view request_hash) override;
  Task<Result<mail::OutboxEntry>> Get(const UserId& user, const mail::OutboxId& id) override;
  Task<Result<mail::OutboxPage>> List(const UserId& user, const ConnectedAccountId& account, std::string_view cursor,
                                      int limit) override;
  Task<Result<mail::OutboxEntry>> Dismiss(const UserId& user, const mail::OutboxId& id) override;
  Task<Result<mail::OutboxEntry>> Retry(const UserId& user, const mail::OutboxId& id, bool confirmed) override;

  Task<Result<mail::OutboxEntry>> GetForWork(const mail::OutboxId& id) override;
  Task<Result<void>> Claim(const jobs::Lease& lease, const mail::OutboxId& id) override;
  Task<Result<void>> NoteDraft(const jobs::Lease& lease, const mail::OutboxId& id, std::string_view draft_id) override;
  Task<Result<void>> HandOver(const jobs::Lease& lease, const mail::OutboxId& id) override;
  Task<Result<void>> MarkSent(const mail::OutboxId& id, std::string_view external_id,
                              std::string_view thread_id) override;
  Task<Result<void>> MarkNotSent(const jobs::Lease& lease, const mail::OutboxId& id, ErrorCode error,
                                 std::optional<Instant> next_try) override;
  Task<Result<void>> MarkUndecided(const jobs::Lease& lease, const mail::OutboxId& id, bool unconfirmed) override;
  Task<Result<void>> Proven(const jobs::Lease& lease, const mail::OutboxId& id) override;
  Task<Result<void>> NoteMissing(const jobs::Lease& lease, const mail::OutboxId& id, bool tell) override;
  Task<Result<int>> Requeue(int limit) override;
  Task<Result<int>> Prune(Instant before, int limit) override;

 private:
  Engine& engine_;
  const Clock& clock_;
};

/// One entry by a condition on its own id, with its attachments; nullopt when there is none. `user` empty: whoever's.
std::optional<Result<mail::OutboxEntry>> FindOutboxEntry(Connection& connection, const mail::OutboxId& id,
                                                         const UserId& user);
/// "outbox.changed" for the entry's owner.
void WriteOutboxChanged(Transaction& transaction, const mail::OutboxId& id, Instant now);
/// The job that works on an entry from `due` on.
Result<void> InsertSendJob(Transaction& transaction, const mail::OutboxId& id, const ConnectedAccountId& account,
                           std::int64_t generation, Instant due, Instant now);

}  // namespace latchkey::storage
