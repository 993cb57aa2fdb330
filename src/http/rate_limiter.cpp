#include "http/rate_limiter.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace latchkey::http {

std::optional<std::chrono::milliseconds> RateLimiter::Hit(std::string_view key) {
  const Instant now = clock_.Now();
  const auto found = entries_.find(key);
  Instant arrival = now;
  if (found != entries_.end()) arrival = std::max(now, found->second->theoretical_arrival);
  const Instant next = arrival + options_.interval;
  const Instant allowed_at = next - options_.interval * options_.burst;
  if (allowed_at > now) return std::chrono::ceil<std::chrono::milliseconds>(allowed_at - now);

  if (found != entries_.end()) {
    found->second->theoretical_arrival = next;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return std::nullopt;
  }
  if (entries_.size() >= options_.max_keys) {
    entries_.erase(by_use_.back().key);
    by_use_.pop_back();
  }
  by_use_.push_front({std::string(key), next});
  entries_.emplace(by_use_.front().key, by_use_.begin());
  return std::nullopt;
}

std::string ClientNetwork(std::string_view address) {
  in6_addr bytes;
  const std::string text(address);
  if (inet_pton(AF_INET6, text.c_str(), &bytes) != 1) return text;
  char out[INET6_ADDRSTRLEN];
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) {
    inet_ntop(AF_INET, bytes.s6_addr + 12, out, sizeof out);
    return out;
  }
  std::memset(bytes.s6_addr + 8, 0, 8);
  inet_ntop(AF_INET6, &bytes, out, sizeof out);
  return std::string(out) + "/64";
}

}  // namespace latchkey::http
