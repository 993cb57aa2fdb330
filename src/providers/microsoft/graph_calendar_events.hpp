#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "calendar/calendar_provider.hpp"

/// Graph's calendars and events as ours. Any thread; each takes the body as it came and may change it.
namespace latchkey::microsoft {

/// The calendars of one page; `next_link` is absolute, as Graph gave it.
struct CalendarsPage {
  std::vector<calendar::Calendar> calendars;
  std::string next_link;
};
/// kMalformedReply when it is no list.
Result<CalendarsPage> ParseCalendars(std::string& json);

/// A page of calendarView/delta.
struct EventsPage {
  std::vector<calendar::Event> events;
  std::vector<std::string> removed;
  std::string next_link, delta_link;
  /// Occurrences of these series say neither here whether they last all day nor is their master in the page; their
  /// times are midnights. Indices into `events`.
  std::vector<std::size_t> undecided;
};
Result<EventsPage> ParseEvents(std::string& json);
/// Makes an undecided occurrence one of an all-day series.
void MakeAllDay(calendar::Event& event);

Result<calendar::Event> ParseEvent(std::string& json);

/// How far the events of a list reach, and their ids. Masters only count with their first occurrence.
struct EventSpan {
  std::vector<std::string> ids;
  std::vector<std::string> exceptions;  ///< Of them, those that differ from their series.
  std::optional<Instant> earliest, latest;
  std::string next_link;
};
Result<EventSpan> ParseSpan(std::string& json);

}  // namespace latchkey::microsoft
