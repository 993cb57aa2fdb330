#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/calendar/files.hpp"
#include "simulator/calendar/samples.hpp"
#include "simulator/graph_calendar/calendar_area.hpp"
#include "simulator/graph_calendar/recurrence.hpp"
#include "simulator/testing/discovery_schemas.hpp"
#include "simulator/testing/openapi_schemas.hpp"

namespace latchkey::simulator::graph {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kWeekly =
    R"({"subject":"Weekly","start":{"dateTime":"2026-03-16T09:00:00","timeZone":"W. Europe Standard Time"},
  "end":{"dateTime":"2026-03-16T09:30:00","timeZone":"W. Europe Standard Time"},
  "recurrence":{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["monday"],"firstDayOfWeek":"sunday"},
                "range":{"type":"numbered","startDate":"2026-03-16","numberOfOccurrences":4}}})";
constexpr const char* kWindow = "startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-03-31T00:00:00Z";

/// Graph's calendars of one person, without transport and tokens.
class GraphCalendarTest : public ::testing::Test {
 protected:
  GraphCalendarTest() { service_.Add(area_); }

  Response AskRaw(std::string method, std::string target, std::string body = {}, Headers headers = {}) {
    Request request;
    request.method = std::move(method);
    request.SetTarget(target.starts_with("http") ? target.substr(target.find("/v1.0")) : "/v1.0/me/" + target);
    request.body = std::move(body);
    request.headers = std::move(headers);
    request.scheme = "http";
    request.host = "localhost:9000";
    GraphService::Prepare(request, &ada_);
    const Grant grant{.account = &ada_, .client_id = "client", .scopes = scopes_};
    return service_.Handle(request, grant);
  }
  json::value Ask(int status, std::string method, std::string target, std::string body = {}, Headers headers = {}) {
    const Response response = AskRaw(std::move(method), target, std::move(body), std::move(headers));
    EXPECT_EQ(response.status, status) << target << " " << response.body;
    return response.body.empty() ? json::value() : json::parse(response.body);
  }
  json::value Get(std::string target, Headers headers = {}) {
    return Ask(200, "GET", std::move(target), "", std::move(headers));
  }
  static std::string Text(const json::value& value) { return std::string(value.as_string()); }
  /// "type subject" of each item, "-" for removed ones, in order.
  static std::vector<std::string> Kinds(const json::value& list) {
    std::vector<std::string> kinds;
    for (const json::value& item : list.at("value").as_array()) {
      const json::object& object = item.as_object();
      kinds.push_back(object.contains("@removed") ? "-" : Text(object.at("type")));
    }
    std::ranges::sort(kinds);
    return kinds;
  }

