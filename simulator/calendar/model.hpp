#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "simulator/calendar/zones.hpp"

namespace latchkey::simulator::calendar {

/// When something begins or ends: a wall clock time in a zone, or, for all-day events, a date (midnight, no zone).
struct EventTime {
  bool all_day = false;
  LocalTime local{};
  std::string zone = "UTC";  ///< IANA. Meaningless for dates.

  /// Dates begin at midnight in `zone_of_dates`.
  Instant At(const std::string& zone_of_dates = "UTC") const {
    return ToInstant(local, all_day ? zone_of_dates : zone);
  }
  bool operator==(const EventTime&) const = default;
};

struct Person {
  std::string email;
  std::string name;
};

struct Attendee {
  Person person;
  std::string response = "needsAction";  ///< Or "accepted", "declined", "tentative": Google's words.
  bool optional = false;
  bool resource = false;
  std::string comment;
};

enum class EventStatus { kConfirmed, kTentative, kCancelled };

/// A single event, the master of a series, or an instance that differs from its series.
struct Event {
  std::string id;         ///< Google's form: 5 to 1024 of a-v and 0-9; instances are "MASTER_20260315T130000Z".
  std::string ical_uid;   ///< The same for a series and its exceptions.
  std::string master_id;  ///< Instances only.
  std::optional<EventTime> original_start;  ///< Instances only.
  EventTime start;
  EventTime end;                        ///< All-day: exclusive.
  std::vector<std::string> recurrence;  ///< Masters: RRULE, RDATE and EXDATE lines.

  EventStatus status = EventStatus::kConfirmed;
  std::string summary;
  std::string description;
  std::string location;
  std::string visibility = "default";  ///< Or "public", "private", "confidential".
  std::string show_as = "busy";        ///< Or "free", "tentative", "oof", "workingElsewhere": Microsoft's words.
  Person creator;
  Person organizer;
  std::vector<Attendee> attendees;
  std::string conference_url;
  std::vector<std::string> categories;
  boost::json::object google;  ///< Members of Google's resource that nothing here depends on (colorId, reminders, ...).

  int sequence = 0;
  std::string transaction_id;  ///< Graph's idempotency key of the creation.
  Instant created{};
  Instant updated{};           ///< Differs from event to event: etags are made of it.
  std::uint64_t revision = 0;  ///< Of the account's book when it last changed.
  bool deleted = false;        ///< Cancelled by deletion, not only called off by its organizer.

  bool is_master() const { return !recurrence.empty(); }
  bool is_cancelled() const { return status == EventStatus::kCancelled; }
};

/// One calendar of an account. Events keep their addresses until the calendar goes.
struct Calendar {
  std::string id;  ///< The account's address for the primary one, "…@group.calendar.google.com" for others.
  std::string summary;
  std::string description;
  std::string zone = "UTC";
  std::string color_id = "1";
  std::string access_role = "owner";  ///< Or "writer", "reader", "freeBusyReader".
  bool primary = false;
  bool selected = true;
  bool deleted = false;
  std::uint64_t revision = 0;  ///< Of the calendar itself, its events left out.
  Instant updated{};           ///< The same.
  Instant events_updated{};

  std::map<std::string, Event, std::less<>> events;
  /// Ids by the revision of their last change: what an incremental list walks.
  std::map<std::uint64_t, std::string> changes;
  /// Ids of the stored instances of each master.
  std::map<std::string, std::set<std::string>, std::less<>> instances;

  const Event* Find(std::string_view event_id) const {
    const auto found = events.find(event_id);
    return found == events.end() ? nullptr : &found->second;
  }
};

}  // namespace latchkey::simulator::calendar
