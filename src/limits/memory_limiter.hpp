#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "limits/bucket.hpp"
#include "limits/limiter.hpp"

namespace latchkey::limits {

/// The limits of one process. Buckets are bounded for each name: beyond that the one unused for longest is forgotten,
/// which can only happen to its advantage. Loop thread only.
class MemoryLimiter final : public Limiter {
 public:
  static constexpr std::size_t kMaxKeys = 100'000;

  explicit MemoryLimiter(const Clock& clock, std::size_t max_keys = kMaxKeys) : clock_(clock), max_keys_(max_keys) {}

  Task<std::chrono::microseconds> Take(std::span<const Draw> draws) override;

  /// The same without a coroutine, for a process that may use `share` (0 to 1) of every rate.
  std::chrono::microseconds TakeNow(std::span<const Draw> draws, double share = 1);
  /// Notes what was taken elsewhere, so that a process which is left to itself does not begin with a full bucket.
  void Charge(std::span<const Draw> draws, double share);

  std::size_t size() const;

 private:
  struct Entry {
    std::string key;
    Bucket bucket;
  };
  struct Group {
    std::string name;
    std::list<Entry> by_use;  ///< Front: most recently used.
    std::unordered_map<std::string_view, std::list<Entry>::iterator> entries;
  };

  Bucket& Find(const Draw& draw);

  const Clock& clock_;
  std::size_t max_keys_;
  std::deque<Group> groups_;  ///< Few: one for each name.
};

}  // namespace latchkey::limits
