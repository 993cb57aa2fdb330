#include "simulator/mime/date.hpp"

#include <array>
#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "simulator/mime/text.hpp"

namespace latchkey::simulator::mime {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct Zone {
  std::string_view name;
  int hours;
};
constexpr Zone kZones[] = {{"UT", 0},   {"UTC", 0},  {"GMT", 0},  {"Z", 0},    {"EST", -5}, {"EDT", -4},
                           {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::optional<int> Number(std::string_view text) {
  constexpr std::size_t kMaxDigits = 6;
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  int value = 0;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int> Month(std::string_view text) {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (text.size() >= 3 && EqualsNoCase(text.substr(0, 3), kMonths[i])) return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

/// Seconds east of UTC. An unknown name means UTC (RFC 5322 section 4.3).
std::optional<int> ZoneOffset(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] == '+' || text[0] == '-') {
    std::string digits;
    for (char c : text.substr(1)) {
      if (c != ':') digits.push_back(c);
    }
    const std::optional<int> value = Number(digits);
    if (!value || digits.size() > 4) return std::nullopt;
    const int hours = digits.size() <= 2 ? *value : *value / 100;
    const int minutes = digits.size() <= 2 ? 0 : *value % 100;
    const int seconds = hours * 3600 + minutes * 60;
    return text[0] == '-' ? -seconds : seconds;
  }
  for (const Zone& zone : kZones) {
    if (EqualsNoCase(text, zone.name)) return zone.hours * 3600;
  }
  return 0;
}

struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset = 0;
};

std::optional<std::int64_t> ToSeconds(const Fields& f) {
  using std::chrono::sys_days;
  const std::chrono::year_month_day date{std::chrono::year(f.year), std::chrono::month(static_cast<unsigned>(f.month)),
                                         std::chrono::day(static_cast<unsigned>(f.day))};
  if (!date.ok() || f.hour > 24 || f.minute > 59 || f.second > 60) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(sys_days(date).time_since_epoch()).count() + f.hour * 3600 +
         f.minute * 60 + f.second - f.offset;
}

/// Words between blanks and commas, comments left out.
std::vector<std::string> Words(std::string_view text) {
  constexpr std::size_t kMaxWords = 16;
  std::vector<std::string> words(1);
  int depth = 0;
  for (char c : text) {
    if (c == '(') {
      ++depth;
    } else if (c == ')') {
      if (depth > 0) --depth;
    } else if (depth > 0) {
      continue;
    } else if (IsSpace(c) || c == ',') {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back().push_back(c);
    }
    if (words.size() > kMaxWords) break;
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

/// "12:31", "12:31:05", "12.31.05".
bool ReadTime(std::string_view text, Fields& f) {
  std::array<int, 3> values{};
  std::size_t count = 0;
  while (!text.empty() && count < values.size()) {
    const std::size_t separator = text.find_first_of(":.");
    const std::optional<int> value = Number(text.substr(0, separator));
    if (!value) return false;
    values[count++] = *value;
    text = separator == std::string_view::npos ? std::string_view() : text.substr(separator + 1);
  }
  if (count < 2) return false;
  f.hour = values[0];
  f.minute = values[1];
  f.second = values[2];
  return true;
}

int FullYear(int year) {
  if (year < 69) return year + 2000;  // RFC 5322 section 4.3 draws the line at 50, POSIX and most readers at 69.
  if (year < 1000) return year + 1900;
  return year;
}

std::optional<std::int64_t> ParseIso(std::string_view text) {
  // 2026-11-20T12:31:05.123+01:00, with a blank instead of T as well.
  if (text.size() < 16 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ')) return std::nullopt;
  Fields f;
  const auto year = Number(text.substr(0, 4)), month = Number(text.substr(5, 2)), day = Number(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  f.year = *year;
  f.month = *month;
  f.day = *day;
  std::string_view rest = text.substr(11);
  std::size_t end = 0;
  while (end < rest.size() && (IsDigit(rest[end]) || rest[end] == ':')) ++end;
  if (!ReadTime(rest.substr(0, end), f)) return std::nullopt;
  rest.remove_prefix(end);
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    while (!rest.empty() && IsDigit(rest.front())) rest.remove_prefix(1);
  }
  const std::optional<int> offset = ZoneOffset(Trim(rest));
  if (!offset) return std::nullopt;
  f.offset = *offset;
  return ToSeconds(f);
}

}  // namespace

std::optional<std::int64_t> ParseDate(std::string_view text) {
  text = Trim(text);
  if (const auto iso = ParseIso(text)) return iso;
  std::vector<std::string> words = Words(text);
  std::size_t i = 0;
  // The name of the day is worth nothing; some write it glued to its comma, some leave it out.
  if (i < words.size() && !IsDigit(words[i][0])) {
    if (!Month(words[i]) || (words.size() > 1 && !IsDigit(words[1][0]) && Month(words[1]))) ++i;
  }
  Fields f;
  if (i >= words.size()) return std::nullopt;
  // "20-Nov-2026" is three words in one.
  if (words[i].find('-') != std::string::npos && IsDigit(words[i][0])) {
    const std::string joined = words[i];
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
    std::size_t at = i;
    std::string_view rest = joined;
    while (!rest.empty()) {
      const std::size_t dash = rest.find('-');
      words.insert(words.begin() + static_cast<std::ptrdiff_t>(at++), std::string(rest.substr(0, dash)));
      rest = dash == std::string_view::npos ? std::string_view() : rest.substr(dash + 1);
    }
  }
  if (i + 3 >= words.size()) return std::nullopt;
  std::optional<int> day = Number(words[i]);
  std::optional<int> month = Month(words[i + 1]);
  if (!day && (month = Month(words[i]))) day = Number(words[i + 1]);  // "Nov 20 12:31:05 2026", as asctime writes.
  if (!day || !month) return std::nullopt;
  std::size_t year_at = i + 2, time_at = i + 3;
  if (words[year_at].find(':') != std::string::npos) std::swap(year_at, time_at);
  std::size_t zone_at = i + 4;
  // asctime with a zone before the year: "Nov 20 12:31:05 GMT 2026".
  if (time_at == i + 2 && !IsDigit(words[year_at][0]) && zone_at < words.size()) std::swap(year_at, zone_at);
  const std::optional<int> year = Number(words[year_at]);
  if (!year || !ReadTime(words[time_at], f)) return std::nullopt;
  const std::optional<int> offset = zone_at < words.size() ? ZoneOffset(words[zone_at]) : 0;
  if (!offset) return std::nullopt;
  f.year = FullYear(*year);
  f.month = *month;
  f.day = *day;
  f.offset = *offset;
  return ToSeconds(f);
}

std::string FormatDate(std::int64_t seconds) {
  const std::chrono::sys_seconds instant{std::chrono::seconds(seconds)};
  const auto midnight = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss time(instant - midnight);
  return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(midnight).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

}  // namespace latchkey::simulator::mime
