#pragma once

#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

namespace latchkey::oauth {

/// The states that came back (table consumed_states): what makes a callback work once over all processes. Implemented
/// in storage/. A start writes nothing here.
class ConsumedStates {
 public:
  virtual ~ConsumedStates() = default;

  struct Claim {
    /// True for exactly one caller per state: only that one may redeem the code.
    bool first = false;
    /// For the others: empty while the first is still at work, "ok", or the error code it ended with.
    std::string outcome;
  };
  /// One atomic insert of (state_hash, expires_at), or a read of the row that is there.
  virtual Task<Result<Claim>> ClaimState(std::string_view state_hash, Instant expires_at) = 0;
  /// Records how the first one ended; the row stays until its expires_at.
  virtual Task<Result<void>> FinishState(std::string_view state_hash, std::string_view outcome) = 0;
};

}  // namespace latchkey::oauth
