#include "simulator/calendar/zones.hpp"

#include <map>
#include <memory>
#include <set>

#include <unicode/basictz.h>
#include <unicode/strenum.h>
#include <unicode/timezone.h>

#include "simulator/mime/text.hpp"

namespace latchkey::simulator::calendar {
namespace {

/// Zones seen so far. Names come from FindZone, so there are never more than ICU knows.
const icu::BasicTimeZone* Zone(const std::string& name) {
  thread_local std::map<std::string, std::unique_ptr<icu::BasicTimeZone>> zones;
  auto found = zones.find(name);
  if (found == zones.end()) {
    std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(name)));
    std::unique_ptr<icu::BasicTimeZone> basic;
    if (zone && *zone != icu::TimeZone::getUnknown()) {
      basic.reset(dynamic_cast<icu::BasicTimeZone*>(zone.get()));
      if (basic) zone.release();
    }
    found = zones.emplace(name, std::move(basic)).first;
  }
  return found->second.get();
}

std::string Utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

/// Exact names, and names in the wrong case. Abbreviations such as "EST" are zones of their own and stay.
const std::map<std::string, std::string>& Names() {
  static const std::map<std::string, std::string> kNames = [] {
    std::map<std::string, std::string> names;
    UErrorCode error = U_ZERO_ERROR;
    std::unique_ptr<icu::StringEnumeration> all(icu::TimeZone::createEnumeration(error));
    while (U_SUCCESS(error)) {
      const icu::UnicodeString* name = all->snext(error);
      if (!name) break;
      const std::string text = Utf8(*name);
      names.emplace(mime::Lower(text), text);
    }
    for (const char* utc :
         {"z", "utc", "gmt", "etc/utc", "etc/gmt", "coordinated universal time", "tzone://microsoft/utc"}) {
      names[utc] = "UTC";
    }
    return names;
  }();
  return kNames;
}

std::optional<std::string> ByName(std::string_view name) {
  const auto found = Names().find(mime::Lower(name));
  if (found != Names().end()) return found->second;
  UErrorCode error = U_ZERO_ERROR;
  icu::UnicodeString iana;
  icu::TimeZone::getIDForWindowsID(icu::UnicodeString::fromUTF8(std::string(name)), nullptr, iana, error);
  if (U_FAILURE(error) || iana.isEmpty()) return std::nullopt;
  const std::string text = Utf8(iana);
  return text == "Etc/UTC" || text == "Etc/GMT" ? "UTC" : text;
}

}  // namespace

std::optional<std::string> FindZone(std::string_view name) {
  name = mime::Trim(name);
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
  if (name.empty() || name.size() > 200) return std::nullopt;
  // "/example.org/20240101_1/America/Argentina/Salta": the end of a globally unique name is the zone.
  for (std::string_view rest = name;;) {
    if (auto zone = ByName(rest)) return zone;
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos || !name.starts_with('/')) return std::nullopt;
    rest.remove_prefix(slash + 1);
    if (rest.empty()) return std::nullopt;
  }
}

std::string WindowsZone(const std::string& iana) {
  UErrorCode error = U_ZERO_ERROR;
  icu::UnicodeString windows;
  icu::TimeZone::getWindowsID(icu::UnicodeString::fromUTF8(iana), windows, error);
  return U_FAILURE(error) || windows.isEmpty() ? iana : Utf8(windows);
}

Instant ToInstant(LocalTime local, const std::string& zone) {
  const Instant as_utc(local.time_since_epoch());
  const icu::BasicTimeZone* found = zone == "UTC" ? nullptr : Zone(zone);
  if (!found) return as_utc;
  UErrorCode error = U_ZERO_ERROR;
  std::int32_t raw = 0;
  std::int32_t daylight = 0;
  found->getOffsetFromLocal(static_cast<double>(local.time_since_epoch().count()) * 1000.0, UCAL_TZ_LOCAL_FORMER,
                            UCAL_TZ_LOCAL_FORMER, raw, daylight, error);
  return U_FAILURE(error) ? as_utc : as_utc - std::chrono::milliseconds(raw + daylight);
}

std::chrono::seconds OffsetAt(Instant instant, const std::string& zone) {
  const icu::BasicTimeZone* found = zone == "UTC" ? nullptr : Zone(zone);
  if (!found) return {};
  UErrorCode error = U_ZERO_ERROR;
  std::int32_t raw = 0;
  std::int32_t daylight = 0;
  found->getOffset(static_cast<double>(ToMicros(instant) / 1000), false, raw, daylight, error);
  if (U_FAILURE(error)) return {};
  return std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(raw + daylight));
}

LocalTime ToLocal(Instant instant, const std::string& zone) {
  return LocalTime(std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch() + OffsetAt(instant, zone));
}

const std::vector<std::string>& AllZones() {
  static const std::vector<std::string> kZones = [] {
    std::vector<std::string> zones = {
        "America/New_York",    "America/Chicago",   "America/Denver",  "America/Los_Angeles",
        "Europe/London",       "Europe/Berlin",     "Europe/Athens",   "Europe/Moscow",
        "Asia/Kolkata",        "Asia/Shanghai",     "Asia/Tokyo",      "Australia/Sydney",
        "Australia/Melbourne", "America/Sao_Paulo", "America/Phoenix", "UTC"};
    std::set<std::string> seen(zones.begin(), zones.end());
    UErrorCode error = U_ZERO_ERROR;
    std::unique_ptr<icu::StringEnumeration> all(
        icu::TimeZone::createTimeZoneIDEnumeration(UCAL_ZONE_TYPE_CANONICAL_LOCATION, nullptr, nullptr, error));
    while (U_SUCCESS(error)) {
      const icu::UnicodeString* name = all->snext(error);
      if (!name) break;
      if (const std::string text = Utf8(*name); seen.insert(text).second) zones.push_back(text);
    }
    for (int hours = -14; hours <= 12; ++hours) {
      if (hours != 0) zones.push_back("Etc/GMT" + std::string(hours > 0 ? "+" : "") + std::to_string(hours));
    }
    return zones;
  }();
  return kZones;
}

}  // namespace latchkey::simulator::calendar
