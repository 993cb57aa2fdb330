#pragma once

#include "audit/audited_service.hpp"
#include "jobs/job_store.hpp"
#include "mail/sync_parts.hpp"

namespace latchkey::audit {

/// The mail of an account, of any provider, as the audit sees it: the list that the sync's own full read follows (with
/// spam and trash), and messages stored and removed through the sync's commits. Loop thread only.
class AuditedMail final : public AuditedService {
 public:
  /// Everything outlives it.
  AuditedMail(const mail::SyncParts& parts, jobs::JobStore& jobs, AuditStore& store)
      : parts_(parts), jobs_(jobs), store_(store) {}

  Service service() const override { return Service::kMail; }
  Task<Result<Standing>> Stand(const jobs::Job& job, const mail::AccountStatus::Account& account) override;
  Task<Result<Page>> List(const jobs::Job& job, const mail::AccountStatus::Account& account,
                          const std::string& cursor) override;
  Task<Result<bool>> CaughtUp(const jobs::Job& job, const mail::AccountStatus::Account& account,
                              Instant since) override;
  Task<Result<std::vector<std::string>>> Stored(const ConnectedAccountId& account,
                                                const std::vector<std::string>& ids) override;
  Task<Result<std::vector<Verdict>>> Reconcile(const jobs::Job& job, const mail::AccountStatus::Account& account,
                                               const std::vector<std::string>& ids) override;

 private:
  const mail::SyncParts& parts_;
  jobs::JobStore& jobs_;
  AuditStore& store_;
};

}  // namespace latchkey::audit
