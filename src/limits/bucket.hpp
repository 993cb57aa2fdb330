#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "limits/limiter.hpp"

namespace latchkey::limits {

/// One bucket in memory. The Redis script (take_script.cpp) keeps the same arithmetic, and a test holds the two to the
/// same answers.
class Bucket {
 public:
  /// Whether it pays, and out of which source.
  struct Offer {
    std::chrono::microseconds wait{0};
    bool surplus = false;
  };

  Offer Ask(const Draw& draw, Instant now);
  /// After an offer without a wait.
  void Spend(const Draw& draw, bool surplus, Instant now);
  /// What was spent with another's consent: goes down as far as empty and no further.
  void Charge(const Draw& draw, Instant now);

 private:
  static constexpr int kWindowSeconds = 60;
  /// Units spent in each of the last seconds; the one of second n stands at n modulo the length.
  struct Record {
    std::array<float, kWindowSeconds> spent{};
    std::int64_t newest_second = 0;
  };

  std::chrono::microseconds BaseWait(const Draw& draw, Instant now) const;
  std::chrono::microseconds SurplusWait(const Draw& draw, Instant now) const;
  void Keep(const Draw& draw, Instant now);
  void Note(double units);

  Instant earned_at_{};  ///< GCRA's "theoretical arrival time" of the base.
  Instant surplus_earned_at_{};
  std::unique_ptr<Record> record_;  ///< Of rates with a surplus alone.
};

}  // namespace latchkey::limits
