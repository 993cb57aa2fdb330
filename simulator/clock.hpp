#pragma once

#include <chrono>

#include "base/clock.hpp"

namespace latchkey::simulator {

/// The machine's time plus an offset that the control API moves forward. Everything that expires (codes, tokens, quota
/// minutes, history) reads this clock, so that a test can let a week pass at once. Loop thread only.
class SimulatorClock final : public Clock {
 public:
  Instant Now() const override { return SystemClock().Now() + offset_; }
  void Advance(std::chrono::microseconds by) { offset_ += by; }
  std::chrono::microseconds offset() const { return offset_; }

 private:
  std::chrono::microseconds offset_{0};
};

}  // namespace latchkey::simulator
