#include "storage/conformance/calendar_fixture.hpp"

namespace latchkey::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CalendarReaderLaws : public CalendarFixture {
 protected:
  calendar::CalendarId home = Replace({Sample("home")})[0].id;
};
LATCHKEY_ON_EVERY_ENGINE(CalendarReaderLaws);

TEST_P(CalendarReaderLaws, EverythingComesBackAsItWasStored) {
  auto event = Single("full", "2026-03-02T09:00:00Z");
  event.description = "What comes next.";
  event.location = "Room 4";
  event.status = calendar::EventStatus::kTentative;
  event.organizer = {.name = "Ada", .email = "ada@example.com", .self = true};
  event.attendees = {{.name = "Grace \"G\"",
                      .email = "grace@example.org",
                      .response = calendar::Response::kAccepted,
                      .optional = true}};
  event.attendees_omitted = true;
  event.conference_url = "https://meet.example.com/abc";
  event.html_link = "https://calendar.example.com/1";
  event.is_private = true;
  event.shows_as = calendar::ShowsAs::kOutOfOffice;
  Store(home, {event});
  const auto listed = Item("full");
  EXPECT_EQ(listed.event, event);
  EXPECT_EQ(listed.calendar_id, home);
  EXPECT_EQ(listed.account_id, account.id);
  EXPECT_EQ(listed.series_id, "");
  const auto one = store.Get(calendar_reader().GetEvent(user.id, listed.id));
  EXPECT_EQ(one.event, event);
  EXPECT_EQ(store.ErrorOf(calendar_reader().GetEvent(store.AddUser("eve").id, listed.id)), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(calendar_reader().GetEvent(user.id, "nonsense")), ErrorCode::kNotFound);
}

TEST_P(CalendarReaderLaws, ARangeHoldsWhatOverlapsIt) {
  auto long_one = Single("long", "2026-02-20T09:00:00Z");
  long_one.time.end = *ParseInstant("2026-03-03T09:00:00Z");
  auto moment = Single("moment", "2026-03-02T00:00:00Z");
  moment.time.end = moment.time.start;
  Store(home,
        {long_one, moment, Single("ends before", "2026-03-01T23:00:00Z"), Single("reaches in", "2026-03-01T23:30:00Z"),
         Single("begins at the end", "2026-03-03T00:00:00Z"), Single("inside", "2026-03-02T23:30:00Z")});
  EXPECT_THAT(Titles("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
              ElementsAre("long", "reaches in", "moment", "inside"));
}

TEST_P(CalendarReaderLaws, AllDayEventsCountByTheReadersDays) {
  Store(home, {AllDay("monday", "2026-03-02", 1), AllDay("week", "2026-03-02", 7), AllDay("sunday", "2026-03-01", 1)});
  auto query = Query("2026-03-02T08:00:00Z", "2026-03-03T08:00:00Z");
  query.time_zone = "America/Los_Angeles";  // Monday, there.
  std::vector<std::string> titles;
  for (const auto& item : Events(query)) titles.push_back(item.event.title);
  EXPECT_THAT(titles, ::testing::UnorderedElementsAre("monday", "week"));
  const auto item = Item("week").event.time;
  EXPECT_TRUE(item.all_day);
  EXPECT_EQ(calendar::FormatDate(item.start), "2026-03-02");
  EXPECT_EQ(calendar::FormatDate(item.end), "2026-03-09") << "exclusive";
}

TEST_P(CalendarReaderLaws, SeriesAreExpandedWithTheirExceptions) {
  auto moved = Single("moved", "2026-03-10T15:00:00Z");
  moved.kind = calendar::EventKind::kException;
  moved.series_id = "weekly";
  moved.original_start = *ParseInstant("2026-03-09T09:00:00Z");
  auto called_off = Single("", "2026-03-16T09:00:00Z");
  called_off.external_id = "called-off";
  called_off.kind = calendar::EventKind::kException;
  called_off.status = calendar::EventStatus::kCancelled;
  called_off.series_id = "weekly";
  called_off.original_start = *ParseInstant("2026-03-16T09:00:00Z");
  auto lonely = Single("lonely", "2026-03-11T15:00:00Z");
  lonely.kind = calendar::EventKind::kException;
  lonely.series_id = "somebody else's series";
  lonely.original_start = *ParseInstant("2026-03-11T15:00:00Z");
  Store(home, {Weekly("weekly", "2026-03-02T09:00:00Z"), moved, called_off, lonely});
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-28T00:00:00Z"),
              ElementsAre("weekly", "moved", "lonely", "weekly"));
  const auto events = Events(Query("2026-03-01T00:00:00Z", "2026-03-28T00:00:00Z"));
  EXPECT_EQ(events[0].series_id, events[1].series_id);
  EXPECT_EQ(events[0].series_id, events[3].series_id);
  EXPECT_NE(events[0].id, events[3].id);
  EXPECT_EQ(FormatInstant(events[3].event.time.start).substr(0, 16), "2026-03-23T09:00");
  EXPECT_EQ(Listed()[0].event_count, 1) << "a series counts once";

  const auto one = store.Get(calendar_reader().GetEvent(user.id, events[3].id));
  EXPECT_EQ(one.event, events[3].event);
  for (const auto* none : {"_20260309T090000Z", "_20260316T090000Z", "_20260324T090000Z", "_x", "", "_20260323"}) {
    EXPECT_EQ(store.ErrorOf(calendar_reader().GetEvent(user.id, events[0].series_id + none)), ErrorCode::kNotFound)
        << none;
  }
}

