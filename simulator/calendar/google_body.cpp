// Event resources of requests.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "simulator/calendar/google_errors.hpp"
#include "simulator/calendar/google_render.hpp"
#include "simulator/calendar/series.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::calendar {
namespace {

namespace json = boost::json;

/// Kept and returned as they came.
constexpr std::array kKept = {"colorId",
                              "reminders",
                              "extendedProperties",
                              "source",
                              "guestsCanModify",
                              "guestsCanInviteOthers",
                              "guestsCanSeeOtherGuests",
                              "anyoneCanAddSelf",
                              "attachments",
                              "eventType",
                              "outOfOfficeProperties",
                              "focusTimeProperties",
                              "workingLocationProperties",
                              "birthdayProperties",
                              "privateCopy"};
constexpr std::size_t kMaxAttendees = 5000;

std::string_view TextOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->as_string()) : std::string_view();
}

std::expected<EventTime, Response> ReadTime(const json::value& value, std::string_view which, const Calendar& calendar,
                                            bool series) {
  const auto invalid = [&](std::string_view what) {
    return std::unexpected(Invalid(fmt::format("{} {} time.", what, which)));
  };
  const json::object* object = value.if_object();
  if (!object) return invalid("Invalid value for");
  EventTime time;
  if (const std::string_view date = TextOf(*object, "date"); !date.empty()) {
    std::string digits(date);
    std::erase(digits, '-');
    const auto parsed = ParseBasicTime(digits);
    if (date.size() != 10 || !parsed || !parsed->date) return invalid("Invalid value for");
    time.all_day = true;
    time.local = parsed->local;
    return time;
  }
  const std::string_view text = TextOf(*object, "dateTime");
  if (text.empty()) return std::unexpected(Required(fmt::format("Missing {} time.", which)));
  const std::string_view zone = TextOf(*object, "timeZone");
  time.zone = calendar.zone;
  if (!zone.empty()) {
    const auto known = FindZone(zone);
    // Google takes IANA names only.
    if (!known || (zone.find('/') == std::string_view::npos && *known != zone && *known != "UTC")) {
      return std::unexpected(Invalid(fmt::format("Invalid time zone definition for {} time.", which)));
    }
    time.zone = *known;
  } else if (series) {
    return std::unexpected(Required(fmt::format("Missing time zone definition for {} time.", which)));
  }
  if (const auto instant = ParseInstant(text)) {
    time.local = ToLocal(*instant, time.zone);
    return time;
  }
  const auto local = ParseInstant(std::string(text) + "Z");
  if (!local) return invalid("Invalid value for");
  if (zone.empty()) return std::unexpected(Required(fmt::format("Missing time zone definition for {} time.", which)));
  time.local = LocalTime(std::chrono::floor<std::chrono::seconds>(*local).time_since_epoch());
  return time;
}

std::expected<void, Response> ReadTimes(Event& event, const json::object& body, const Calendar& calendar) {
  const bool series = !event.recurrence.empty();
  for (const auto& [name, target] : {std::pair("start", &event.start), std::pair("end", &event.end)}) {
    const json::value* value = body.if_contains(name);
    if (!value || value->is_null()) continue;
    auto time = ReadTime(*value, name, calendar, series);
    if (!time) return std::unexpected(std::move(time.error()));
    *target = *time;
  }
  if (event.start.all_day != event.end.all_day) {
    return std::unexpected(Invalid("The start and end times must either both be date or both be dateTime."));
  }
  const bool backwards = event.start.all_day ? event.end.local <= event.start.local : event.end.At() < event.start.At();
  if (backwards) {
    return std::unexpected(GoogleError(400, "timeRangeEmpty", "The specified time range is empty.", "calendar"));
  }
  return {};
}

std::expected<void, Response> ReadAttendees(Event& event, const json::array& list) {
  std::vector<Attendee> attendees;
  if (list.size() > kMaxAttendees) return std::unexpected(Invalid("Too many attendees."));
  for (const json::value& value : list) {
    const json::object* object = value.if_object();
    const std::string email = object ? mime::Lower(TextOf(*object, "email")) : std::string();
    if (!email.contains('@')) return std::unexpected(Invalid("Invalid attendee email."));
    Attendee attendee{.person = {email, std::string(TextOf(*object, "displayName"))}};
    if (const std::string_view answer = TextOf(*object, "responseStatus"); !answer.empty()) {
      if (answer != "needsAction" && answer != "accepted" && answer != "declined" && answer != "tentative") {
        return std::unexpected(Invalid("Invalid attendee response status."));
      }
      attendee.response = answer;
    }
    const auto flag = [&](std::string_view name) {
      const json::value* member = object->if_contains(name);
      return member && member->is_bool() && member->as_bool();
    };
    attendee.optional = flag("optional");
    attendee.resource = flag("resource");
    attendee.comment = TextOf(*object, "comment");
    attendees.push_back(std::move(attendee));
  }
  event.attendees = std::move(attendees);
  return {};
}

