#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/calendar/zones.hpp"

namespace latchkey::simulator::calendar {

enum class Frequency { kSecondly, kMinutely, kHourly, kDaily, kWeekly, kMonthly, kYearly };

/// One recurrence rule, RFC 5545 section 3.3.10.
struct Rule {
  struct Day {
    std::chrono::weekday weekday;
    int nth = 0;  ///< 0: every; -1: the last of the month or year.
  };

  Frequency frequency = Frequency::kDaily;
  int interval = 1;
  std::optional<std::uint32_t> count;
  std::optional<LocalTime> until;  ///< Inclusive.
  bool until_is_utc = false;       ///< `until` is a time in UTC, not on the series' own clock.
  bool until_is_date = false;      ///< The whole day counts.
  std::vector<int> months, month_days, year_days, weeks, hours, minutes, seconds, positions;
  std::vector<Day> days;
  std::chrono::weekday week_start = std::chrono::Monday;
};

/// "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10", with or without "RRULE:" in front. The error says which part is wrong.
std::expected<Rule, std::string> ParseRule(std::string_view text);

/// The starts of a series on its own clock, in order, beginning with the first one not before `start`, until `visit`
/// answers false, the rule ends, `last` is passed, or some two million steps were taken (then the rest is left out: no
/// rule may hold the loop thread for long). `start` counts only when it matches the rule. `until` must be on the
/// series' clock already.
void Expand(const Rule& rule, LocalTime start, LocalTime last, const std::function<bool(LocalTime)>& visit);

}  // namespace latchkey::simulator::calendar
