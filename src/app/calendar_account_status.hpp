#pragma once

#include "calendar/account_status.hpp"
#include "connected_accounts/account_store.hpp"

namespace latchkey::app {

/// Tells the account store what the sync of calendars met: calendar/ does not know connected_accounts/. Failures of the
/// store itself are logged; the sync goes on and says it again.
class CalendarAccountStatus final : public calendar::AccountStatus {
 public:
  explicit CalendarAccountStatus(connected_accounts::AccountStore& store) : store_(store) {}

  Task<Result<Account>> Find(const ConnectedAccountId& account) override;
  Task<void> ReportFault(const jobs::Job& job, const Error& error) override;
  Task<void> RaiseNotice(std::string_view provider, const Error& error) override;
  Task<void> ResolveNotice(std::string_view provider) override;

 private:
  connected_accounts::AccountStore& store_;
};

}  // namespace latchkey::app
