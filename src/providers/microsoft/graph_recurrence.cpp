#include "providers/microsoft/graph_recurrence.hpp"

#include <array>

#include <fmt/format.h>

namespace latchkey::microsoft {
namespace {

using calendar::ForEachIn;
using calendar::JsonElement;
using calendar::MemberOf;
using calendar::NumberOf;
using calendar::TextOf;

std::string_view DayOf(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kDays{{{"sunday", "SU"},
                                                                                       {"monday", "MO"},
                                                                                       {"tuesday", "TU"},
                                                                                       {"wednesday", "WE"},
                                                                                       {"thursday", "TH"},
                                                                                       {"friday", "FR"},
                                                                                       {"saturday", "SA"}}};
  for (const auto& [long_name, day] : kDays) {
    if (long_name == name) return day;
  }
  return {};
}

int PositionOf(std::string_view index) {
  static constexpr std::array<std::string_view, 4> kIndexes{"first", "second", "third", "fourth"};
  for (std::size_t i = 0; i < kIndexes.size(); ++i) {
    if (kIndexes[i] == index) return static_cast<int>(i) + 1;
  }
  return index == "last" ? -1 : 1;
}

}  // namespace

std::string RecurrenceLine(JsonElement recurrence) {
  const auto pattern = MemberOf(recurrence, "pattern"), range = MemberOf(recurrence, "range");
  if (!pattern || !range) return {};
  const auto type = TextOf(*pattern, "type");
  std::string days;
  ForEachIn(*pattern, "daysOfWeek", [&](JsonElement day) {
    std::string_view name;
    if (day.get_string().get(name) != simdjson::SUCCESS) return;
    if (const auto known = DayOf(name); !known.empty()) {
      if (!days.empty()) days += ',';
      days += known;
    }
  });
  const auto month = NumberOf(*pattern, "month").value_or(1), day = NumberOf(*pattern, "dayOfMonth").value_or(1);
  const int position = PositionOf(TextOf(*pattern, "index"));
  std::string rule;
  if (type == "daily") {
    rule = "FREQ=DAILY";
  } else if (type == "weekly") {
    rule = "FREQ=WEEKLY";
    if (!days.empty()) rule += ";BYDAY=" + days;
    if (const auto first = DayOf(TextOf(*pattern, "firstDayOfWeek")); !first.empty())
      rule += fmt::format(";WKST={}", first);
  } else if (type == "absoluteMonthly") {
    rule = fmt::format("FREQ=MONTHLY;BYMONTHDAY={}", day);
  } else if (type == "relativeMonthly") {
    rule = fmt::format("FREQ=MONTHLY;BYDAY={};BYSETPOS={}", days, position);
  } else if (type == "absoluteYearly") {
    rule = fmt::format("FREQ=YEARLY;BYMONTH={};BYMONTHDAY={}", month, day);
  } else if (type == "relativeYearly") {
    rule = fmt::format("FREQ=YEARLY;BYMONTH={};BYDAY={};BYSETPOS={}", month, days, position);
  } else {
    return {};
  }
  if (const auto interval = NumberOf(*pattern, "interval").value_or(1); interval > 1) {
    rule += fmt::format(";INTERVAL={}", interval);
  }
  const auto ends = TextOf(*range, "type");
  if (ends == "numbered") rule += fmt::format(";COUNT={}", NumberOf(*range, "numberOfOccurrences").value_or(1));
  if (ends == "endDate") {
    if (const auto last = calendar::ParseDate(TextOf(*range, "endDate"))) {
      const std::string date = calendar::FormatDate(*last);
      rule += ";UNTIL=" + date.substr(0, 4) + date.substr(5, 2) + date.substr(8, 2);
    }
  }
  return "RRULE:" + rule;
}

}  // namespace latchkey::microsoft
