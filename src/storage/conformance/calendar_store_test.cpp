#include "storage/conformance/calendar_fixture.hpp"

namespace latchkey::storage {
namespace {

using calendar::Cursor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Phase = Cursor::Phase;

class CalendarStoreLaws : public CalendarFixture {};
LATCHKEY_ON_EVERY_ENGINE(CalendarStoreLaws);

TEST_P(CalendarStoreLaws, TheListIsTakenOverAndNewCalendarsAreSelectedAsSuggested) {
  auto holidays = Sample("holidays");
  holidays.suggested = false;
  holidays.is_primary = false;
  const auto stored = Replace({Sample("home"), holidays});
  ASSERT_THAT(stored, SizeIs(2));
  EXPECT_EQ(stored[0].calendar.external_id, "home");
  EXPECT_TRUE(stored[0].selected);
  EXPECT_FALSE(stored[1].selected);
  EXPECT_THAT(EventTypes(user.id), ElementsAre("connect.finished", "account.updated", "calendar.changed"));

  auto renamed = Sample("home");
  renamed.name = "Work";
  EXPECT_EQ(Replace({renamed, holidays})[0].id, stored[0].id) << "the same calendar under another name";
  EXPECT_EQ(Listed()[0].calendar.name, "Work");
  const auto events = EventTypes(user.id).size();
  Replace({renamed, holidays});
  EXPECT_EQ(EventTypes(user.id).size(), events) << "nothing changed, nobody hears of it";
}

TEST_P(CalendarStoreLaws, AVanishedCalendarGoesWithItsEventsAndComesBackAnew) {
  const auto id = Replace({Sample("home"), Sample("team")})[1].id;
  Store(id, {Single("a", "2026-03-02T09:00:00Z")});
  Replace({Sample("home")});
  EXPECT_THAT(Listed(), SizeIs(1));
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z"), IsEmpty()) << "at once";
  while (store.Get(calendars().EmptyUnselected(fence, 1)) > 0) {
  }
  const auto again = Replace({Sample("home"), Sample("team")});
  EXPECT_NE(again[1].id, id);
  EXPECT_THAT(again[1].cursors, IsEmpty());
}

TEST_P(CalendarStoreLaws, APageAndItsCursorAreOneCommit) {
  const auto id = Replace({Sample("home")})[0].id;
  auto cursor = store.Get(calendars().BeginEpoch(fence, id, {}));
  EXPECT_EQ(cursor.epoch, 1);
  cursor.token = "page-2";
  calendar::CalendarCommit commit{.fence = fence, .calendar_id = id, .cursor = cursor};
  commit.upserts = {Single("a", "2026-03-02T09:00:00Z"), Single("b", "2026-03-02T10:00:00Z")};
  const auto result = store.Get(calendars().Apply(commit));
  EXPECT_EQ(result.inserted, 2);
  EXPECT_EQ(Replace({Sample("home")})[0].cursors.at(0).token, "page-2");
  const auto heard = EventTypes(user.id).size();
  EXPECT_EQ(store.Get(calendars().Apply(commit)).updated, 0) << "writing it again changes nothing";
  EXPECT_EQ(EventTypes(user.id).size(), heard);

  commit.cursor.token = "lost";
  commit.fence.generation += 1;
  EXPECT_EQ(store.ErrorOf(calendars().Apply(commit)), ErrorCode::kFenced);
  EXPECT_EQ(Replace({Sample("home")})[0].cursors.at(0).token, "page-2");
}

TEST_P(CalendarStoreLaws, AnOvertakenReadWritesNothing) {
  const auto id = Replace({Sample("home")})[0].id;
  const auto old = store.Get(calendars().BeginEpoch(fence, id, {}));
  const auto newer = store.Get(calendars().BeginEpoch(fence, id, {}));
  EXPECT_GT(newer.epoch, old.epoch);
  calendar::CalendarCommit commit{.fence = fence, .calendar_id = id, .cursor = old};
  commit.upserts = {Single("late", "2026-03-02T09:00:00Z")};
  EXPECT_EQ(store.ErrorOf(calendars().Apply(commit)), ErrorCode::kConflict);
  EXPECT_EQ(store.ErrorOf(calendars().Sweep(fence, id, old, false, 10)), ErrorCode::kConflict);
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z"), IsEmpty());
}

TEST_P(CalendarStoreLaws, NothingVanishesUntilACompletedReadDidNotSeeIt) {
  const auto id = Replace({Sample("home")})[0].id;
  Store(id, {Single("stays", "2026-03-02T09:00:00Z"), Single("goes", "2026-03-02T10:00:00Z")});
  auto cursor = store.Get(calendars().BeginEpoch(fence, id, {}));
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z"), ElementsAre("stays", "goes"));
  calendar::CalendarCommit commit{.fence = fence, .calendar_id = id, .cursor = cursor};
  commit.cursor.phase = Phase::kSweeping;
  commit.upserts = {Single("stays", "2026-03-02T09:00:00Z")};
  store.Get(calendars().Apply(commit));
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z"), ElementsAre("stays", "goes"));
  EXPECT_EQ(store.Get(calendars().Sweep(fence, id, commit.cursor, false, 10)), 1);
  EXPECT_EQ(store.Get(calendars().Sweep(fence, id, commit.cursor, false, 10)), 0);
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z"), ElementsAre("stays"));
  EXPECT_EQ(Replace({Sample("home")})[0].cursors.at(0).phase, Phase::kLive);
}

TEST_P(CalendarStoreLaws, AMasterTakesItsSeriesWithIt) {
  const auto id = Replace({Sample("home")})[0].id;
  auto moved = Single("moved", "2026-03-10T15:00:00Z");
  moved.kind = calendar::EventKind::kException;
  moved.series_id = "weekly";
  moved.original_start = *ParseInstant("2026-03-09T09:00:00Z");
  Store(id, {Weekly("weekly", "2026-03-02T09:00:00Z"), moved});
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-20T00:00:00Z"), ElementsAre("weekly", "moved", "weekly"));
  calendar::CalendarCommit commit{.fence = fence, .calendar_id = id, .cursor = CursorOf(id)};
  commit.deletions = {"weekly", "never heard of"};
  EXPECT_EQ(store.Get(calendars().Apply(commit)).deleted, 2);
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-20T00:00:00Z"), IsEmpty());
}

TEST_P(CalendarStoreLaws, WhatMovesBetweenWindowsInEitherOrderStays) {
  const auto id = Replace({Sample("home")})[0].id;
  const calendar::Window near{.name = "near"}, far{.name = "far", .near = false};
  for (const bool removed_first : {true, false}) {
    StoreIn(id, near, {Single("walks", "2026-03-02T09:00:00Z")});
    const auto row = Item("walks").id;
    calendar::CalendarCommit gone{.fence = fence, .calendar_id = id, .cursor = CursorOf(id, "near")};
    gone.departures = {"walks"};
    if (removed_first) store.Get(calendars().Apply(gone));
    EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z"), ElementsAre("walks"));
    StoreIn(id, far, {Single("walks", "2026-03-03T09:00:00Z")});
    if (!removed_first) store.Get(calendars().Apply(gone));
    EXPECT_FALSE(store.Get(calendars().HasDeparted(id)));
    EXPECT_EQ(store.Get(calendars().DropDeparted(fence, id, 10)), 0);
    EXPECT_EQ(Item("walks").id, row) << "still the same event";
  }
  calendar::CalendarCommit gone{.fence = fence, .calendar_id = id, .cursor = CursorOf(id, "far")};
  gone.departures = {"walks"};
  store.Get(calendars().Apply(gone));
  EXPECT_TRUE(store.Get(calendars().HasDeparted(id)));
  EXPECT_EQ(store.Get(calendars().DropDeparted(fence, id, 10)), 0) << "the other windows have not been asked since";
  EXPECT_EQ(store.Get(calendars().MarkDeparted(fence, id)), 1);
  EXPECT_EQ(store.Get(calendars().DropDeparted(fence, id, 10)), 1);
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z"), IsEmpty());
}

TEST_P(CalendarStoreLaws, AMasterAskedForByNameGoesWithItsLastOccurrence) {
  const auto id = Replace({Sample("home")})[0].id;
  const calendar::Window near{
      .name = "near", .from = *ParseInstant("2026-01-01T00:00:00Z"), .to = *ParseInstant("2027-01-01T00:00:00Z")};
  auto occurrence = Single("", "2026-03-02T09:00:00Z");
  occurrence.external_id = "o1";
  occurrence.kind = calendar::EventKind::kOccurrence;
  occurrence.series_id = "weekly";
  occurrence.inherits = calendar::inherit::kEverything;
  StoreIn(id, near, {occurrence});
  EXPECT_THAT(store.Get(calendars().MissingMasters(id, 10)), ElementsAre("weekly"));
  store.Get(calendars().StoreMasters(fence, id, {Weekly("weekly", "2026-03-02T09:00:00Z")}));
  EXPECT_THAT(store.Get(calendars().MissingMasters(id, 10)), IsEmpty());
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-20T00:00:00Z"), ElementsAre("weekly"))
      << "within the window only what the provider delivered";
  EXPECT_THAT(Titles("2027-01-20T00:00:00Z", "2027-01-26T00:00:00Z"), ElementsAre("weekly")) << "beyond it, the rule";
  calendar::CalendarCommit gone{.fence = fence, .calendar_id = id, .cursor = CursorOf(id, "near")};
  gone.departures = {"o1"};
  store.Get(calendars().Apply(gone));
  store.Get(calendars().MarkDeparted(fence, id));
  while (store.Get(calendars().DropDeparted(fence, id, 10)) > 0) {
  }
  EXPECT_THAT(Titles("2027-01-20T00:00:00Z", "2027-01-26T00:00:00Z"), IsEmpty());
}

TEST_P(CalendarStoreLaws, UnselectingTakesOnlyThatCalendarsEventsAndSelectingReadsAnew) {
  const auto listed = Replace({Sample("home"), Sample("team")});
  Store(listed[0].id, {Single("mine", "2026-03-02T09:00:00Z")});
  Store(listed[1].id, {Single("ours", "2026-03-02T10:00:00Z")});
  const auto cursor = CursorOf(listed[1].id);
  store.Get(calendars().Select(user.id, listed[1].id, false));
  EXPECT_THAT(Titles("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z"), ElementsAre("mine"));
  EXPECT_THAT(Replace({Sample("home"), Sample("team")})[1].cursors, IsEmpty());
  calendar::CalendarCommit late{.fence = fence, .calendar_id = listed[1].id, .cursor = cursor};
  late.upserts = {Single("late", "2026-03-02T09:00:00Z")};
  EXPECT_EQ(store.ErrorOf(calendars().Apply(late)), ErrorCode::kConflict) << "work that was under way";
  EXPECT_EQ(store.ErrorOf(calendars().BeginEpoch(fence, listed[1].id, {})), ErrorCode::kConflict);

  store.Get(calendars().Select(user.id, listed[1].id, true));
  EXPECT_EQ(store.ErrorOf(calendars().Apply(late)), ErrorCode::kConflict);
  EXPECT_GT(store.Get(calendars().BeginEpoch(fence, listed[1].id, {})).epoch, cursor.epoch);
  EXPECT_THAT(store.Get(jobs().List({.kind = "fetch_calendar"})).items, SizeIs(1));
  EXPECT_EQ(store.ErrorOf(calendars().Select(store.AddUser("eve").id, listed[0].id, false)), ErrorCode::kNotFound);
}

TEST_P(CalendarStoreLaws, WhatIsDueIsQueuedOnceAndMovesOn) {
  const Instant now = store.clock().Now();
  store.Get(calendars().Conclude(fence, {.synced_at = now, .next_sync_at = now + std::chrono::minutes(2)}));
  EXPECT_EQ(store.Get(calendars().ScheduleDue(now, now + std::chrono::minutes(5), 10)), 0);
  const Instant later = now + std::chrono::minutes(3);
  EXPECT_EQ(store.Get(calendars().ScheduleDue(later, later + std::chrono::minutes(5), 10)), 1);
  EXPECT_EQ(store.Get(calendars().ScheduleDue(later, later + std::chrono::minutes(5), 10)), 0);
  EXPECT_THAT(store.Get(jobs().List({.kind = "fetch_calendar"})).items, SizeIs(1));
  store.Get(accounts().SetPaused(user.id, account.id, true));
  EXPECT_EQ(store.Get(calendars().ScheduleDue(later + std::chrono::hours(1), later, 10)), 0);
  EXPECT_EQ(store.ErrorOf(calendars().Conclude(fence, {})), ErrorCode::kFenced);
  store.Get(accounts().SetPaused(user.id, account.id, false));
  EXPECT_EQ(store.Get(calendars().ScheduleDue(later + std::chrono::hours(1), later, 10)), 1);
}

TEST_P(CalendarStoreLaws, AFaultIsToldWithTheAccountAndClearsItself) {
  const Instant now = store.clock().Now();
  store.Get(calendars().Conclude(
      fence, {.fault = ErrorCode::kApiNotEnabled, .next_attempt_at = now + std::chrono::minutes(10)}));
  const auto held = store.Get(accounts().Get(user.id, account.id)).calendar;
  EXPECT_EQ(held.fault, ErrorCode::kApiNotEnabled);
  EXPECT_EQ(held.fault_since, now);
  const auto heard = EventTypes(user.id).size();
  store.Get(calendars().Conclude(fence, {.synced_at = now, .next_sync_at = now}));
  EXPECT_EQ(EventTypes(user.id).size(), heard + 1);
  EXPECT_EQ(store.Get(accounts().Get(user.id, account.id)).calendar.fault, std::nullopt);
  store.Get(calendars().Conclude(fence, {.synced_at = now, .next_sync_at = now}));
  EXPECT_EQ(EventTypes(user.id).size(), heard + 1) << "a visit that finds nothing tells nobody";
}

}  // namespace
}  // namespace latchkey::storage
