#include "calendar/recurrence_rule.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace latchkey::calendar {
namespace {

constexpr std::size_t kMaxRule = 8192;
constexpr std::int64_t kMaxInterval = 1'000'000, kMaxCount = 1'000'000'000;

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

template <class Number>
bool ParseNumber(std::string_view text, Number& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// Calls `take` with each part; false as soon as one call says so.
template <class Take>
bool ForEachPart(std::string_view text, char separator, const Take& take) {
  while (true) {
    const auto end = text.find(separator);
    if (!take(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

/// Sorted and each once. `negative`: counts from the end too.
bool ParseList(std::string_view text, int low, int high, bool negative, std::vector<int>& out) {
  out.clear();
  const bool ok = ForEachPart(text, ',', [&](std::string_view part) {
    int value = 0;
    if (!ParseNumber(part, value)) return false;
    const bool inside = (value >= low && value <= high) || (negative && value >= -high && value <= -1);
    if (!inside) return false;
    out.push_back(value);
    return true;
  });
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return ok;
}

std::optional<std::chrono::weekday> ParseWeekday(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kNames{"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
  const auto it = std::ranges::find(kNames, text);
  if (it == kNames.end()) return std::nullopt;
  return std::chrono::weekday(static_cast<unsigned>(it - kNames.begin()));
}

bool ParseDays(std::string_view text, std::vector<RecurrenceRule::Day>& out) {
  out.clear();
  return ForEachPart(text, ',', [&](std::string_view part) {
    if (part.size() < 2 || out.size() >= 400) return false;
    const auto day = ParseWeekday(part.substr(part.size() - 2));
    if (!day) return false;
    int ordinal = 0;
    part.remove_suffix(2);
    if (!part.empty() && (!ParseNumber(part, ordinal) || ordinal == 0 || ordinal < -53 || ordinal > 53)) return false;
    out.push_back({.day = *day, .ordinal = ordinal});
    return true;
  });
}

std::optional<RecurrenceRule::Frequency> ParseFrequency(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kNames{"SECONDLY", "MINUTELY", "HOURLY", "DAILY",
                                                          "WEEKLY",   "MONTHLY",  "YEARLY"};
  const auto it = std::ranges::find(kNames, text);
  if (it == kNames.end()) return std::nullopt;
  return static_cast<RecurrenceRule::Frequency>(it - kNames.begin());
}

/// One NAME=VALUE of the rule.
bool ParsePart(std::string_view name, std::string_view value, RecurrenceRule& rule, bool& has_frequency) {
  if (name == "FREQ") {
    const auto frequency = ParseFrequency(value);
    if (!frequency) return false;
    rule.frequency = *frequency;
    has_frequency = true;
    return true;
  }
  if (name == "INTERVAL") {
    return ParseNumber(value, rule.interval) && rule.interval >= 1 && rule.interval <= kMaxInterval;
  }
  if (name == "COUNT") {
    std::int64_t count = 0;
    if (!ParseNumber(value, count) || count < 1) return false;
    rule.count = std::min(count, kMaxCount);
    return true;
  }
  if (name == "UNTIL") {
    const auto until = ParseRecurrenceTime(value);
    if (!until) return false;
    rule.until = {.moment = until->moment, .utc = until->utc, .whole_day = until->is_date};
    return true;
  }
  if (name == "WKST") {
    const auto day = ParseWeekday(value);
    if (day) rule.week_start = *day;
    return day.has_value();
  }
  if (name == "BYDAY") return ParseDays(value, rule.by_day);
  if (name == "BYSECOND") {
    const bool ok = ParseList(value, 0, 60, false, rule.by_second);
    std::erase(rule.by_second, 60);  // No clock of ours has leap seconds.
    return ok;
  }
  if (name == "BYMINUTE") return ParseList(value, 0, 59, false, rule.by_minute);
  if (name == "BYHOUR") return ParseList(value, 0, 23, false, rule.by_hour);
  if (name == "BYMONTHDAY") return ParseList(value, 1, 31, true, rule.by_month_day);
  if (name == "BYYEARDAY") return ParseList(value, 1, 366, true, rule.by_year_day);
  if (name == "BYWEEKNO") return ParseList(value, 1, 53, true, rule.by_week_no);
  if (name == "BYMONTH") return ParseList(value, 1, 12, false, rule.by_month);
  if (name == "BYSETPOS") return ParseList(value, 1, 366, true, rule.by_set_pos);
  if (name == "RSCALE") return value == "GREGORIAN";
  return name != "SKIP" || value == "OMIT";
}

}  // namespace

std::optional<RecurrenceTime> ParseRecurrenceTime(std::string_view text) {
  const auto digits = [&](std::size_t at, std::size_t length) {
    int value = 0;
    for (std::size_t i = at; i < at + length; ++i) {
      if (text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  if (text.size() != 8 && text.size() != 15 && text.size() != 16) return std::nullopt;
  const int year = digits(0, 4), month = digits(4, 2), day = digits(6, 2);
  if (year < 1 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  RecurrenceTime time{.moment = std::chrono::local_days(date), .is_date = text.size() == 8};
  if (time.is_date) return time;
  time.utc = text.size() == 16;
  if (text[8] != 'T' || (time.utc && text[15] != 'Z')) return std::nullopt;
  const int hour = digits(9, 2), minute = digits(11, 2), second = digits(13, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return std::nullopt;
  time.moment += std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(std::min(second, 59));
  return time;
}

bool RecurrenceRule::HasByParts() const {
  return !by_second.empty() || !by_minute.empty() || !by_hour.empty() || !by_month_day.empty() ||
         !by_year_day.empty() || !by_week_no.empty() || !by_month.empty() || !by_set_pos.empty() || !by_day.empty();
}

Result<RecurrenceRule> RecurrenceRule::Parse(std::string_view text) {
  if (text.size() > kMaxRule) return Fail(ErrorCode::kInvalidArgument, "a recurrence rule longer than any we know");
  const std::string upper = Upper(text);
  RecurrenceRule rule;
  bool has_frequency = false;
  std::string_view wrong;
  const bool ok = ForEachPart(upper, ';', [&](std::string_view part) {
    if (part.empty()) return true;
    const auto equals = part.find('=');
    wrong = part.substr(0, equals);
    if (equals == std::string_view::npos) return false;
    return ParsePart(wrong, part.substr(equals + 1), rule, has_frequency);
  });
  if (!ok) return Fail(ErrorCode::kInvalidArgument, "a recurrence rule with a part that cannot be read");
  if (!has_frequency) return Fail(ErrorCode::kInvalidArgument, "a recurrence rule without a frequency");
  return rule;
}

}  // namespace latchkey::calendar
