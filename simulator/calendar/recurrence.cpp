#include "simulator/calendar/recurrence.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "simulator/mime/text.hpp"

namespace latchkey::simulator::calendar {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::seconds;
using std::chrono::weekday;
using std::chrono::year_month_day;

constexpr std::string_view kFrequencies[] = {"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
constexpr std::string_view kWeekdays[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
/// Days looked at plus times made for one series.
constexpr std::uint64_t kMaxSteps = 2'000'000;
constexpr std::size_t kMaxListed = 400;

bool ReadNumber(std::string_view text, int& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

template <class Each>
bool EachItem(std::string_view list, const Each& each) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (!each(list.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

/// Numbers from `-most` to `most`, without 0 unless `least` is 0 (then nothing negative either).
bool ReadNumbers(std::string_view list, int least, int most, std::vector<int>& out) {
  return EachItem(list, [&](std::string_view item) {
    int value = 0;
    if (!ReadNumber(item, value) || value > most || value < (least == 0 ? 0 : -most)) return false;
    if (least != 0 && value == 0) return false;
    if (out.size() >= kMaxListed) return false;
    out.push_back(value);
    return true;
  });
}

bool ReadDays(std::string_view list, std::vector<Rule::Day>& out) {
  return EachItem(list, [&](std::string_view item) {
    if (item.size() < 2 || out.size() >= kMaxListed) return false;
    const auto* const name = std::ranges::find(kWeekdays, item.substr(item.size() - 2));
    if (name == std::end(kWeekdays)) return false;
    Rule::Day day{.weekday = weekday(static_cast<unsigned>(name - kWeekdays))};
    const std::string_view number = item.substr(0, item.size() - 2);
    if (!number.empty() && (!ReadNumber(number, day.nth) || day.nth == 0 || day.nth > 53 || day.nth < -53)) {
      return false;
    }
    out.push_back(day);
    return true;
  });
}

bool ReadUntil(std::string_view text, Rule& rule) {
  int date = 0;
  int time = 0;
  if (text.size() < 8 || !ReadNumber(text.substr(0, 8), date) || date < 0) return false;
  const year_month_day ymd{std::chrono::year(date / 10000), std::chrono::month(static_cast<unsigned>(date / 100 % 100)),
                           std::chrono::day(static_cast<unsigned>(date % 100))};
  if (!ymd.ok()) return false;
  rule.until_is_date = text.size() == 8;
  if (!rule.until_is_date) {
    if (text.size() < 15 || text[8] != 'T' || !ReadNumber(text.substr(9, 6), time) || time < 0) return false;
    rule.until_is_utc = text.size() == 16 && text[15] == 'Z';
    if (text.size() > 15 && !rule.until_is_utc) return false;
  }
  if (time / 10000 > 23 || time / 100 % 100 > 59 || time % 100 > 60) return false;
  rule.until =
      local_days(ymd) + std::chrono::hours(time / 10000) + std::chrono::minutes(time / 100 % 100) + seconds(time % 100);
  return true;
}

bool ReadPart(std::string_view name, std::string_view value, Rule& rule) {
  if (name == "FREQ") {
    const auto* const found = std::ranges::find(kFrequencies, value);
    if (found == std::end(kFrequencies)) return false;
    rule.frequency = static_cast<Frequency>(found - kFrequencies);
    return true;
  }
  int number = 0;
  if (name == "INTERVAL") return ReadNumber(value, rule.interval) && rule.interval > 0;
  if (name == "COUNT") {
    if (!ReadNumber(value, number) || number < 1) return false;
    rule.count = static_cast<std::uint32_t>(number);
    return true;
  }
  if (name == "UNTIL") return ReadUntil(value, rule);
  if (name == "BYDAY") return ReadDays(value, rule.days);
  if (name == "BYMONTH") return ReadNumbers(value, 1, 12, rule.months);
  if (name == "BYMONTHDAY") return ReadNumbers(value, 1, 31, rule.month_days);
  if (name == "BYYEARDAY") return ReadNumbers(value, 1, 366, rule.year_days);
  if (name == "BYWEEKNO") return ReadNumbers(value, 1, 53, rule.weeks);
  if (name == "BYHOUR") return ReadNumbers(value, 0, 23, rule.hours);
  if (name == "BYMINUTE") return ReadNumbers(value, 0, 59, rule.minutes);
  if (name == "BYSECOND") return ReadNumbers(value, 0, 60, rule.seconds);
  if (name == "BYSETPOS") return ReadNumbers(value, 1, 366, rule.positions);
  if (name == "WKST") {
    const auto* const found = std::ranges::find(kWeekdays, value);
    if (found == std::end(kWeekdays)) return false;
    rule.week_start = weekday(static_cast<unsigned>(found - kWeekdays));
    return true;
  }
  return name.starts_with("X-");
}

bool Has(const std::vector<int>& list, int value) { return std::ranges::find(list, value) != list.end(); }

/// `value` counted from 1, of `total`, or from the end.
bool HasCounted(const std::vector<int>& list, int value, int total) {
  return Has(list, value) || Has(list, value - total - 1);
}

int DaysIn(std::chrono::year_month month) {
  return static_cast<int>(static_cast<unsigned>((month / std::chrono::last).day()));
}
int DaysIn(std::chrono::year year) { return year.is_leap() ? 366 : 365; }

/// The first day of week 1: the first week with four days in the year (RFC 5545 section 3.3.10, BYWEEKNO).
local_days FirstWeek(std::chrono::year year, weekday week_start) {
  const local_days fourth = local_days(year / std::chrono::January / 4);
  return fourth - (weekday(fourth) - week_start);
}

/// Turns days and times of one series into a sequence.
class Expansion {
 public:
  Expansion(const Rule& rule, LocalTime start, LocalTime last, const std::function<bool(LocalTime)>& visit)
      : rule_(rule), start_(start), last_(last), visit_(visit) {
    if (rule.until) last_ = std::min(last_, rule.until_is_date ? *rule.until + days(1) - seconds(1) : *rule.until);
    start_day_ = std::chrono::floor<days>(start);
    FillIn();
  }

  void Run() {
    if (rule_.frequency < Frequency::kDaily) return RunSubDaily();
    for (std::uint64_t period = 0; Alive() && RunPeriod(period); ++period) {
    }
  }

 private:
  bool Alive() const { return !done_ && steps_ < kMaxSteps; }

  /// What the rule leaves open comes from the start.
  void FillIn() {
    const year_month_day ymd(start_day_);
    const auto time = start_ - start_day_;
    if (rule_.frequency > Frequency::kDaily && rule_.year_days.empty() && rule_.month_days.empty() &&
        rule_.days.empty()) {
      const bool by_week = rule_.frequency == Frequency::kWeekly || !rule_.weeks.empty();
      if (by_week) {
        rule_.days.push_back({.weekday = weekday(start_day_)});
      } else {
        rule_.month_days.push_back(static_cast<int>(static_cast<unsigned>(ymd.day())));
        if (rule_.frequency == Frequency::kYearly && rule_.months.empty()) {
          rule_.months.push_back(static_cast<int>(static_cast<unsigned>(ymd.month())));
        }
      }
    }
    const std::chrono::hh_mm_ss clock(time);
    if (rule_.frequency >= Frequency::kDaily) {
      if (rule_.hours.empty()) rule_.hours.push_back(static_cast<int>(clock.hours().count()));
      if (rule_.minutes.empty()) rule_.minutes.push_back(static_cast<int>(clock.minutes().count()));
      if (rule_.seconds.empty()) rule_.seconds.push_back(static_cast<int>(clock.seconds().count()));
    }
    for (auto* list : {&rule_.hours, &rule_.minutes, &rule_.seconds}) std::ranges::sort(*list);
  }

  bool DayMatches(local_days day) {
    ++steps_;
    const year_month_day ymd(day);
    const int month = static_cast<int>(static_cast<unsigned>(ymd.month()));
    if (!rule_.months.empty() && !Has(rule_.months, month)) return false;
    const int month_day = static_cast<int>(static_cast<unsigned>(ymd.day()));
    const int month_length = DaysIn(ymd.year() / ymd.month());
    if (!rule_.month_days.empty() && !HasCounted(rule_.month_days, month_day, month_length)) return false;
    const int year_day = static_cast<int>((day - local_days(ymd.year() / 1 / 1)).count()) + 1;
    const int year_length = DaysIn(ymd.year());
    if (!rule_.year_days.empty() && !HasCounted(rule_.year_days, year_day, year_length)) return false;
    if (!rule_.weeks.empty() && rule_.frequency == Frequency::kYearly && !WeekMatches(day, ymd.year())) return false;
    if (rule_.days.empty()) return true;
    const bool in_month = rule_.frequency == Frequency::kMonthly || !rule_.months.empty();
    const int place = in_month ? month_day : year_day;
    const int length = in_month ? month_length : year_length;
    return std::ranges::any_of(rule_.days, [&](const Rule::Day& wanted) {
      if (weekday(day) != wanted.weekday) return false;
      // Ordinals mean something in months and years only, and not beside BYWEEKNO.
      if (wanted.nth == 0 || rule_.frequency < Frequency::kMonthly || !rule_.weeks.empty()) return true;
      return wanted.nth > 0 ? (place - 1) / 7 + 1 == wanted.nth : (length - place) / 7 + 1 == -wanted.nth;
    });
  }

  /// Weeks that begin before or end after the year still belong to the year that numbers them.
  bool WeekMatches(local_days day, std::chrono::year year) const {
    for (const auto numbered : {year - std::chrono::years(1), year, year + std::chrono::years(1)}) {
      const local_days first = FirstWeek(numbered, rule_.week_start);
      const local_days next = FirstWeek(numbered + std::chrono::years(1), rule_.week_start);
      if (day < first || day >= next) continue;
      return HasCounted(rule_.weeks, static_cast<int>((day - first).count() / 7) + 1,
                        static_cast<int>((next - first).count() / 7));
    }
    return false;
  }

  /// False once the period begins after the end.
  bool RunPeriod(std::uint64_t period) {
    const auto by = static_cast<std::int64_t>(period) * rule_.interval;
    if (by > 4'000'000) return false;
    local_days first = start_day_;
    local_days end;
    const year_month_day ymd(start_day_);
    switch (rule_.frequency) {
      case Frequency::kDaily:
        first += days(by);
        end = first + days(1);
        break;
      case Frequency::kWeekly:
        first += days(by * 7) - (weekday(start_day_) - rule_.week_start);
        end = first + days(7);
        break;
      case Frequency::kMonthly: {
        const auto month = ymd.year() / ymd.month() + std::chrono::months(by);
        if (!month.ok()) return false;
        first = local_days(month / 1);
        end = first + days(DaysIn(month));
        break;
      }
      default: {
        const auto year = ymd.year() + std::chrono::years(by);
        if (!year.ok() || year > std::chrono::year(9000)) return false;
        first = local_days(year / 1 / 1);
        end = first + days(DaysIn(year));
        break;
      }
    }
    if (LocalTime(first) > last_) return false;
    ++steps_;
    std::vector<LocalTime> times;
    for (local_days day = first; day < end; day += days(1)) {
      if (DayMatches(day)) AddTimes(day, times);
    }
    Emit(times);
    return true;
  }

  void AddTimes(local_days day, std::vector<LocalTime>& times) {
    for (const int hour : rule_.hours) {
      for (const int minute : rule_.minutes) {
        for (const int second : rule_.seconds) {
          ++steps_;
          times.push_back(day + std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second));
          if (!Alive()) return;
        }
      }
    }
  }

  void Emit(const std::vector<LocalTime>& times) {
    if (rule_.positions.empty()) {
      for (const LocalTime time : times) {
        if (!EmitOne(time)) return;
      }
      return;
    }
    const int total = static_cast<int>(times.size());
    for (int i = 0; i < total; ++i) {
      if (HasCounted(rule_.positions, i + 1, total) && !EmitOne(times[static_cast<std::size_t>(i)])) return;
    }
  }

  bool EmitOne(LocalTime time) {
    if (time < start_) return true;
    if (time > last_ || (rule_.count && emitted_ >= *rule_.count)) {
      done_ = true;
      return false;
    }
    ++emitted_;
    if (!visit_(time) || (rule_.count && emitted_ >= *rule_.count)) done_ = true;
    return !done_;
  }

  void RunSubDaily() {
    const std::int64_t unit = rule_.frequency == Frequency::kHourly     ? 3600
                              : rule_.frequency == Frequency::kMinutely ? 60
                                                                        : 1;
    const std::int64_t step = unit * rule_.interval;
    for (local_days day = start_day_; Alive() && LocalTime(day) <= last_; day += days(1)) {
      if (!DayMatches(day)) continue;
      const std::int64_t since = (LocalTime(day) - start_).count();
      std::int64_t at = since <= 0 ? 0 : (since + step - 1) / step * step;
      for (; Alive() && start_ + seconds(at) < LocalTime(day + days(1)); at += step) {
        ++steps_;
        AddSubDaily(start_ + seconds(at), unit);
      }
    }
  }

  /// The hour, minute or second `time`, with the finer parts the rule expands it by.
  void AddSubDaily(LocalTime time, std::int64_t unit) {
    const auto since = time - std::chrono::floor<days>(time);
    const std::chrono::hh_mm_ss clock(since);
    const auto hour = static_cast<int>(clock.hours().count());
    const auto minute = static_cast<int>(clock.minutes().count());
    const auto second = static_cast<int>(clock.seconds().count());
    if (!rule_.hours.empty() && !Has(rule_.hours, hour)) return;
    if (unit < 3600 && !rule_.minutes.empty() && !Has(rule_.minutes, minute)) return;
    if (unit < 60 && !rule_.seconds.empty() && !Has(rule_.seconds, second)) return;
    const std::vector<int> minutes = unit == 3600 && !rule_.minutes.empty() ? rule_.minutes : std::vector<int>{minute};
    const std::vector<int> secs = unit >= 60 && !rule_.seconds.empty() ? rule_.seconds : std::vector<int>{second};
    std::vector<LocalTime> times;
    for (const int m : minutes) {
      for (const int s : secs) {
        ++steps_;
        times.push_back(std::chrono::floor<days>(time) + std::chrono::hours(hour) + std::chrono::minutes(m) +
                        seconds(s));
      }
    }
    Emit(times);
  }

  Rule rule_;
  LocalTime start_;
  LocalTime last_;
  const std::function<bool(LocalTime)>& visit_;
  local_days start_day_;
  std::uint64_t steps_ = 0;
  std::uint32_t emitted_ = 0;
  bool done_ = false;
};

}  // namespace

std::expected<Rule, std::string> ParseRule(std::string_view text) {
  if (mime::StartsWithNoCase(text, "RRULE:")) text.remove_prefix(6);
  Rule rule;
  bool has_frequency = false;
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  std::string_view rest = mime::Trim(upper);
  while (!rest.empty()) {
    const std::size_t semicolon = rest.find(';');
    const std::string_view part = mime::Trim(rest.substr(0, semicolon));
    rest = semicolon == std::string_view::npos ? std::string_view() : rest.substr(semicolon + 1);
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    if (equals == std::string_view::npos || !ReadPart(name, part.substr(equals + 1), rule)) {
      return std::unexpected(fmt::format("the recurrence rule's part {} cannot be read", part));
    }
    has_frequency = has_frequency || name == "FREQ";
  }
  if (!has_frequency) return std::unexpected(std::string("the recurrence rule has no FREQ"));
  return rule;
}

void Expand(const Rule& rule, LocalTime start, LocalTime last, const std::function<bool(LocalTime)>& visit) {
  Expansion(rule, start, last, visit).Run();
}

}  // namespace latchkey::simulator::calendar
