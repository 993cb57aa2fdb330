#include "providers/google/calendar.hpp"

#include <boost/asio/io_context.hpp>
#include <deque>

#include <gmock/gmock.h>

#include "async/testing.hpp"
#include "providers/google/calendar_events.hpp"

namespace latchkey::google {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

EventsPage Page(std::string items, std::string_view zone = "Europe/Berlin") {
  std::string json = R"({"nextSyncToken":"s","items":[)" + items + "]}";
  auto page = ParseEvents(json, std::string(zone));
  if (!page) throw std::runtime_error(page.error().detail);
  return std::move(*page);
}

TEST(GoogleEventsTest, TombstonesCalledOffAndMovedOccurrences) {
  const auto page = Page(R"(
    {"id":"single","status":"cancelled"},
    {"id":"m_20260322T130000Z","status":"cancelled","recurringEventId":"m",
     "originalStartTime":{"dateTime":"2026-03-22T10:00:00-03:00","timeZone":"America/Sao_Paulo"}},
    {"id":"m_20260329T130000Z","status":"confirmed","summary":"Moved","recurringEventId":"m",
     "originalStartTime":{"dateTime":"2026-03-29T10:00:00-03:00","timeZone":"America/Sao_Paulo"},
     "start":{"dateTime":"2026-03-29T15:00:00-03:00","timeZone":"America/Sao_Paulo"},
     "end":{"dateTime":"2026-03-29T16:00:00-03:00","timeZone":"America/Sao_Paulo"}})");
  EXPECT_THAT(page.removed, ElementsAre("single"));
  ASSERT_THAT(page.events, SizeIs(2));
  EXPECT_EQ(page.events[0].kind, calendar::EventKind::kException);
  EXPECT_EQ(page.events[0].status, calendar::EventStatus::kCancelled);
  EXPECT_EQ(page.events[0].original_start, ParseInstant("2026-03-22T13:00:00Z"));
  EXPECT_EQ(page.events[1].series_id, "m");
  EXPECT_EQ(page.events[1].time.start, ParseInstant("2026-03-29T18:00:00Z"));
  EXPECT_EQ(page.events[1].original_start, ParseInstant("2026-03-29T13:00:00Z"));
  EXPECT_EQ(page.events[1].time.zone, "America/Sao_Paulo");
}

TEST(GoogleEventsTest, AllDayIsDatesAndASeriesKeepsItsOwnZone) {
  const auto page = Page(R"(
    {"id":"day","summary":"Day","start":{"date":"2026-03-15"},"end":{"date":"2026-03-16"}},
    {"id":"m","summary":"Series","start":{"dateTime":"2026-03-20T13:00:00-03:00","timeZone":"America/Los_Angeles"},
     "end":{"dateTime":"2026-03-20T14:00:00-03:00","timeZone":"America/Los_Angeles"},
     "recurrence":["RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR"]},
    {"id":"zoneless","start":{"dateTime":"2026-07-01T09:00:00"},"end":{"dateTime":"2026-07-01T10:00:00"}},
    {"id":"none","summary":"No start"})");
  ASSERT_THAT(page.events, SizeIs(3)) << "what cannot be placed is left out";
  EXPECT_TRUE(page.events[0].time.all_day);
  EXPECT_EQ(calendar::FormatDate(page.events[0].time.start), "2026-03-15");
  EXPECT_EQ(calendar::FormatDate(page.events[0].time.end), "2026-03-16");
  EXPECT_EQ(page.events[1].kind, calendar::EventKind::kMaster);
  EXPECT_EQ(page.events[1].time.zone, "America/Los_Angeles");
  EXPECT_THAT(page.events[1].recurrence, ElementsAre("RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR"));
  EXPECT_EQ(page.events[2].time.start, ParseInstant("2026-07-01T07:00:00Z")) << "in the calendar's zone";
}

TEST(GoogleEventsTest, PeopleLinksAndHowItShows) {
  const auto page = Page(R"(
    {"id":"a","summary":"Talk \ud83d\ude00 \ud83d","description":"<b>Bring</b><br>cake &amp; tea","location":"Room 4",
     "status":"tentative","visibility":"private","transparency":"transparent","htmlLink":"https://c.example/1",
     "hangoutLink":"https://old.example/","attendeesOmitted":true,
     "conferenceData":{"entryPoints":[{"entryPointType":"phone","uri":"tel:1"},{"entryPointType":"video","uri":"https://meet.example/x"}]},
     "organizer":{"email":"ada@example.com","displayName":"Ada","self":true},
     "attendees":[{"email":"g@example.org","responseStatus":"declined","optional":true},{"email":"room@example.org","resource":true},
                  {"email":"ada@example.com","responseStatus":"accepted","self":true}],
     "start":{"dateTime":"2026-03-20T13:00:00Z"},"end":{"dateTime":"2026-03-20T14:00:00Z"}},
    {"id":"b","eventType":"outOfOffice","start":{"dateTime":"2026-03-20T13:00:00Z"},"end":{"dateTime":"2026-03-20T12:00:00Z"}})");
  ASSERT_THAT(page.events, SizeIs(2));
  const auto& event = page.events[0];
  EXPECT_EQ(event.title, "Talk \xF0\x9F\x98\x80 \xEF\xBF\xBD") << "a broken surrogate costs a character, not the page";
  EXPECT_THAT(event.description, HasSubstr("cake & tea"));
  EXPECT_THAT(event.description, Not(HasSubstr("<")));
  EXPECT_EQ(event.status, calendar::EventStatus::kTentative);
  EXPECT_TRUE(event.is_private);
  EXPECT_EQ(event.shows_as, calendar::ShowsAs::kFree);
  EXPECT_EQ(event.conference_url, "https://meet.example/x");
  EXPECT_TRUE(event.organizer.self);
  EXPECT_TRUE(event.attendees_omitted);
  ASSERT_THAT(event.attendees, SizeIs(2));
  EXPECT_EQ(event.attendees[0].response, calendar::Response::kDeclined);
  EXPECT_TRUE(event.attendees[0].optional);
  EXPECT_TRUE(event.attendees[1].self);
  EXPECT_EQ(page.events[1].shows_as, calendar::ShowsAs::kOutOfOffice);
  EXPECT_EQ(page.events[1].time.end, page.events[1].time.start) << "never ends before it begins";
}

TEST(GoogleEventsTest, AnswersWithoutTheDocumentedShapeAreRefused) {
  for (const std::string broken : {"", "[]", "<html>", "{}", R"({"items":[]})", R"({"items":[{]})"}) {
    std::string json = broken;
    EXPECT_EQ(ParseEvents(json, "").error().code, ErrorCode::kMalformedReply) << broken;
  }
  std::string json = R"({"nextPageToken":"p","items":[]})";
  EXPECT_EQ(ParseEvents(json, "")->next_page, "p") << "an empty page that goes on";
}

class ScriptedHttp final : public http_client::HttpClient {
 public:
  struct Answer {
    int status = 200;
    std::string body;
  };
  std::deque<Answer> script;
  std::vector<std::string> urls;
  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    urls.push_back(request.url);
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

class GoogleCalendarsTest : public ::testing::Test {
 protected:
  template <class T>
  Result<T> Run(Task<Result<T>> task) {
    return latchkey::testing::RunTask(loop, std::move(task));
  }
  Result<calendar::ChangePage> Changes(const std::string& token) { return Run(adapter->Changes(home, window, token)); }