std::expected<void, Response> ReadRecurrence(Event& event, const json::value& value) {
  std::vector<std::string> lines;
  if (!value.is_null()) {
    if (!value.is_array()) return std::unexpected(Invalid("Invalid recurrence rule."));
    for (const json::value& line : value.as_array()) {
      if (!line.is_string() || lines.size() >= 100) return std::unexpected(Invalid("Invalid recurrence rule."));
      lines.emplace_back(line.as_string());
    }
  }
  if (!CheckRecurrence(lines).empty()) return std::unexpected(Invalid("Invalid recurrence rule."));
  event.recurrence = std::move(lines);
  return {};
}

/// Members that `body` has, or that an update leaves out.
void ReadWords(Event& event, const json::object& body, bool all) {
  const auto text = [&](std::string_view name, std::string& target, std::string_view fallback = {}) {
    if (body.contains(name)) {
      target = TextOf(body, name);
    } else if (all) {
      target = fallback;
    }
    if (target.empty()) target = fallback;
  };
  text("summary", event.summary);
  text("description", event.description);
  text("location", event.location);
  text("visibility", event.visibility, "default");
  if (all || body.contains("transparency")) {
    event.show_as = TextOf(body, "transparency") == "transparent" ? "free" : "busy";
  }
  if (all || body.contains("status")) {
    const std::string_view status = TextOf(body, "status");
    event.status = status == "tentative"   ? EventStatus::kTentative
                   : status == "cancelled" ? EventStatus::kCancelled
                                           : EventStatus::kConfirmed;
    event.deleted = event.is_cancelled();
  }
  for (const char* name : kKept) {
    const json::value* value = body.if_contains(name);
    if (value && !value->is_null()) {
      event.google[name] = *value;
    } else if (value || all) {
      event.google.erase(name);
    }
  }
}

void ReadConference(Event& event, const json::object& body) {
  const json::value* value = body.if_contains("conferenceData");
  if (!value) return;
  event.conference_url.clear();
  const json::object* conference = value->if_object();
  if (!conference) return;
  if (const json::value* points = conference->if_contains("entryPoints"); points && points->is_array()) {
    for (const json::value& point : points->as_array()) {
      if (point.is_object() && event.conference_url.empty()) event.conference_url = TextOf(point.as_object(), "uri");
    }
  }
  if (conference->contains("createRequest")) event.conference_url = "https://meet.google.com/abc-defg-hij";
}

}  // namespace

std::optional<json::object> ReadObject(const std::string& body) {
  if (body.empty()) return json::object();
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

std::expected<void, Response> ApplyBody(Event& event, const json::object& body, BodyUse use, const Calendar& calendar) {
  const bool all = use == BodyUse::kUpdate;
  const bool fresh = use == BodyUse::kInsert || use == BodyUse::kImport;
  if (fresh || all) {
    for (const char* name : {"start", "end"}) {
      const json::value* value = body.if_contains(name);
      if (!value || !value->is_object()) return std::unexpected(Required(fmt::format("Missing {} time.", name)));
    }
  }
  if (fresh) {
    event.id = TextOf(body, "id");
    const bool alphabet = event.id.find_first_not_of("abcdefghijklmnopqrstuv0123456789") == std::string::npos;
    if (!event.id.empty() && (!alphabet || event.id.size() < 5 || event.id.size() > 1024)) {
      return std::unexpected(Invalid("Invalid resource id value."));
    }
    event.ical_uid = TextOf(body, "iCalUID");
    if (use == BodyUse::kImport && event.ical_uid.empty()) return std::unexpected(Required("Missing iCalUID."));
  }
  if (const json::value* recurrence = body.if_contains("recurrence")) {
    if (!event.master_id.empty())
      return std::unexpected(Invalid("Cannot turn an instance of a recurring event into a recurring event itself."));
    if (auto read = ReadRecurrence(event, *recurrence); !read) return read;
  } else if (all) {
    event.recurrence.clear();
  }
  if (auto read = ReadTimes(event, body, calendar); !read) return read;
  if (const json::value* attendees = body.if_contains("attendees"); attendees && attendees->is_array()) {
    if (auto read = ReadAttendees(event, attendees->as_array()); !read) return read;
  } else if (attendees || all) {
    event.attendees.clear();
  }
  ReadWords(event, body, all);
  ReadConference(event, body);
  return {};
}

}  // namespace latchkey::simulator::calendar
