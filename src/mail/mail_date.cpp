#include "mail/mail_date.hpp"

#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "mail/charset.hpp"

namespace latchkey::mail {
namespace {

using std::chrono::minutes;

/// The value without comments (RFC 5322 section 3.2.2), split at blanks and commas.
std::vector<std::string> Words(std::string_view value) {
  std::vector<std::string> words;
  std::string word;
  int depth = 0;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const char c : value) {
    if (c == '(') {
      ++depth;
      end_word();
    } else if (c == ')') {
      if (depth > 0) --depth;
    } else if (depth == 0) {
      if (static_cast<unsigned char>(c) <= ' ' || c == ',') {
        end_word();
      } else {
        word += c;
      }
    }
  }
  end_word();
  return words;
}

std::optional<int> Number(std::string_view text, std::size_t max_digits) {
  if (text.empty() || text.size() > max_digits) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<unsigned> Month(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kNames = {"jan", "feb", "mar", "apr", "may", "jun",
                                                              "jul", "aug", "sep", "oct", "nov", "dec"};
  if (word.size() < 3) return std::nullopt;
  const std::string lower = AsciiLower(word.substr(0, 3));
  for (unsigned i = 0; i < kNames.size(); ++i) {
    if (lower == kNames[i]) return i + 1;
  }
  return std::nullopt;
}

/// RFC 5322 section 4.3; military letters and unknown names mean "no information", that is UTC.
minutes Zone(std::string_view word) {
  if (word.size() >= 2 && (word[0] == '+' || word[0] == '-')) {
    std::string digits;
    for (const char c : word.substr(1)) {
      if (c >= '0' && c <= '9' && digits.size() < 4) digits += c;
    }
    if (digits.size() == 2) digits += "00";
    if (digits.size() == 3) digits.insert(0, "0");
    const auto value = Number(digits, 4);
    if (!value || *value / 100 > 23 || *value % 100 > 59) return minutes(0);
    const minutes offset(*value / 100 * 60 + *value % 100);
    return word[0] == '-' ? -offset : offset;
  }
  struct Named {
    std::string_view name;
    int hours;
  };
  static constexpr Named kNamed[] = {{"est", -5}, {"edt", -4}, {"cst", -6}, {"cdt", -5},
                                     {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}};
  const std::string lower = AsciiLower(word.substr(0, 5));
  for (const Named& named : kNamed) {
    if (lower == named.name) return minutes(named.hours * 60);
  }
  return minutes(0);
}

struct TimeOfDay {
  int hour = 0, minute = 0, second = 0;
};

std::optional<TimeOfDay> ParseTime(std::string_view word) {
  const std::size_t first = word.find_first_of(":.");
  if (first == std::string_view::npos) return std::nullopt;
  const char separator = word[first];
  const std::size_t second = word.find(separator, first + 1);
  const auto hour = Number(word.substr(0, first), 2);
  const auto minute = Number(word.substr(first + 1, second == std::string_view::npos ? second : second - first - 1), 2);
  std::optional<int> seconds = 0;
  if (second != std::string_view::npos) {
    std::string_view rest = word.substr(second + 1);
    seconds = Number(rest.substr(0, rest.find_first_of(".,")), 2);
  }
  if (!hour || !minute || !seconds || *hour > 23 || *minute > 59 || *seconds > 60) return std::nullopt;
  return TimeOfDay{.hour = *hour, .minute = *minute, .second = *seconds};
}

std::optional<int> ParseYear(std::string_view word) {
  const auto year = Number(word, 4);
  if (!year) return std::nullopt;
  if (word.size() <= 2) return *year < 50 ? *year + 2000 : *year + 1900;
  if (word.size() == 3) return *year + 1900;
  return year;
}

}  // namespace

std::optional<Instant> ParseMailDate(std::string_view value) {
  value = TrimAscii(value.substr(0, 256));
  std::vector<std::string> words = Words(value);
  if (words.empty()) return std::nullopt;
  if (words[0].size() > 10 && words[0][4] == '-') {
    if (const auto instant = ParseInstant(words[0])) return instant;
    std::string zoned = words[0] + (words.size() > 1 ? words[1] : "Z");
    return ParseInstant(zoned);
  }
  std::size_t i = 0;
  // "Fri", "Fri," or "Fri,20": the day's name carries nothing.
  if (!words[0].empty() && (words[0][0] < '0' || words[0][0] > '9') && !Month(words[0])) ++i;
  if (i == 1 && words.size() > 1 && Month(words[0]) && !Month(words[1])) i = 0;

  std::optional<int> day, year;
  std::optional<unsigned> month;
  std::optional<TimeOfDay> time;
  minutes zone(0);
  for (; i < words.size(); ++i) {
    std::string_view word = words[i];
    // "20-Apr-2001"
    if (!month && word.find('-') != std::string_view::npos && word[0] >= '0' && word[0] <= '9') {
      const std::size_t first = word.find('-');
      const std::size_t second = word.find('-', first + 1);
      if (second != std::string_view::npos) {
        day = Number(word.substr(0, first), 2);
        month = Month(word.substr(first + 1, second - first - 1));
        year = ParseYear(word.substr(second + 1));
        continue;
      }
    }
    if (!time && word.find(':') != std::string_view::npos) {
      std::string_view clock = word;
      if (const std::size_t sign = word.find_first_of("+-"); sign != std::string_view::npos) {
        zone = Zone(word.substr(sign));
        clock = word.substr(0, sign);
      }
      time = ParseTime(clock);
      if (!time) return std::nullopt;
      continue;
    }
    if (!month) {
      if (const auto found = Month(word)) {
        month = found;
        continue;
      }
    }
    if (word[0] >= '0' && word[0] <= '9') {
      if (!day) {
        day = Number(word, 2);
        if (!day) return std::nullopt;
      } else if (!year) {
        year = ParseYear(word);
        if (!year) return std::nullopt;
      }
      continue;
    }
    if (time) {
      if (AsciiEqualsIgnoreCase(word, "pm") && time->hour < 12) {
        time->hour += 12;
      } else if (zone == minutes(0)) {
        zone = Zone(word);
      }
      continue;
    }
    // A second day name or an unknown word before the time.
    if (!day && !month) continue;
    return std::nullopt;
  }
  if (!day || !month || !year || !time) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *year < 1900) return std::nullopt;
  const Instant instant = Instant(std::chrono::sys_days(date)) + std::chrono::hours(time->hour) +
                          minutes(time->minute) + std::chrono::seconds(time->second) - zone;
  // A zone may carry the last day of 9999 past what RFC 3339 can write.
  if (instant >= std::chrono::sys_days(std::chrono::year(10000) / 1 / 1)) return std::nullopt;
  return instant;
}

}  // namespace latchkey::mail
