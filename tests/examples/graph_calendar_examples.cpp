// What Outlook's calendars look like through Graph.
#include "providers/microsoft/graph_calendar_events.hpp"
#include "tests/examples/example.hpp"

namespace latchkey::examples {
namespace {

using calendar::EventKind;
using ::testing::SizeIs;

microsoft::EventsPage Page(const Example& example) {
  std::string json = example.Body();
  auto page = microsoft::ParseEvents(json);
  EXPECT_TRUE(page.has_value()) << example.name;
  return page ? std::move(*page) : microsoft::EventsPage();
}

void ExpectTestMeeting(const Example& example) {
  std::string json = example.Body();
  const auto event = microsoft::ParseEvent(json);
  ASSERT_TRUE(event) << event.error().detail;
  EXPECT_EQ(event->title, "Test Meeting");
  EXPECT_EQ(event->kind, EventKind::kSingle);
  EXPECT_FALSE(event->time.all_day);
  EXPECT_EQ(event->time.start, ParseInstant("2026-06-15T10:00:00Z"));
  EXPECT_EQ(event->time.end, ParseInstant("2026-06-15T11:00:00Z"));
  EXPECT_EQ(event->shows_as, calendar::ShowsAs::kBusy);
}

}  // namespace

void ClaimGraphCalendar(Claims& claims) {
  claims.Add("graph.calendars.list.200", [](const Example& example) {
    std::string json = example.Body();
    const auto page = microsoft::ParseCalendars(json);
    ASSERT_TRUE(page && page->calendars.size() == 3);
    EXPECT_EQ(page->calendars[0].name, "Calendar");
    EXPECT_TRUE(page->calendars[0].is_primary);
    EXPECT_EQ(page->calendars[1].name, "Birthdays");
    EXPECT_FALSE(page->calendars[1].is_primary);
    EXPECT_EQ(page->calendars[2].role, calendar::AccessRole::kReader) << "not to be edited";
  });
  claims.Add("graph.calendarView.delta.changes.200", [](const Example& example) {
    const auto page = Page(example);
    ASSERT_GE(page.events.size(), 4u);
    EXPECT_EQ(page.events[0].kind, EventKind::kMaster);
    EXPECT_EQ(page.events[0].title, "Weekly");
    EXPECT_EQ(page.events[1].kind, EventKind::kOccurrence);
    EXPECT_EQ(page.events[1].series_id, page.events[0].external_id);
    EXPECT_EQ(page.events[2].kind, EventKind::kException);
    EXPECT_EQ(page.events[2].title, "Weekly (moved)");
    EXPECT_EQ(page.events[2].time.start, ParseInstant("2026-05-18T14:00:00Z"));
    EXPECT_TRUE(page.events[3].time.all_day) << "dates, not instants";
    EXPECT_EQ(page.delta_link, example.Text("response/body/@odata.deltaLink"));
  });
  claims.Add("graph.calendarView.delta.last.200", [](const Example& example) {
    const auto page = Page(example);
    EXPECT_EQ(page.next_link, "");
    EXPECT_EQ(page.delta_link, example.Text("response/body/@odata.deltaLink"));
  });
  claims.Add("graph.events.get.200", &ExpectTestMeeting);
  claims.Add("graph.events.create.201", &ExpectTestMeeting);
  claims.Add("graph.events.list.200", [](const Example& example) {
    std::string json = example.Body();
    const auto span = microsoft::ParseSpan(json);
    ASSERT_TRUE(span);
    ASSERT_THAT(span->ids, SizeIs(2));
    EXPECT_EQ(span->earliest, ParseInstant("2026-05-11T06:00:00Z"));
  });
  claims.Add("graph.events.cancel.202", [](const Example& example) {
    EXPECT_EQ(example.Response().status, 202);
    EXPECT_EQ(example.Body(), "") << "a call that we never make";
  });
}

}  // namespace latchkey::examples
