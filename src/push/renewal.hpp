#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "connected_accounts/account_store.hpp"
#include "jobs/job.hpp"
#include "push/push_provider.hpp"
#include "push/push_store.hpp"

namespace latchkey::push {

/// The kind of the job; it exists at most once per account.
inline constexpr std::string_view kRenewKind = "renew_push";

/// Keeps an account's channels: makes those that are wanted, renews them ahead of their end, stops those that are not
/// wanted any more. Handler of `renew_push`. What fails here is tried again later and touches nothing else: without
/// push everything works, a little later. Loop thread only; outlives its runs.
class Renewal {
 public:
  struct Parts {
    PushStore& store;
    const PushProviders& providers;
    connected_accounts::AccountStore& accounts;
    const Clock& clock;
  };
  explicit Renewal(const Parts& parts) : parts_(parts) {}

  Task<jobs::Outcome> Run(const jobs::Job& job);

  /// Before an account's tokens go: stops what can be stopped within `patience`.
  Task<void> StopAll(const ConnectedAccountId& account, std::chrono::milliseconds patience);

 private:
  struct RunState;
  Task<void> Keep(RunState& run, const PushProvider::Watch& watch);
  Task<Result<void>> Create(RunState& run, const PushProvider::Watch& watch);
  Task<void> Stop(RunState& run, const Channel& channel);

  Parts parts_;
};

}  // namespace latchkey::push
