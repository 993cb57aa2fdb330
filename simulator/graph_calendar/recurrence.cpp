#include "simulator/graph_calendar/recurrence.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "simulator/calendar/recurrence.hpp"
#include "simulator/calendar/series.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::graph {
namespace {

namespace json = boost::json;
using calendar::Frequency;
using calendar::Rule;

constexpr std::array kDays = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
constexpr std::array kShort = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
constexpr std::array kIndexes = {"first", "second", "third", "fourth", "last"};

std::string Date(calendar::LocalTime local) {
  const std::string basic = calendar::FormatBasicDate(local);
  return basic.substr(0, 4) + "-" + basic.substr(4, 2) + "-" + basic.substr(6, 2);
}

json::array DayNames(const Rule& rule) {
  json::array days;
  for (const Rule::Day& day : rule.days) days.emplace_back(kDays[day.weekday.c_encoding()]);
  return days;
}

/// 1 to 4 or -1, the same for every day of the rule; nullopt: not expressible.
std::optional<int> CommonIndex(const Rule& rule) {
  int index = rule.days.front().nth;
  if (index == 0 && rule.positions.size() == 1) index = rule.positions[0];
  const bool same =
      std::ranges::all_of(rule.days, [&](const Rule::Day& day) { return day.nth == rule.days.front().nth; });
  const bool one = rule.positions.empty() || rule.days.front().nth == 0;
  if (!same || !one || index == 0 || index > 4 || index < -1 || (rule.days.size() > 1 && rule.positions.empty())) {
    return std::nullopt;
  }
  return index;
}

std::optional<json::object> Pattern(const Rule& rule, const calendar::EventTime& start) {
  const std::chrono::year_month_day first(std::chrono::floor<std::chrono::days>(start.local));
  if (!rule.year_days.empty() || !rule.weeks.empty() || !rule.hours.empty() || !rule.minutes.empty() ||
      !rule.seconds.empty() || rule.frequency < Frequency::kDaily) {
    return std::nullopt;
  }
  const bool yearly = rule.frequency == Frequency::kYearly;
  const bool monthly = rule.frequency == Frequency::kMonthly;
  if ((!rule.months.empty() && (!yearly || rule.months.size() > 1)) || rule.month_days.size() > 1) return std::nullopt;
  if (!rule.positions.empty() && rule.days.empty()) return std::nullopt;
  json::object pattern = {{"type", "daily"},
                          {"interval", rule.interval},
                          {"month", 0},
                          {"dayOfMonth", 0},
                          {"firstDayOfWeek", kDays[rule.week_start.c_encoding()]},
                          {"index", "first"}};
  if (rule.frequency == Frequency::kDaily && (!rule.month_days.empty() || !rule.positions.empty())) return std::nullopt;
  if (rule.frequency == Frequency::kDaily && rule.days.empty()) return pattern;
  if (rule.frequency <= Frequency::kWeekly) {
    if (!rule.positions.empty() || !rule.month_days.empty()) return std::nullopt;
    if (rule.frequency == Frequency::kDaily && rule.interval != 1) return std::nullopt;
    pattern["type"] = "weekly";
    json::array days = DayNames(rule);
    if (days.empty()) {
      const std::chrono::weekday weekday{std::chrono::floor<std::chrono::days>(start.local)};
      days.emplace_back(kDays[weekday.c_encoding()]);
    }
    pattern["daysOfWeek"] = std::move(days);
    return pattern;
  }
  if (yearly) {
    const int month = rule.months.empty() ? static_cast<int>(static_cast<unsigned>(first.month())) : rule.months[0];
    // A weekday's place in the year is not one in a month.
    if (rule.months.empty() && !rule.days.empty()) return std::nullopt;
    pattern["month"] = month;
  }
  if (rule.days.empty()) {
    const int day = rule.month_days.empty() ? static_cast<int>(static_cast<unsigned>(first.day())) : rule.month_days[0];
    if (day < 1) return std::nullopt;
    pattern["type"] = monthly ? "absoluteMonthly" : "absoluteYearly";
    pattern["dayOfMonth"] = day;
    return pattern;
  }
  const auto index = CommonIndex(rule);
  if (!index || !rule.month_days.empty()) return std::nullopt;
  pattern["type"] = monthly ? "relativeMonthly" : "relativeYearly";
  pattern["daysOfWeek"] = DayNames(rule);
  pattern["index"] = kIndexes[*index == -1 ? 4 : static_cast<std::size_t>(*index - 1)];
  return pattern;
}

/// In lower case: names of enumerations come in any case ("Monday").
std::string WordOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? mime::Lower(value->as_string()) : std::string();
}

std::int64_t NumberOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value && value->is_uint64()) return static_cast<std::int64_t>(value->as_uint64());
  return value && value->is_int64() ? value->as_int64() : 0;
}

}  // namespace

