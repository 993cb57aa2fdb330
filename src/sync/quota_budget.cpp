#include "sync/quota_budget.hpp"

#include <algorithm>

namespace latchkey::sync {

using std::chrono::microseconds;

namespace {

std::int64_t SecondOf(Instant now) { return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count(); }

}  // namespace

microseconds QuotaBudget::TimeToEarn(double rate, double units) {
  return microseconds(static_cast<std::int64_t>(60e6 * units / rate));
}

double QuotaBudget::BaseRate(std::int64_t per_minute) const {
  return static_cast<double>(per_minute) * (1 - limits_.burst_share);
}

microseconds QuotaBudget::TrySpend(std::string_view account, std::int64_t units, Lane lane) {
  const Instant now = clock_.Now();
  Bucket& bucket = Find(account);
  const Offer mine = Ask(bucket, limits_.account_units_per_minute, units, lane, now);
  const Offer shared = Ask(project_, limits_.project_units_per_minute, units, lane, now);
  if (const microseconds wait = std::max(mine.wait, shared.wait); wait > microseconds(0)) return wait;
  Spend(bucket, limits_.account_units_per_minute, units, mine.surplus, now);
  Spend(project_, limits_.project_units_per_minute, units, shared.surplus, now);
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

QuotaBudget::Offer QuotaBudget::Ask(Bucket& bucket, std::int64_t per_minute, std::int64_t units, Lane lane,
                                    Instant now) const {
  if (bucket.blocked_until > now) return {.wait = bucket.blocked_until - now};
  if (per_minute <= 0) return {};
  Roll(bucket, now);
  const microseconds base = BaseWait(bucket, per_minute, units, lane, now);
  if (base == microseconds(0)) return {};
  const microseconds surplus = SurplusWait(bucket, per_minute, units, lane, now);
  return surplus == microseconds(0) ? Offer{.wait = surplus, .surplus = true} : Offer{.wait = std::min(base, surplus)};
}

microseconds QuotaBudget::BaseWait(const Bucket& bucket, std::int64_t per_minute, std::int64_t units, Lane lane,
                                   Instant now) const {
  const double rate = BaseRate(per_minute);
  const double share = lane == Lane::kBackfill ? 1 - limits_.backfill_reserve : 1;
  microseconds burst = TimeToEarn(rate, static_cast<double>(per_minute) * limits_.burst_share * share);
  const microseconds cost = TimeToEarn(rate, static_cast<double>(units));
  // A call dearer than the burst must still be possible once, from a full bucket.
  burst = std::max(burst, cost);
  const Instant after = std::max(bucket.earned_at, now) + cost;
  return std::max(microseconds(0), after - now - burst);
}

microseconds QuotaBudget::SurplusWait(const Bucket& bucket, std::int64_t per_minute, std::int64_t units, Lane lane,
                                      Instant now) const {
  constexpr microseconds kNextLook = std::chrono::seconds(1);
  const double held_back = static_cast<double>(per_minute) * limits_.burst_share;
  if (held_back <= 0) return kNextLook;
  const double limit =
      static_cast<double>(per_minute) - (lane == Lane::kBackfill ? held_back * limits_.backfill_reserve : 0);
  const double base_per_second = BaseRate(per_minute) / kWindowSeconds;
  // The minutes that end 0, 1, 2, … seconds from now: what they will still hold of the past, and what the base adds.
  double spent = 0;
  for (const auto of_second : bucket.spent) spent += of_second;
  const std::int64_t newest = bucket.newest_second;
  for (int ahead = 0; ahead < kWindowSeconds; ++ahead) {
    if (spent + base_per_second * (ahead + 1) + static_cast<double>(units) > limit) return kNextLook;
    spent -= bucket.spent[static_cast<std::size_t>((newest + 1 + ahead) % kWindowSeconds)];
  }
  return std::max(microseconds(0), bucket.surplus_earned_at - now);
}

void QuotaBudget::Spend(Bucket& bucket, std::int64_t per_minute, std::int64_t units, bool surplus, Instant now) const {
  if (per_minute <= 0) return;
  bucket.spent[static_cast<std::size_t>(bucket.newest_second % kWindowSeconds)] += static_cast<std::uint32_t>(units);
  const auto count = static_cast<double>(units);
  if (surplus) {
    const double rate = static_cast<double>(per_minute) * limits_.burst_share;
    bucket.surplus_earned_at = std::max(bucket.surplus_earned_at, now) + TimeToEarn(rate, count);
  } else {
    bucket.earned_at = std::max(bucket.earned_at, now) + TimeToEarn(BaseRate(per_minute), count);
  }
}

void QuotaBudget::Roll(Bucket& bucket, Instant now) {
  const std::int64_t second = SecondOf(now);
  if (second - bucket.newest_second >= kWindowSeconds) {
    bucket.spent.fill(0);
    bucket.newest_second = second;
    return;
  }
  // A clock set back leaves the record as it is.
  for (; bucket.newest_second < second; ++bucket.newest_second) {
    bucket.spent[static_cast<std::size_t>((bucket.newest_second + 1) % kWindowSeconds)] = 0;
  }
}

}  // namespace latchkey::sync
