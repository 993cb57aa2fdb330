#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "calendar/time_zone.hpp"

namespace latchkey::calendar {

/// RFC 5545 section 3.3.10, as parsed from the value of an RRULE. Lists are sorted and within their ranges.
struct RecurrenceRule {
  enum class Frequency { kSecondly, kMinutely, kHourly, kDaily, kWeekly, kMonthly, kYearly };
  struct Day {
    std::chrono::weekday day;
    int ordinal = 0;  ///< 0: every one; 2: the second; -1: the last.
  };
  /// The last moment: an instant (UTC given) or a wall clock's reading in the series' own zone; `whole_day` when only a
  /// date was given.
  struct Until {
    LocalSeconds moment{};
    bool utc = false, whole_day = false;
  };

  Frequency frequency = Frequency::kDaily;
  std::int64_t interval = 1;
  std::optional<std::int64_t> count;
  std::optional<Until> until;
  std::vector<int> by_second, by_minute, by_hour, by_month_day, by_year_day, by_week_no, by_month, by_set_pos;
  std::vector<Day> by_day;
  std::chrono::weekday week_start = std::chrono::Monday;

  /// kInvalidArgument for what is no rule, for the calendar systems of RFC 7529, and for anything out of range. Parts
  /// of a rule that are not RFC 5545's ("X-...") are left out.
  static Result<RecurrenceRule> Parse(std::string_view text);
  bool HasByParts() const;
};

/// "20260315", "20260315T090000" or "20260315T090000Z".
struct RecurrenceTime {
  LocalSeconds moment{};
  bool utc = false, is_date = false;
};
std::optional<RecurrenceTime> ParseRecurrenceTime(std::string_view text);

}  // namespace latchkey::calendar
