#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "calendar/calendar_provider.hpp"

/// Google Calendar's answers as events. Any thread; each takes the body as it came and may change it.
namespace latchkey::google {

struct CalendarListPage {
  std::vector<calendar::Calendar> calendars;
  std::string next_page;
};
/// kMalformedReply when it is no list.
Result<CalendarListPage> ParseCalendarList(std::string& json);

struct EventsPage {
  std::vector<calendar::Event> events;
  /// Tombstones of events and masters; a called-off occurrence is an event (exception, cancelled).
  std::vector<std::string> removed;
  std::string next_page, next_sync_token;
};
/// `calendar_zone` is what times without a zone of their own are read in.
Result<EventsPage> ParseEvents(std::string& json, const std::string& calendar_zone);

/// One event. kGone when it is cancelled and no occurrence of a series.
Result<calendar::Event> ParseEvent(std::string& json, const std::string& calendar_zone);

/// Ids and the token of the next page, of an answer that was asked for with those fields.
Result<calendar::EventIdPage> ParseEventIds(std::string& json);

}  // namespace latchkey::google
