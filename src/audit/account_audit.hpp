#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "audit/audited_service.hpp"
#include "base/clock.hpp"
#include "jobs/job.hpp"
#include "mail/account_status.hpp"
#include "mail/fault_policy.hpp"

namespace latchkey::audit {

/// The kind of the job; it exists at most once per account.
inline constexpr std::string_view kAuditKind = "audit_account";
/// From one audit of an account to the next that nobody asked for.
inline constexpr std::chrono::hours kAuditInterval{24 * 7};

struct AuditOptions {
  /// An audit gives its place in the queue to others after this long.
  std::chrono::milliseconds longest_run = std::chrono::seconds(60);
  /// How long it waits between two looks at whether the live lane has caught up, and while an import is at work.
  std::chrono::milliseconds patience = std::chrono::seconds(2);
  std::chrono::milliseconds import_patience = std::chrono::minutes(1);
  /// Given up, and reported as failed, after this long.
  std::chrono::milliseconds give_up = std::chrono::hours(48);
  /// Ids compared in one step, and items asked for in one.
  int compare_chunk = 10'000;
  int check_chunk = 100;
};

/// Law four: proves that an account's copy is complete, or says what is missing and fetches it. Handler of
/// `audit_account`. For each service the provider's complete id list is laid beside the store; what differs is looked
/// at again after a pass of the live lane, then item by item at the provider, and only what the provider itself says
/// counts. Every step is stored with its results, so a killed audit goes on where it was. Loop thread only; outlives
/// its runs.
class AccountAudit {
 public:
  struct Parts {
    AuditStore& store;
    /// Not owned.
    std::vector<AuditedService*> services;
    mail::AccountStatus& status;
    mail::FaultPolicy& faults;
    const Clock& clock;
    AuditOptions options;
  };
  explicit AccountAudit(Parts parts) : parts_(std::move(parts)) {}

  Task<jobs::Outcome> Run(const jobs::Job& job);

 private:
  struct RunState;

  /// How far one service came: through, or wait before the next look.
  using Step = std::optional<std::chrono::milliseconds>;
  Task<Result<Step>> Drive(RunState& run, AuditedService& service);
  Task<Result<Progress>> Begin(RunState& run, AuditedService& service, std::int64_t epoch);
  Task<Result<void>> ListPage(RunState& run, AuditedService& service, Progress& progress);
  Task<Result<bool>> CheckSome(RunState& run, AuditedService& service);
  Task<jobs::Outcome> Conclude(RunState& run, Error error);
  bool TimeIsUp(const RunState& run) const;

  Parts parts_;
};

}  // namespace latchkey::audit
