#include "calendar/rule_walker.hpp"

#include <algorithm>
#include <array>

namespace latchkey::calendar {
namespace {

using Frequency = RecurrenceRule::Frequency;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::local_days;
using std::chrono::seconds;
using std::chrono::year_month_day;

constexpr std::int64_t kDaySeconds = 86'400;

bool Has(const std::vector<int>& list, int value) { return std::ranges::binary_search(list, value); }

/// Counted from the front or, as a negative number, from the back of `total`.
bool HasEither(const std::vector<int>& list, int value, int total) {
  return Has(list, value) || Has(list, value - total - 1);
}

int DaysInMonth(const year_month_day& date) {
  return static_cast<int>(static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day()));
}

local_days YearStart(std::chrono::year year) { return local_days(year / std::chrono::January / 1); }

/// The first day of week 1: the first week with at least four days in the year (ISO 8601 with any first weekday).
local_days FirstWeek(std::chrono::year year, std::chrono::weekday week_start) {
  const local_days fourth = YearStart(year) + days(3);
  return fourth - (std::chrono::weekday(fourth) - week_start);
}

std::int64_t UnitSeconds(Frequency frequency) {
  switch (frequency) {
    case Frequency::kSecondly:
      return 1;
    case Frequency::kMinutely:
      return 60;
    case Frequency::kHourly:
      return 3600;
    case Frequency::kDaily:
      return kDaySeconds;
    case Frequency::kWeekly:
      return 7 * kDaySeconds;
    case Frequency::kMonthly:
    case Frequency::kYearly:
      break;
  }
  return 0;
}

}  // namespace

RuleWalker::RuleWalker(const RecurrenceRule& rule, LocalSeconds first, const TimeZone& zone,
                       std::optional<LocalSeconds> from, LocalSeconds to, ExpansionBudget& budget)
    : rule_([&] {
        RecurrenceRule full = rule;
        const year_month_day start(floor<days>(first));
        const auto day = static_cast<int>(static_cast<unsigned>(start.day()));
        const auto month = static_cast<int>(static_cast<unsigned>(start.month()));
        const std::chrono::weekday weekday(floor<days>(first));
        // What the rule does not say is taken from the first start (RFC 5545 section 3.3.10).
        const bool names_days = !full.by_day.empty() || !full.by_month_day.empty() || !full.by_year_day.empty();
        if (full.frequency == Frequency::kYearly && !names_days) {
          if (!full.by_week_no.empty()) {
            full.by_day = {{.day = weekday}};
          } else {
            if (full.by_month.empty()) full.by_month = {month};
            full.by_month_day = {day};
          }
        }
        if (full.frequency == Frequency::kMonthly && !names_days) full.by_month_day = {day};
        if (full.frequency == Frequency::kWeekly && full.by_day.empty()) full.by_day = {{.day = weekday}};
        return full;
      }()),
      first_(first),
      zone_(zone),
      to_(to),
      budget_(budget) {
  const auto clock = (first - floor<days>(first)).count();
  const auto or_first = [](const std::vector<int>& list, std::int64_t value) {
    return list.empty() ? std::vector<int>{static_cast<int>(value)} : list;
  };
  hours_ = or_first(rule_.by_hour, clock / 3600);
  minutes_ = or_first(rule_.by_minute, clock / 60 % 60);
  seconds_ = or_first(rule_.by_second, clock % 60);
  if (from && *from > first_) SkipTo(*from);
}

void RuleWalker::SkipTo(LocalSeconds from) {
  // A rule without BY parts gives one start per period: how many came before can be said without walking.
  if (rule_.count) {
    RecurrenceRule bare = rule_;
    const std::chrono::weekday weekday(floor<days>(first_));
    if (rule_.frequency == Frequency::kWeekly && bare.by_day.size() == 1 && bare.by_day.front().day == weekday) {
      bare.by_day.clear();  // Filled in above, or said although it went without saying.
    }
    if (UnitSeconds(rule_.frequency) == 0 || bare.HasByParts()) return;
  }
  std::int64_t periods = 0;
  if (const std::int64_t unit = UnitSeconds(rule_.frequency); unit > 0) {
    periods = (from - first_).count() / unit / rule_.interval - 1;
  } else {
    const year_month_day start(floor<days>(first_)), wanted(floor<days>(from));
    const std::int64_t years = static_cast<int>(wanted.year()) - static_cast<int>(start.year());
    const std::int64_t months = static_cast<std::int64_t>(static_cast<unsigned>(wanted.month())) -
                                static_cast<std::int64_t>(static_cast<unsigned>(start.month()));
    periods = (rule_.frequency == Frequency::kYearly ? years : years * 12 + months) / rule_.interval - 1;
  }
  if (periods <= 0) return;
  period_ = periods;
  counted_ = periods;
}

