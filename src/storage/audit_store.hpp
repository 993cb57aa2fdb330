#pragma once

#include "audit/audit_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// audit::AuditStore over the database. The two lists are compared on a reader, in chunks; only differences and the
/// place to go on from are written. Loop thread.
class AuditStore final : public audit::AuditStore {
 public:
  AuditStore(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  Task<Result<void>> Request(const UserId& user, const ConnectedAccountId& account) override;
  Task<Result<audit::Report>> Read(const UserId& user, const ConnectedAccountId& account) override;
  Task<Result<int>> ScheduleDue(Instant now, std::chrono::microseconds interval, int limit) override;
  Task<Result<std::optional<std::vector<audit::Progress>>>> ReadProgress(const ConnectedAccountId& account) override;
  Task<Result<std::optional<Instant>>> StartedAt(const ConnectedAccountId& account) override;
  Task<Result<void>> StartService(const mail::WriteFence& fence, const audit::Progress& progress) override;
  Task<Result<std::int64_t>> Clear(const mail::WriteFence& fence, audit::Service service, int limit) override;
  Task<Result<std::int64_t>> ClearListed(const mail::WriteFence& fence, audit::Service service, int limit) override;
  Task<Result<void>> AddListed(const mail::WriteFence& fence, const audit::Progress& progress,
                               const std::vector<std::string>& ids) override;
  Task<Result<bool>> CompareSome(const mail::WriteFence& fence, audit::Service service, audit::Finding::Kind kind,
                                 int limit) override;
  Task<Result<void>> SetPhase(const mail::WriteFence& fence, audit::Service service, audit::Phase phase) override;
  Task<Result<std::vector<std::string>>> FindStored(const ConnectedAccountId& account, audit::Service service,
                                                    const std::vector<std::string>& ids) override;
  Task<Result<std::vector<audit::Finding>>> OpenFindings(const ConnectedAccountId& account, audit::Service service,
                                                         int limit) override;
  Task<Result<void>> Settle(const mail::WriteFence& fence, audit::Service service,
                            const std::vector<audit::Finding>& findings,
                            const std::vector<std::string>& dismissed) override;
  Task<Result<void>> ForgetTombstones(const mail::WriteFence& fence, const std::vector<std::string>& ids) override;
  Task<Result<void>> Finish(const mail::WriteFence& fence, std::string_view error_code) override;

 private:
  Engine& engine_;
  const Clock& clock_;
};

}  // namespace latchkey::storage
