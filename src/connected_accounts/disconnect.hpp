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
#include "oauth/identity_provider.hpp"

namespace latchkey::connected_accounts {

/// The job's kind; its handler is Disconnect::DeleteSyncedData.
inline constexpr std::string_view kDeleteSyncedData = "delete_synced_data";

/// Stops, revokes and erases a connection. Never depends on the provider answering: from Begin on nothing of the
/// account can be written or read. Loop thread only.
class Disconnect {
 public:
  struct Parts {
    const oauth::IdentityProviders& providers;
    AccountStore& store;
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
  /// grant; retried while it is unreachable, for at most a day, without holding up the erase), deletes in chunks.
  Task<jobs::Outcome> DeleteSyncedData(const jobs::Job& job);

 private:
  Parts parts_;
};

}  // namespace latchkey::connected_accounts
