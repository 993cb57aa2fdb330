#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "simulator/calendar/model.hpp"

namespace latchkey::simulator::calendar {

/// "20260315T130000Z", "20260315T130000", "20260315". nullopt for all else.
struct BasicTime {
  LocalTime local{};
  bool utc = false;
  bool date = false;
};
std::optional<BasicTime> ParseBasicTime(std::string_view text);
/// "20260315T130000"
std::string FormatBasicTime(LocalTime local);
std::string FormatBasicDate(LocalTime local);

/// A complaint about the recurrence lines of an event that starts at `start`, or "".
std::string CheckRecurrence(const std::vector<std::string>& lines);

/// The starts of a master's instances in order: its rules and RDATEs without EXDATEs (a master without rule contributes
/// its own start), not after `last`, until `visit` answers false.
void VisitStarts(const Event& master, LocalTime last, const std::function<bool(LocalTime)>& visit);

/// Whether the series takes the occurrence at `start` away itself (EXDATE).
bool IsExcluded(const Event& master, LocalTime start);

/// The instance of `master` that originally starts at `start`, as the series itself has it.
Event MakeInstance(const Event& master, LocalTime start);
std::string InstanceId(const Event& master, LocalTime start);

/// The instance an id such as "abc_20260315T130000Z" names, when the series has one there: the stored one if it
/// differs, else one made from the master. `is_known`: the id came from that series as it is now, so that it need not
/// be followed from its start to see that it gets there.
std::optional<Event> FindInstance(const Calendar& calendar, std::string_view id, bool is_known = false);

struct InstanceQuery {
  Instant from = Instant::min();  ///< Instances that end later,
  Instant to = Instant::max();    ///< and begin earlier. Without an end a series is cut two years after `now`.
  Instant now{};
  bool cancelled = false;  ///< Cancelled ones too.
  std::size_t most = 5000;
};
/// Instances in the order of their starts, moved ones where they are now.
std::vector<Event> Instances(const Calendar& calendar, const Event& master, const InstanceQuery& query);

/// Whether the event itself (no recurrence considered) touches the window.
bool Touches(const Event& event, Instant from, Instant to, const std::string& zone_of_dates);

}  // namespace latchkey::simulator::calendar
