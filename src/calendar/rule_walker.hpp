#pragma once

#include <optional>
#include <vector>

#include "calendar/recurrence_rule.hpp"

namespace latchkey::calendar {

/// What expanding may cost: every look at a candidate takes one. One budget is shared by a request, so that rules made
/// to be dear (RFC 5545 knows "every second, in Februaries that have a 30th") end the search instead of the server.
class ExpansionBudget {
 public:
  explicit ExpansionBudget(std::int64_t steps) : left_(steps) {}
  /// False when it is used up.
  bool Spend(std::int64_t steps = 1) { return (left_ -= steps) >= 0; }
  bool exhausted() const { return left_ < 0; }

 private:
  std::int64_t left_;
};

/// Walks the starts of one rule in ascending order, as wall clock readings in the series' zone. UNTIL and COUNT are
/// kept; the first start itself belongs to the set only where the rule says so.
class RuleWalker {
 public:
  /// Starts before `from` may be left out (never when the rule has a COUNT that must be counted).
  RuleWalker(const RecurrenceRule& rule, LocalSeconds first, const TimeZone& zone, std::optional<LocalSeconds> from,
             LocalSeconds to, ExpansionBudget& budget);

  /// nullopt when there is none before `to`, or when the budget is used up.
  std::optional<LocalSeconds> Next();

 private:
  using Days = std::chrono::local_days;
  void SkipTo(LocalSeconds from);
  bool FillPeriod();
  bool FillDayPeriod();
  bool FillClockPeriod();
  std::pair<Days, Days> PeriodDays() const;
  bool DayMatches(Days day) const;
  bool OrdinalMatches(const RecurrenceRule::Day& wanted, Days day) const;
  void AddTimes(Days day);
  void KeepPositions();
  bool WithinUntil(LocalSeconds moment) const;

  const RecurrenceRule rule_;
  const LocalSeconds first_;
  const TimeZone& zone_;
  const LocalSeconds to_;
  ExpansionBudget& budget_;
  std::vector<int> hours_, minutes_, seconds_;
  std::int64_t period_ = 0;  ///< Number of the next period, counted in intervals.
  std::vector<LocalSeconds> found_;
  std::size_t next_ = 0;
  std::int64_t counted_ = 0;
  bool ended_ = false;
};

}  // namespace latchkey::calendar
