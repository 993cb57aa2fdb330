#pragma once

#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "jobs/job.hpp"

namespace latchkey::calendar {

/// Where the sync of calendars learns whether it may work, and says what concerns more than the calendars: a grant that
/// is over stops the whole account, an operator's fault raises one notice. What concerns the calendars alone is kept
/// beside them (CalendarStore::Conclude). App wires it to connected_accounts.
class AccountStatus {
 public:
  virtual ~AccountStatus() = default;
  struct Account {
    std::string provider;
    std::int64_t generation = 0;
    bool may_work = false;  ///< Neither paused nor disconnecting, and reading calendars is granted.
  };
  virtual Task<Result<Account>> Find(const ConnectedAccountId& account) = 0;
  /// The person must sign in again. Nothing is recorded when the job is no longer the caller's.
  virtual Task<void> ReportFault(const jobs::Job& job, const Error& error) = 0;
  virtual Task<void> RaiseNotice(std::string_view provider, const Error& error) = 0;
  /// Calendars could be read after an operator's fault.
  virtual Task<void> ResolveNotice(std::string_view provider) = 0;
};

}  // namespace latchkey::calendar