  boost::asio::io_context loop;
  ManualClock clock{FromMicros(1'800'000'000'000'000)};
  ScriptedHttp http;
  Tokens tokens;
  sync::QuotaBudget budget{clock, {.account_units_per_minute = 0, .project_units_per_minute = 0}};
  WorkerPool pool{1};
  CalendarProviders providers{{.http = http,
                               .tokens = tokens,
                               .budget = budget,
                               .pool = pool,
                               .clock = clock,
                               .options = {.calendar_url = "https://calendar.example", .max_retries = 0}}};
  std::shared_ptr<calendar::CalendarProvider> adapter = *providers.For(ConnectedAccountId::New(clock.Now()), "google");
  calendar::Calendar home{.external_id = "ada@example.com", .time_zone = "Europe/Berlin"};
  calendar::Window window;
};

TEST_F(GoogleCalendarsTest, TheListIsReadToItsEnd) {
  http.script = {
      {.body = R"({"nextPageToken":"p 2","items":[{"id":"ada@example.com","summary":"Ada","primary":true,
                            "accessRole":"owner","timeZone":"Europe/Berlin","backgroundColor":"#cca6ac"}]})"},
      {.body = R"({"items":[{"id":"h","summary":"Holidays","summaryOverride":"Days off","accessRole":"reader"},
                            {"id":"fb","summary":"Boss","accessRole":"freeBusyReader","selected":true},{"id":"x","deleted":true}]})"}};
  const auto list = Run(adapter->ListCalendars());
  ASSERT_THAT(*list, SizeIs(3));
  EXPECT_TRUE(list->at(0).is_primary && list->at(0).suggested);
  EXPECT_EQ(list->at(0).color, "#cca6ac");
  EXPECT_EQ(list->at(1).name, "Days off");
  EXPECT_FALSE(list->at(1).suggested);
  EXPECT_EQ(list->at(2).role, calendar::AccessRole::kFreeBusy);
  EXPECT_TRUE(list->at(2).suggested);
  EXPECT_THAT(http.urls[1], HasSubstr("pageToken=p%202"));
}

