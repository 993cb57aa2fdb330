#include <set>

#include <gmock/gmock.h>

#include "simulator/calendar/samples.hpp"
#include "simulator/calendar/testing.hpp"
#include "simulator/testing/discovery_schemas.hpp"

namespace latchkey::simulator::calendar {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kSingle =
    R"({"summary":"Lunch","start":{"dateTime":"2026-03-13T12:00:00+01:00"},"end":{"dateTime":"2026-03-13T13:00:00+01:00"}})";
constexpr const char* kWeekly = R"({"id":"serie00","summary":"Weekly",
  "start":{"dateTime":"2026-03-16T09:00:00","timeZone":"Europe/Berlin"},
  "end":{"dateTime":"2026-03-16T09:30:00","timeZone":"Europe/Berlin"},"recurrence":["RRULE:FREQ=WEEKLY;COUNT=4"]})";

class GoogleCalendarTest : public CalendarFixture {};

TEST_F(GoogleCalendarTest, PagesHoldEveryEventOnceAndOnlyTheLastHasTheSyncToken) {
  std::set<std::string> inserted;
  for (int i = 0; i < 7; ++i) inserted.insert(Insert(kSingle));
  std::set<std::string> seen;
  std::string page;
  std::string token;
  int pages = 0;
  do {
    const json::value list = Get("calendars/primary/events?maxResults=3" + page);
    for (const std::string& id : Ids(list)) EXPECT_TRUE(seen.insert(id).second);
    const auto& object = list.as_object();
    EXPECT_NE(object.contains("nextPageToken"), object.contains("nextSyncToken"));
    page = object.contains("nextPageToken") ? "&pageToken=" + Text(list.at("nextPageToken")) : "";
    if (page.empty()) token = Text(list.at("nextSyncToken"));
    ++pages;
  } while (!page.empty());
  EXPECT_EQ(seen, inserted);
  EXPECT_EQ(pages, 3);
  EXPECT_THAT(Ids(Get("calendars/primary/events?syncToken=" + token)), IsEmpty());
}

TEST_F(GoogleCalendarTest, WhatChangesWhileAListIsReadComesWithItsToken) {
  for (int i = 0; i < 4; ++i) Insert(kSingle);
  const json::value first = Get("calendars/primary/events?maxResults=2");
  const std::string early = Ids(first)[0];
  Ask(200, "PATCH", "calendars/primary/events/" + early, R"({"summary":"Changed"})");
  const json::value last = Get("calendars/primary/events?maxResults=5&pageToken=" + Text(first.at("nextPageToken")));
  EXPECT_THAT(Ids(Get("calendars/primary/events?syncToken=" + Text(last.at("nextSyncToken")))), ElementsAre(early));
}

TEST_F(GoogleCalendarTest, EmptyPagesComeWithAToken) {
  const std::string id = Insert(kSingle);
  service_.SetListQuirks({.empty_pages = true});
  const json::value empty = Get("calendars/primary/events");
  EXPECT_THAT(Ids(empty), IsEmpty());
  const json::value page = Get("calendars/primary/events?pageToken=" + Text(empty.at("nextPageToken")));
  EXPECT_THAT(Ids(page), ElementsAre(id));
  EXPECT_TRUE(page.as_object().contains("nextSyncToken"));
}

TEST_F(GoogleCalendarTest, IncrementalAnswersContainDeletionsInTheirSureForm) {
  const std::string single = Insert(kSingle);
  Insert(kWeekly);
  const std::string token = Text(Get("calendars/primary/events").at("nextSyncToken"));
  Ask(204, "DELETE", "calendars/primary/events/" + single);
  Ask(204, "DELETE", "calendars/primary/events/serie00_20260323T080000Z");
  const json::value moved =
      Ask(200, "PATCH", "calendars/primary/events/serie00_20260330T070000Z",
          R"({"start":{"dateTime":"2026-03-30T15:00:00+02:00"},"end":{"dateTime":"2026-03-30T15:30:00+02:00"}})");
  EXPECT_EQ(Text(moved.at("recurringEventId")), "serie00");
  const json::value changes = Get("calendars/primary/events?syncToken=" + token);
  EXPECT_THAT(Ids(changes), ElementsAre("-" + single, "-serie00_20260323T080000Z", "serie00_20260330T070000Z"));
  const json::object& gone = changes.at("items").at(0).as_object();
  EXPECT_EQ(gone.size(), 4U) << gone;
  const json::object& instance = changes.at("items").at(1).as_object();
  EXPECT_EQ(instance.size(), 6U) << instance;
  EXPECT_EQ(Text(instance.at("originalStartTime").at("dateTime")), "2026-03-23T08:00:00Z");
  // A full list keeps the cancelled instance of the living series, and not the deleted event.
  const json::value full = Get("calendars/primary/events");
  EXPECT_THAT(Ids(full), ElementsAre("serie00", "-serie00_20260323T080000Z", "serie00_20260330T070000Z"));
  EXPECT_THAT(Ids(Get("calendars/primary/events?showDeleted=true")), Contains("-" + single));
  EXPECT_EQ(Text(Get("calendars/primary/events/" + single).at("status")), "cancelled");
  EXPECT_EQ(Reason(Ask(410, "DELETE", "calendars/primary/events/" + single)), "deleted");
}

