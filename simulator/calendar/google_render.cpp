#include "simulator/calendar/google_render.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/encoding.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::calendar {
namespace {

namespace json = boost::json;
using std::chrono::days;

/// Background colours of color ids 1 to 24.
constexpr std::string_view kColors[] = {"#ac725e", "#d06b64", "#f83a22", "#fa573c", "#ff7537", "#ffad46",
                                        "#42d692", "#16a765", "#7bd148", "#b3dc6c", "#fbe983", "#fad165",
                                        "#92e1c0", "#9fe1e7", "#9fc6e7", "#4986e7", "#9a9cff", "#b99aff",
                                        "#c2c2c2", "#cabdbf", "#cca6ac", "#f691b2", "#cd74e6", "#a47ae2"};

std::string Date(LocalTime local) {
  const std::chrono::year_month_day ymd(std::chrono::floor<days>(local));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                     static_cast<unsigned>(ymd.day()));
}

json::object RenderTime(const EventTime& time, const std::string& zone) {
  if (time.all_day) return {{"date", Date(time.local)}};
  return {{"dateTime", WithOffset(time.At(), zone)}, {"timeZone", time.zone}};
}

json::object RenderPerson(const Person& person, const std::string& self) {
  json::object out = {{"email", person.email}};
  if (!person.name.empty() && !EqualsIgnoreCase(person.email, self)) out["displayName"] = person.name;
  if (EqualsIgnoreCase(person.email, self)) out["self"] = true;
  return out;
}

json::array RenderAttendees(const Event& event, const Calendar& calendar, std::size_t most, bool& omitted) {
  json::array out;
  omitted = event.attendees.size() > most;
  for (const Attendee& attendee : event.attendees) {
    const bool self = EqualsIgnoreCase(attendee.person.email, calendar.id);
    // Of too many only the participant is returned.
    if (omitted && !self) continue;
    json::object one = {{"email", attendee.person.email}};
    if (!attendee.person.name.empty()) one["displayName"] = attendee.person.name;
    if (EqualsIgnoreCase(attendee.person.email, event.organizer.email)) one["organizer"] = true;
    if (self) one["self"] = true;
    if (attendee.resource) one["resource"] = true;
    if (attendee.optional) one["optional"] = true;
    one["responseStatus"] = attendee.response;
    if (!attendee.comment.empty()) one["comment"] = attendee.comment;
    out.push_back(std::move(one));
  }
  return out;
}

void RenderConference(const Event& event, json::object& out) {
  if (event.conference_url.empty()) return;
  const bool meet = event.conference_url.contains("meet.google.com/") || event.conference_url.contains("meet.example");
  if (meet) out["hangoutLink"] = event.conference_url;
  const std::string code = event.conference_url.substr(event.conference_url.rfind('/') + 1);
  const json::object entry = {{"entryPointType", "video"}, {"uri", event.conference_url}};
  json::object solution = {{"key", {{"type", meet ? "hangoutsMeet" : "addOn"}}},
                           {"name", meet ? "Google Meet" : "Video call"}};
  json::object conference = {{"entryPoints", json::array{entry}}, {"conferenceSolution", std::move(solution)}};
  if (!code.empty()) conference["conferenceId"] = code;
  out["conferenceData"] = std::move(conference);
}

}  // namespace

std::string Etag(Instant updated) { return fmt::format("\"{}\"", ToMicros(updated) * 2); }

std::string Milliseconds(Instant instant) { return FormatInstant(instant).substr(0, 23) + "Z"; }

