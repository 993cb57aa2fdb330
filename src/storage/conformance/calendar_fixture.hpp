#pragma once

#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {

/// A connected account, and short ways to fill its calendars.
class CalendarFixture : public StoreConformance {
 protected:
  calendar::CalendarStore& calendars() { return db().calendars(); }
  calendar::CalendarReader& calendar_reader() { return db().calendar_reader(); }

  static calendar::Calendar Sample(const std::string& external_id) {
    return {.external_id = external_id,
            .name = "Calendar " + external_id,
            .color = "#3f51b5",
            .time_zone = "Europe/Berlin",
            .is_primary = external_id == "home"};
  }
  /// Of one hour, titled like its id.
  static calendar::Event Single(const std::string& id, std::string_view start) {
    calendar::Event event;
    event.external_id = id;
    event.title = id;
    event.time.start = *ParseInstant(start);
    event.time.end = event.time.start + std::chrono::hours(1);
    event.time.zone = "Europe/Berlin";
    return event;
  }
  static calendar::Event AllDay(const std::string& id, std::string_view first, int days) {
    calendar::Event event;
    event.external_id = id;
    event.title = id;
    event.time.all_day = true;
    event.time.start = *calendar::ParseDate(first);
    event.time.end = event.time.start + std::chrono::days(days);
    return event;
  }
  static calendar::Event Weekly(const std::string& id, std::string_view start) {
    calendar::Event event = Single(id, start);
    event.kind = calendar::EventKind::kMaster;
    event.recurrence = {"RRULE:FREQ=WEEKLY"};
    return event;
  }

  std::vector<calendar::StoredCalendar> Replace(const std::vector<calendar::Calendar>& list) {
    return store.Get(calendars().ReplaceCalendars(fence, list));
  }
  std::vector<calendar::ListedCalendar> Listed() {
    return store.Get(calendar_reader().ListCalendars(user.id, account.id));
  }
  calendar::Cursor CursorOf(const calendar::CalendarId& id, const std::string& window = "") {
    // What is listed is what is stored: the list as it is.
    std::vector<calendar::Calendar> list;
    for (const auto& listed : Listed()) list.push_back(listed.calendar);
    for (const auto& stored : Replace(list)) {
      if (stored.id != id) continue;
      for (const auto& cursor : stored.cursors) {
        if (cursor.window.name == window) return cursor;
      }
    }
    throw std::runtime_error("no such cursor");
  }
  /// Reads the window in full: what is stored afterwards is `events`.
  void StoreIn(const calendar::CalendarId& id, const calendar::Window& window, std::vector<calendar::Event> events) {
    calendar::CalendarCommit commit{.fence = fence, .calendar_id = id};
    commit.cursor = store.Get(calendars().BeginEpoch(fence, id, window));
    commit.cursor.phase = calendar::Cursor::Phase::kSweeping;
    commit.cursor.token = "token";
    commit.upserts = std::move(events);
    store.Get(calendars().Apply(commit));
    while (store.Get(calendars().Sweep(fence, id, commit.cursor, !window.name.empty(), 100)) > 0) {
    }
  }
  void Store(const calendar::CalendarId& id, std::vector<calendar::Event> events) {
    StoreIn(id, {}, std::move(events));
  }

  calendar::EventQuery Query(std::string_view from, std::string_view to) {
    calendar::EventQuery query{.user_id = user.id};
    query.from = *ParseInstant(from);
    query.to = *ParseInstant(to);
    return query;
  }
  std::vector<calendar::ListedEvent> Events(calendar::EventQuery query) {
    std::vector<calendar::ListedEvent> all;
    do {
      auto list = store.Get(calendar_reader().ListEvents(query));
      for (auto& item : list.items) all.push_back(std::move(item));
      query.cursor = list.next_cursor;
    } while (!query.cursor.empty());
    return all;
  }
  std::vector<std::string> Titles(std::string_view from, std::string_view to) {
    std::vector<std::string> titles;
    for (const auto& item : Events(Query(from, to))) titles.push_back(item.event.title);
    return titles;
  }
  /// The event of that external id in 2026.
  calendar::ListedEvent Item(const std::string& external_id) {
    for (auto& item : Events(Query("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"))) {
      if (item.event.external_id == external_id) return item;
    }
    throw std::runtime_error("not listed: " + external_id);
  }

  identity::User user = store.AddUser("ada");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
  calendar::WriteFence fence{.account_id = account.id, .generation = account.generation};
};

}  // namespace latchkey::storage
