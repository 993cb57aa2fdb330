#include "providers/microsoft/graph_calendar.hpp"

#include <boost/asio/io_context.hpp>
#include <deque>

#include <gmock/gmock.h>

#include "async/testing.hpp"
#include "providers/microsoft/graph_calendar_events.hpp"
#include "providers/microsoft/graph_recurrence.hpp"

namespace latchkey::microsoft {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
namespace inherit = calendar::inherit;

EventsPage Page(std::string items) {
  std::string json = R"({"@odata.deltaLink":"https://graph.example/v1.0/me/x","value":[)" + items + "]}";
  auto page = ParseEvents(json);
  if (!page) throw std::runtime_error(page.error().detail);
  return std::move(*page);
}

TEST(GraphEventsTest, ThinOccurrencesTakeTheRestFromTheirSeries) {
  auto page = Page(R"(
    {"id":"M","subject":"Weekly","type":"seriesMaster","isAllDay":false,
     "start":{"dateTime":"2026-05-04T09:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-05-04T09:30:00.0000000","timeZone":"UTC"},
     "originalStartTimeZone":"W. Europe Standard Time",
     "recurrence":{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["monday"],"firstDayOfWeek":"sunday","index":"first"},
                   "range":{"type":"numbered","startDate":"2026-05-04","numberOfOccurrences":10}}},
    {"id":"O","seriesMasterId":"M","type":"occurrence",
     "start":{"dateTime":"2026-05-11T09:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-05-11T09:30:00.0000000","timeZone":"UTC"}},
    {"id":"E","seriesMasterId":"M","type":"exception","originalStart":"2026-05-18T09:00:00Z","subject":"Weekly, moved",
     "start":{"dateTime":"2026-05-18T14:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-05-18T14:30:00.0000000","timeZone":"UTC"}},
    {"id":"gone","@removed":{"reason":"deleted"}})");
  EXPECT_THAT(page.removed, ElementsAre("gone"));
  ASSERT_THAT(page.events, SizeIs(3));
  EXPECT_EQ(page.events[0].kind, calendar::EventKind::kMaster);
  EXPECT_EQ(page.events[0].time.zone, "Europe/Berlin");
  EXPECT_THAT(page.events[0].recurrence, ElementsAre("RRULE:FREQ=WEEKLY;BYDAY=MO;WKST=SU;COUNT=10"));
  auto& occurrence = page.events[1];
  EXPECT_EQ(occurrence.kind, calendar::EventKind::kOccurrence);
  EXPECT_EQ(occurrence.inherits, inherit::kEverything & ~inherit::kAllDay);
  InheritFrom(page.events[0], occurrence);
  EXPECT_EQ(occurrence.title, "Weekly");
  EXPECT_EQ(occurrence.time.zone, "Europe/Berlin");
  EXPECT_EQ(occurrence.time.start, ParseInstant("2026-05-11T09:00:00Z"));
  EXPECT_EQ(page.events[2].inherits & inherit::kTitle, 0u);
  EXPECT_EQ(page.events[2].original_start, ParseInstant("2026-05-18T09:00:00Z"));
}

TEST(GraphEventsTest, AllDayEventsAreTheDatesOfTheirOwnZone) {
  const auto page = Page(R"(
    {"id":"utc","type":"singleInstance","isAllDay":true,"originalStartTimeZone":"Pacific Standard Time",
     "start":{"dateTime":"2026-05-25T00:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-05-26T00:00:00.0000000","timeZone":"UTC"}},
    {"id":"converted","type":"singleInstance","isAllDay":true,"originalStartTimeZone":"Pacific Standard Time",
     "start":{"dateTime":"2026-05-25T07:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-05-27T07:00:00.0000000","timeZone":"UTC"}},
    {"id":"east","type":"singleInstance","isAllDay":true,"originalStartTimeZone":"Tokyo Standard Time",
     "start":{"dateTime":"2026-05-24T15:00:00.0000000","timeZone":"UTC"},"end":{"dateTime":"2026-05-25T15:00:00.0000000","timeZone":"UTC"}})");
  std::vector<std::string> dates;
  for (const auto& event : page.events) {
    dates.push_back(calendar::FormatDate(event.time.start) + " " + calendar::FormatDate(event.time.end));
  }
  EXPECT_THAT(dates, ElementsAre("2026-05-25 2026-05-26", "2026-05-25 2026-05-27", "2026-05-25 2026-05-26"));
}

