#pragma once

#include "simulator/calendar/store.hpp"

namespace latchkey::simulator::calendar {

/// Fills an account's calendars with those of a fictional person: stand-ups with a moved and a cancelled instance, an
/// all-day trip, several zones, private and tentative events, attendees, calls, a team calendar and somebody else's
/// holidays. Everything lies around `now`; the same `now` gives the same events. Returns how many.
std::size_t AddSampleCalendars(CalendarStore& store, const Account& account, Instant now);

}  // namespace latchkey::simulator::calendar
