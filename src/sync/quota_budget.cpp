#include "sync/quota_budget.hpp"

#include <algorithm>

namespace latchkey::sync {

using std::chrono::microseconds;

microseconds QuotaBudget::Cost(std::int64_t per_minute, double units) const {
  const double earned_per_minute = static_cast<double>(per_minute) * (1 - limits_.burst_share);
  return microseconds(static_cast<std::int64_t>(60e6 * units / earned_per_minute));
}

microseconds QuotaBudget::TrySpend(std::string_view account, std::int64_t units, Lane lane) {
  const Instant now = clock_.Now();
  Bucket& bucket = Find(account);
  const microseconds wait = std::max({Wait(bucket, limits_.account_units_per_minute, units, lane, now),
                                      Wait(project_, limits_.project_units_per_minute, units, lane, now)});
  if (wait > microseconds(0)) return wait;
  Spend(bucket, limits_.account_units_per_minute, units, now);
  Spend(project_, limits_.project_units_per_minute, units, now);
  return microseconds(0);
}

void QuotaBudget::Block(std::string_view account, std::chrono::milliseconds wait) {
  Bucket& bucket = Find(account);
  bucket.blocked_until = std::max(bucket.blocked_until, clock_.Now() + wait);
}

QuotaBudget::Bucket& QuotaBudget::Find(std::string_view account) {
  std::string key(account);
  if (const auto found = buckets_.find(key); found != buckets_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return order_.front();
  }
  if (buckets_.size() >= limits_.max_accounts) {
    buckets_.erase(order_.back().account);
    order_.pop_back();
  }
  order_.push_front({.account = key});
  buckets_.emplace(std::move(key), order_.begin());
  return order_.front();
}

microseconds QuotaBudget::Wait(const Bucket& bucket, std::int64_t per_minute, std::int64_t units, Lane lane,
                               Instant now) const {
  if (bucket.blocked_until > now) return bucket.blocked_until - now;
  if (per_minute <= 0) return microseconds(0);
  const double share = lane == Lane::kBackfill ? 1 - limits_.backfill_reserve : 1;
  microseconds burst = Cost(per_minute, static_cast<double>(per_minute) * limits_.burst_share * share);
  // A call dearer than the burst must still be possible once, from a full bucket.
  burst = std::max(burst, Cost(per_minute, static_cast<double>(units)));
  const Instant after = std::max(bucket.earned_at, now) + Cost(per_minute, static_cast<double>(units));
  return std::max(microseconds(0), after - now - burst);
}

void QuotaBudget::Spend(Bucket& bucket, std::int64_t per_minute, std::int64_t units, Instant now) const {
  if (per_minute <= 0) return;
  bucket.earned_at = std::max(bucket.earned_at, now) + Cost(per_minute, static_cast<double>(units));
}

}  // namespace latchkey::sync
