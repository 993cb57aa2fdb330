#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "async/task_group.hpp"
#include "base/clock.hpp"
#include "base/id.hpp"
#include "jobs/job_store.hpp"
#include "mail/poll_pace.hpp"
#include "push/push_store.hpp"

namespace latchkey::push {

struct HintOptions {
  /// After a hint has woken the live lane, further ones of the same account wait this long and count as one.
  std::chrono::milliseconds gap = std::chrono::seconds(1);
  /// Accounts with hints under way at most; beyond, hints are dropped and polling closes the gap.
  std::size_t max_pending = 10'000;
  /// Polls are this much rarer while push is proven...
  int slower_by = 5;
  /// ...which needs a notification within this time (Gmail's watch is renewed daily and says so each time).
  std::chrono::hours proof_lasts{36};
  std::size_t max_remembered = 100'000;
};

/// Law ten: what a notification does. It wakes the live lane of its account, and no more: any number of them queue at
/// most one run. And it is proof that push works, for as long as polling finds nothing that push did not tell of; only
/// then mailboxes are polled less often. Loop thread only; must be stopped before it is destroyed.
class Hints final : public mail::PollPace {
 public:
  Hints(Executor executor, jobs::JobStore& jobs, const Clock& clock, HintOptions options = {});

  /// Never waits, never fails.
  void Hint(const Channel& channel);
  Task<void> Stop() { return group_.Stop(); }

  std::chrono::milliseconds NextPoll(const ConnectedAccountId& account, std::chrono::milliseconds usual,
                                     bool found_changes) override;
  /// Push was heard of lately and has missed nothing since.
  bool Proven(const ConnectedAccountId& account) const;

 private:
  using Key = std::pair<ConnectedAccountId, Service>;
  struct Proof {
    Instant heard_at{};
    /// Since the last poll.
    bool heard_since_poll = false;
    bool holds = false;
  };
  Task<void> Wake(Key key, std::int64_t generation);

  jobs::JobStore& jobs_;
  const Clock& clock_;
  HintOptions options_;
  /// Under way; true when another one came meanwhile.
  std::map<Key, bool> pending_;
  std::unordered_map<ConnectedAccountId, Proof> proofs_;
  TaskGroup group_;
};

}  // namespace latchkey::push
