#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "limits/limiter.hpp"

namespace latchkey::limits {

/// Allows `burst` requests per key at once and then one every `interval`. Loop thread only.
class RequestLimit {
 public:
  struct Options {
    int burst = 10;
    std::chrono::microseconds interval = std::chrono::seconds(1);
  };

  /// `limiter` must outlive it. `name` tells this limit from the others of that limiter.
  RequestLimit(Limiter& limiter, std::string name, Options options)
      : limiter_(limiter),
        name_(std::move(name)),
        rate_{.per_minute = 60e6 / static_cast<double>(options.interval.count()),
              .burst = static_cast<double>(options.burst)} {}

  /// Counts one request. nullopt: allowed; otherwise how long to wait (for Retry-After).
  Task<std::optional<std::chrono::milliseconds>> Hit(std::string_view key) {
    const Draw draw{.name = name_, .key = key, .rate = rate_};
    const std::span<const Draw> draws(&draw, 1);
    const auto wait = co_await limiter_.Take(draws);
    if (wait <= std::chrono::microseconds(0)) co_return std::nullopt;
    co_return std::chrono::ceil<std::chrono::milliseconds>(wait);
  }

 private:
  Limiter& limiter_;
  std::string name_;
  Rate rate_;
};

}  // namespace latchkey::limits
