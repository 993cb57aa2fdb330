#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "calendar/series.hpp"

namespace latchkey::calendar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Event Master(std::string_view zone, std::string_view start, std::vector<std::string> recurrence, int minutes = 60) {
  Event event;
  event.kind = EventKind::kMaster;
  event.time.zone = zone;
  event.time.start = *ParseInstant(start);
  event.time.end = event.time.start + std::chrono::minutes(minutes);
  event.recurrence = std::move(recurrence);
  return event;
}

Event AllDay(std::string_view date, std::vector<std::string> recurrence, int days = 1) {
  Event event;
  event.kind = EventKind::kMaster;
  event.time.all_day = true;
  event.time.start = *ParseDate(date);
  event.time.end = event.time.start + std::chrono::days(days);
  event.recurrence = std::move(recurrence);
  return event;
}

std::vector<std::string> Starts(const Event& master, std::string_view from = "1970-01-01T00:00:00Z",
                                std::string_view to = "2100-01-01T00:00:00Z", std::size_t limit = 8) {
  ExpansionBudget budget(1'000'000);
  std::vector<std::string> starts;
  for (const auto& occurrence :
       Series(master).Expand({.from = *ParseInstant(from), .to = *ParseInstant(to)}, limit, {}, budget)) {
    starts.push_back(FormatInstant(occurrence.start).substr(0, 16));
  }
  return starts;
}

TEST(SeriesTest, KeepsTheWallClockOverAChangeOfTheClock) {
  EXPECT_THAT(Starts(Master("Europe/Berlin", "2026-03-21T08:00:00Z", {"RRULE:FREQ=WEEKLY;COUNT=3"})),
              ElementsAre("2026-03-21T08:00", "2026-03-28T08:00", "2026-04-04T07:00"));
}

TEST(SeriesTest, ATimeThatTheClockSkipsLiesAsFarBehindTheGap) {
  EXPECT_THAT(Starts(Master("Europe/Berlin", "2026-03-28T01:30:00Z", {"RRULE:FREQ=DAILY;COUNT=3"})),
              ElementsAre("2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"));
}

// RFC 5545 section 3.8.5.3 leaves it undefined; calendars show such a start and count the rule's own instances.
TEST(SeriesTest, AFirstStartOutsideItsOwnRuleIsShownAndNotCounted) {
  EXPECT_THAT(Starts(Master("America/New_York", "1997-09-02T13:00:00Z", {"RRULE:FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=2"}),
                     "1997-01-01T00:00:00Z"),
              ElementsAre("1997-09-02T13:00", "1997-09-28T13:00", "1997-10-29T14:00"));
}

