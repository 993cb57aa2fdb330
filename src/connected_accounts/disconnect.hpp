#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "connected_accounts/account_store.hpp"
#include "crypto/vault.hpp"
#include "jobs/job.hpp"
#include "jobs/job_store.hpp"
#include "oauth/identity_provider.hpp"

namespace latchkey::connected_accounts {

/// The kind of the job whose handler is here, besides jobs::kDeleteSyncedData.
inline constexpr std::string_view kRevokeGrant = "revoke_grant";

/// Stops, revokes and erases a connection. Never depends on the provider answering: from Begin on nothing of the
/// account can be written or read. Loop thread only.
class Disconnect {
 public:
  struct Parts {
    const oauth::IdentityProviders& providers;
    AccountStore& store;
    jobs::JobStore& jobs;
    const crypto::Vault& vault;
    const Clock& clock;
  };
  explicit Disconnect(const Parts& parts) : parts_(parts) {}

  /// Idempotent. kNotFound.
  Task<Result<ErasureReceipt>> Begin(const UserId& user, const ConnectedAccountId& id);
  /// Rows there are now, per table.
  Task<Result<std::map<std::string, std::int64_t>>> Preview(const UserId& user, const ConnectedAccountId& id);
  Task<Result<ErasureReceipt>> Receipt(const UserId& user, std::string_view erasure_id);

  /// Handler of `delete_synced_data`: revokes at the provider (10 s at most, only when no other connection shares the
  /// grant), then deletes in chunks. When the provider does not answer the erase goes on, and a `revoke_grant` job
  /// keeps trying for about a day with the token sealed in its arguments: nothing else of the account is left then.
  Task<jobs::Outcome> DeleteSyncedData(const jobs::Job& job);
  /// Handler of `revoke_grant`.
  Task<jobs::Outcome> RevokeGrant(const jobs::Job& job);

 private:
  enum class Revoked { kDone, kNothingToDo, kUnreachable };
  Task<Revoked> Revoke(const ConnectedAccount& account, const SecretString& token);
  Task<Result<void>> RevokeOrQueue(const ConnectedAccount& account);

  Parts parts_;
};

}  // namespace latchkey::connected_accounts
