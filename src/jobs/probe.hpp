#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace latchkey::jobs {

/// Who looks whether an operator's fault is over. It is the same for every account of a provider, so one of those that
/// wait for it tries every few seconds; the others sleep long, and are woken when that one gets through. Loop thread
/// only.
class Probe {
 public:
  static constexpr std::chrono::milliseconds kSoon = std::chrono::seconds(15);
  static constexpr std::chrono::milliseconds kLong = std::chrono::minutes(10);

  /// How long the account that has just met the fault at `provider` sleeps; it comes back after that.
  std::chrono::milliseconds NextTry(std::string_view provider, Instant now) {
    auto found = next_.find(provider);
    if (found == next_.end()) found = next_.emplace(std::string(provider), now).first;
    // A clock that was set back must not leave everybody asleep.
    if (now < found->second && found->second - now <= kSoon) return kLong;
    found->second = now + kSoon;
    return kSoon;
  }

 private:
  std::map<std::string, Instant, std::less<>> next_;
};

}  // namespace latchkey::jobs