TEST(SeriesTest, ExamplesOfTheRfc) {
  const auto new_york = [](std::string rule) {
    return Starts(Master("America/New_York", "1997-09-02T13:00:00Z", {"RRULE:" + rule}), "1997-01-01T00:00:00Z");
  };
  EXPECT_THAT(
      new_york("FREQ=DAILY;INTERVAL=10;COUNT=5"),
      ElementsAre("1997-09-02T13:00", "1997-09-12T13:00", "1997-09-22T13:00", "1997-10-02T13:00", "1997-10-12T13:00"));
  EXPECT_THAT(new_york("FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=4;BYDAY=TU,TH"),
              ElementsAre("1997-09-02T13:00", "1997-09-04T13:00", "1997-09-16T13:00", "1997-09-18T13:00"));
  const auto from = [](std::string_view start, std::string rule) {
    return Starts(Master("America/New_York", start, {"RRULE:" + rule}), "1997-01-01T00:00:00Z");
  };
  EXPECT_THAT(from("1997-09-28T13:00:00Z", "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3"),
              ElementsAre("1997-09-28T13:00", "1997-10-29T14:00", "1997-11-28T14:00"));
  EXPECT_THAT(from("1997-09-04T13:00:00Z", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3"),
              ElementsAre("1997-09-04T13:00", "1997-10-07T13:00", "1997-11-06T14:00"));
  EXPECT_THAT(from("1997-09-29T13:00:00Z", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3"),
              ElementsAre("1997-09-29T13:00", "1997-10-30T14:00", "1997-11-27T14:00"));
  EXPECT_THAT(new_york("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z"),
              ElementsAre("1997-09-02T13:00", "1997-09-02T16:00", "1997-09-02T19:00"));
  EXPECT_THAT(new_york("FREQ=MINUTELY;INTERVAL=90;COUNT=4"),
              ElementsAre("1997-09-02T13:00", "1997-09-02T14:30", "1997-09-02T16:00", "1997-09-02T17:30"));
  EXPECT_THAT(Starts(Master("America/New_York", "1997-05-12T13:00:00Z", {"RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"}),
                     "1997-01-01T00:00:00Z", "2000-01-01T00:00:00Z"),
              ElementsAre("1997-05-12T13:00", "1998-05-11T13:00", "1999-05-17T13:00"));
  EXPECT_THAT(Starts(Master("America/New_York", "1996-11-05T14:00:00Z",
                            {"RRULE:FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8"}),
                     "1996-01-01T00:00:00Z", "2005-01-01T00:00:00Z"),
              ElementsAre("1996-11-05T14:00", "2000-11-07T14:00", "2004-11-02T14:00"));
  EXPECT_THAT(Starts(Master("America/New_York", "1997-08-05T13:00:00Z",
                            {"RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU"})),
              ElementsAre("1997-08-05T13:00", "1997-08-17T13:00", "1997-08-19T13:00", "1997-08-31T13:00"));
}

TEST(SeriesTest, DaysThatAMonthOrYearDoesNotHaveAreLeftOut) {
  EXPECT_THAT(Starts(AllDay("2026-01-31", {"RRULE:FREQ=MONTHLY;COUNT=3"})),
              ElementsAre("2026-01-31T00:00", "2026-03-31T00:00", "2026-05-31T00:00"));
  EXPECT_THAT(Starts(AllDay("2024-02-29", {"RRULE:FREQ=YEARLY;COUNT=2"})),
              ElementsAre("2024-02-29T00:00", "2028-02-29T00:00"));
}

TEST(SeriesTest, ExceptionsByDateAreTakenAwayAndAddedOnesAreIn) {
  EXPECT_THAT(Starts(Master("Europe/Berlin", "2026-01-05T08:00:00Z",
                            {"RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;TZID=Europe/Berlin:20260112T090000",
                             "EXDATE:20260119T080000Z", "RDATE;VALUE=DATE-TIME:20260113T100000Z"})),
              ElementsAre("2026-01-05T08:00", "2026-01-13T10:00", "2026-01-26T08:00"));
  EXPECT_THAT(Starts(AllDay("2026-01-05", {"RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260106"})),
              ElementsAre("2026-01-05T00:00", "2026-01-07T00:00"));
  EXPECT_THAT(
      Starts(Master("UTC", "2026-01-05T08:00:00Z", {"RRULE:FREQ=DAILY;COUNT=4", "EXRULE:FREQ=DAILY;INTERVAL=2"})),
      ElementsAre("2026-01-06T08:00", "2026-01-08T08:00"));
}

TEST(SeriesTest, ALongRunningSeriesBeginsWhereItIsAskedFor) {
  const Event endless = Master("Europe/Berlin", "1990-01-01T08:00:00Z", {"RRULE:FREQ=DAILY"});
  EXPECT_THAT(Starts(endless, "2026-07-01T00:00:00Z", "2026-07-03T00:00:00Z"),
              ElementsAre("2026-07-01T07:00", "2026-07-02T07:00"));
  const Event counted = Master("UTC", "1990-01-01T08:00:00Z", {"RRULE:FREQ=MINUTELY;COUNT=19000000"}, 1);
  EXPECT_THAT(Starts(counted, "2026-02-15T18:37:30Z", "2027-01-01T00:00:00Z"),
              ElementsAre("2026-02-15T18:37", "2026-02-15T18:38", "2026-02-15T18:39"))
      << "what has come before is said, not counted";
}

TEST(SeriesTest, WhatReachesIntoTheRangeIsInIt) {
  const Event nights = Master("UTC", "2026-01-01T20:00:00Z", {"RRULE:FREQ=DAILY;COUNT=3"}, 10 * 60);
  EXPECT_THAT(Starts(nights, "2026-01-02T05:00:00Z", "2026-01-02T06:00:00Z"), ElementsAre("2026-01-01T20:00"));
  EXPECT_THAT(Starts(nights, "2026-01-02T06:00:00Z", "2026-01-02T07:00:00Z"), IsEmpty());
}

TEST(SeriesTest, ReplacedOccurrencesAreLeftOutAndAPageGoesOnWhereItEnded) {
  const Series series(Master("UTC", "2026-01-01T08:00:00Z", {"RRULE:FREQ=DAILY"}));
  ExpansionBudget budget(1000);
  Series::Range range{.from = *ParseInstant("2026-01-01T00:00:00Z"), .to = *ParseInstant("2026-02-01T00:00:00Z")};
  range.not_before = *ParseInstant("2026-01-03T08:00:00Z");
  const auto found = series.Expand(range, 2, {*ParseInstant("2026-01-04T08:00:00Z")}, budget);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].start, *ParseInstant("2026-01-03T08:00:00Z"));
  EXPECT_EQ(found[1].start, *ParseInstant("2026-01-05T08:00:00Z"));
}

