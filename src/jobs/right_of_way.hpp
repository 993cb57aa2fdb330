#pragma once

#include <chrono>

#include "async/timer.hpp"

namespace latchkey::jobs {

/// Lets what a person waits for overtake the long work of the same process. Jobs of the live lane hold a pass while
/// they run; an import, the search index and whatever else goes on for minutes or hours yields before each of its
/// pieces, so that the loop, the database's one writer and the processors are free when they are wanted. Loop thread
/// only.
class RightOfWay {
 public:
  /// `longest_yield`: what one piece of long work waits at most. Live work that is itself waiting (for a slow provider)
  /// slows an import down to twenty pieces a second in each of its lanes, more than a provider's quota lets through.
  explicit RightOfWay(Executor executor, std::chrono::milliseconds longest_yield = std::chrono::milliseconds(50))
      : longest_yield_(longest_yield), free_(std::move(executor)) {}

  class Pass {
   public:
    explicit Pass(RightOfWay& way) : way_(way) { ++way_.passes_; }
    ~Pass() {
      if (--way_.passes_ == 0) way_.free_.Raise();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    RightOfWay& way_;
  };

  /// Ends when nobody holds a pass, or after the longest yield.
  Task<void> Yield();

 private:
  const std::chrono::milliseconds longest_yield_;
  int passes_ = 0;
  Signal free_;
};

}  // namespace latchkey::jobs
