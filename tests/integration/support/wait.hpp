#pragma once

#include <chrono>
#include <thread>

namespace latchkey::integration {

/// Programs under sanitizers on a busy machine are slow; nothing is asserted about time, this only ends a hopeless
/// wait.
inline constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(60);

/// Asks again until `condition` holds; false when patience ran out.
template <class Condition>
bool WaitUntil(Condition condition, std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
  }
  return true;
}

}  // namespace latchkey::integration