std::string WithOffset(Instant instant, const std::string& zone) {
  const std::chrono::seconds offset = OffsetAt(instant, zone);
  const LocalTime local = ToLocal(instant, zone);
  const std::chrono::hh_mm_ss clock(local - std::chrono::floor<days>(local));
  std::string text = fmt::format("{}T{:02}:{:02}:{:02}", Date(local), clock.hours().count(), clock.minutes().count(),
                                 clock.seconds().count());
  if (offset == std::chrono::seconds(0)) return text + "Z";
  const auto minutes = std::llabs(offset.count()) / 60;
  return text + fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

json::object RenderCancelled(const Event& event, const RenderOptions& options) {
  json::object out = {
      {"kind", "calendar#event"}, {"etag", Etag(event.updated)}, {"id", event.id}, {"status", "cancelled"}};
  if (!event.master_id.empty() && event.original_start) {
    out["recurringEventId"] = event.master_id;
    out["originalStartTime"] = RenderTime(*event.original_start, options.zone);
  }
  return out;
}

json::object RenderEvent(const Calendar& calendar, const Account& reader, const Event& event,
                         const RenderOptions& options) {
  json::object out = {{"kind", "calendar#event"}, {"etag", Etag(event.updated)}, {"id", event.id}};
  out["status"] = event.is_cancelled()                      ? "cancelled"
                  : event.status == EventStatus::kTentative ? "tentative"
                                                            : "confirmed";
  const bool hidden =
      calendar.access_role == "freeBusyReader" ||
      (calendar.access_role == "reader" && (event.visibility == "private" || event.visibility == "confidential"));
  if (!hidden) {
    out["htmlLink"] = "https://www.google.com/calendar/event?eid=" + Base64UrlEncode(event.id + " " + calendar.id);
    out["created"] = Milliseconds(std::chrono::floor<std::chrono::seconds>(event.created));
  }
  out["updated"] = Milliseconds(event.updated);
  if (!hidden) {
    if (!event.summary.empty()) out["summary"] = event.summary;
    if (!event.description.empty()) out["description"] = event.description;
    if (!event.location.empty()) out["location"] = event.location;
    out["creator"] = RenderPerson(event.creator, calendar.primary ? calendar.id : reader.email);
    json::object organizer = RenderPerson(event.organizer, calendar.id);
    if (!calendar.primary && EqualsIgnoreCase(event.organizer.email, calendar.id)) {
      organizer["displayName"] = calendar.summary;
    }
    out["organizer"] = std::move(organizer);
  } else {
    out["visibility"] = "private";
  }
  out["start"] = RenderTime(event.start, options.zone);
  out["end"] = RenderTime(event.end, options.zone);
  if (!event.recurrence.empty()) out["recurrence"] = json::array(event.recurrence.begin(), event.recurrence.end());
  if (!event.master_id.empty()) {
    out["recurringEventId"] = event.master_id;
    if (event.original_start) out["originalStartTime"] = RenderTime(*event.original_start, options.zone);
  }
  if (event.show_as == "free") out["transparency"] = "transparent";
  out["iCalUID"] = event.ical_uid;
  out["sequence"] = event.sequence;
  out["eventType"] = "default";
  if (hidden) return out;
  if (event.visibility != "default") out["visibility"] = event.visibility;
  bool omitted = false;
  json::array attendees = RenderAttendees(event, calendar, options.max_attendees, omitted);
  if (!attendees.empty()) out["attendees"] = std::move(attendees);
  if (omitted) out["attendeesOmitted"] = true;
  RenderConference(event, out);
  out["reminders"] = {{"useDefault", !event.start.all_day}};
  for (const auto& member : event.google) out[member.key()] = member.value();
  return out;
}

json::object RenderListEntry(const Calendar& calendar, const Account& reader) {
  if (calendar.deleted) {
    return {{"kind", "calendar#calendarListEntry"},
            {"etag", Etag(calendar.updated)},
            {"id", calendar.id},
            {"deleted", true}};
  }
  json::object out = {{"kind", "calendar#calendarListEntry"},
                      {"etag", Etag(calendar.updated)},
                      {"id", calendar.id},
                      {"summary", calendar.summary}};
  if (!calendar.description.empty()) out["description"] = calendar.description;
  out["timeZone"] = calendar.zone;
  if (!calendar.primary && calendar.access_role == "owner") out["dataOwner"] = reader.email;
  out["colorId"] = calendar.color_id;
  const int color = std::clamp(std::atoi(calendar.color_id.c_str()), 1, static_cast<int>(std::size(kColors)));
  out["backgroundColor"] = kColors[color - 1];
  out["foregroundColor"] = "#000000";
  if (calendar.selected) out["selected"] = true;
  out["accessRole"] = calendar.access_role;
  if (calendar.primary) {
    out["defaultReminders"] = json::array{json::object{{"method", "popup"}, {"minutes", 10}}};
    out["primary"] = true;
  } else {
    out["defaultReminders"] = json::array();
  }
  out["conferenceProperties"] = {{"allowedConferenceSolutionTypes", json::array{"hangoutsMeet"}}};
  return out;
}

json::object RenderCalendar(const Calendar& calendar, const Account& reader) {
  json::object out = {{"kind", "calendar#calendar"},
                      {"etag", Etag(calendar.updated)},
                      {"id", calendar.id},
                      {"summary", calendar.summary},
                      {"timeZone", calendar.zone},
                      {"conferenceProperties", {{"allowedConferenceSolutionTypes", json::array{"hangoutsMeet"}}}}};
  if (!calendar.description.empty()) out["description"] = calendar.description;
  if (!calendar.primary && calendar.access_role == "owner") out["dataOwner"] = reader.email;
  return out;
}

}  // namespace latchkey::simulator::calendar
