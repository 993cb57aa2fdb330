#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "simulator/calendar/store.hpp"

namespace latchkey::simulator::calendar {

/// Adds the events of an iCalendar text to the primary calendar, whose zone and name follow the text's when it has
/// them. Returns how many.
std::expected<std::size_t, std::string> ImportText(CalendarStore& store, const Account& account, std::string_view text);

/// A file goes into the primary calendar; of a folder each .ics and .vcs file becomes a calendar of its own, named like
/// the file (its own name is the description), in the order of their names. The error names the file and says what to
/// do.
std::expected<std::size_t, std::string> ImportCalendarFile(CalendarStore& store, const Account& account,
                                                           const std::string& path);

}  // namespace latchkey::simulator::calendar