TEST(GraphEventsTest, OccurrencesOfAnAllDaySeriesAreDays) {
  const std::string day = R"("start":{"dateTime":"2026-05-25T00:00:00.0000000","timeZone":"UTC"},
                             "end":{"dateTime":"2026-05-26T00:00:00.0000000","timeZone":"UTC"})";
  const auto page = Page(R"({"id":"O","seriesMasterId":"M","type":"occurrence",)" + day + R"(},
    {"id":"M","type":"seriesMaster","isAllDay":true,)" +
                         day + R"(},{"id":"?","seriesMasterId":"else","type":"occurrence",)" + day + "}");
  EXPECT_TRUE(page.events[0].time.all_day);
  EXPECT_THAT(page.undecided, ElementsAre(2u));
}

TEST(GraphEventsTest, PeopleMeetingsAndStates) {
  const auto page = Page(
      R"({"id":"a","type":"singleInstance","subject":"Talk","isCancelled":true,"showAs":"oof","sensitivity":"private",
    "isOrganizer":true,"organizer":{"emailAddress":{"name":"Ada","address":"ada@example.com"}},
    "attendees":[{"type":"optional","status":{"response":"tentativelyAccepted"},"emailAddress":{"name":"G","address":"g@example.org"}},
                 {"type":"resource","emailAddress":{"address":"room@example.org"}}],
    "onlineMeeting":{"joinUrl":"https://teams.example/1"},"location":{"displayName":"Room 4"},
    "body":{"contentType":"html","content":"<html><body><p>Bring <b>cake</b></p></body></html>"},"webLink":"https://o.example/1",
    "start":{"dateTime":"2026-06-15T10:00:00.0000000","timeZone":"W. Europe Standard Time"},
    "end":{"dateTime":"2026-06-15T11:00:00.0000000","timeZone":"W. Europe Standard Time"}})");
  ASSERT_THAT(page.events, SizeIs(1));
  const auto& event = page.events[0];
  EXPECT_EQ(event.time.start, ParseInstant("2026-06-15T08:00:00Z"));
  EXPECT_EQ(event.status, calendar::EventStatus::kCancelled);
  EXPECT_EQ(event.shows_as, calendar::ShowsAs::kOutOfOffice);
  EXPECT_TRUE(event.is_private);
  EXPECT_TRUE(event.organizer.self);
  ASSERT_THAT(event.attendees, SizeIs(1));
  EXPECT_EQ(event.attendees[0].response, calendar::Response::kTentative);
  EXPECT_EQ(event.conference_url, "https://teams.example/1");
  EXPECT_EQ(event.description, "Bring cake");
  EXPECT_EQ(event.inherits, 0u);
}

TEST(GraphEventsTest, AnswersWithoutTheDocumentedShapeAreRefused) {
  for (const std::string broken : {"", "[]", "<html>", "{}", R"({"value":[]})"}) {
    std::string json = broken;
    EXPECT_EQ(ParseEvents(json).error().code, ErrorCode::kMalformedReply) << broken;
  }
}

TEST(GraphRecurrenceTest, PatternsBecomeRules) {
  const auto line = [](std::string pattern, std::string range) {
    std::string json = R"({"pattern":)" + pattern + R"(,"range":)" + range + "}";
    simdjson::dom::parser parser;
    return RecurrenceLine(*calendar::ParseAnswer(parser, json));
  };
  const std::string no_end = R"({"type":"noEnd"})";
  EXPECT_EQ(line(R"({"type":"daily","interval":3})", no_end), "RRULE:FREQ=DAILY;INTERVAL=3");
  EXPECT_EQ(line(R"({"type":"absoluteMonthly","interval":1,"dayOfMonth":15})",
                 R"({"type":"endDate","endDate":"2026-12-31"})"),
            "RRULE:FREQ=MONTHLY;BYMONTHDAY=15;UNTIL=20261231");
  EXPECT_EQ(
      line(R"({"type":"relativeMonthly","interval":2,"daysOfWeek":["thursday","friday"],"index":"last"})", no_end),
      "RRULE:FREQ=MONTHLY;BYDAY=TH,FR;BYSETPOS=-1;INTERVAL=2");
  EXPECT_EQ(line(R"({"type":"absoluteYearly","interval":1,"month":2,"dayOfMonth":29})", no_end),
            "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29");
  EXPECT_EQ(
      line(R"({"type":"relativeYearly","interval":1,"month":11,"daysOfWeek":["thursday"],"index":"fourth"})", no_end),
      "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=TH;BYSETPOS=4");
  EXPECT_EQ(line(R"({"type":"hijri"})", no_end), "");
}

