#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "oauth/consumed_states.hpp"
#include "oauth/transaction.hpp"

namespace latchkey::oauth {

/// Lets exactly one callback per state through, over all processes, and gives the others the outcome of that one: those
/// of this process are woken when it ends, those of other processes look again. Loop thread only.
class SingleConsumption {
 public:
  SingleConsumption(ConsumedStates& states, const Clock& clock, Executor executor)
      : states_(states), clock_(clock), executor_(std::move(executor)) {}

  /// The right to redeem. Ends, and wakes the others, when it is destroyed.
  class Turn {
   public:
    Turn() = default;
    Turn(Turn&&) noexcept = default;
    Turn& operator=(Turn&&) noexcept = default;
    ~Turn();
    explicit operator bool() const { return owner_ != nullptr; }

   private:
    friend class SingleConsumption;
    struct Release {
      void operator()(SingleConsumption* owner) const;
      std::string state_hash;
    };
    std::unique_ptr<SingleConsumption, Release> owner_{nullptr, Release{}};
  };

  struct Entry {
    /// Set for the one who redeems.
    Turn turn;
    /// For the others: "ok", or the error code the first one ended with; "sign_in_failed" when it did not end in time.
    std::string outcome;
  };
  Task<Result<Entry>> Enter(const Transaction& transaction);
  /// Records the outcome of the caller's turn; failures of the store are logged.
  Task<void> Finish(const std::string& state_hash, std::string_view outcome);

 private:
  ConsumedStates& states_;
  const Clock& clock_;
  Executor executor_;
  std::unordered_map<std::string, std::shared_ptr<Signal>> running_;
};

}  // namespace latchkey::oauth
