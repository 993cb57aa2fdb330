#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>

#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "connected_accounts/account_store.hpp"
#include "crypto/vault.hpp"
#include "oauth/identity_provider.hpp"

namespace latchkey::connected_accounts {

/// TokenSource over the account store, the vault and the provider's token endpoint. Law five: one refresh per expiry
/// over all callers (single flight), and over all processes (a lease in the database); the rotated token is stored
/// before anybody uses it. All it is given must outlive it. Loop thread only.
class RefreshingTokenSource final : public TokenSource {
 public:
  struct Parts {
    const oauth::IdentityProviders& providers;
    AccountStore& store;
    const crypto::Vault& vault;
    const Clock& clock;
    Executor executor;
  };
  explicit RefreshingTokenSource(const Parts& parts);
  ~RefreshingTokenSource() override;

  /// kReauthInvalidGrant or kReauthTestMode (recorded on the account), kKeyUnavailable (recorded on the account),
  /// operator faults (a notice is raised, the account stays as it is), kProviderUnavailable and kRateLimited (wait),
  /// kNotFound, kFenced (being erased).
  Task<Result<SecretString>> AccessToken(const ConnectedAccountId& account, const SecretString& rejected) override;

 private:
  struct Flight;
  Task<Result<SecretString>> RefreshOrWait(const ConnectedAccountId& account, const SecretString& rejected);
  Task<Result<SecretString>> Refresh(const ConnectedAccountId& account, const SecretString& rejected);

  Parts parts_;
  /// Names this process in refresh leases.
  std::string holder_;
  std::unordered_map<ConnectedAccountId, std::shared_ptr<Flight>> flights_;
};

}  // namespace latchkey::connected_accounts