TEST_F(GoogleCalendarTest, SingleEventsExpandsAndTellsWhichInstancesAreGone) {
  Insert(kWeekly);
  const std::string window = "?singleEvents=true&timeMin=2026-03-20T00:00:00Z&timeMax=2026-04-07T00:00:00Z";
  const json::value list = Get("calendars/primary/events" + window + "&orderBy=startTime");
  EXPECT_THAT(Ids(list),
              ElementsAre("serie00_20260323T080000Z", "serie00_20260330T070000Z", "serie00_20260406T070000Z"));
  EXPECT_FALSE(list.as_object().contains("nextSyncToken"));
  const std::string token = Text(Get("calendars/primary/events" + window).at("nextSyncToken"));
  Ask(200, "PATCH", "calendars/primary/events/serie00", R"({"recurrence":["RRULE:FREQ=WEEKLY;COUNT=2"]})");
  const json::value changes = Get("calendars/primary/events?singleEvents=true&syncToken=" + token);
  EXPECT_THAT(Ids(changes),
              ElementsAre("serie00_20260323T080000Z", "-serie00_20260330T070000Z", "-serie00_20260406T070000Z"));
  Ask(400, "GET", "calendars/primary/events?syncToken=" + token);
}

TEST_F(GoogleCalendarTest, ParametersThatATokenForbids) {
  const std::string token = Text(Get("calendars/primary/events").at("nextSyncToken"));
  for (const char* more : {"timeMin=2026-01-01T00:00:00Z", "timeMax=2026-01-01T00:00:00Z", "q=x", "iCalUID=x",
                           "orderBy=updated", "updatedMin=2026-03-10T00:00:00Z", "privateExtendedProperty=a%3Db",
                           "sharedExtendedProperty=a%3Db", "showDeleted=false"}) {
    const json::value error = Ask(400, "GET", "calendars/primary/events?syncToken=" + token + "&" + more);
    EXPECT_THAT(Text(error.at("error").at("message")), HasSubstr("Sync token cannot be used")) << more;
  }
}

TEST_F(GoogleCalendarTest, ExpiredTokensNeedAFullSync) {
  const std::string token = Text(Get("calendars/primary/events").at("nextSyncToken"));
  const std::string lists = Text(Get("users/me/calendarList").at("nextSyncToken"));
  store_.ExpireTokens(ada_);
  EXPECT_EQ(Reason(Ask(410, "GET", "calendars/primary/events?syncToken=" + token)), "fullSyncRequired");
  EXPECT_EQ(Reason(Ask(410, "GET", "users/me/calendarList?syncToken=" + lists)), "fullSyncRequired");
  EXPECT_EQ(Reason(Ask(410, "GET", "calendars/primary/events?updatedMin=2025-01-01T00:00:00Z")),
            "updatedMinTooLongAgo");
  EXPECT_THAT(
      Ids(Get("calendars/primary/events?syncToken=" + Text(Get("calendars/primary/events").at("nextSyncToken")))),
      IsEmpty());
}