  ManualClock clock_{Instant(std::chrono::seconds(1'773'300'000))};  // 2026-03-12T07:20:00Z
  AccountRegistry accounts_;
  Account& ada_ = accounts_.AddMicrosoft("ada@example.com", "Ada Example");
  ScopeSet scopes_ = {"https://graph.microsoft.com/Calendars.ReadWrite", "Calendars.ReadWrite"};
  Settings settings_;
  calendar::CalendarStore store_{clock_, 42};
  CalendarArea area_{store_};
  GraphService service_{clock_, settings_};
};

TEST_F(GraphCalendarTest, SeriesKeepTheirWallClockAndNameTheirWindowsZone) {
  const json::value created = Ask(201, "POST", "events", kWeekly);
  EXPECT_EQ(Text(created.at("type")), "seriesMaster");
  EXPECT_EQ(Text(created.at("originalStartTimeZone")), "W. Europe Standard Time");
  EXPECT_EQ(Text(created.at("recurrence").at("range").at("recurrenceTimeZone")), "W. Europe Standard Time");
  EXPECT_EQ(created.at("recurrence").at("range").at("numberOfOccurrences"), json::value(4));
  const json::value view =
      Get(std::string("calendarView?") + "startDateTime=2026-03-20T00:00:00Z&endDateTime=2026-04-10T00:00:00Z");
  std::vector<std::string> starts;
  for (const json::value& item : view.at("value").as_array()) starts.push_back(Text(item.at("start").at("dateTime")));
  EXPECT_THAT(starts,
              ElementsAre("2026-03-23T08:00:00.0000000", "2026-03-30T07:00:00.0000000", "2026-04-06T07:00:00.0000000"));
  const json::value local =
      Get(std::string("calendarView?") + kWindow, {{"Prefer", "outlook.timezone=\"W. Europe Standard Time\""}});
  EXPECT_EQ(Text(local.at("value").at(0).at("start").at("dateTime")), "2026-03-16T09:00:00.0000000");
  EXPECT_EQ(Text(local.at("value").at(0).at("start").at("timeZone")), "W. Europe Standard Time");
}

TEST_F(GraphCalendarTest, DeltaFreezesItsWindowAndTellsWhatHasGone) {
  const std::string master = Text(Ask(201, "POST", "events", kWeekly).at("id"));
  const std::string single = Text(
      Ask(201, "POST", "events",
          R"({"subject":"Single","start":{"dateTime":"2026-03-20T10:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-03-20T11:00:00","timeZone":"UTC"}})")
          .at("id"));
  json::value page = Get(std::string("calendarView/delta?") + kWindow, {{"Prefer", "odata.maxpagesize=2"}});
  std::vector<std::string> kinds;
  json::value occurrence;
  for (;;) {
    for (const std::string& kind : Kinds(page)) kinds.push_back(kind);
    for (const json::value& item : page.at("value").as_array()) {
      if (item.as_object().contains("type") && Text(item.at("type")) == "occurrence") occurrence = item;
    }
    if (!page.as_object().contains("@odata.nextLink")) break;
    page = Get(Text(page.at("@odata.nextLink")), {{"Prefer", "odata.maxpagesize=2"}});
  }
  std::ranges::sort(kinds);
  EXPECT_THAT(kinds, ElementsAre("occurrence", "occurrence", "occurrence", "seriesMaster", "singleInstance"));
  EXPECT_EQ(occurrence.as_object().size(), 7U) << occurrence;
  EXPECT_EQ(Text(occurrence.at("seriesMasterId")), master);

  std::string link = Text(page.at("@odata.deltaLink"));
  EXPECT_THAT(Kinds(Get(link)), IsEmpty());
  // A moved occurrence is an exception; outside the window nothing is told.
  Ask(200, "PATCH", "events/" + Text(occurrence.at("id")),
      R"({"subject":"Moved","start":{"dateTime":"2026-03-24T14:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-03-24T15:00:00","timeZone":"UTC"}})");
  Ask(201, "POST", "events",
      R"({"subject":"Later","start":{"dateTime":"2026-05-20T10:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-05-20T11:00:00","timeZone":"UTC"}})");
  Ask(204, "DELETE", "events/" + single);
  page = Get(link);
  EXPECT_THAT(Kinds(page), ElementsAre("-", "exception"));
  // The same link again gives the same answer: the one before may have been lost.
  EXPECT_THAT(Kinds(Get(link)), ElementsAre("-", "exception"));
  link = Text(page.at("@odata.deltaLink"));
  Ask(204, "DELETE", "events/" + master);
  EXPECT_THAT(Kinds(Get(link)), ElementsAre("-", "-", "-", "-"));
  Ask(404, "GET", "events/" + master);
}

TEST_F(GraphCalendarTest, DeltaRefusesWhatItCannotDoAndExpires) {
  EXPECT_EQ(Text(Ask(400, "GET", "calendarView/delta").at("error").at("code")), "ErrorInvalidParameter");
  Ask(400, "GET", std::string("calendarView/delta?$select=subject&") + kWindow);
  const std::string link = Text(Get(std::string("calendarView/delta?") + kWindow).at("@odata.deltaLink"));
  store_.ExpireTokens(ada_);
  EXPECT_EQ(Text(Ask(410, "GET", link).at("error").at("code")), "SyncStateNotFound");
  EXPECT_THAT(AskRaw("GET", link).headers.Get("Location"), HasSubstr("calendarView/delta"));
}

TEST_F(GraphCalendarTest, AllDayEventsAreMidnightWhateverZoneIsPreferred) {
  Ask(201, "POST", "events",
      R"({"subject":"Trip","isAllDay":true,"start":{"dateTime":"2026-03-20T00:00:00","timeZone":"Tokyo Standard Time"},"end":{"dateTime":"2026-03-22T00:00:00","timeZone":"Tokyo Standard Time"}})");
  const json::value list = Get("events", {{"Prefer", "outlook.timezone=\"Pacific Standard Time\""}});
  EXPECT_EQ(Text(list.at("value").at(0).at("start").at("dateTime")), "2026-03-20T00:00:00.0000000");
  EXPECT_EQ(list.at("value").at(0).at("isAllDay"), json::value(true));
  Ask(400, "POST", "events",
      R"({"isAllDay":true,"start":{"dateTime":"2026-03-20T01:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-03-22T00:00:00","timeZone":"UTC"}})");
}

TEST_F(GraphCalendarTest, TransactionIdsMakeCreationIdempotent) {
  const std::string body =
      R"({"subject":"Once","transactionId":"7E163156","start":{"dateTime":"2026-03-20T10:00:00","timeZone":"UTC"},"end":{"dateTime":"2026-03-20T11:00:00","timeZone":"UTC"}})";
  const std::string id = Text(Ask(201, "POST", "events", body).at("id"));
  EXPECT_EQ(Text(Ask(201, "POST", "events", body).at("id")), id);
  EXPECT_EQ(Get("events").at("value").as_array().size(), 1U);
}

TEST_F(GraphCalendarTest, InvitationsAreAnsweredAndOwnMeetingsCancelled) {
  calendar::Calendar& primary = store_.Book(ada_).primary();
  calendar::Event invitation;
  invitation.summary = "Invitation";
  invitation.start = {.local = calendar::LocalTime(std::chrono::seconds(1'773'400'000))};
  invitation.end = {.local = calendar::LocalTime(std::chrono::seconds(1'773'403'600))};
  invitation.organizer = {"mira@example.org", "Mira"};
  invitation.attendees = {{.person = {"ada@example.com", "Ada"}}};
  const std::string id = EventId(store_.Put(ada_, primary, invitation).id, false);
  EXPECT_EQ(Text(Get("events/" + id).at("responseStatus").at("response")), "notResponded");
  Ask(202, "POST", "events/" + id + "/accept", R"({"sendResponse":true})");
  EXPECT_EQ(Text(Get("events/" + id).at("responseStatus").at("response")), "accepted");
  Ask(400, "POST", "events/" + id + "/cancel");
  Ask(202, "POST", "events/" + id + "/decline");
  Ask(404, "GET", "events/" + id);
  const std::string own = Text(Ask(201, "POST", "events", kWeekly).at("id"));
  Ask(400, "POST", "events/" + own + "/accept");
  Ask(202, "POST", "events/" + own + "/cancel", R"({"Comment":"No"})");
  Ask(404, "GET", "events/" + own);
}

TEST_F(GraphCalendarTest, IdsComeInTwoFormsAndBothAreUnderstood) {
  const std::string plain = Text(Ask(201, "POST", "events", kWeekly).at("id"));
  const std::string immutable = Text(Get("events/" + plain, {{"Prefer", "IdType=\"ImmutableId\""}}).at("id"));
  EXPECT_NE(plain, immutable);
  EXPECT_EQ(Text(Get("events/" + immutable).at("id")), plain);
  Ask(400, "GET", "events/nonsense");
}

TEST_F(GraphCalendarTest, CancelledByTheOrganizerStaysUntilRemoved) {
  calendar::Calendar& primary = store_.Book(ada_).primary();
  calendar::Event event = *primary.Find(*ParseEventId(Text(Ask(201, "POST", "events", kWeekly).at("id"))));
  event.recurrence.clear();
  event.status = calendar::EventStatus::kCancelled;
  const std::string id = EventId(store_.Put(ada_, primary, event).id, false);
  EXPECT_EQ(Get("events/" + id).at("isCancelled"), json::value(true));
  Ask(204, "DELETE", "events/" + id);
  Ask(404, "GET", "events/" + id);
}

TEST_F(GraphCalendarTest, PatternsGoBothWays) {
  const calendar::EventTime start{.local = calendar::LocalTime(std::chrono::seconds(1'773'651'600)),
                                  .zone = "Europe/Berlin"};
  for (const char* rule :
       {"RRULE:FREQ=DAILY;INTERVAL=2", "RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,WE;WKST=MO",
        "RRULE:FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=15;COUNT=3", "RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=FR;BYSETPOS=-1",
        "RRULE:FREQ=YEARLY;INTERVAL=1;BYMONTH=3;BYMONTHDAY=16",
        "RRULE:FREQ=YEARLY;INTERVAL=1;BYMONTH=11;BYDAY=TH;BYSETPOS=4"}) {
    calendar::Event master;
    master.start = start;
    master.recurrence = {rule};
    const auto pattern = ToPattern(master);
    ASSERT_TRUE(pattern) << rule;
    const auto back = FromPattern(*pattern, start);
    ASSERT_TRUE(back) << rule;
    EXPECT_EQ(*back, rule);
  }
  for (const char* rule : {"RRULE:FREQ=YEARLY;BYWEEKNO=20", "RRULE:FREQ=HOURLY", "RRULE:FREQ=YEARLY;BYDAY=20MO",
                           "RDATE:20260401T070000Z"}) {
    calendar::Event master;
    master.start = start;
    master.recurrence = {rule};
    EXPECT_FALSE(ToPattern(master)) << rule;
  }
}

std::filesystem::path CorpusFolder() {
  const char* given = std::getenv("LATCHKEY_CORPUS");
  const std::filesystem::path shared =
      given ? std::filesystem::path(given) : std::filesystem::path(LATCHKEY_SOURCE_DIR) / ".." / "shared" / "corpus";
  return shared / "calendar";
}

/// Two exceptions of one occurrence, the newer one first in the file: the two readers whose agreement the corpus
/// records take the last of the file, a provider keeps the one with the higher SEQUENCE (RFC 5545 section 3.8.7.4).
const std::map<std::string, std::string> kNewerRevision = {
    {"node-ical__recurrence-sequence__398982.ics 2024-01-02T11:00:00Z", "2024-01-02T14:00:00Z"}};

/// Instants on which two independent readers of the corpus agree, seen through calendarView.
TEST_F(GraphCalendarTest, CorpusShowsAtTheExpectedInstants) {
  std::ifstream expectations(CorpusFolder() / "expected.jsonl");
  if (!expectations) GTEST_SKIP() << "no " << CorpusFolder() << ": set LATCHKEY_CORPUS to run this test";
  store_.Book(ada_).primary().zone = "Europe/Berlin";
  ASSERT_TRUE(calendar::ImportCalendarFile(store_, ada_, (CorpusFolder() / "ics").string()));
  std::map<std::string, std::string> calendars;
  for (const calendar::Calendar& calendar : store_.Book(ada_).calendars)
    calendars[calendar.summary] = CalendarId(calendar);
  std::size_t checked = 0;
  std::vector<std::string> missing;
  for (std::string line; std::getline(expectations, line);) {
    const json::value expected = json::parse(line);
    const std::string file = Text(expected.at("file"));
    const auto* expect = expected.as_object().if_contains("expect");
    const auto* events = expect ? expect->as_object().if_contains("events") : nullptr;
    if (!events) continue;
    const std::string path = "calendars/" + calendars.at(file.substr(0, file.rfind('.'))) + "/calendarView?$top=1000&";
    for (const json::value& event : events->as_array()) {
      const auto* instants = event.as_object().if_contains("instances_utc");
      if (!instants || !instants->is_array() || event.at("all_day").as_bool()) continue;
      std::vector<std::string> wanted;
      for (const json::value& instant : instants->as_array()) {
        if (instant.is_string()) wanted.push_back(Text(instant));
      }
      if (wanted.empty()) continue;
      const std::string end = FormatInstant(*ParseInstant(wanted.back()) + std::chrono::days(1));
      std::set<std::string> seen;
      const json::value view = Get(path + "startDateTime=" + wanted.front() + "&endDateTime=" + end);
      for (const json::value& item : view.at("value").as_array()) {
        seen.insert(Text(item.at("start").at("dateTime")).substr(0, 19) + "Z");
      }
      for (const std::string& instant : wanted) {
        ++checked;
        const auto newer = kNewerRevision.find(file + " " + instant);
        const bool shown = seen.contains(newer == kNewerRevision.end() ? instant : newer->second);
        if (!shown) missing.push_back(file + " " + instant);
      }
    }
  }
  EXPECT_GT(checked, 200U);
  EXPECT_THAT(missing, IsEmpty());
}

/// What Microsoft's pages show as requests for new events must be taken.
TEST_F(GraphCalendarTest, DocumentedRequestsForNewEventsAreAccepted) {
  std::ifstream in(CorpusFolder() / "graph" / "doc-samples.jsonl");
  if (!in) GTEST_SKIP() << "no " << CorpusFolder() << ": set LATCHKEY_CORPUS to run this test";
  std::size_t taken = 0;
  for (std::string line; std::getline(in, line);) {
    const json::object sample = json::parse(line).as_object();
    const auto* first = sample.if_contains("first_line");
    const auto* body = sample.if_contains("json");
    if (!first || !first->is_string() || !body || !body->is_object()) continue;
    const std::string request = Text(*first);
    if (!request.ends_with("/me/events") || !request.starts_with("POST")) continue;
    ++taken;
    const Response response = AskRaw("POST", "events", json::serialize(*body));
    EXPECT_EQ(response.status, 201) << Text(sample.at("doc")) << " " << response.body << " for "
                                    << json::serialize(*body);
  }
  EXPECT_GT(taken, 3U);
}

TEST_F(GraphCalendarTest, AnswersFitTheOpenApiDocument) {
  const auto document = testing_documents::ReadJson(testing_documents::ProvidersFolder() / "microsoft" /
                                                    "graph-mail-calendar.openapi.json");
  if (!document) GTEST_SKIP() << "no provider documents: set LATCHKEY_PROVIDERS to run this test";
  calendar::AddSampleCalendars(store_, ada_, clock_.Now());
  // Sent by the live service and missing in the document.
  testing_documents::OpenApiSchemas schemas(*document, {"uid", "occurrenceId", "groupClassId"});
  const auto check = [&](const json::value& item, const char* schema) {
    for (const std::string& problem : schemas.Check(item, schema)) ADD_FAILURE() << problem;
  };
  std::size_t events = 0;
  std::map<std::string, std::string> calendar_of;
  for (const json::value& calendar : Get("calendars").at("value").as_array()) {
    check(calendar, "microsoft.graph.calendar");
    const std::string id = Text(calendar.at("id"));
    for (const char* list :
         {"events?$top=500",
          "calendarView?$top=500&startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-06-01T00:00:00Z",
          "calendarView/delta?startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-06-01T00:00:00Z"}) {
      for (const json::value& event : Get("calendars/" + id + "/" + list).at("value").as_array()) {
        check(event, "microsoft.graph.event");
        EXPECT_EQ(calendar_of.emplace(Text(event.at("id")), id).first->second, id) << "one id in two calendars";
        ++events;
      }
    }
  }
  EXPECT_GT(events, 150U);
  const auto sample =
      testing_documents::ReadJson(testing_documents::ProvidersFolder() / "examples" / "graph.events.list.200.json");
  const json::value created = Ask(201, "POST", "events", kWeekly);
  for (const auto& member : sample->at("response").at("body").at("value").at(1).as_object()) {
    const std::string name(member.key());
    if (!name.starts_with("calendar@")) EXPECT_TRUE(created.as_object().contains(name)) << name;
  }
}

}  // namespace
}  // namespace latchkey::simulator::graph
