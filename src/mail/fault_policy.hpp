#pragma once

#include <chrono>
#include <set>
#include <string>
#include <unordered_map>

#include "jobs/probe.hpp"
#include "mail/sync_parts.hpp"

namespace latchkey::mail {

/// What a mail job does about a failure, and who is told (laws six and seven). Remembers how often each account has
/// failed in a row, so that pauses grow; the table is bounded. Loop thread only.
class FaultPolicy {
 public:
  explicit FaultPolicy(const SyncParts& parts) : parts_(parts) {}

  /// Account fault: recorded, and the job ends (reconnecting queues a new one). Operator fault: one notice, the account
  /// stays as it is; one account of the provider tries soon, the others wait to be woken. Provider fault: recorded with
  /// the time of the next try, the job sleeps until then. Fence or lease lost: nothing left to do. All else: the
  /// queue's own backoff.
  Task<jobs::Outcome> Conclude(const jobs::Job& job, const std::string& provider, Error error);

  /// After work that went through.
  Task<void> Succeeded(const jobs::Job& job, const AccountStatus::Account& account);

  /// Pause before the next try after `failures` in a row: 5 s doubled up to 15 minutes, the last fifth of it spread by
  /// account so that a provider that comes back is not met by everybody at once.
  static std::chrono::milliseconds Backoff(const ConnectedAccountId& account, int failures);

 private:
  const SyncParts& parts_;
  std::unordered_map<ConnectedAccountId, int> failures_;
  /// Providers whose notices are known to be resolved: success is told again only after a fault.
  std::set<std::string> quiet_providers_;
  jobs::Probe probe_;
};

/// True for a failure that belongs to the one message asked for, not to the account or the provider.
bool IsItemFailure(ErrorCode code);

}  // namespace latchkey::mail
