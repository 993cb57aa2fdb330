#pragma once

#include <chrono>
#include <functional>
#include <string_view>
#include <utility>

#include "async/task.hpp"

namespace latchkey::limits {

/// How many of something may be under way at once, over all processes: requests for one mailbox. Each process counts
/// its own by semaphores already; seats are what it needs beside them when there are others. Loop thread only.
class Seats {
 public:
  /// Given back when destroyed.
  class Hold {
   public:
    Hold() = default;
    explicit Hold(std::function<void()> give_back) : give_back_(std::move(give_back)) {}
    Hold(Hold&& other) noexcept : give_back_(std::exchange(other.give_back_, nullptr)) {}
    Hold& operator=(Hold&& other) noexcept {
      Release();
      give_back_ = std::exchange(other.give_back_, nullptr);
      return *this;
    }
    ~Hold() { Release(); }
    void Release() {
      if (auto give_back = std::exchange(give_back_, nullptr)) give_back();
    }

   private:
    std::function<void()> give_back_;
  };

  virtual ~Seats() = default;
  /// Waits until `count` of the `limit` seats of (name, key) are ours; count is at most limit. Nobody waits for ever on
  /// the word of a server: after a bounded time, and whenever the seats cannot be asked for, it goes on with those it
  /// has. Must outlive what it gives.
  virtual Task<Hold> Take(std::string_view name, std::string_view key, int limit, int count) = 0;
};

}  // namespace latchkey::limits
