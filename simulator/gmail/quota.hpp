#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/gmail/methods.hpp"

namespace latchkey::simulator {

/// Units spent over the last sixty seconds of the clock.
class MinuteWindow {
 public:
  std::int64_t Sum(Instant now);
  void Add(Instant now, std::int64_t units);
  /// When the oldest units still counted fall out of the window.
  Instant NextRelief(Instant now);

 private:
  void Advance(std::int64_t second);
  std::array<std::int64_t, 60> buckets_{};
  std::int64_t second_ = 0;
  std::int64_t sum_ = 0;
};

/// Counts quota units per account (always) and refuses what exceeds Gmail's limits (when enforced).
class Quota {
 public:
  static constexpr std::int64_t kUserUnitsPerMinute = 6'000;
  static constexpr std::int64_t kProjectUnitsPerMinute = 1'200'000;

  void Enforce(bool enforce) { enforce_ = enforce; }
  /// Charges one call, or says how it is refused: a 403 with the time in its text and a 429 take turns, because clients
  /// meet both. A refused call costs nothing.
  std::optional<Response> Charge(const std::string& account, const Method& method, Instant now);
  boost::json::object Counters(Instant now);
  void Reset();

 private:
  struct Calls {
    std::int64_t calls = 0;
    std::int64_t units = 0;
  };
  struct AccountUsage {
    MinuteWindow window;
    std::int64_t units = 0;
    std::int64_t refused = 0;
    std::map<std::string_view, Calls> by_method;
  };

  bool enforce_ = true;
  std::map<std::string, AccountUsage> accounts_;
  MinuteWindow project_;
};

}  // namespace latchkey::simulator
