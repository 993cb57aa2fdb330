#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "limits/redis_limiter.hpp"
#include "limits/seats.hpp"

namespace latchkey::limits {

/// Seats in the Redis that shares the limits. A seat belongs to a process and is free when that process has not been
/// heard of for some seconds, however it ended. While Redis cannot be asked everybody gets a seat at once: then the
/// processes' own semaphores are the only bound, and the provider's refusal the last. Loop thread only.
class RedisSeats final : public Seats {
 public:
  struct Options {
    /// Between two looks at seats that were taken; grows up to the longest.
    std::chrono::milliseconds first_pause = std::chrono::milliseconds(20);
    std::chrono::milliseconds longest_pause = std::chrono::milliseconds(200);
    /// After this long without a seat it goes on without.
    std::chrono::milliseconds patience = std::chrono::seconds(15);
  };
  /// `limiter` must outlive it.
  explicit RedisSeats(RedisLimiter& limiter) : RedisSeats(limiter, Options{}) {}
  RedisSeats(RedisLimiter& limiter, Options options) : limiter_(limiter), options_(options) {}

  Task<Hold> Take(std::string_view name, std::string_view key, int limit, int count) override;

 private:
  void GiveBack(std::string name, std::string key, std::vector<std::string> seats);

  RedisLimiter& limiter_;
  Options options_;
};

}  // namespace latchkey::limits
