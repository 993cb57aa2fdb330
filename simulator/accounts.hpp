#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey::simulator {

/// A fictional person at the simulated Google.
struct Account {
  std::string sub;    ///< 21 decimal digits, derived from the address the account was made with: stable over restarts.
  std::string email;  ///< Lower case.
  std::string name;
  std::string given_name;
  std::string family_name;
  std::string picture;  ///< URL, may be empty.
  std::string hd;       ///< Workspace domain; empty for a consumer account.
  std::string locale = "en";
  bool email_verified = true;
  /// False: every Gmail call answers 400 "Mail service not enabled".
  bool has_mailbox = true;

  /// Sets the address, in lower case.
  void SetEmail(std::string_view address);
  /// Sets name, given and family name (what follows the last blank).
  void SetName(std::string_view full_name);
};

/// Everybody the simulator knows, in the order the account chooser shows them. Addresses of accounts stay valid for the
/// life of the registry. Loop thread only.
class AccountRegistry {
 public:
  /// Adds a person, or returns the one who already has this address. An empty name is made from the address. `hd` is
  /// set from the domain unless that is gmail.com.
  Account& Add(std::string_view email, std::string_view name = {});

  /// Without regard to case. nullptr when unknown.
  Account* FindByEmail(std::string_view email);
  const Account* FindByEmail(std::string_view email) const;
  const Account* FindBySub(std::string_view sub) const;

  const std::deque<Account>& all() const { return accounts_; }

 private:
  std::deque<Account> accounts_;
};

}  // namespace latchkey::simulator