TEST_F(GoogleCalendarTest, CalendarListFollowsAdditionsAndRemovals) {
  const std::string token = Text(Get("users/me/calendarList").at("nextSyncToken"));
  Calendar& team = store_.AddCalendar(ada_, "Team", "America/New_York");
  const json::value added = Get("users/me/calendarList?syncToken=" + token);
  ASSERT_EQ(added.at("items").as_array().size(), 1U);
  EXPECT_EQ(Text(added.at("items").at(0).at("timeZone")), "America/New_York");
  store_.RemoveCalendar(ada_, team);
  const json::value removed = Get("users/me/calendarList?syncToken=" + Text(added.at("nextSyncToken")));
  EXPECT_EQ(removed.at("items").at(0).at("deleted"), json::value(true));
  EXPECT_EQ(Get("users/me/calendarList").at("items").as_array().size(), 1U);
  Ask(404, "GET", "calendars/" + team.id + "/events");
}

TEST_F(GoogleCalendarTest, EventsScopeDoesNotOpenTheCalendarList) {
  scopes_ = {"https://www.googleapis.com/auth/calendar.events"};
  const json::value refused = Ask(403, "GET", "users/me/calendarList");
  EXPECT_EQ(Reason(refused), "insufficientPermissions");
  Ask(200, "GET", "calendars/primary/events");
  scopes_ = {"https://www.googleapis.com/auth/calendar.events.readonly"};
  Ask(403, "POST", "calendars/primary/events", kSingle);
}

TEST_F(GoogleCalendarTest, EtagsGuardChanges) {
  const std::string id = Insert(kSingle);
  const std::string etag = Text(Get("calendars/primary/events/" + id).at("etag"));
  Ask(200, "PATCH", "calendars/primary/events/" + id, R"({"summary":"A"})", {{"If-Match", etag}});
  EXPECT_EQ(Reason(Ask(412, "PATCH", "calendars/primary/events/" + id, R"({"summary":"B"})", {{"If-Match", etag}})),
            "conditionNotMet");
  Ask(412, "DELETE", "calendars/primary/events/" + id, "", {{"If-Match", etag}});
}

TEST_F(GoogleCalendarTest, BodiesAreRefusedAsGoogleDoes) {
  EXPECT_EQ(Reason(Ask(400, "POST", "calendars/primary/events", R"({"start":{"date":"2026-03-15"}})")), "required");
  EXPECT_EQ(Reason(Ask(400, "POST", "calendars/primary/events",
                       R"({"start":{"date":"2026-03-15"},"end":{"date":"2026-03-15"}})")),
            "timeRangeEmpty");
  EXPECT_EQ(
      Reason(Ask(400, "POST", "calendars/primary/events",
                 R"({"start":{"date":"2026-03-15"},"end":{"date":"2026-03-16"},"recurrence":["RRULE:FREQ=NEVER"]})")),
      "invalid");
  EXPECT_EQ(
      Reason(Ask(
          400, "POST", "calendars/primary/events",
          R"({"start":{"dateTime":"2026-03-15T10:00:00","timeZone":"Nowhere/Town"},"end":{"dateTime":"2026-03-15T11:00:00Z"}})")),
      "invalid");
  Insert(kWeekly);
  EXPECT_EQ(Reason(Ask(409, "POST", "calendars/primary/events", kWeekly)), "duplicate");
  EXPECT_EQ(Reason(Ask(404, "GET", "calendars/primary/events/serie00_20260317T080000Z")), "notFound");
}

TEST_F(GoogleCalendarTest, OnlyTheOrganizerChangesWhatIsShared) {
  Event invitation = *store_.Book(ada_).primary().Find(Insert(kSingle));
  invitation.organizer = {"mira@example.org", "Mira"};
  invitation.attendees = {{.person = {"ada@example.com", ""}}};
  const std::string id = store_.Put(ada_, store_.Book(ada_).primary(), invitation).id;
  EXPECT_EQ(Reason(Ask(403, "PATCH", "calendars/primary/events/" + id, R"({"summary":"Mine"})")),
            "forbiddenForNonOrganizer");
  const json::value answer = Ask(200, "PATCH", "calendars/primary/events/" + id,
                                 R"({"attendees":[{"email":"ada@example.com","responseStatus":"accepted"}]})");
  EXPECT_EQ(answer.at("attendees").at(0).at("self"), json::value(true));
  store_.Book(ada_).primary().access_role = "reader";
  EXPECT_EQ(Reason(Ask(403, "DELETE", "calendars/primary/events/" + id)), "requiredAccessLevel");
}

