#pragma once

#include "connected_accounts/account_store.hpp"
#include "mail/account_status.hpp"

namespace latchkey::app {

/// Tells the account store how the sync fares: mail/ does not know connected_accounts/. Failures of the store itself
/// are logged; the sync goes on and says it again.
class MailAccountStatus final : public mail::AccountStatus {
 public:
  explicit MailAccountStatus(connected_accounts::AccountStore& store) : store_(store) {}

  Task<Result<Account>> Find(const ConnectedAccountId& account) override;
  Task<void> ReportFault(const jobs::Job& job, const Error& error, std::optional<Instant> next_attempt_at) override;
  Task<void> ReportSuccess(const jobs::Job& job, std::string_view provider) override;
  Task<void> RaiseNotice(std::string_view provider, const Error& error) override;

 private:
  connected_accounts::AccountStore& store_;
};

}  // namespace latchkey::app