std::vector<std::string> Names(const std::vector<calendar::Window>& windows) {
  std::vector<std::string> names;
  for (const auto& window : windows) names.push_back(window.name + (window.near ? "" : " far"));
  return names;
}

TEST(GraphWindowsTest, FixedStretchesHoldThePastAndTheFuture) {
  const auto windows = CalendarWindows(*ParseInstant("2026-11-21T12:00:00Z"), {}, {}, {});
  EXPECT_THAT(Names(windows), ElementsAre("2024", "2028"));
  EXPECT_EQ(windows[0].from, ParseInstant("2024-01-01T00:00:00Z"));
  EXPECT_EQ(windows[0].to, windows[1].from) << "without a gap";
  EXPECT_LT(*windows[0].to - *windows[0].from, std::chrono::days(1825)) << "more than Graph gives at once";
  EXPECT_THAT(Names(CalendarWindows(*ParseInstant("2026-11-21T12:00:00Z"), ParseInstant("2014-05-01T00:00:00Z"),
                                    ParseInstant("2041-05-01T00:00:00Z"), {})),
              ElementsAre("2024", "2028", "2032 far", "2036 far", "2040 far", "2020 far", "2016 far", "2012 far"));
  EXPECT_THAT(Names(CalendarWindows(*ParseInstant("2030-01-02T00:00:00Z"), {}, {}, windows)),
              ElementsAre("2028", "2032", "2024 far"))
      << "as years go by the next one is begun, and none is forgotten";
}

class ScriptedHttp final : public http_client::HttpClient {
 public:
  struct Answer {
    int status = 200;
    std::string body;
  };
  std::deque<Answer> script;
  std::vector<http_client::HttpRequest> requests;
  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    requests.push_back(request);
    http_client::HttpResponse response;
    response.status = script.front().status;
    response.body = script.front().body;
    script.pop_front();
    co_return response;
  }
};

class Tokens final : public connected_accounts::TokenSource {
 public:
  Task<Result<SecretString>> AccessToken(const ConnectedAccountId&, const SecretString&) override {
    co_return SecretString("token");
  }
};

class GraphCalendarsTest : public ::testing::Test {
 protected:
  template <class T>
  Result<T> Run(Task<Result<T>> task) {
    return latchkey::testing::RunTask(loop, std::move(task));
  }

  boost::asio::io_context loop;
  ManualClock clock{*ParseInstant("2026-11-21T12:00:00Z")};
  ScriptedHttp http;
  Tokens tokens;
  GraphClients clients{{.http = http,
                        .tokens = tokens,
                        .clock = clock,
                        .options = {.base_url = "https://graph.example", .max_retries = 0}}};
  CalendarProviders providers{clients};
  std::shared_ptr<calendar::CalendarProvider> adapter =
      *providers.For(ConnectedAccountId::New(clock.Now()), "microsoft");
  calendar::Calendar home{.external_id = "AQ=="};
  calendar::Window window = CalendarWindows(clock.Now(), {}, {}, {})[0];
};

