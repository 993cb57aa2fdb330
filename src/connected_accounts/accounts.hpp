#pragma once

#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "connected_accounts/account_store.hpp"

namespace latchkey::connected_accounts {

/// A connected account as a person sees it.
struct AccountView {
  ConnectedAccount account;
  AccountHealth health;
};

/// The person's verbs on their connections besides connecting and disconnecting. All answer kNotFound for accounts of
/// somebody else. Loop thread only.
class Accounts {
 public:
  Accounts(AccountStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  Task<Result<std::vector<AccountView>>> List(const UserId& user);
  Task<Result<AccountView>> Get(const UserId& user, const ConnectedAccountId& id);
  /// kInvalidArgument for an empty name, one over 100 characters, invalid UTF-8 or control characters.
  Task<Result<AccountView>> Rename(const UserId& user, const ConnectedAccountId& id, std::string_view display_name);
  Task<Result<AccountView>> Pause(const UserId& user, const ConnectedAccountId& id);
  Task<Result<AccountView>> Resume(const UserId& user, const ConnectedAccountId& id);
  /// kConflict while paused, or while the person must act first.
  Task<Result<AccountView>> RequestSync(const UserId& user, const ConnectedAccountId& id);

 private:
  AccountStore& store_;
  const Clock& clock_;
};

}  // namespace latchkey::connected_accounts
