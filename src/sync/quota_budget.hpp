#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "limits/limiter.hpp"

namespace latchkey::sync {

/// A provider's request quota as a budget that is spent before the call, so that the provider hardly ever has to say
/// no. One bucket for each account and one for the whole project, kept by a limiter: in this process, or shared by all.
/// A bucket has two sources (limits::Rate):
///
///   the base      a burst after a rest, then what is left of a minute's units, evenly: good for any minute by itself
///   the surplus   the share that the burst keeps back, evenly too, as long as no minute can exceed the limit
///
/// Live calls may use everything; backfill leaves a reserve, which is what live calls find when a backfill has been
/// spending all it may. Loop thread only.
class QuotaBudget {
 public:
  struct Limits {
    std::int64_t account_units_per_minute = 6'000;      ///< 0: no limit.
    std::int64_t project_units_per_minute = 1'200'000;  ///< 0: no limit.
    /// Share of a minute's units that may be spent at once after a rest (a new mailbox's first hundred messages); the
    /// rest is earned evenly, so that no minute ever holds more than its limit.
    double burst_share = 0.4;
    double backfill_reserve = 0.1;  ///< Share of the burst, and as many units of each minute, that backfill leaves.
  };

  /// Both must outlive it. `service` tells this quota from the others in the limiter.
  QuotaBudget(limits::Limiter& limiter, const Clock& clock, std::string_view service, Limits limits);
  /// With a limiter of its own, in memory.
  QuotaBudget(const Clock& clock, Limits limits);
  ~QuotaBudget();

  enum class Lane { kLive, kBackfill };

  /// Takes `units` when both buckets have them and returns 0; otherwise takes nothing and returns how long to wait
  /// before it is worth asking again.
  Task<std::chrono::microseconds> TrySpend(std::string_view account, std::int64_t units, Lane lane);

  /// The provider refused all the same (other clients share the quota): nothing may be spent for the account until
  /// `wait` has passed. In this process alone; sync::ProviderPauses tells the others.
  void Block(std::string_view account, std::chrono::milliseconds wait);

 private:
  limits::Draw DrawOf(std::string_view name, std::string_view key, std::int64_t per_minute, std::int64_t units,
                      Lane lane) const;

  std::unique_ptr<limits::Limiter> own_;
  limits::Limiter& limiter_;
  const Clock& clock_;
  const std::string account_name_, project_name_;
  Limits limits_;
  std::unordered_map<std::string, Instant> blocked_until_;
};

}  // namespace latchkey::sync
