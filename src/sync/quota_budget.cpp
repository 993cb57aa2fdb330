#include "sync/quota_budget.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "limits/memory_limiter.hpp"

namespace latchkey::sync {

using std::chrono::microseconds;

namespace {

/// Blocked accounts remembered before those whose block is over are cleared away.
constexpr std::size_t kMaxBlocked = 10'000;

}  // namespace

QuotaBudget::QuotaBudget(limits::Limiter& limiter, const Clock& clock, std::string_view service, Limits limits)
    : limiter_(limiter),
      clock_(clock),
      account_name_(std::string(service) + "_account"),
      project_name_(std::string(service) + "_project"),
      limits_(limits) {}

QuotaBudget::QuotaBudget(const Clock& clock, Limits limits)
    : own_(std::make_unique<limits::MemoryLimiter>(clock)),
      limiter_(*own_),
      clock_(clock),
      account_name_("account"),
      project_name_("project"),
      limits_(limits) {}

QuotaBudget::~QuotaBudget() = default;

limits::Draw QuotaBudget::DrawOf(std::string_view name, std::string_view key, std::int64_t per_minute,
                                 std::int64_t units, Lane lane) const {
  const auto whole = static_cast<double>(per_minute);
  const double burst = whole * limits_.burst_share;
  return {.name = name,
          .key = key,
          .rate = {.per_minute = whole - burst, .burst = burst, .surplus_per_minute = burst, .minute_limit = whole},
          .units = static_cast<double>(units),
          .reserve = lane == Lane::kBackfill ? burst * limits_.backfill_reserve : 0};
}

Task<microseconds> QuotaBudget::TrySpend(std::string_view account, std::int64_t units, Lane lane) {
  if (!blocked_until_.empty()) {
    const auto blocked = blocked_until_.find(std::string(account));
    if (blocked != blocked_until_.end()) {
      const Instant now = clock_.Now();
      if (blocked->second > now) co_return blocked->second - now;
      blocked_until_.erase(blocked);
    }
  }
  std::array<limits::Draw, 2> draws;
  std::size_t count = 0;
  if (limits_.account_units_per_minute > 0) {
    draws[count++] = DrawOf(account_name_, account, limits_.account_units_per_minute, units, lane);
  }
  if (limits_.project_units_per_minute > 0) {
    draws[count++] = DrawOf(project_name_, {}, limits_.project_units_per_minute, units, lane);
  }
  if (count == 0) co_return microseconds(0);
  const std::span<const limits::Draw> wanted(draws.data(), count);
  co_return co_await limiter_.Take(wanted);
}

void QuotaBudget::Block(std::string_view account, std::chrono::milliseconds wait) {
  const Instant now = clock_.Now();
  if (blocked_until_.size() >= kMaxBlocked) {
    std::erase_if(blocked_until_, [&](const auto& entry) { return entry.second <= now; });
  }
  Instant& until = blocked_until_[std::string(account)];
  until = std::max(until, now + wait);
}

}  // namespace latchkey::sync