TEST_F(GraphCalendarsTest, ARoundFollowsItsLinksAndStoresNoHost) {
  http.script = {
      {.body = R"({"@odata.nextLink":"https://graph.example/v1.0/me/calendarView/delta?$skiptoken=a","value":[]})"},
      {.body = R"({"@odata.deltaLink":"https://graph.example/v1.0/me/calendarView/delta?$deltatoken=b","value":[]})"}};
  auto page = Run(adapter->Changes(home, window, ""));
  ASSERT_TRUE(page) << page.error().detail;
  EXPECT_TRUE(page->more);
  page = Run(adapter->Changes(home, window, page->next_token));
  EXPECT_FALSE(page->more);
  EXPECT_EQ(page->next_token, "me/calendarView/delta?$deltatoken=b");
  EXPECT_THAT(http.requests[0].url,
              HasSubstr("/v1.0/me/calendars/AQ%3D%3D/calendarView/delta?startDateTime=2024-01-01T00%3A00%3A00Z"
                        "&endDateTime=2028-01-01T00%3A00%3A00Z"));
  std::string prefer;
  for (const auto& [name, value] : http.requests[0].headers) prefer += name == "Prefer" ? value : "";
  EXPECT_THAT(prefer, HasSubstr("outlook.timezone=\"UTC\""));
}

TEST_F(GraphCalendarsTest, ExpiredLinksAndLostCalendars) {
  const auto error = [&](int status, std::string_view code, const std::string& token) {
    http.script = {{.status = status, .body = R"({"error":{"code":")" + std::string(code) + R"(","message":"x"}})"}};
    return Run(adapter->Changes(home, window, token)).error().code;
  };
  for (const int status : {410, 400, 404}) {
    EXPECT_EQ(error(status, "SyncStateNotFound", "me/calendarView/delta?$deltatoken=b"), ErrorCode::kCursorExpired);
  }
  EXPECT_EQ(error(410, "resyncRequired", "me/calendarView/delta?$deltatoken=b"), ErrorCode::kCursorExpired);
  EXPECT_EQ(error(404, "ErrorItemNotFound", ""), ErrorCode::kNotFound);
  EXPECT_EQ(error(403, "ErrorAccessDenied", ""), ErrorCode::kMissingScope);
}

TEST_F(GraphCalendarsTest, HowFarTheEventsReachIsAsked) {
  http.script = {
      {.body = R"({"@odata.nextLink":"https://graph.example/v1.0/me/calendars/AQ%3D%3D/events?$skip=1","value":[
      {"id":"a","type":"singleInstance","start":{"dateTime":"2041-05-01T00:00:00","timeZone":"UTC"},"end":{"dateTime":"2041-05-01T01:00:00","timeZone":"UTC"}}]})"},
      {.body =
           R"({"value":[{"id":"b","start":{"dateTime":"2019-05-01T00:00:00","timeZone":"UTC"},"end":{"dateTime":"2019-05-01T01:00:00","timeZone":"UTC"}}]})"}};
  const auto windows = Run(adapter->Windows(home, {}, clock.Now(), true));
  EXPECT_THAT(Names(*windows), ElementsAre("2024", "2028", "2032 far", "2036 far", "2040 far", "2020 far", "2016 far"));
  EXPECT_THAT(Names(*Run(adapter->Windows(home, *windows, clock.Now(), false))), SizeIs(7));
}

TEST_F(GraphCalendarsTest, WhatDiffersFromItsSeriesIsListedWindowByWindow) {
  const std::vector<calendar::Window> windows = CalendarWindows(clock.Now(), {}, {}, {});
  ASSERT_EQ(windows.size(), 2U);
  http.script = {
      {.body = R"({"value":[{"id":"M","type":"seriesMaster"},{"id":"S","type":"singleInstance"}]})"},
      {.body =
           R"({"@odata.nextLink":"https://graph.example/v1.0/me/calendars/AQ%3D%3D/calendarView?$skip=2","value":[{"id":"O","type":"occurrence"},{"id":"X","type":"exception"}]})"},
      {.body = R"({"value":[{"id":"Y","type":"exception"}]})"},
      {.body = R"({"value":[]})"}};
  std::vector<std::string> found;
  std::string page;
  int pages = 0;
  do {
    const auto ids = Run(adapter->ListIds(home, windows, page));
    ASSERT_TRUE(ids) << ids.error().detail;
    found.insert(found.end(), ids->ids.begin(), ids->ids.end());
    page = ids->next_page;
    ++pages;
  } while (!page.empty() && pages < 5);
  EXPECT_THAT(found, ElementsAre("M", "S", "X", "Y"));
  EXPECT_TRUE(http.script.empty());
  EXPECT_TRUE(Run(adapter->ListIds(home, {}, "2024|"))->ids.empty()) << "a window that is gone";
}

TEST_F(GraphCalendarsTest, WhetherAnOccurrenceIsADayIsItsMastersToSay) {
  http.script = {
      {.body =
           R"({"@odata.deltaLink":"https://graph.example/v1.0/me/x","value":[{"id":"O","seriesMasterId":"M","type":"occurrence",
      "start":{"dateTime":"2026-05-25T00:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-05-26T00:00:00","timeZone":"UTC"}}]})"},
      {.body =
           R"({"id":"M","type":"seriesMaster","isAllDay":true,"start":{"dateTime":"2026-05-18T00:00:00","timeZone":"UTC"},
      "end":{"dateTime":"2026-05-19T00:00:00","timeZone":"UTC"}})"}};
  const auto page = Run(adapter->Changes(home, window, ""));
  ASSERT_TRUE(page) << page.error().detail;
  EXPECT_TRUE(page->events.at(0).time.all_day);
}

}  // namespace
}  // namespace latchkey::microsoft
