#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>

#include "simulator/accounts.hpp"
#include "simulator/calendar/model.hpp"
#include "simulator/graph/router.hpp"

namespace latchkey::simulator::graph {

/// Calendar and event ids in Graph's form. They hold the id of the model, so that both directions need no table; ids
/// with and without ImmutableId are told apart, as Exchange's are, and both are understood.
std::string CalendarId(const calendar::Calendar& calendar);
std::string EventId(std::string_view id, bool immutable);
/// nullopt: malformed.
std::optional<std::string> ParseCalendarId(std::string_view id);
std::optional<std::string> ParseEventId(std::string_view id);

/// How one request wants events.
struct EventView {
  std::string zone = "UTC";       ///< IANA.
  std::string zone_name = "UTC";  ///< As the client wrote it: Windows or IANA.
  bool immutable = false;
  bool text_body = false;
};
/// From the Prefer fields. nullopt: the zone is unknown.
std::optional<EventView> ReadView(const Call& call);

boost::json::object RenderCalendar(const calendar::Calendar& calendar, const Account& owner);
/// Everything of an event: master, exception, occurrence or single.
boost::json::object RenderEvent(const Call& call, const calendar::Calendar& calendar, const calendar::Event& event,
                                const EventView& view);
/// startDateTime and endDateTime. nullopt: absent, unreadable or empty.
std::optional<std::pair<Instant, Instant>> ReadWindow(const Call& call);
/// What a delta answer has of an occurrence: id, start, end, type, seriesMasterId.
boost::json::object RenderThin(const calendar::Event& occurrence, const EventView& view);

/// Whether Exchange could hold the event as a series.
bool IsSeries(const calendar::Event& event);

/// Applies a request body; the error is a sentence for Graph's 400. A member that is absent stays.
std::optional<std::string> ApplyBody(calendar::Event& event, const boost::json::object& body, bool fresh);

}  // namespace latchkey::simulator::graph
