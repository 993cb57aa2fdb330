#include "jobs/right_of_way.hpp"

namespace latchkey::jobs {

Task<void> RightOfWay::Yield() {
  using SteadyClock = std::chrono::steady_clock;
  const auto end = SteadyClock::now() + longest_yield_;
  while (passes_ > 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - SteadyClock::now());
    if (left.count() <= 0) co_return;
    // Raised once for an earlier pass it may end at once; the condition decides.
    co_await free_.Wait(left);
  }
}

}  // namespace latchkey::jobs
