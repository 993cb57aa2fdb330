#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"

namespace latchkey::calendar {

using CalendarId = Id<struct CalendarTag>;

/// What an entry of a calendar is:
///
///   single      stands for itself
///   master      the rule of a series; never shown itself, its occurrences are
///   exception   one occurrence of a series that differs from the rule (moved, renamed) or was called off
///   occurrence  one occurrence that follows the rule, where the provider delivers occurrences one by one (Graph)
enum class EventKind { kSingle, kMaster, kException, kOccurrence };
enum class EventStatus { kConfirmed, kTentative, kCancelled };
enum class ShowsAs { kBusy, kFree, kTentative, kOutOfOffice, kWorkingElsewhere };
enum class Response { kNeedsAction, kAccepted, kDeclined, kTentative };

std::string_view ToString(EventKind kind);      ///< "single", "master", "exception", "occurrence"
std::string_view ToString(EventStatus status);  ///< "confirmed", "tentative", "cancelled"
std::string_view ToString(ShowsAs shows_as);    ///< "busy", "free", "tentative", "out_of_office", "working_elsewhere"
std::string_view ToString(Response response);   ///< "needs_action", "accepted", "declined", "tentative"
std::optional<EventKind> ParseEventKind(std::string_view text);
std::optional<EventStatus> ParseEventStatus(std::string_view text);
std::optional<ShowsAs> ParseShowsAs(std::string_view text);
std::optional<Response> ParseResponse(std::string_view text);

struct Person {
  std::string name, email;
  bool self = false;  ///< The owner of the calendar.
  friend bool operator==(const Person&, const Person&) = default;
};

struct Attendee {
  std::string name, email;
  Response response = Response::kNeedsAction;
  bool optional = false;
  bool self = false;
  friend bool operator==(const Attendee&, const Attendee&) = default;
};

/// When an event is. All-day events are dates and no instants: `start` and `end` are then midnight UTC of the first day
/// and of the day after the last one, and only their date means anything. Timed ones are UTC instants with the zone
/// they were planned in.
struct EventTime {
  bool all_day = false;
  Instant start{}, end{};
  /// IANA name; empty when the provider names none that we know: then the instants are all there is.
  std::string zone;
  friend bool operator==(const EventTime&, const EventTime&) = default;
};

/// Fields that an occurrence does not carry itself and takes from its series' master.
namespace inherit {
inline constexpr std::uint32_t kTitle = 1, kDescription = 2, kLocation = 4, kAttendees = 8, kOrganizer = 16,
                               kConference = 32, kShowsAs = 64, kPrivate = 128, kZone = 256, kLink = 512,
                               kStatus = 1024, kAllDay = 2048;
inline constexpr std::uint32_t kEverything = 4095;
}  // namespace inherit

struct Event {
  std::string external_id;
  EventKind kind = EventKind::kSingle;
  EventStatus status = EventStatus::kConfirmed;
  std::string title, description, location;
  EventTime time;
  /// Masters: lines of RFC 5545 section 3.8.5 (RRULE, EXRULE, RDATE, EXDATE), as the provider keeps them.
  std::vector<std::string> recurrence;
  /// Exceptions and occurrences: the master's external id.
  std::string series_id;
  /// Exceptions: the start that the rule gives it (midnight UTC of the date for all-day series).
  std::optional<Instant> original_start;
  Person organizer;
  std::vector<Attendee> attendees;
  /// There are more attendees than are listed here.
  bool attendees_omitted = false;
  std::string conference_url, html_link;
  bool is_private = false;
  ShowsAs shows_as = ShowsAs::kBusy;
  /// inherit:: flags; a master's own are meaningless.
  std::uint32_t inherits = 0;
  friend bool operator==(const Event&, const Event&) = default;
};

enum class AccessRole { kOwner, kWriter, kReader, kFreeBusy };
std::string_view ToString(AccessRole role);  ///< "owner", "writer", "reader", "free_busy"
std::optional<AccessRole> ParseAccessRole(std::string_view text);

/// A calendar as its provider lists it.
struct Calendar {
  std::string external_id, name;
  std::string color;      ///< "#rrggbb" or empty.
  std::string time_zone;  ///< IANA; empty when the provider does not say.
  bool is_primary = false;
  AccessRole role = AccessRole::kOwner;
  /// Whether a person who has not chosen yet wants to see it.
  bool suggested = true;
  friend bool operator==(const Calendar&, const Calendar&) = default;
};

/// Fills what `occurrence` takes from its series.
void InheritFrom(const Event& master, Event& occurrence);

/// "2026-03-15" of an instant that stands for a date, and back; nullopt for anything but a real date of that form.
std::string FormatDate(Instant midnight);
std::optional<Instant> ParseDate(std::string_view text);

/// Makes text of a provider storable: no NUL, CRLF and CR as LF, cut at a code point so that `max_bytes` remain.
std::string CleanText(std::string_view text, std::size_t max_bytes);

}  // namespace latchkey::calendar
