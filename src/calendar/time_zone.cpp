#include "calendar/time_zone.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include <fmt/format.h>
#include <unicode/timezone.h>
#include <unicode/unistr.h>

namespace latchkey::calendar {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::size_t kMaxName = 64, kMaxFile = 256 << 10;

/// Names come from outside and become part of a path: letters, digits and a few signs, and never a way upwards.
bool IsZoneName(std::string_view name) {
  if (name.empty() || name.size() > kMaxName || name.front() == '/' || name.back() == '/') return false;
  for (const char c : name) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                      c == '-' || c == '+' || c == '/';
    if (!good) return false;
  }
  return name.find("//") == std::string_view::npos;
}

std::string ReadZoneFile(std::string_view name) {
  const char* folder = std::getenv("TZDIR");
  const std::string path = fmt::format("{}/{}", folder != nullptr ? folder : "/usr/share/zoneinfo", name);
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::string bytes(kMaxFile, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return bytes;
}

/// Big-endian numbers of a time zone file, with its end in view.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  std::string_view rest() const { return bytes_; }
  void Skip(std::size_t count) { Take(count); }
  std::uint8_t Byte() {
    const auto taken = Take(1);
    return taken.empty() ? 0 : static_cast<std::uint8_t>(taken[0]);
  }
  std::int64_t Number(std::size_t width) {
    std::uint64_t value = 0;
    const auto taken = Take(width);
    if (taken.empty()) return 0;
    for (const char c : taken) value = value << 8 | static_cast<std::uint8_t>(c);
    if (width == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
    return static_cast<std::int64_t>(value);
  }
  std::string_view Take(std::size_t count) {
    if (!ok_ || count > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const auto taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

struct Header {
  char version = 0;
  std::size_t isut = 0, isstd = 0, leap = 0, time = 0, type = 0, chars = 0;
};

bool ReadHeader(Bytes& in, Header& header) {
  if (in.Take(4) != "TZif") return false;
  header.version = static_cast<char>(in.Byte());
  in.Skip(15);
  for (std::size_t* count : {&header.isut, &header.isstd, &header.leap, &header.time, &header.type, &header.chars}) {
    const std::int64_t number = in.Number(4);
    if (number < 0 || number > 100'000) return false;
    *count = static_cast<std::size_t>(number);
  }
  return in.ok() && header.type > 0;
}

/// Reads a POSIX TZ text from its front.
class RuleText {
 public:
  explicit RuleText(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool Name() {
    if (Take('<')) {
      const auto end = text_.find('>');
      if (end == std::string_view::npos) return false;
      text_.remove_prefix(end + 1);
      return true;
    }
    std::size_t length = 0;
    while (length < text_.size() && std::isalpha(static_cast<unsigned char>(text_[length])) != 0) ++length;
    text_.remove_prefix(length);
    return length >= 3;
  }
  bool Number(int& value) {
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || text_.front() == '-') return false;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return true;
  }
  /// [+-]hh[:mm[:ss]]
  bool Clock(seconds& value) {
    const int sign = Take('-') ? -1 : (Take('+'), 1);
    int hour = 0, minute = 0, second = 0;
    if (!Number(hour) || hour > 167) return false;
    if (Take(':') && (!Number(minute) || (Take(':') && !Number(second)))) return false;
    value = sign * (std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second));
    return true;
  }
  bool Day(TimeZone::Rule& rule) {
    using Form = TimeZone::Rule::Form;
    if (Take('M')) {
      rule.form = Form::kMonthWeekDay;
      if (!Number(rule.month) || !Take('.') || !Number(rule.week) || !Take('.') || !Number(rule.day)) return false;
      if (rule.month < 1 || rule.month > 12 || rule.week < 1 || rule.week > 5 || rule.day > 6) return false;
    } else {
      rule.form = Take('J') ? Form::kJulian : Form::kZeroBased;
      if (!Number(rule.day) || rule.day > 365) return false;
    }
    return !Take('/') || Clock(rule.time);
  }

 private:
  std::string_view text_;
};

std::chrono::local_seconds MomentOf(const TimeZone::Rule& rule, std::chrono::year year) {
  using namespace std::chrono;
  using Form = TimeZone::Rule::Form;
  local_days day;
  switch (rule.form) {
    case Form::kMonthWeekDay: {
      const month in(static_cast<unsigned>(rule.month));
      const weekday on(static_cast<unsigned>(rule.day));
      day = rule.week == 5 ? local_days(year / in / on[last])
                           : local_days(year / in / on[static_cast<unsigned>(rule.week)]);
      break;
    }
    case Form::kJulian:  // 1 to 365, the 29th of February is never counted
      day = local_days(year / January / 1) + days(rule.day - 1 + (year.is_leap() && rule.day >= 60 ? 1 : 0));
      break;
    case Form::kZeroBased:
      day = local_days(year / January / 1) + days(rule.day);
      break;
  }
  return day + rule.time;
}

/// The whole-hour zone that "GMT+02:00", "UTC-5" or "+0200" means.
std::string OffsetZone(std::string_view text) {
  for (const std::string_view word : {"GMT", "UTC", "(GMT", "(UTC"}) {
    if (text.starts_with(word)) {
      text.remove_prefix(word.size());
      break;
    }
  }
  text = text.substr(0, text.find(')'));
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return {};
  const bool east = text[0] == '+';
  text.remove_prefix(1);
  int hour = 0;
  const std::size_t width = std::min<std::size_t>(2, text.find_first_not_of("0123456789") == 1 ? 1 : 2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + std::min(width, text.size()), hour);
  if (error != std::errc() || hour > 14) return {};
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (!rest.empty() && rest != ":00" && rest != "00") return {};
  if (hour == 0) return "UTC";
  if (!east && hour > 12) return {};
  return fmt::format("Etc/GMT{}{}", east ? '-' : '+', hour);
}

std::string FromWindows(std::string_view name) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString id;
  const auto windows = icu::UnicodeString::fromUTF8(icu::StringPiece(name.data(), static_cast<int32_t>(name.size())));
  icu::TimeZone::getIDForWindowsID(windows, nullptr, id, status);
  if (U_FAILURE(status) != 0 || id.isEmpty()) return {};
  std::string text;
  id.toUTF8String(text);
  return text;
}

}  // namespace

std::shared_ptr<const TimeZone> TimeZone::Find(std::string_view name) {
  // At most as many entries as the database has names.
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const TimeZone>, std::less<>> known;
  {
    const std::lock_guard lock(mutex);
    if (const auto it = known.find(name); it != known.end()) return it->second;
  }
  if (!IsZoneName(name)) return nullptr;
  auto zone = Parse(name, ReadZoneFile(name));
  if (!zone) return name == "UTC" ? Utc() : nullptr;
  const std::lock_guard lock(mutex);
  return known.try_emplace(std::string(name), std::move(zone)).first->second;
}

std::shared_ptr<const TimeZone> TimeZone::Utc() {
  static const std::shared_ptr<const TimeZone> utc = [] {
    auto zone = std::make_shared<TimeZone>();
    zone->name_ = "UTC";
    return zone;
  }();
  return utc;
}

std::shared_ptr<const TimeZone> TimeZone::Parse(std::string_view name, std::string_view bytes) {
  Bytes in(bytes);
  Header header;
  if (!ReadHeader(in, header)) return nullptr;
  std::size_t width = 4;
  if (header.version >= '2') {
    // The old block of 32 bits comes first.
    in.Skip(header.time * 5 + header.type * 6 + header.chars + header.leap * 8 + header.isstd + header.isut);
    if (!ReadHeader(in, header)) return nullptr;
    width = 8;
  }
  auto zone = std::make_shared<TimeZone>();
  zone->name_ = name;
  zone->changes_.resize(header.time);
  for (auto& change : zone->changes_) change = in.Number(width);
  std::vector<std::uint8_t> types(header.time);
  for (auto& type : types) type = in.Byte();
  std::vector<seconds> offsets(header.type);
  for (auto& offset : offsets) {
    offset = seconds(in.Number(4));
    in.Skip(2);
  }
  in.Skip(header.chars + header.leap * (width + 4) + header.isstd + header.isut);
  if (!in.ok()) return nullptr;
  zone->first_offset_ = offsets[0];
  for (const std::uint8_t type : types) {
    if (type >= offsets.size()) return nullptr;
    zone->offsets_.push_back(offsets[type]);
  }
  if (!std::ranges::is_sorted(zone->changes_)) return nullptr;
  std::string_view footer = in.rest();
  if (footer.starts_with('\n')) {
    footer.remove_prefix(1);
    ParseFooter(footer.substr(0, footer.find('\n')), zone->footer_);
  }
  return zone;
}

bool TimeZone::ParseFooter(std::string_view text, Footer& footer) {
  RuleText in(text);
  Footer read;
  seconds west{0};
  if (!in.Name() || !in.Clock(west)) return false;
  read.present = true;
  read.standard = -west;
  if (!in.done()) {
    if (!in.Name()) return false;
    read.has_summer = true;
    read.summer = read.standard + std::chrono::hours(1);
    if (!in.Take(',')) {
      if (!in.Clock(west) || !in.Take(',')) return false;
      read.summer = -west;
    }
    if (!in.Day(read.begins) || !in.Take(',') || !in.Day(read.ends)) return false;
  }
  footer = read;
  return true;
}

seconds TimeZone::FooterOffset(sys_seconds instant) const {
  if (!footer_.has_summer) return footer_.standard;
  const auto day = std::chrono::floor<days>(instant + footer_.standard);
  const auto year = std::chrono::year_month_day(day).year();
  const auto begins = sys_seconds(MomentOf(footer_.begins, year).time_since_epoch()) - footer_.standard;
  const auto ends = sys_seconds(MomentOf(footer_.ends, year).time_since_epoch()) - footer_.summer;
  const bool summer = begins < ends ? instant >= begins && instant < ends : instant >= begins || instant < ends;
  return summer ? footer_.summer : footer_.standard;
}

seconds TimeZone::OffsetAt(sys_seconds instant) const {
  const std::int64_t at = instant.time_since_epoch().count();
  const auto next = std::ranges::upper_bound(changes_, at);
  if (next == changes_.end() && footer_.present) return FooterOffset(instant);
  if (next == changes_.begin()) return first_offset_;
  return offsets_[static_cast<std::size_t>(next - changes_.begin()) - 1];
}

LocalSeconds TimeZone::ToLocal(Instant instant) const {
  const auto whole = std::chrono::floor<seconds>(instant);
  return LocalSeconds(whole.time_since_epoch() + OffsetAt(whole));
}

Instant TimeZone::ToUtc(LocalSeconds local) const {
  const sys_seconds as_utc(local.time_since_epoch());
  const seconds before = OffsetAt(as_utc - days(1)), after = OffsetAt(as_utc + days(1));
  if (before == after) return as_utc - before;
  const sys_seconds early = as_utc - before, late = as_utc - after;
  // The offset before a change is right for times up to it, and it is what a skipped time is read with.
  if (OffsetAt(early) == before) return early;
  if (OffsetAt(late) == after) return late;
  return early;
}

std::string ResolveZone(std::string_view name) {
  while (!name.empty() && (name.front() == ' ' || name.front() == '"')) name.remove_prefix(1);
  while (!name.empty() && (name.back() == ' ' || name.back() == '"')) name.remove_suffix(1);
  if (name.empty() || name.size() > 256) return {};
  for (const std::string_view utc : {"UTC", "Z", "GMT", "Etc/UTC", "Etc/GMT", "tzone://Microsoft/Utc",
                                     "Coordinated Universal Time", "Universal Time"}) {
    if (name == utc) return "UTC";
  }
  if (TimeZone::Find(name)) return std::string(name);
  if (auto windows = FromWindows(name); !windows.empty()) return windows;
  // "/example.org/20250101_1/Europe/Berlin": the last parts that make a name.
  if (name.front() == '/') {
    for (std::size_t at = name.find('/'); at != std::string_view::npos; at = name.find('/', at + 1)) {
      if (TimeZone::Find(name.substr(at + 1))) return std::string(name.substr(at + 1));
    }
  }
  return OffsetZone(name);
}

}  // namespace latchkey::calendar
