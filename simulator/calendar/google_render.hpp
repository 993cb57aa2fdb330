#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "simulator/accounts.hpp"
#include "simulator/calendar/model.hpp"
#include "simulator/http/message.hpp"

namespace latchkey::simulator::calendar {

/// What an event resource looks like to one reader.
struct RenderOptions {
  std::string zone;  ///< Offsets of the answer: the calendar's zone or the request's `timeZone`.
  std::size_t max_attendees = std::numeric_limits<std::size_t>::max();
};

/// The Event resource.
boost::json::object RenderEvent(const Calendar& calendar, const Account& reader, const Event& event,
                                const RenderOptions& options);
/// What is sure of a cancelled one: id, and of an instance where it belongs.
boost::json::object RenderCancelled(const Event& event, const RenderOptions& options);
boost::json::object RenderListEntry(const Calendar& calendar, const Account& reader);
boost::json::object RenderCalendar(const Calendar& calendar, const Account& reader);

std::string Etag(Instant updated);
/// "2026-03-12T07:29:38.054Z"
std::string Milliseconds(Instant instant);
/// "2026-03-20T13:00:00-03:00" by the clock of `zone`.
std::string WithOffset(Instant instant, const std::string& zone);

/// The JSON object of a body; an empty body is an empty object. nullopt: none.
std::optional<boost::json::object> ReadObject(const std::string& body);

/// What a request body may do to an event.
enum class BodyUse { kInsert, kUpdate, kPatch, kImport };
/// Applies an Event resource. Insert and import begin with an empty event, update clears what the body leaves out. The
/// error is Google's answer. Does not check access or organizer.
std::expected<void, Response> ApplyBody(Event& event, const boost::json::object& body, BodyUse use,
                                        const Calendar& calendar);

}  // namespace latchkey::simulator::calendar
