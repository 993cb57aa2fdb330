#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"

namespace latchkey::sync {

/// A provider's request quota as a budget that is spent before the call, so that the provider hardly ever has to say
/// no. One bucket for each account and one for the whole project. A bucket has two sources, both GCRA (the generic cell
/// rate algorithm: one instant, "when all that was spent will have been earned", so nothing has to tick):
///
///   the base      a burst after a rest, then what is left of a minute's units, evenly: good for any minute by itself
///   the surplus   the share that the burst keeps back, evenly too, once the last burst is more than a minute ago
///
/// The surplus is spent only when no minute from now on, with all that the base will earn in it, can exceed the limit;
/// that is what the record of the last minute is for. Live calls may use everything; backfill leaves a reserve, which
/// is what live calls find when a backfill has been spending all it may. Loop thread only.
class QuotaBudget {
 public:
  struct Limits {
    std::int64_t account_units_per_minute = 6'000;      ///< 0: no limit.
    std::int64_t project_units_per_minute = 1'200'000;  ///< 0: no limit.
    /// Share of a minute's units that may be spent at once after a rest (a new mailbox's first hundred messages); the
    /// rest is earned evenly, so that no minute ever holds more than its limit.
    double burst_share = 0.4;
    double backfill_reserve = 0.1;  ///< Share of the burst, and as many units of each minute, that backfill leaves.
    /// Accounts remembered; the one longest unused is forgotten first (it has earned back its burst by then).
    std::size_t max_accounts = 10'000;
  };

  QuotaBudget(const Clock& clock, Limits limits) : clock_(clock), limits_(limits) {}

  enum class Lane { kLive, kBackfill };

  /// Takes `units` when both buckets have them and returns 0; otherwise takes nothing and returns how long to wait
  /// before it is worth asking again.
  std::chrono::microseconds TrySpend(std::string_view account, std::int64_t units, Lane lane);

  /// The provider refused all the same (other clients share the quota): nothing may be spent for the account until
  /// `wait` has passed.
  void Block(std::string_view account, std::chrono::milliseconds wait);

  std::size_t size() const { return buckets_.size(); }

 private:
  static constexpr int kWindowSeconds = 60;
  struct Bucket {
    std::string account;
    Instant earned_at{};          ///< GCRA's "theoretical arrival time" of the base.
    Instant surplus_earned_at{};  ///< The same of the surplus.
    Instant blocked_until{};
    /// Units spent in each of the last seconds; the one of second n stands at n modulo the length.
    std::array<std::uint32_t, kWindowSeconds> spent{};
    std::int64_t newest_second = 0;
  };
  using Order = std::list<Bucket>;
  /// Whether a bucket pays, and out of which source.
  struct Offer {
    std::chrono::microseconds wait{0};
    bool surplus = false;
  };

  Bucket& Find(std::string_view account);
  /// The time in which `units` are earned at `rate` units a minute.
  static std::chrono::microseconds TimeToEarn(double rate, double units);
  double BaseRate(std::int64_t per_minute) const;
  Offer Ask(Bucket& bucket, std::int64_t per_minute, std::int64_t units, Lane lane, Instant now) const;
  std::chrono::microseconds BaseWait(const Bucket& bucket, std::int64_t per_minute, std::int64_t units, Lane lane,
                                     Instant now) const;
  std::chrono::microseconds SurplusWait(const Bucket& bucket, std::int64_t per_minute, std::int64_t units, Lane lane,
                                        Instant now) const;
  void Spend(Bucket& bucket, std::int64_t per_minute, std::int64_t units, bool surplus, Instant now) const;
  /// Forgets what is older than the window.
  static void Roll(Bucket& bucket, Instant now);

  const Clock& clock_;
  Limits limits_;
  Bucket project_;
  Order order_;  ///< Most recently used first.
  std::unordered_map<std::string, Order::iterator> buckets_;
};

}  // namespace latchkey::sync
