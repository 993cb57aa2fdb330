#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "async/task.hpp"

namespace latchkey::limits {

/// What may be spent: GCRA (the generic cell rate algorithm: one instant, "when all that was spent will have been
/// earned", so nothing has to tick) with one burst, and a second source for those who need the whole of a minute's
/// quota.
struct Rate {
  /// Units earned evenly. Above 0.
  double per_minute = 60;
  /// Units that may be spent at once after a rest.
  double burst = 60;
  /// Units earned evenly beside, which may be spent only while no minute from now on, with all that `per_minute` will
  /// earn in it, can exceed `minute_limit`. 0: none.
  double surplus_per_minute = 0;
  /// Units of any sixty seconds; meant for a rate with a surplus.
  double minute_limit = 0;
};

/// A wish to spend units of one bucket.
struct Draw {
  /// Which limit: one of a few names in the program.
  std::string_view name;
  /// Whose bucket: an address, an account. It never leaves the process as it is.
  std::string_view key;
  Rate rate;
  double units = 1;
  /// Units of the burst, and of each minute, that this draw must leave to more urgent ones.
  double reserve = 0;
};

/// Where the limits are kept at this moment.
struct Sharing {
  enum class State {
    kAlone,   ///< In this process, because nothing else was asked for.
    kShared,  ///< Between all processes.
    kLost,    ///< Should be shared and cannot: this process keeps to its own share.
  };
  State state = State::kAlone;
  /// Why it is kLost, as a word for operators: "unreachable", "full", ...; empty otherwise.
  std::string_view reason;
  /// What to do about it; empty otherwise.
  std::string_view remedy;
};

/// The port of everything that is spent by rate: requests of strangers, a provider's quota. Loop thread only.
class Limiter {
 public:
  virtual ~Limiter() = default;

  /// Takes all of the draws at once, or none of them: 0 when taken, otherwise how long to wait before it is worth
  /// asking again. Never fails: a limiter that cannot know answers as well as it can, within a fraction of a second. At
  /// most kMaxDraws, each of another bucket; `draws` and what they name must stay alive until the answer.
  virtual Task<std::chrono::microseconds> Take(std::span<const Draw> draws) = 0;

  virtual Sharing sharing() const { return {}; }

  static constexpr std::size_t kMaxDraws = 4;
};

}  // namespace latchkey::limits
