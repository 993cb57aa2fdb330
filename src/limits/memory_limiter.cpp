#include "limits/memory_limiter.hpp"

#include <algorithm>
#include <cassert>

namespace latchkey::limits {

using std::chrono::microseconds;

namespace {

Draw Scaled(const Draw& draw, double share) {
  Draw own = draw;
  own.rate.per_minute *= share;
  own.rate.burst *= share;
  own.rate.surplus_per_minute *= share;
  own.rate.minute_limit *= share;
  own.reserve *= share;
  return own;
}

}  // namespace

Task<microseconds> MemoryLimiter::Take(std::span<const Draw> draws) { co_return TakeNow(draws); }

microseconds MemoryLimiter::TakeNow(std::span<const Draw> draws, double share) {
  assert(draws.size() <= kMaxDraws);
  const Instant now = clock_.Now();
  struct Asked {
    Draw draw;
    Bucket* bucket = nullptr;
    Bucket::Offer offer;
  };
  std::array<Asked, kMaxDraws> asked;
  microseconds wait(0);
  for (std::size_t i = 0; i < draws.size(); ++i) {
    Asked& one = asked[i];
    one.draw = Scaled(draws[i], share);
    one.bucket = &Find(draws[i]);
    one.offer = one.bucket->Ask(one.draw, now);
    wait = std::max(wait, one.offer.wait);
  }
  if (wait > microseconds(0)) return wait;
  for (std::size_t i = 0; i < draws.size(); ++i) asked[i].bucket->Spend(asked[i].draw, asked[i].offer.surplus, now);
  return wait;
}

void MemoryLimiter::Charge(std::span<const Draw> draws, double share) {
  const Instant now = clock_.Now();
  for (const Draw& draw : draws) Find(draw).Charge(Scaled(draw, share), now);
}

Bucket& MemoryLimiter::Find(const Draw& draw) {
  auto group = std::ranges::find(groups_, draw.name, &Group::name);
  if (group == groups_.end()) group = groups_.insert(groups_.end(), Group{.name = std::string(draw.name)});
  auto& [name, by_use, entries] = *group;
  if (const auto found = entries.find(draw.key); found != entries.end()) {
    by_use.splice(by_use.begin(), by_use, found->second);
    return by_use.front().bucket;
  }
  // At least as many as one call draws from: those it has found must stay.
  if (entries.size() >= std::max(max_keys_, kMaxDraws)) {
    entries.erase(by_use.back().key);
    by_use.pop_back();
  }
  by_use.push_front({.key = std::string(draw.key)});
  entries.emplace(by_use.front().key, by_use.begin());
  return by_use.front().bucket;
}

std::size_t MemoryLimiter::size() const {
  std::size_t count = 0;
  for (const Group& group : groups_) count += group.entries.size();
  return count;
}

}  // namespace latchkey::limits