TEST_F(GoogleCalendarsTest, PagesKeepTheSyncTokenAndEndWithTheNext) {
  http.script = {{.body = R"({"nextPageToken":"p2","items":[]})"},
                 {.body = R"({"nextSyncToken":"s1=","items":[]})"},
                 {.body = R"({"nextPageToken":"p3","items":[]})"},
                 {.body = R"({"nextSyncToken":"s2","items":[]})"}};
  auto page = Changes("");
  EXPECT_TRUE(page->more);
  page = Changes(page->next_token);
  EXPECT_FALSE(page->more);
  EXPECT_EQ(page->next_token, "s1=");
  page = Changes(page->next_token);
  EXPECT_TRUE(page->more);
  page = Changes(page->next_token);
  EXPECT_EQ(page->next_token, "s2");
  const std::string base = "https://calendar.example/calendar/v3/calendars/ada%40example.com/events?maxResults=250";
  EXPECT_THAT(http.urls, ElementsAre(base, base + "&pageToken=p2", base + "&syncToken=s1%3D",
                                     base + "&syncToken=s1%3D&pageToken=p3"));
}

http_client::HttpResponse Refusal(int status, std::string_view reason) {
  http_client::HttpResponse response;
  response.status = status;
  response.body = R"({"error":{"errors":[{"domain":"calendar","reason":")" + std::string(reason) + R"("}]}})";
  return response;
}

TEST(GoogleEventsErrorTest, RefusalsAreTakenForWhatTheyMean) {
  const auto code = [](int status, std::string_view reason) {
    return ClassifyGoogleError(GoogleCall::kEvents, Refusal(status, reason), Instant()).code;
  };
  EXPECT_EQ(code(410, "fullSyncRequired"), ErrorCode::kCursorExpired);
  EXPECT_EQ(code(410, "updatedMinTooLongAgo"), ErrorCode::kCursorExpired);
  EXPECT_EQ(code(404, "notFound"), ErrorCode::kNotFound);
  EXPECT_EQ(code(403, "forbidden"), ErrorCode::kForbidden);
  EXPECT_EQ(code(403, "rateLimitExceeded"), ErrorCode::kRateLimited);
  EXPECT_EQ(code(403, "userRateLimitExceeded"), ErrorCode::kRateLimited);
  EXPECT_EQ(code(429, "rateLimitExceeded"), ErrorCode::kRateLimited);
  EXPECT_EQ(code(403, "quotaExceeded"), ErrorCode::kQuotaExceeded);
  EXPECT_EQ(code(403, "insufficientPermissions"), ErrorCode::kMissingScope);
  EXPECT_EQ(code(403, "accessNotConfigured"), ErrorCode::kApiNotEnabled);
  EXPECT_EQ(code(500, "backendError"), ErrorCode::kProviderUnavailable);
}

TEST_F(GoogleCalendarsTest, ATokenThatCannotBeReadAnyMoreIsExpired) {
  const auto error = [&](int status, std::string_view reason, const std::string& token) {
    http.script = {{.status = status, .body = Refusal(status, reason).body}};
    return Changes(token).error().code;
  };
  EXPECT_EQ(error(410, "fullSyncRequired", "s"), ErrorCode::kCursorExpired);
  EXPECT_EQ(error(400, "invalid", "s"), ErrorCode::kCursorExpired);
  EXPECT_EQ(error(400, "timeRangeEmpty", ""), ErrorCode::kInvalidArgument);
}

TEST_F(GoogleCalendarsTest, ACancelledSingleEventIsGone) {
  http.script = {{.body = R"({"id":"a","status":"cancelled","start":{"date":"2026-01-01"}})"}};
  EXPECT_EQ(Run(adapter->GetEvent(home, "a")).error().code, ErrorCode::kGone);
  http.script = {{.status = 404, .body = "{}"}};
  EXPECT_EQ(Run(adapter->GetEvent(home, "a")).error().code, ErrorCode::kGone);
  http.script = {{.body = R"({"items":[{"id":"a"},{"id":"b","status":"cancelled"},
                            {"id":"c","status":"cancelled","recurringEventId":"m"}],"nextPageToken":"n"})"}};
  const auto ids = Run(adapter->ListIds(home, {}, ""));
  EXPECT_THAT(ids->ids, ElementsAre("a", "c"));
  EXPECT_EQ(ids->next_page, "n");
}

}  // namespace
}  // namespace latchkey::google
