#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "audit/audit_store.hpp"
#include "base/error.hpp"
#include "jobs/job.hpp"
#include "mail/account_status.hpp"

namespace latchkey::audit {

/// One service of an account as the audit sees it: the provider's list, direct reads, and the sync's own way of storing
/// what is missing. Calls run at backfill priority within the account's quota. Loop thread only.
class AuditedService {
 public:
  virtual ~AuditedService() = default;
  virtual Service service() const = 0;

  struct Standing {
    enum class Kind {
      kReady,
      kWait,           ///< The sync does not claim to be complete yet: its own full read is at work.
      kNotApplicable,  ///< The account has no such service.
    };
    Kind kind = Kind::kReady;
    std::int64_t epoch = 0;
  };
  virtual Task<Result<Standing>> Stand(const jobs::Job& job, const mail::AccountStatus::Account& account) = 0;

  struct Page {
    std::vector<std::string> ids;
    std::string next;  ///< Empty on the last page.
  };
  /// One page of exactly the set that the sync claims to hold. kCursorExpired: from the start again.
  virtual Task<Result<Page>> List(const jobs::Job& job, const mail::AccountStatus::Account& account,
                                  const std::string& cursor) = 0;

  /// True when the live lane has caught up after `since`; otherwise asks for a run of it.
  virtual Task<Result<bool>> CaughtUp(const jobs::Job& job, const mail::AccountStatus::Account& account,
                                      Instant since) = 0;

  /// Which of these are stored now.
  virtual Task<Result<std::vector<std::string>>> Stored(const ConnectedAccountId& account,
                                                        const std::vector<std::string>& ids) = 0;

  struct Verdict {
    std::string external_id;
    enum class Kind {
      kStored,  ///< At the provider and, now at the latest, here.
      kGone,    ///< The provider no longer has it, and no row is left.
      kFailed,  ///< At the provider, and cannot be stored: see error_code.
    };
    Kind kind = Kind::kStored;
    std::string error_code;
  };
  /// Asks the provider for each of these items and makes the store agree through the sync's own commit path. A failure
  /// of the account or the provider is the result's; one of a single item its verdict's.
  virtual Task<Result<std::vector<Verdict>>> Reconcile(const jobs::Job& job,
                                                       const mail::AccountStatus::Account& account,
                                                       const std::vector<std::string>& ids) = 0;
};

}  // namespace latchkey::audit
