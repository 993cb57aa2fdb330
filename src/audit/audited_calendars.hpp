#pragma once

#include <unordered_map>

#include "audit/audited_service.hpp"
#include "calendar/calendar_sync.hpp"
#include "jobs/job_store.hpp"

namespace latchkey::audit {

/// The selected calendars of an account, of any provider, as the audit sees them: single events, series and what
/// differs from a rule, stored and removed through the sync's commits. An item is named by its calendar and itself.
/// Loop thread only.
class AuditedCalendars final : public AuditedService {
 public:
  /// Everything outlives it.
  AuditedCalendars(const calendar::CalendarSyncParts& parts, jobs::JobStore& jobs, AuditStore& store)
      : parts_(parts), jobs_(jobs), store_(store) {}

  Service service() const override { return Service::kCalendar; }
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
  /// The account's calendars as provider and store have them now; only the selected ones.
  Task<Result<std::vector<calendar::StoredCalendar>>> Selected(const jobs::Job& job,
                                                               const mail::AccountStatus::Account& account);

  const calendar::CalendarSyncParts& parts_;
  jobs::JobStore& jobs_;
  AuditStore& store_;
};

}  // namespace latchkey::audit