bool RuleWalker::WithinUntil(LocalSeconds moment) const {
  if (!rule_.until) return true;
  const auto& until = *rule_.until;
  if (until.whole_day) return moment < until.moment + days(1);
  if (!until.utc) return moment <= until.moment;
  return zone_.ToUtc(moment) <= Instant(until.moment.time_since_epoch());
}

std::optional<LocalSeconds> RuleWalker::Next() {
  while (!ended_) {
    while (next_ < found_.size()) {
      const LocalSeconds moment = found_[next_++];
      if (moment < first_) continue;
      if (moment >= to_ || !WithinUntil(moment) || (rule_.count && counted_ >= *rule_.count)) {
        ended_ = true;
        return std::nullopt;
      }
      ++counted_;
      return moment;
    }
    if (!FillPeriod()) ended_ = true;
  }
  return std::nullopt;
}

bool RuleWalker::FillPeriod() {
  found_.clear();
  next_ = 0;
  if (!budget_.Spend()) return false;
  return rule_.frequency < Frequency::kDaily ? FillClockPeriod() : FillDayPeriod();
}

std::pair<local_days, local_days> RuleWalker::PeriodDays() const {
  const local_days start = floor<days>(first_);
  const std::int64_t steps = period_ * rule_.interval;
  if (rule_.frequency == Frequency::kDaily) return {start + days(steps), start + days(steps + 1)};
  if (rule_.frequency == Frequency::kWeekly) {
    const local_days week = start - (std::chrono::weekday(start) - rule_.week_start) + days(7 * steps);
    return {week, week + days(7)};
  }
  const year_month_day date(start);
  if (rule_.frequency == Frequency::kYearly) {
    const auto year = date.year() + std::chrono::years(steps);
    return {YearStart(year), YearStart(year + std::chrono::years(1))};
  }
  const auto month = date.year() / date.month() + std::chrono::months(steps);
  return {local_days(month / 1), local_days((month + std::chrono::months(1)) / 1)};
}

bool RuleWalker::FillDayPeriod() {
  // Beyond any calendar's years there is nothing, and arithmetic stays within its types.
  if (period_ * rule_.interval > 4'000'000) return false;
  const auto [begin, end] = PeriodDays();
  ++period_;
  if (begin > to_ || year_month_day(begin).year() > std::chrono::year(9999)) return false;
  for (local_days day = begin; day < end; day += days(1)) {
    if (!DayMatches(day)) continue;
    AddTimes(day);
  }
  if (!budget_.Spend((end - begin).count() / 8 + static_cast<std::int64_t>(found_.size()))) return false;
  KeepPositions();
  return true;
}

void RuleWalker::AddTimes(local_days day) {
  for (const int hour : hours_) {
    for (const int minute : minutes_) {
      for (const int second : seconds_) {
        found_.push_back(day + std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second));
      }
    }
  }
}