TEST_F(GoogleCalendarTest, DeletingASeriesIsOneCancelledMaster) {
  Insert(kWeekly);
  Ask(204, "DELETE", "calendars/primary/events/serie00_20260323T080000Z");
  const std::string token = Text(Get("calendars/primary/events").at("nextSyncToken"));
  Ask(204, "DELETE", "calendars/primary/events/serie00");
  EXPECT_THAT(Ids(Get("calendars/primary/events?syncToken=" + token)), ElementsAre("-serie00"));
  EXPECT_THAT(Ids(Get("calendars/primary/events?singleEvents=true")), IsEmpty());
}

TEST_F(GoogleCalendarTest, SixHundredQueriesAMinute) {
  for (int i = 0; i < 600; ++i) ASSERT_EQ(AskRaw("GET", "calendars/primary/events").status, 200);
  Ask(403, "GET", "calendars/primary/events");
  Ask(429, "GET", "calendars/primary/events");
  clock_.Advance(std::chrono::seconds(61));
  Ask(200, "GET", "calendars/primary/events");
}

TEST_F(GoogleCalendarTest, ChannelsSyncFirstThenTellOnceForManyChangesAndEnd) {
  const json::value channel =
      Ask(200, "POST", "calendars/primary/events/watch",
          R"({"id":"c-1","type":"web_hook","address":"http://127.0.0.1:9/hook","token":"secret words"})");
  schedule_.RunDue();
  ASSERT_EQ(outgoing_.requests.size(), 1U);
  EXPECT_EQ(outgoing_.requests[0].headers.Get("X-Goog-Resource-State"), "sync");
  EXPECT_EQ(outgoing_.requests[0].headers.Get("X-Goog-Channel-Token"), "secret words");
  EXPECT_EQ(outgoing_.requests[0].headers.Get("X-Goog-Channel-Expiration"), "Thu, 19 Mar 2026 07:20:00 GMT");
  Insert(kSingle);
  Insert(kSingle);
  schedule_.RunDue();
  ASSERT_EQ(outgoing_.requests.size(), 2U);
  EXPECT_EQ(outgoing_.requests[1].headers.Get("X-Goog-Resource-State"), "exists");
  EXPECT_EQ(outgoing_.requests[1].headers.Get("X-Goog-Resource-ID"), Text(channel.at("resourceId")));
  EXPECT_EQ(outgoing_.requests[1].body, "");
  // 503 is tried again later, 404 is not.
  outgoing_.Answer(200);
  outgoing_.Answer(503);
  clock_.Advance(std::chrono::seconds(3));
  schedule_.RunDue();
  ASSERT_EQ(outgoing_.requests.size(), 3U);
  outgoing_.Answer(404);
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_EQ(schedule_.RunDue(), 0U);
  Ask(400, "POST", "calendars/primary/events/watch",
      R"({"id":"c-1","type":"web_hook","address":"http://127.0.0.1:9/hook"})");
  Ask(400, "POST", "calendars/primary/events/watch",
      R"({"id":"c-2","type":"web_hook","address":"http://example.org/hook"})");
  Ask(204, "POST", "channels/stop", R"({"id":"c-1","resourceId":")" + Text(channel.at("resourceId")) + R"("})");
  Ask(404, "POST", "channels/stop", R"({"id":"c-1","resourceId":")" + Text(channel.at("resourceId")) + R"("})");
  Insert(kSingle);
  schedule_.RunDue();
  EXPECT_EQ(outgoing_.requests.size(), 3U);
}

TEST_F(GoogleCalendarTest, ChannelsEndByThemselves) {
  Ask(200, "POST", "users/me/calendarList/watch",
      R"({"id":"c-1","type":"web_hook","address":"https://example.org/h","params":{"ttl":"60"}})");
  clock_.Advance(std::chrono::seconds(61));
  store_.AddCalendar(ada_, "New");
  schedule_.RunDue();
  EXPECT_THAT(outgoing_.requests, IsEmpty());
}

/// A tour through the API, every answer held against the discovery document.
class CalendarDiscoveryTest : public CalendarFixture {
 protected:
  void SetUp() override {
    document_ =
        testing_documents::ReadJson(testing_documents::ProvidersFolder() / "google" / "calendar.v3.discovery.json");
    if (!document_) GTEST_SKIP() << "no provider documents: set LATCHKEY_PROVIDERS to run this test";
    service_.EnforceQuota(false);
    for (const auto& [resource, content] : document_->at("resources").as_object()) {
      for (const auto& [name, method] : content.at("methods").as_object()) {
        methods_[std::string(resource) + "." + std::string(name)] = &method.as_object();
      }
    }
  }

  json::value Call(const std::string& name, const std::string& target, std::string body = {}) {
    called_.insert(name);
    const json::object& method = *methods_.at(name);
    const Response response = AskRaw(std::string(method.at("httpMethod").as_string()), target, std::move(body));
    const json::value* schema = method.if_contains("response");
    if (schema == nullptr) {
      EXPECT_EQ(response.status, 204) << name << " " << response.body;
      return {};
    }
    EXPECT_EQ(response.status, 200) << name << " " << response.body;
    json::value value = json::parse(response.body);
    for (const std::string& problem :
         testing_documents::DiscoverySchemas(*document_, true).Check(value, schema->at("$ref").as_string())) {
      ADD_FAILURE() << name << " " << problem;
    }
    return value;
  }

  std::optional<json::value> document_;
  std::map<std::string, const json::object*> methods_;
  std::set<std::string> called_;
};

TEST_F(CalendarDiscoveryTest, EveryMethodAnswersWithItsSchema) {
  EXPECT_GT(AddSampleCalendars(store_, ada_, clock_.Now()), 15U);
  const json::value list = Call("calendarList.list", "users/me/calendarList");
  for (const json::value& entry : list.at("items").as_array()) {
    const std::string id = Text(entry.at("id"));
    Call("calendarList.get", "users/me/calendarList/" + id);
    Call("calendars.get", "calendars/" + id);
    for (const json::value& event : Call("events.list", "calendars/" + id + "/events").at("items").as_array()) {
      Call("events.get", "calendars/" + id + "/events/" + Text(event.at("id")));
      if (event.as_object().contains("recurrence")) {
        Call("events.instances", "calendars/" + id + "/events/" + Text(event.at("id")) + "/instances?maxResults=5");
      }
    }
    Call("events.list",
         "calendars/" + id + "/events?singleEvents=true&orderBy=startTime&maxResults=2500&showDeleted=true");
  }
  Call("events.insert", "calendars/primary/events", kWeekly);
  Call("events.import", "calendars/primary/events/import",
       R"({"iCalUID":"x@example.org","start":{"date":"2026-03-15"},"end":{"date":"2026-03-16"},"summary":"Imported"})");
  Call(
      "events.update", "calendars/primary/events/serie00",
      R"({"summary":"Anew","start":{"dateTime":"2026-03-16T10:00:00+01:00"},"end":{"dateTime":"2026-03-16T11:00:00+01:00"},
           "attendees":[{"email":"b@example.org","optional":true}],"conferenceData":{"createRequest":{"requestId":"1"}}})");
  Call("events.patch", "calendars/primary/events/serie00", R"({"visibility":"private","colorId":"5"})");
  Call("events.delete", "calendars/primary/events/serie00");
  const json::value channel = Call("events.watch", "calendars/primary/events/watch",
                                   R"({"id":"c-1","type":"web_hook","address":"https://example.org/h","token":"t"})");
  Call("calendarList.watch", "users/me/calendarList/watch",
       R"({"id":"c-2","type":"web_hook","address":"https://example.org/h"})");
  Call("channels.stop", "channels/stop", R"({"id":"c-1","resourceId":")" + Text(channel.at("resourceId")) + R"("})");
  const json::value busy = Call(
      "freebusy.query", "freeBusy",
      R"({"timeMin":"2026-03-01T00:00:00Z","timeMax":"2026-04-01T00:00:00Z","items":[{"id":"primary"},{"id":"nobody@example.org"}]})");
  EXPECT_FALSE(busy.at("calendars").at("primary").at("busy").as_array().empty());
  for (const Method& method : AllMethods()) EXPECT_TRUE(called_.contains(std::string(method.name))) << method.name;
}

TEST_F(CalendarDiscoveryTest, PathsAndScopesAreThoseOfTheDocument) {
  for (const Method& method : AllMethods()) {
    const json::object& documented = *methods_.at(std::string(method.name));
    EXPECT_EQ(Text(documented.at("httpMethod")), method.http_method);
    std::set<std::string> expected;
    for (const json::value& scope : documented.at("scopes").as_array()) expected.insert(Text(scope));
    std::set<std::string> ours;
    std::string_view rest = method.scopes;
    while (!rest.empty()) {
      const std::size_t blank = rest.find(' ');
      ours.insert("https://www.googleapis.com/auth/" + std::string(rest.substr(0, blank)));
      rest = blank == std::string_view::npos ? std::string_view() : rest.substr(blank + 1);
    }
    EXPECT_EQ(ours, expected) << method.name;
  }
}

TEST_F(CalendarDiscoveryTest, ErrorsHaveTheRecordedBodies) {
  const auto expect = [&](const char* name, const json::value& ours) {
    const auto sample = testing_documents::ReadJson(testing_documents::ProvidersFolder() / "examples" / name);
    ASSERT_TRUE(sample) << name;
    EXPECT_EQ(ours, sample->at("response").at("body")) << name;
  };
  const std::string id = Insert(kSingle);
  expect("calendar.error.notFound.404.json", Ask(404, "GET", "calendars/nobody@example.org/events"));
  expect("calendar.error.conditionNotMet.412.json",
         Ask(412, "PATCH", "calendars/primary/events/" + id, "{}", {{"If-Match", "\"1\""}}));
  expect("calendar.error.timeRangeEmpty.400.json",
         Ask(400, "GET", "calendars/primary/events?timeMin=2026-01-02T00:00:00Z&timeMax=2026-01-01T00:00:00Z"));
  expect("calendar.error.updatedMinTooLongAgo.410.json",
         Ask(410, "GET", "calendars/primary/events?updatedMin=2020-01-01T00:00:00Z"));
  const std::string token = Text(Get("calendars/primary/events").at("nextSyncToken"));
  expect("calendar.error.syncToken-with-other-params.400.json",
         Ask(400, "GET", "calendars/primary/events?q=x&syncToken=" + token));
  store_.ExpireTokens(ada_);
  expect("calendar.error.fullSyncRequired.410.json", Ask(410, "GET", "calendars/primary/events?syncToken=" + token));
  Ask(204, "DELETE", "calendars/primary/events/" + id);
  expect("calendar.error.deleted.410.json", Ask(410, "DELETE", "calendars/primary/events/" + id));
  Insert(kWeekly);
  expect("calendar.error.duplicate.409.json", Ask(409, "POST", "calendars/primary/events", kWeekly));
  scopes_ = {"https://www.googleapis.com/auth/calendar.readonly"};
  expect("calendar.error.insufficientPermissions.403.json", Ask(403, "POST", "calendars/primary/events", kSingle));
}

/// The members of a value, as paths; arrays count as their items.
void CollectPaths(const json::value& value, const std::string& path, std::set<std::string>& out) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.as_object()) {
      out.insert(path + "." + std::string(key));
      CollectPaths(member, path + "." + std::string(key), out);
    }
  } else if (value.is_array()) {
    for (const json::value& item : value.as_array()) CollectPaths(item, path + "[]", out);
  }
}

TEST_F(CalendarDiscoveryTest, AnswersHaveTheMembersOfRecordedOnes) {
  const std::string id = Insert(kSingle);
  store_.AddCalendar(ada_, "Team").description = "All of us";
  const auto compare = [&](const char* name, const json::value& ours, const std::set<std::string>& optional = {}) {
    const auto sample = testing_documents::ReadJson(testing_documents::ProvidersFolder() / "examples" / name);
    ASSERT_TRUE(sample) << name;
    std::set<std::string> recorded;
    CollectPaths(sample->at("response").at("body"), "", recorded);
    std::set<std::string> have;
    CollectPaths(ours, "", have);
    for (const std::string& path : recorded) {
      EXPECT_TRUE(have.contains(path) || optional.contains(path)) << name << " has " << path;
    }
  };
  compare("calendar.events.list.last-page.200.json", Get("calendars/primary/events"));
  compare("calendar.calendarList.list.200.json", Get("users/me/calendarList"), {".items[].location"});
  compare("calendar.events.insert.all-day.200.json",
          Ask(200, "POST", "calendars/primary/events",
              R"({"summary":"D","start":{"date":"2026-03-15"},"end":{"date":"2026-03-16"}})"));
  compare("calendar.events.insert.recurring.200.json", Ask(200, "POST", "calendars/primary/events", kWeekly));
  compare("calendar.events.instances.200.json", Get("calendars/primary/events/serie00/instances"));
  compare("calendar.events.watch.200.json", Ask(200, "POST", "calendars/primary/events/watch",
                                                R"({"id":"c","type":"web_hook","address":"https://example.org/h"})"));
}

}  // namespace
}  // namespace latchkey::simulator::calendar
