#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"

namespace latchkey::http {

/// Allows `burst` requests per key at once and then one every `interval` (GCRA, the generic cell rate algorithm). Keys
/// are bounded: beyond max_keys the one unused for longest is forgotten, which can only happen to its advantage. Loop
/// thread only.
class RateLimiter {
 public:
  struct Options {
    int burst = 10;
    std::chrono::microseconds interval = std::chrono::seconds(1);
    std::size_t max_keys = 100'000;
  };

  RateLimiter(const Clock& clock, Options options) : clock_(clock), options_(options) {}

  /// Counts one request. nullopt: allowed; otherwise how long to wait (for Retry-After).
  std::optional<std::chrono::milliseconds> Hit(std::string_view key);
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    Instant theoretical_arrival;
  };

  const Clock& clock_;
  Options options_;
  std::list<Entry> by_use_;  ///< Front: most recently used.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> entries_;
};

/// The part of an address that one client can be assumed to hold: an IPv4 address, or an IPv6 /64. For rate limit keys.
std::string ClientNetwork(std::string_view address);

}  // namespace latchkey::http