/// Hourly and finer: a period is one reading of the clock. What the rule rules out is stepped over in one go.
bool RuleWalker::FillClockPeriod() {
  const std::int64_t step = UnitSeconds(rule_.frequency) * rule_.interval;
  const local_days first_day = floor<days>(first_);
  const LocalSeconds base = first_ - seconds((first_ - first_day).count() % UnitSeconds(rule_.frequency));
  if (period_ > 1'000'000'000'000 / step) return false;
  const LocalSeconds moment = base + seconds(period_ * step);
  if (moment > to_) return false;
  const local_days day = floor<days>(moment);
  const auto clock = (moment - day).count();
  const auto go_to = [&](LocalSeconds target) {
    period_ = std::max(period_ + 1, ((target - base).count() + step - 1) / step);
    return true;
  };
  const auto hour = static_cast<int>(clock / 3600), minute = static_cast<int>(clock / 60 % 60);
  if (!DayMatches(day)) return go_to(day + days(1));
  if (!rule_.by_hour.empty() && !Has(rule_.by_hour, hour)) return go_to(day + std::chrono::hours(hour + 1));
  if (rule_.frequency < Frequency::kHourly && !rule_.by_minute.empty() && !Has(rule_.by_minute, minute)) {
    return go_to(day + std::chrono::hours(hour) + std::chrono::minutes(minute + 1));
  }
  ++period_;
  if (rule_.frequency == Frequency::kSecondly) {
    if (rule_.by_second.empty() || Has(rule_.by_second, static_cast<int>(clock % 60))) found_.push_back(moment);
  } else {
    const LocalSeconds whole_hour = day + std::chrono::hours(hour);
    if (rule_.frequency == Frequency::kMinutely) {
      for (const int second : seconds_) found_.push_back(whole_hour + std::chrono::minutes(minute) + seconds(second));
    } else {
      for (const int each : minutes_) {
        for (const int second : seconds_) found_.push_back(whole_hour + std::chrono::minutes(each) + seconds(second));
      }
    }
  }
  if (!budget_.Spend(static_cast<std::int64_t>(found_.size()))) return false;
  KeepPositions();
  return true;
}

bool RuleWalker::OrdinalMatches(const RecurrenceRule::Day& wanted, local_days day) const {
  if (wanted.day != std::chrono::weekday(day)) return false;
  const bool in_month =
      rule_.frequency == Frequency::kMonthly || (rule_.frequency == Frequency::kYearly && !rule_.by_month.empty());
  const bool in_year = rule_.frequency == Frequency::kYearly && rule_.by_week_no.empty();
  if (wanted.ordinal == 0 || !(in_month || in_year)) return true;
  const year_month_day date(day);
  int from_front = 0, from_back = 0;
  if (in_month) {
    const auto number = static_cast<int>(static_cast<unsigned>(date.day()));
    from_front = (number - 1) / 7 + 1;
    from_back = (DaysInMonth(date) - number) / 7 + 1;
  } else {
    const auto number = static_cast<int>((day - YearStart(date.year())).count());
    const int total = date.year().is_leap() ? 366 : 365;
    from_front = number / 7 + 1;
    from_back = (total - 1 - number) / 7 + 1;
  }
  return wanted.ordinal > 0 ? wanted.ordinal == from_front : -wanted.ordinal == from_back;
}

bool RuleWalker::DayMatches(local_days day) const {
  const year_month_day date(day);
  if (!rule_.by_month.empty() && !Has(rule_.by_month, static_cast<int>(static_cast<unsigned>(date.month())))) {
    return false;
  }
  if (!rule_.by_month_day.empty() &&
      !HasEither(rule_.by_month_day, static_cast<int>(static_cast<unsigned>(date.day())), DaysInMonth(date))) {
    return false;
  }
  if (!rule_.by_year_day.empty()) {
    const auto number = static_cast<int>((day - YearStart(date.year())).count()) + 1;
    if (!HasEither(rule_.by_year_day, number, date.year().is_leap() ? 366 : 365)) return false;
  }
  if (!rule_.by_week_no.empty()) {
    // A day may belong to the last week of the year before or to the first one of the next.
    auto year = date.year() + std::chrono::years(1);
    local_days start = FirstWeek(year, rule_.week_start);
    while (start > day) start = FirstWeek(--year, rule_.week_start);
    const auto weeks = (FirstWeek(year + std::chrono::years(1), rule_.week_start) - start).count() / 7;
    if (!HasEither(rule_.by_week_no, static_cast<int>((day - start).count() / 7) + 1, static_cast<int>(weeks))) {
      return false;
    }
  }
  return rule_.by_day.empty() ||
         std::ranges::any_of(rule_.by_day, [&](const auto& wanted) { return OrdinalMatches(wanted, day); });
}

void RuleWalker::KeepPositions() {
  if (rule_.by_set_pos.empty() || found_.empty()) return;
  std::vector<LocalSeconds> kept;
  const auto total = static_cast<int>(found_.size());
  for (int at = 1; at <= total; ++at) {
    if (HasEither(rule_.by_set_pos, at, total)) kept.push_back(found_[static_cast<std::size_t>(at) - 1]);
  }
  found_ = std::move(kept);
}

}  // namespace latchkey::calendar
