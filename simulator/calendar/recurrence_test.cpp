#include "simulator/calendar/recurrence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/calendar/series.hpp"

namespace latchkey::simulator::calendar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> Starts(const char* rule, const char* start, std::size_t most = 20,
                                const char* last = "20400101") {
  std::vector<std::string> starts;
  const auto parsed = ParseRule(rule);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error());
  if (!parsed) return starts;
  Expand(*parsed, ParseBasicTime(start)->local, ParseBasicTime(last)->local, [&](LocalTime time) {
    starts.push_back(FormatBasicTime(time));
    return starts.size() < most;
  });
  return starts;
}

// The examples are those of RFC 5545 section 3.8.5.3.
TEST(Recurrence, ExamplesOfTheStandard) {
  EXPECT_THAT(Starts("FREQ=WEEKLY;INTERVAL=2;COUNT=4;WKST=SU;BYDAY=TU,TH", "19970902T090000"),
              ElementsAre("19970902T090000", "19970904T090000", "19970916T090000", "19970918T090000"));
  EXPECT_THAT(Starts("FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "19970905T090000"),
              ElementsAre("19970905T090000", "19971003T090000", "19971107T090000", "19971205T090000"));
  EXPECT_THAT(Starts("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "19970922T090000"),
              ElementsAre("19970922T090000", "19971020T090000", "19971117T090000"));
  EXPECT_THAT(Starts("FREQ=MONTHLY;BYMONTHDAY=-3", "19970928T090000", 3),
              ElementsAre("19970928T090000", "19971029T090000", "19971128T090000"));
  EXPECT_THAT(Starts("FREQ=YEARLY;BYDAY=20MO", "19970519T090000", 3),
              ElementsAre("19970519T090000", "19980518T090000", "19990517T090000"));
  EXPECT_THAT(Starts("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "19970512T090000", 3),
              ElementsAre("19970512T090000", "19980511T090000", "19990517T090000"));
  EXPECT_THAT(Starts("FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200", "19970101T090000"),
              ElementsAre("19970101T090000", "19970410T090000", "19970719T090000", "20000101T090000"));
  EXPECT_THAT(Starts("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "19970902T090000", 3),
              ElementsAre("19980213T090000", "19980313T090000", "19981113T090000"));
  EXPECT_THAT(Starts("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904T090000"),
              ElementsAre("19970904T090000", "19971007T090000", "19971106T090000"));
  EXPECT_THAT(Starts("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "19961105T090000", 3),
              ElementsAre("19961105T090000", "20001107T090000", "20041102T090000"));
  EXPECT_THAT(
      Starts("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "20070115T090000"),
      ElementsAre("20070115T090000", "20070130T090000", "20070215T090000", "20070315T090000", "20070330T090000"));
  EXPECT_THAT(Starts("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000", "19970902T090000"),
              ElementsAre("19970902T090000", "19970902T120000", "19970902T150000"));
  EXPECT_THAT(Starts("FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,20", "19970902T090000", 4),
              ElementsAre("19970902T090000", "19970902T092000", "19970902T100000", "19970902T102000"));
  // Weeks that begin on Sunday and on Monday differ.
  EXPECT_THAT(Starts("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "19970805T090000"),
              ElementsAre("19970805T090000", "19970810T090000", "19970819T090000", "19970824T090000"));
  EXPECT_THAT(Starts("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "19970805T090000"),
              ElementsAre("19970805T090000", "19970817T090000", "19970819T090000", "19970831T090000"));
}

TEST(Recurrence, LeapDaysAndLongMonthsAreSkippedNotMoved) {
  EXPECT_THAT(Starts("FREQ=YEARLY", "20240229T080000", 3),
              ElementsAre("20240229T080000", "20280229T080000", "20320229T080000"));
  EXPECT_THAT(Starts("FREQ=MONTHLY", "20260131T080000", 3),
              ElementsAre("20260131T080000", "20260331T080000", "20260531T080000"));
}

TEST(Recurrence, RulesThatNeverMatchEnd) {
  EXPECT_THAT(Starts("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "20260101T000000"), IsEmpty());
  EXPECT_THAT(Starts("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "20260101T000000", 10, "99990101"), IsEmpty());
  EXPECT_THAT(Starts("FREQ=DAILY;BYSETPOS=5", "20260101T000000"), IsEmpty());
}

TEST(Recurrence, BrokenRulesAreNamed) {
  for (const char* rule :
       {"", "FREQ=NEVER", "COUNT=3", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;INTERVAL=x", "FREQ=DAILY;BYDAY=XX",
        "FREQ=DAILY;BYMONTH=13", "FREQ=DAILY;UNTIL=tomorrow", "FREQ=DAILY;BYNOTHING=1", "FREQ"}) {
    EXPECT_FALSE(ParseRule(rule)) << rule;
  }
}

class SeriesTest : public ::testing::Test {
 protected:
  SeriesTest() {
    calendar_.zone = "Europe/Berlin";
    master_.id = "abcde";
    master_.start = {.local = ParseBasicTime("20260323T090000")->local, .zone = "Europe/Berlin"};
    master_.end = {.local = ParseBasicTime("20260323T100000")->local, .zone = "Europe/Berlin"};
  }
  std::vector<std::string> Ids(std::vector<std::string> lines) {
    master_.recurrence = std::move(lines);
    std::vector<std::string> ids;
    for (const Event& instance : Instances(calendar_, master_, {.now = Instant(std::chrono::seconds(1'773'300'000))})) {
      ids.push_back(instance.id.substr(6));
    }
    return ids;
  }
  Calendar calendar_;
  Event master_;
};

TEST_F(SeriesTest, KeepsTheWallClockOverTheChangeOfSummerTime) {
  EXPECT_THAT(Ids({"RRULE:FREQ=WEEKLY;COUNT=2"}), ElementsAre("20260323T080000Z", "20260330T070000Z"));
}

TEST_F(SeriesTest, DatesAddAndExcept) {
  EXPECT_THAT(Ids({"RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20260324T090000", "RDATE:20260401T070000Z"}),
              ElementsAre("20260323T080000Z", "20260325T080000Z", "20260401T070000Z"));
  EXPECT_THAT(Ids({"RDATE;TZID=Europe/Berlin:20260401T090000"}), ElementsAre("20260323T080000Z", "20260401T070000Z"));
}

TEST_F(SeriesTest, UntilInUtcIsReadOnTheSeriesClock) {
  EXPECT_THAT(Ids({"RRULE:FREQ=DAILY;UNTIL=20260324T080000Z"}), SizeIs(2));
  EXPECT_THAT(Ids({"RRULE:FREQ=DAILY;UNTIL=20260324T075959Z"}), SizeIs(1));
}

TEST_F(SeriesTest, EndlessSeriesAreCut) { EXPECT_THAT(Ids({"RRULE:FREQ=DAILY"}), SizeIs(719)); }

}  // namespace
}  // namespace latchkey::simulator::calendar