std::optional<json::object> ToPattern(const calendar::Event& master) {
  std::optional<Rule> rule;
  for (const std::string& line : master.recurrence) {
    if (line.starts_with("EXDATE")) continue;  // Exchange deletes such occurrences.
    if (!line.starts_with("RRULE") || rule) return std::nullopt;
    const auto parsed = calendar::ParseRule(line);
    if (!parsed) return std::nullopt;
    rule = *parsed;
  }
  if (!rule) return std::nullopt;
  auto pattern = Pattern(*rule, master.start);
  if (!pattern) return std::nullopt;
  json::object range = {{"type", "noEnd"},
                        {"startDate", Date(master.start.local)},
                        {"endDate", "0001-01-01"},
                        {"recurrenceTimeZone", master.start.all_day ? "UTC" : calendar::WindowsZone(master.start.zone)},
                        {"numberOfOccurrences", 0}};
  if (rule->count) {
    range["type"] = "numbered";
    range["numberOfOccurrences"] = *rule->count;
  } else if (rule->until) {
    const bool shift = rule->until_is_utc && !master.start.all_day;
    const calendar::LocalTime until =
        shift ? calendar::ToLocal(calendar::ToInstant(*rule->until, "UTC"), master.start.zone) : *rule->until;
    range["type"] = "endDate";
    range["endDate"] = Date(until);
  }
  return json::object{{"pattern", std::move(*pattern)}, {"range", std::move(range)}};
}

std::expected<std::string, std::string> FromPattern(const json::object& recurrence, const calendar::EventTime& start) {
  const json::value* pattern_value = recurrence.if_contains("pattern");
  const json::value* range_value = recurrence.if_contains("range");
  if (!pattern_value || !pattern_value->is_object() || !range_value || !range_value->is_object()) {
    return std::unexpected(std::string("The recurrence needs a pattern and a range."));
  }
  const json::object& pattern = pattern_value->as_object();
  const json::object& range = range_value->as_object();
  const std::string type = WordOf(pattern, "type");
  const std::int64_t interval = NumberOf(pattern, "interval");
  if (interval < 1 || interval > 999) return std::unexpected(std::string("The recurrence interval is out of range."));
  std::string days;
  if (const json::value* list = pattern.if_contains("daysOfWeek"); list && list->is_array()) {
    for (const json::value& day : list->as_array()) {
      const std::string name = day.is_string() ? mime::Lower(day.as_string()) : std::string();
      const auto* const found = std::ranges::find(kDays, name);
      if (found == kDays.end()) return std::unexpected(std::string("A day of the week is unknown."));
      days += (days.empty() ? "" : ",") + std::string(kShort[static_cast<std::size_t>(found - kDays.begin())]);
    }
  }
  const auto* const index = std::ranges::find(kIndexes, WordOf(pattern, "index"));
  const int place = index == kIndexes.end() || index - kIndexes.begin() == 4
                        ? (index == kIndexes.end() ? 1 : -1)
                        : static_cast<int>(index - kIndexes.begin()) + 1;
  std::string rule = fmt::format("INTERVAL={}", interval);
  if (type == "daily") {
    rule = "FREQ=DAILY;" + rule;
  } else if (type == "weekly") {
    const auto* const first = std::ranges::find(kDays, WordOf(pattern, "firstDayOfWeek"));
    if (days.empty()) return std::unexpected(std::string("A weekly pattern needs daysOfWeek."));
    rule = fmt::format("FREQ=WEEKLY;{};BYDAY={};WKST={}", rule, days,
                       kShort[first == kDays.end() ? 0 : static_cast<std::size_t>(first - kDays.begin())]);
  } else if (type == "absolutemonthly") {
    rule = fmt::format("FREQ=MONTHLY;{};BYMONTHDAY={}", rule, NumberOf(pattern, "dayOfMonth"));
  } else if (type == "relativemonthly") {
    rule = fmt::format("FREQ=MONTHLY;{};BYDAY={};BYSETPOS={}", rule, days, place);
  } else if (type == "absoluteyearly") {
    rule = fmt::format("FREQ=YEARLY;{};BYMONTH={};BYMONTHDAY={}", rule, NumberOf(pattern, "month"),
                       NumberOf(pattern, "dayOfMonth"));
  } else if (type == "relativeyearly") {
    rule = fmt::format("FREQ=YEARLY;{};BYMONTH={};BYDAY={};BYSETPOS={}", rule, NumberOf(pattern, "month"), days, place);
  } else {
    return std::unexpected(std::string("The recurrence pattern type is unknown."));
  }
  const std::string end = WordOf(range, "type");
  if (end == "numbered") {
    rule += fmt::format(";COUNT={}", NumberOf(range, "numberOfOccurrences"));
  } else if (end == "enddate") {
    std::string until = WordOf(range, "endDate");
    std::erase(until, '-');
    rule += ";UNTIL=" + until;
    if (!start.all_day) rule += "T235959";
  } else if (end != "noend") {
    return std::unexpected(std::string("The recurrence range type is unknown."));
  }
  if (!calendar::ParseRule(rule)) return std::unexpected(std::string("The recurrence pattern is invalid."));
  return "RRULE:" + rule;
}

}  // namespace latchkey::simulator::graph