TEST_P(CalendarReaderLaws, PagesGoOnWhereTheyEndedAndLoseNothing) {
  const auto team = Replace({Sample("home"), Sample("team")})[1].id;
  auto daily = Weekly("daily", "2026-03-01T09:00:00Z");
  daily.recurrence = {"RRULE:FREQ=DAILY"};
  std::vector<calendar::Event> events{daily, AllDay("week", "2026-03-02", 7), AllDay("a day", "2026-03-03", 1),
                                      AllDay("another", "2026-03-03", 1)};
  auto all_days = AllDay("every day", "2026-03-01", 1);
  all_days.kind = calendar::EventKind::kMaster;
  all_days.recurrence = {"RRULE:FREQ=DAILY"};
  for (int i = 0; i < 12; ++i) events.push_back(Single("same " + std::to_string(i), "2026-03-03T09:00:00Z"));
  Store(home, events);
  Store(team, {all_days, Single("other", "2026-03-04T11:00:00Z")});
  for (const auto* zone : {"UTC", "America/Los_Angeles", "Asia/Kolkata"}) {
    auto query = Query("2026-03-02T00:00:00Z", "2026-03-06T00:00:00Z");
    query.time_zone = zone;
    query.limit = 500;
    std::vector<std::string> whole, paged;
    for (const auto& item : Events(query)) whole.push_back(item.id);
    EXPECT_GT(whole.size(), 20u);
    for (const int limit : {1, 2, 3, 7}) {
      query.limit = limit;
      paged.clear();
      for (const auto& item : Events(query)) paged.push_back(item.id);
      EXPECT_EQ(paged, whole) << zone << " " << limit;
    }
  }
  auto query = Query("2026-03-02T00:00:00Z", "2026-03-06T00:00:00Z");
  query.cursor = "!";
  EXPECT_EQ(store.ErrorOf(calendar_reader().ListEvents(query)), ErrorCode::kInvalidArgument);
}

TEST_P(CalendarReaderLaws, HostileSeriesCostABoundedAmount) {
  std::vector<calendar::Event> events;
  for (int i = 0; i < 50; ++i) {
    auto dear = Weekly("dear " + std::to_string(i), "1970-01-01T00:00:00Z");
    dear.recurrence = {"RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "RRULE:FREQ=SECONDLY;COUNT=999999999;BYSECOND=1"};
    events.push_back(dear);
  }
  events.push_back(Single("plain", "2026-03-02T09:00:00Z"));
  Store(home, events);
  const auto list = store.Get(calendar_reader().ListEvents(Query("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")));
  EXPECT_FALSE(list.items.empty());
}

TEST_P(CalendarReaderLaws, OnlyTheOwnerSeesAndFiltersNarrow) {
  const auto team = Replace({Sample("home"), Sample("team")})[1].id;
  Store(home, {Single("mine", "2026-03-02T09:00:00Z")});
  Store(team, {Single("ours", "2026-03-02T10:00:00Z")});
  const auto eve = store.AddUser("eve");
  auto query = Query("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z");
  query.calendar_id = team;
  EXPECT_THAT(Events(query), SizeIs(1));
  query.user_id = eve.id;
  EXPECT_EQ(store.ErrorOf(calendar_reader().ListEvents(query)), ErrorCode::kNotFound);
  query.calendar_id = {};
  EXPECT_THAT(Events(query), IsEmpty());
  query.account_id = account.id;
  EXPECT_EQ(store.ErrorOf(calendar_reader().ListEvents(query)), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(calendar_reader().ListCalendars(eve.id, account.id)), ErrorCode::kNotFound);
  EXPECT_THAT(store.Get(calendar_reader().ListCalendars(eve.id, {})), IsEmpty());
  EXPECT_EQ(store.ErrorOf(calendar_reader().GetCalendar(eve.id, home)), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace latchkey::storage
