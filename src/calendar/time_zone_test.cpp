#include "calendar/time_zone.hpp"

#include <gtest/gtest.h>

namespace latchkey::calendar {
namespace {

LocalSeconds Local(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  return std::chrono::local_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute);
}

std::string InUtc(std::string_view zone, LocalSeconds local) {
  return FormatInstant(TimeZone::Find(zone)->ToUtc(local)).substr(0, 16);
}

TEST(TimeZoneTest, WallClocksBecomeInstants) {
  EXPECT_EQ(InUtc("Europe/Berlin", Local(2026, 1, 15, 9)), "2026-01-15T08:00");
  EXPECT_EQ(InUtc("Europe/Berlin", Local(2026, 7, 15, 9)), "2026-07-15T07:00");
  EXPECT_EQ(InUtc("America/New_York", Local(2026, 11, 1, 12)), "2026-11-01T17:00");
  EXPECT_EQ(InUtc("Asia/Kolkata", Local(2026, 7, 15, 9)), "2026-07-15T03:30");
  EXPECT_EQ(InUtc("UTC", Local(2026, 7, 15, 9)), "2026-07-15T09:00");
}

TEST(TimeZoneTest, ASkippedTimeIsReadWithTheOffsetBeforeTheGapAndADoubleOneIsTheFirst) {
  EXPECT_EQ(InUtc("Europe/Berlin", Local(2026, 3, 29, 2, 30)), "2026-03-29T01:30");
  EXPECT_EQ(InUtc("Europe/Berlin", Local(2026, 10, 25, 2, 30)), "2026-10-25T00:30");
  EXPECT_EQ(InUtc("America/New_York", Local(2026, 3, 8, 2, 30)), "2026-03-08T07:30");
  EXPECT_EQ(InUtc("America/New_York", Local(2026, 11, 1, 1, 30)), "2026-11-01T05:30");
  // Samoa left out a whole day.
  EXPECT_EQ(InUtc("Pacific/Apia", Local(2011, 12, 31, 9)), "2011-12-30T19:00");
}

TEST(TimeZoneTest, TheRuleGoesOnBehindTheListedChanges) {
  EXPECT_EQ(InUtc("Europe/Berlin", Local(2060, 7, 1, 12)), "2060-07-01T10:00");
  EXPECT_EQ(InUtc("Europe/Berlin", Local(2060, 12, 1, 12)), "2060-12-01T11:00");
  EXPECT_EQ(InUtc("Australia/Sydney", Local(2060, 1, 1, 12)), "2060-01-01T01:00");
  EXPECT_EQ(InUtc("Australia/Sydney", Local(2060, 7, 1, 12)), "2060-07-01T02:00");
  const auto zone = TimeZone::Find("America/New_York");
  const Instant winter = *ParseInstant("2061-01-10T15:00:00Z");
  EXPECT_EQ(zone->ToLocal(winter), Local(2061, 1, 10, 10));
}

TEST(TimeZoneTest, NamesFromOutsideAreNoPaths) {
  for (const auto* name : {"../../etc/passwd", "/etc/passwd", "Europe//Berlin", "Europe/../Europe/Berlin", "",
                           "zone.tab", "posixrules/", "Europe", "Mars/Olympus"}) {
    EXPECT_EQ(TimeZone::Find(name), nullptr) << name;
  }
}

TEST(TimeZoneTest, BrokenFilesAreRefused) {
  EXPECT_EQ(TimeZone::Parse("x", ""), nullptr);
  EXPECT_EQ(TimeZone::Parse("x", "TZif2"), nullptr);
  EXPECT_EQ(TimeZone::Parse("x", std::string("TZif2") + std::string(39, '\xff')), nullptr);
}

TEST(ResolveZoneTest, WindowsNamesPrefixesAndOffsets) {
  EXPECT_EQ(ResolveZone("W. Europe Standard Time"), "Europe/Berlin");
  EXPECT_EQ(ResolveZone("Pacific Standard Time"), "America/Los_Angeles");
  EXPECT_EQ(ResolveZone("Europe/Paris"), "Europe/Paris");
  EXPECT_EQ(ResolveZone("/example.org/20250101_1/America/New_York"), "America/New_York");
  EXPECT_EQ(ResolveZone("tzone://Microsoft/Utc"), "UTC");
  EXPECT_EQ(ResolveZone("GMT+02:00"), "Etc/GMT-2");
  EXPECT_EQ(ResolveZone("(UTC-05:00) Eastern Time (US & Canada)"), "Etc/GMT+5");
  EXPECT_EQ(ResolveZone("UTC+0530"), "") << "no zone of the database is half an hour off by name";
  EXPECT_EQ(ResolveZone("tzone://Microsoft/Custom"), "");
  EXPECT_EQ(ResolveZone("Customized Time Zone"), "");
}

}  // namespace
}  // namespace latchkey::calendar
