#include "limits/bucket.hpp"

#include <algorithm>

namespace latchkey::limits {

using std::chrono::microseconds;

namespace {

/// When the surplus does not pay: the record changes by the second.
constexpr microseconds kNextLook = std::chrono::seconds(1);
constexpr microseconds kMinute = std::chrono::minutes(1);

std::int64_t SecondOf(Instant now) { return std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count(); }

/// The time in which `units` are earned at `rate` units a minute.
microseconds TimeToEarn(double rate, double units) {
  return microseconds(static_cast<std::int64_t>(60e6 * units / rate));
}

}  // namespace

Bucket::Offer Bucket::Ask(const Draw& draw, Instant now) {
  Keep(draw, now);
  const microseconds base = BaseWait(draw, now);
  if (base == microseconds(0)) return {};
  if (draw.rate.surplus_per_minute <= 0) return {.wait = base};
  const microseconds surplus = SurplusWait(draw, now);
  return surplus == microseconds(0) ? Offer{.wait = surplus, .surplus = true} : Offer{.wait = std::min(base, surplus)};
}

microseconds Bucket::BaseWait(const Draw& draw, Instant now) const {
  const microseconds cost = TimeToEarn(draw.rate.per_minute, draw.units);
  // A draw dearer than the burst must still be possible once, from a full bucket.
  const microseconds burst = std::max(TimeToEarn(draw.rate.per_minute, draw.rate.burst - draw.reserve), cost);
  return std::max(microseconds(0), std::max(earned_at_, now) + cost - now - burst);
}

microseconds Bucket::SurplusWait(const Draw& draw, Instant now) const {
  const double limit = draw.rate.minute_limit - draw.reserve;
  const double base_per_second = draw.rate.per_minute / kWindowSeconds;
  // The minutes that end 0, 1, 2, … seconds from now: what they will still hold of the past, and what the base adds.
  double spent = 0;
  for (const auto of_second : record_->spent) spent += of_second;
  for (int ahead = 0; ahead < kWindowSeconds; ++ahead) {
    if (spent + base_per_second * (ahead + 1) + draw.units > limit) return kNextLook;
    spent -= record_->spent[static_cast<std::size_t>((record_->newest_second + 1 + ahead) % kWindowSeconds)];
  }
  return std::max(microseconds(0), surplus_earned_at_ - now);
}

void Bucket::Spend(const Draw& draw, bool surplus, Instant now) {
  Note(draw.units);
  if (surplus) {
    surplus_earned_at_ = std::max(surplus_earned_at_, now) + TimeToEarn(draw.rate.surplus_per_minute, draw.units);
  } else {
    earned_at_ = std::max(earned_at_, now) + TimeToEarn(draw.rate.per_minute, draw.units);
  }
}

void Bucket::Charge(const Draw& draw, Instant now) {
  Keep(draw, now);
  Note(draw.units);
  const Instant empty = now + TimeToEarn(draw.rate.per_minute, draw.rate.burst);
  const Instant paid = std::max(earned_at_, now) + TimeToEarn(draw.rate.per_minute, draw.units);
  earned_at_ = std::max(earned_at_, std::min(paid, empty));
}

/// Brings the state up to the present, and takes back what only a clock that was set back can have made of it: without
/// that a bucket would stay shut for as long as the step was.
void Bucket::Keep(const Draw& draw, Instant now) {
  const Rate& rate = draw.rate;
  const microseconds longest = std::max(kMinute, TimeToEarn(rate.per_minute, std::max(rate.burst, rate.minute_limit)));
  earned_at_ = std::min(earned_at_, now + longest);
  if (rate.surplus_per_minute <= 0) return;
  const microseconds longest_surplus = std::max(kMinute, TimeToEarn(rate.surplus_per_minute, rate.minute_limit));
  surplus_earned_at_ = std::min(surplus_earned_at_, now + longest_surplus);
  if (!record_) record_ = std::make_unique<Record>();
  Record& record = *record_;
  const std::int64_t second = SecondOf(now);
  if (second - record.newest_second >= kWindowSeconds || record.newest_second - second >= kWindowSeconds) {
    record.spent.fill(0);
    record.newest_second = second;
    return;
  }
  for (; record.newest_second < second; ++record.newest_second) {
    record.spent[static_cast<std::size_t>((record.newest_second + 1) % kWindowSeconds)] = 0;
  }
}

void Bucket::Note(double units) {
  if (!record_) return;
  record_->spent[static_cast<std::size_t>(record_->newest_second % kWindowSeconds)] += static_cast<float>(units);
}

}  // namespace latchkey::limits