TEST(SeriesTest, RulesMadeToBeDearEndTheSearch) {
  for (const auto* rule : {"RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
                           "RRULE:FREQ=SECONDLY;BYSECOND=1;BYMINUTE=1;BYHOUR=1;BYMONTHDAY=31;BYMONTH=4",
                           "RRULE:FREQ=DAILY;BYDAY=MO;BYMONTHDAY=31;BYMONTH=2;COUNT=1000000",
                           "RRULE:FREQ=SECONDLY;COUNT=999999999;BYSECOND=0,1,2,3,4,5"}) {
    ExpansionBudget budget(100'000);
    const Series series(Master("Europe/Berlin", "1980-01-01T08:00:00Z", {rule}));
    series.Expand({.from = *ParseInstant("2026-01-01T00:00:00Z"), .to = *ParseInstant("2027-02-01T00:00:00Z")}, 100, {},
                  budget);
    series.End();
  }
}

TEST(SeriesTest, WhatCannotBeReadStillHappensOnce) {
  EXPECT_THAT(Starts(Master("UTC", "2026-01-05T08:00:00Z", {"RRULE:FREQ=SOMETIMES", "nonsense"})),
              ElementsAre("2026-01-05T08:00"));
  for (const auto* wrong :
       {"", "COUNT=3", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=-1", "FREQ=DAILY;BYMONTH=13", "FREQ=DAILY;BYDAY=XX",
        "FREQ=DAILY;UNTIL=tomorrow", "FREQ=DAILY;BYHOUR=24", "RSCALE=CHINESE;FREQ=YEARLY", "FREQ=DAILY;BYSETPOS=0"}) {
    EXPECT_FALSE(RecurrenceRule::Parse(wrong)) << wrong;
  }
}

TEST(SeriesTest, TheEndOfASeries) {
  EXPECT_EQ(Series(Master("UTC", "2026-01-05T08:00:00Z", {"RRULE:FREQ=DAILY;COUNT=3"})).End(),
            *ParseInstant("2026-01-07T09:00:00Z"));
  EXPECT_EQ(Series(Master("UTC", "2026-01-05T08:00:00Z", {"RRULE:FREQ=DAILY"})).End(), Instant::max());
  EXPECT_EQ(Series(Master("UTC", "2026-01-05T08:00:00Z", {"RRULE:FREQ=DAILY;UNTIL=20260110T080000Z"})).End(),
            *ParseInstant("2026-01-10T09:00:00Z"));
}

}  // namespace
}  // namespace latchkey::calendar
