#pragma once

#include "connected_accounts/account_store.hpp"
#include "oauth/provider_records.hpp"

namespace latchkey::connected_accounts {

/// oauth::ProviderRecords over the account store. Failures of the store are logged and answered on the safe side.
class StoreProviderRecords final : public oauth::ProviderRecords {
 public:
  explicit StoreProviderRecords(AccountStore& store) : store_(store) {}
  Task<bool> GrantInUse(std::string_view provider, std::string_view subject) override;
  Task<void> RaiseOperatorFault(std::string_view provider, ErrorCode code, std::string_view reason) override;
  Task<void> ResolveOperatorFaults(std::string_view provider) override;

 private:
  AccountStore& store_;
};

}  // namespace latchkey::connected_accounts
