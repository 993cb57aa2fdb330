// What Google Calendar answers.
#include <boost/json/serialize.hpp>

#include "providers/google/calendar_events.hpp"
#include "providers/google/google_errors.hpp"
#include "tests/examples/example.hpp"

namespace latchkey::examples {
namespace {

using google::GoogleCall;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kZone = "America/Sao_Paulo";

google::EventsPage Page(const Example& example) {
  std::string json = example.Body();
  auto page = google::ParseEvents(json, kZone);
  EXPECT_TRUE(page.has_value()) << example.name;
  return page ? std::move(*page) : google::EventsPage();
}

calendar::Event EventOf(const Example& example) {
  std::string json = example.Body();
  auto event = google::ParseEvent(json, "UTC");
  EXPECT_TRUE(event.has_value()) << example.name;
  return event ? std::move(*event) : calendar::Event();
}

void ClaimErrors(Claims& claims) {
  const auto error = [&](const char* name, GoogleCall call, ErrorCode code, FaultOwner owner) {
    claims.Add(std::string("calendar.error.") + name, [=](const Example& example) {
      ExpectError(google::ClassifyGoogleError(call, example.Response(), Instant()), code, owner);
    });
  };
  using enum ErrorCode;
  using enum FaultOwner;
  error("authError.401", GoogleCall::kEvents, kUnauthenticated, kCaller);
  error("login-required.401", GoogleCall::kEvents, kUnauthenticated, kCaller);
  error("backendError.500", GoogleCall::kEvents, kProviderUnavailable, kProvider);
  error("conditionNotMet.412", GoogleCall::kEvents, kInvalidArgument, kCaller);
  // Of deleting and inserting, which we never do. Where it is met all the same, nothing is taken for an expired token
  // but by a list of events.
  error("deleted.410", GoogleCall::kChannel, kNotFound, kCaller);
  error("duplicate.409", GoogleCall::kChannel, kInvalidArgument, kCaller);
  error("forbiddenForNonOrganizer.403", GoogleCall::kEvents, kForbidden, kCaller);
  error("fullSyncRequired.410", GoogleCall::kEvents, kCursorExpired, kProvider);
  error("updatedMinTooLongAgo.410", GoogleCall::kEvents, kCursorExpired, kProvider);
  error("insufficientPermissions.403", GoogleCall::kEvents, kMissingScope, kAccount);
  error("notFound.404", GoogleCall::kEvents, kNotFound, kCaller);
  error("per-user-quota-new-envelope.403", GoogleCall::kEvents, kRateLimited, kProvider);
  error("quotaExceeded.403", GoogleCall::kEvents, kQuotaExceeded, kProvider);
  error("rateLimitExceeded.403", GoogleCall::kEvents, kRateLimited, kProvider);
  error("rateLimitExceeded.429", GoogleCall::kEvents, kRateLimited, kProvider);
  error("userRateLimitExceeded.403", GoogleCall::kEvents, kRateLimited, kProvider);
  error("syncToken-with-other-params.400", GoogleCall::kEvents, kInvalidArgument, kCaller);
  error("timeRangeEmpty.400", GoogleCall::kEvents, kInvalidArgument, kCaller);
}

}  // namespace

void ClaimCalendar(Claims& claims) {
  ClaimErrors(claims);
  claims.Add("calendar.calendarList.list.200", [](const Example& example) {
    std::string json = example.Body();
    const auto page = google::ParseCalendarList(json);
    ASSERT_TRUE(page && page->calendars.size() == 2);
    EXPECT_EQ(page->calendars[0].name, "Test Calendar Updated via Acme");
    EXPECT_EQ(page->calendars[0].time_zone, "America/New_York");
    EXPECT_EQ(page->next_page, "");
  });
  claims.Add("calendar.events.list.page.200", [](const Example& example) {
    const auto page = Page(example);
    ASSERT_EQ(page.events.size(), 3u);
    EXPECT_EQ(page.next_page, "EiwKKhIoCgYIkL273AYSHgocChpwMTZiZzh2NWplNTYzbDdocTVuaDVwYzNrMMA-AQ==");
    EXPECT_EQ(page.next_sync_token, "") << "on the last page alone";
    EXPECT_EQ(page.events[0].title, "Test Event for Clear Calendar Action");
    EXPECT_EQ(page.events[2].attendees.empty(), false);
  });
  claims.Add("calendar.events.list.empty-page.200", [](const Example& example) {
    const auto page = Page(example);
    EXPECT_THAT(page.events, IsEmpty());
    EXPECT_FALSE(page.next_page.empty()) << "an empty page is not the last";
  });
  claims.Add("calendar.events.list.last-page.200", [](const Example& example) {
    const auto page = Page(example);
    EXPECT_EQ(page.events.size(), 2u);
    EXPECT_EQ(page.next_sync_token, "CM-NwbvumZMDEM-NwbvumZMDGAUgkty-owMokty-owM=");
  });
  claims.Add("calendar.events.list.incremental.200", [](const Example& example) {
    const auto page = Page(example);
    EXPECT_THAT(page.removed, ElementsAre("ej8u9dfl8a44kfl7rif62oplhc"));
    ASSERT_EQ(page.events.size(), 2u) << "an occurrence called off, and one that moved";
    EXPECT_EQ(page.events[1].title, "Test Recurring Meeting (moved)");
    EXPECT_FALSE(page.next_sync_token.empty());
  });
  claims.Add("calendar.events.list.200.recorded-2015", [](const Example& example) {
    const auto page = Page(example);
    ASSERT_EQ(page.events.size(), 3u);
    EXPECT_TRUE(page.events[2].time.all_day);
  });
  claims.Add("calendar.events.instances.200", [](const Example& example) {
    // Never asked for (series are expanded here); each is an occurrence of its master.
    EXPECT_EQ(Page(example).events.size(), 4u);
  });
  claims.Add("calendar.events.get.cancelled.200", [](const Example& example) {
    std::string json = example.Body();
    const auto event = google::ParseEvent(json, "UTC");
    ASSERT_FALSE(event) << "deleted, although the answer is 200";
    EXPECT_EQ(event.error().code, ErrorCode::kGone);
  });
  claims.Add("calendar.events.insert.200.recorded-2015",
             [](const Example& example) { EXPECT_EQ(EventOf(example).title, "Tennis with Beth"); });
  claims.Add("calendar.events.insert.all-day.200", [](const Example& example) {
    EXPECT_TRUE(EventOf(example).time.all_day);
    EXPECT_EQ(EventOf(example).title, "Test All-Day Event");
  });
  claims.Add("calendar.events.insert.recurring.200", [](const Example& example) {
    EXPECT_EQ(EventOf(example).title, "Test Recurring Meeting");
    EXPECT_FALSE(EventOf(example).recurrence.empty());
  });
  claims.Add("calendar.events.patch.attendee.200",
             [](const Example& example) { EXPECT_FALSE(EventOf(example).attendees.empty()); });
  claims.Add("calendar.freebusy.200", [](const Example& example) {
    // Not asked: a calendar that shows only when one is busy answers with events without details.
    std::string json = example.Body();
    EXPECT_FALSE(google::ParseEvents(json, kZone)) << "not a list of events";
    EXPECT_EQ(example.At("response/body/kind").as_string(), "calendar#freeBusy");
  });
}

}  // namespace latchkey::examples
