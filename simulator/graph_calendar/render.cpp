#include "simulator/graph_calendar/render.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/encoding.hpp"
#include "simulator/calendar/series.hpp"
#include "simulator/graph_calendar/recurrence.hpp"
#include "simulator/html.hpp"
#include "simulator/mime/summary.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::graph {
namespace {

namespace json = boost::json;
using calendar::Calendar;
using calendar::Event;
using calendar::EventTime;

constexpr std::string_view kCalendarPrefix = "AQMkADAwATNiZmYAZS1hZGNj";
constexpr std::string_view kEventPrefix = "AAMkAGI2TGuLAAA";
constexpr std::string_view kImmutablePrefix = "AAkALgAAAAAAHYQDEapm";
constexpr std::string_view kSuffix = "AAA=";

std::optional<std::string> Unwrap(std::string_view id, std::string_view prefix) {
  if (!id.starts_with(prefix) || !id.ends_with(kSuffix) || id.size() < prefix.size() + kSuffix.size()) {
    return std::nullopt;
  }
  return Base64UrlDecode(id.substr(prefix.size(), id.size() - prefix.size() - kSuffix.size()));
}

/// "2026-06-15T10:00:00.0000000"
std::string DateTime(calendar::LocalTime local) {
  const std::string basic = calendar::FormatBasicTime(local);
  return fmt::format("{}-{}-{}T{}:{}:{}.0000000", basic.substr(0, 4), basic.substr(4, 2), basic.substr(6, 2),
                     basic.substr(9, 2), basic.substr(11, 2), basic.substr(13, 2));
}

/// Seven fraction digits, as Outlook's events have.
std::string Sevenths(Instant instant) {
  std::string text = FormatInstant(instant);
  text.insert(text.size() - 1, "0");
  return text;
}

json::object RenderTime(const EventTime& time, const EventView& view) {
  // A date stays midnight whatever zone was asked for: the day would move otherwise.
  const calendar::LocalTime local = time.all_day ? time.local : calendar::ToLocal(time.At(), view.zone);
  return {{"dateTime", DateTime(local)}, {"timeZone", view.zone_name}};
}

std::string ChangeKey(const Event& event) { return Base64Encode(fmt::format("sim{:013}", event.revision)); }

json::object EmailAddress(const calendar::Person& person) {
  return {{"emailAddress", {{"name", person.name.empty() ? person.email : person.name}, {"address", person.email}}}};
}

std::string_view ResponseWord(std::string_view response) {
  if (response == "accepted") return "accepted";
  if (response == "declined") return "declined";
  return response == "tentative" ? "tentativelyAccepted" : "none";
}

json::object Status(std::string_view word) { return {{"response", word}, {"time", "0001-01-01T00:00:00Z"}}; }

json::object Location(const std::string& name) {
  json::object location = {{"displayName", name}, {"locationType", "default"}, {"uniqueIdType", "unknown"}};
  if (name.empty()) {
    location["address"] = json::object();
    location["coordinates"] = json::object();
  } else {
    location["uniqueId"] = name;
    location["uniqueIdType"] = "private";
  }
  return location;
}

json::object Body(const Event& event, bool text) {
  if (text) return {{"contentType", "text"}, {"content", event.description}};
  std::string html = EscapeHtml(event.description);
  for (std::size_t at = 0; (at = html.find('\n', at)) != std::string::npos; at += 4) html.replace(at, 1, "<br>");
  return {
      {"contentType", "html"},
      {"content", "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>" +
                      html + "</body></html>"}};
}

/// The first 255 bytes or so, no character cut in half.
std::string Preview(const std::string& text) {
  std::size_t end = std::min<std::size_t>(text.size(), 255);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string WindowsName(const EventTime& time) { return time.all_day ? "UTC" : calendar::WindowsZone(time.zone); }

std::string_view TextOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->as_string()) : std::string_view();
}
const json::object* ObjectOf(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value ? value->if_object() : nullptr;
}

std::optional<EventTime> ReadTime(const json::object& object) {
  EventTime time;
  const auto zone = calendar::FindZone(TextOf(object, "timeZone").empty() ? "UTC" : TextOf(object, "timeZone"));
  if (!zone) return std::nullopt;
  time.zone = *zone;
  const std::string text(TextOf(object, "dateTime"));
  if (const auto instant = ParseInstant(text)) {
    time.local = calendar::ToLocal(*instant, time.zone);
    return time;
  }
  const auto local = ParseInstant(text + (text.size() == 10 ? "T00:00:00Z" : "Z"));
  if (!local) return std::nullopt;
  time.local = calendar::LocalTime(std::chrono::floor<std::chrono::seconds>(*local).time_since_epoch());
  return time;
}

std::optional<std::string> ReadTimes(Event& event, const json::object& body, bool fresh) {
  const json::value* all_day = body.if_contains("isAllDay");
  const bool dates = all_day ? all_day->is_bool() && all_day->as_bool() : event.start.all_day;
  for (const auto& [name, target] : {std::pair("start", &event.start), std::pair("end", &event.end)}) {
    const json::object* object = ObjectOf(body, name);
    if (!object) {
      if (fresh) return fmt::format("The property '{}' is required when creating the entity.", name);
      target->all_day = dates;
      continue;
    }
    const auto time = ReadTime(*object);
    if (!time) return fmt::format("The property '{}' has a time or time zone that is not supported.", name);
    *target = *time;
    target->all_day = dates;
  }
  if (dates) {
    const auto midnight = [](const EventTime& time) {
      return time.local == std::chrono::floor<std::chrono::days>(time.local);
    };
    if (!midnight(event.start) || !midnight(event.end) || event.end.local <= event.start.local) {
      return "The Event.Start and Event.End of an all-day event must be midnight, at least 24 hours apart.";
    }
  }
  if (event.end.At() < event.start.At()) return "The end of the event lies before its start.";
  return std::nullopt;
}

std::optional<std::string> ReadAttendees(Event& event, const json::array& list) {
  std::vector<calendar::Attendee> attendees;
  for (const json::value& value : list) {
    const json::object* address = value.is_object() ? ObjectOf(value.as_object(), "emailAddress") : nullptr;
    if (!address || TextOf(*address, "address").empty()) return "An attendee has no address.";
    if (attendees.size() >= 500) return "There are too many attendees.";
    calendar::Attendee attendee{
        .person = {mime::Lower(TextOf(*address, "address")), std::string(TextOf(*address, "name"))}};
    const std::string_view type = TextOf(value.as_object(), "type");
    attendee.optional = EqualsIgnoreCase(type, "optional");
    attendee.resource = EqualsIgnoreCase(type, "resource");
    for (const calendar::Attendee& known : event.attendees) {
      if (known.person.email == attendee.person.email) attendee.response = known.response;
    }
    attendees.push_back(std::move(attendee));
  }
  event.attendees = std::move(attendees);
  return std::nullopt;
}

}  // namespace

std::string CalendarId(const Calendar& calendar) {
  // The default calendar's id must survive a change of the account's address.
  const std::string key = calendar.primary ? "primary" : calendar.id;
  return std::string(kCalendarPrefix) + Base64UrlEncode(key) + std::string(kSuffix);
}
std::string EventId(std::string_view id, bool immutable) {
  return std::string(immutable ? kImmutablePrefix : kEventPrefix) + Base64UrlEncode(id) + std::string(kSuffix);
}
std::optional<std::string> ParseCalendarId(std::string_view id) { return Unwrap(id, kCalendarPrefix); }
std::optional<std::string> ParseEventId(std::string_view id) {
  const auto plain = Unwrap(id, kEventPrefix);
  return plain ? plain : Unwrap(id, kImmutablePrefix);
}

bool IsSeries(const Event& event) { return event.is_master() && ToPattern(event).has_value(); }

std::optional<EventView> ReadView(const Call& call) {
  EventView view;
  view.immutable = call.immutable_ids();
  view.text_body = call.wants_text_body();
  if (const auto name = call.Preference("outlook.timezone")) {
    const auto zone = calendar::FindZone(*name);
    if (!zone) return std::nullopt;
    view.zone = *zone;
    view.zone_name = *name;
  }
  return view;
}

json::object RenderCalendar(const Calendar& calendar, const Account& owner) {
  const bool editable = calendar.access_role == "owner" || calendar.access_role == "writer";
  json::array providers;
  if (calendar.primary) providers.emplace_back("unknown");
  return {{"id", CalendarId(calendar)},
          {"name", calendar.primary ? "Calendar" : calendar.summary},
          {"color", "auto"},
          {"hexColor", ""},
          {"isDefaultCalendar", calendar.primary},
          {"changeKey", Base64Encode(fmt::format("sim{:013}", calendar.revision))},
          {"canShare", editable},
          {"canViewPrivateItems", editable},
          {"canEdit", editable},
          {"allowedOnlineMeetingProviders", std::move(providers)},
          {"defaultOnlineMeetingProvider", "unknown"},
          {"isTallyingResponses", calendar.primary},
          {"isRemovable", !calendar.primary},
          {"owner", {{"name", owner.name}, {"address", owner.email}}}};
}

json::object RenderThin(const Event& occurrence, const EventView& view) {
  return {{"@odata.type", "#microsoft.graph.event"},
          {"@odata.etag", fmt::format("W/\"{}\"", ChangeKey(occurrence))},
          {"seriesMasterId", EventId(occurrence.master_id, view.immutable)},
          {"type", "occurrence"},
          {"start", RenderTime(occurrence.start, view)},
          {"end", RenderTime(occurrence.end, view)},
          {"id", EventId(occurrence.id, view.immutable)}};
}

json::object RenderEvent(const Call& call, const Calendar& calendar, const Event& event, const EventView& view) {
  const Account& reader = call.account;
  // Of a series Exchange cannot hold, each instance is an event of its own.
  const Event* master = event.master_id.empty() ? nullptr : calendar.Find(event.master_id);
  const bool instance = master && IsSeries(*master);
  const bool exception = instance && calendar.Find(event.id) != nullptr;
  const bool own =
      EqualsIgnoreCase(event.organizer.email, reader.email) || EqualsIgnoreCase(event.organizer.email, calendar.id);
  const bool meeting = !event.attendees.empty();
  const std::string key = ChangeKey(event);
  json::object out = {{"@odata.etag", fmt::format("W/\"{}\"", key)},
                      {"id", EventId(event.id, view.immutable)},
                      {"createdDateTime", Sevenths(event.created)},
                      {"lastModifiedDateTime", Sevenths(event.updated)},
                      {"changeKey", key},
                      {"categories", json::array(event.categories.begin(), event.categories.end())},
                      {"transactionId", nullptr},
                      {"originalStartTimeZone", WindowsName(event.start)},
                      {"originalEndTimeZone", WindowsName(event.end)},
                      {"iCalUId", event.ical_uid},
                      {"uid", event.ical_uid},
                      {"reminderMinutesBeforeStart", 15},
                      {"isReminderOn", !event.start.all_day},
                      {"hasAttachments", false},
                      {"subject", event.summary},
                      {"bodyPreview", Preview(event.description)},
                      {"importance", "normal"},
                      {"isAllDay", event.start.all_day},
                      {"isCancelled", event.is_cancelled()},
                      {"isOrganizer", own},
                      {"responseRequested", true},
                      {"seriesMasterId", nullptr},
                      {"showAs", event.show_as}};
  if (!event.transaction_id.empty()) out["transactionId"] = event.transaction_id;
  out["sensitivity"] = event.visibility == "private"        ? "private"
                       : event.visibility == "confidential" ? "confidential"
                                                            : "normal";
  if (instance) out["seriesMasterId"] = EventId(event.master_id, view.immutable);
  out["type"] = IsSeries(event) ? "seriesMaster" : exception ? "exception" : instance ? "occurrence" : "singleInstance";
  if (exception && event.original_start) {
    const Instant original = event.original_start->At();
    out["originalStart"] = FormatInstant(original).substr(0, 19) + "Z";
  }
  out["webLink"] = "https://outlook.live.com/owa/?itemid=" + PercentEncode(EventId(event.id, false)) +
                   "&exvsurl=1&path=/calendar/item";
  out["onlineMeetingUrl"] = nullptr;
  out["isOnlineMeeting"] = !event.conference_url.empty();
  out["onlineMeetingProvider"] = event.conference_url.empty() ? "unknown" : "teamsForBusiness";
  out["onlineMeeting"] = nullptr;
  if (!event.conference_url.empty()) out["onlineMeeting"] = json::object{{"joinUrl", event.conference_url}};
  out["allowNewTimeProposals"] = true;
  out["occurrenceId"] = nullptr;
  out["isDraft"] = false;
  out["hideAttendees"] = false;
  std::string_view response = own ? (meeting ? "organizer" : "none") : "notResponded";
  json::array attendees;
  for (const calendar::Attendee& attendee : event.attendees) {
    if (!own && EqualsIgnoreCase(attendee.person.email, reader.email)) {
      response = attendee.response == "needsAction" ? "notResponded" : ResponseWord(attendee.response);
    }
    json::object one = {{"type", attendee.resource   ? "resource"
                                 : attendee.optional ? "optional"
                                                     : "required"},
                        {"status", Status(ResponseWord(attendee.response))}};
    one["emailAddress"] = EmailAddress(attendee.person)["emailAddress"];
    attendees.push_back(std::move(one));
  }
  if (own && !meeting) response = "organizer";
  out["responseStatus"] = Status(response);
  out["body"] = Body(event, view.text_body);
  out["start"] = RenderTime(event.start, view);
  out["end"] = RenderTime(event.end, view);
  out["location"] = Location(event.location);
  out["locations"] = json::array();
  if (!event.location.empty()) out["locations"] = json::array{Location(event.location)};
  out["recurrence"] = nullptr;
  if (auto pattern = ToPattern(event)) out["recurrence"] = std::move(*pattern);
  out["attendees"] = std::move(attendees);
  const bool by_calendar = EqualsIgnoreCase(event.organizer.email, calendar.id);
  out["organizer"] = EmailAddress(by_calendar ? calendar::Person{reader.email, reader.name} : event.organizer);
  return out;
}

std::optional<std::string> ApplyBody(Event& event, const json::object& body, bool fresh) {
  if (auto wrong = ReadTimes(event, body, fresh)) return wrong;
  if (body.contains("subject")) event.summary = TextOf(body, "subject");
  if (const json::object* content = ObjectOf(body, "body")) {
    // Kept as text, for both providers' shapes.
    const std::string_view text = TextOf(*content, "content");
    const bool html = EqualsIgnoreCase(TextOf(*content, "contentType"), "html");
    event.description = html ? mime::HtmlToText(text, 256 * 1024) : std::string(text);
  }
  if (const json::object* location = ObjectOf(body, "location")) event.location = TextOf(*location, "displayName");
  if (body.contains("showAs")) event.show_as = TextOf(body, "showAs");
  if (body.contains("sensitivity")) {
    const std::string_view word = TextOf(body, "sensitivity");
    event.visibility = word == "private" || word == "personal" ? "private"
                       : word == "confidential"                ? "confidential"
                                                               : "default";
  }
  if (const json::value* categories = body.if_contains("categories"); categories && categories->is_array()) {
    event.categories.clear();
    for (const json::value& category : categories->as_array()) {
      if (category.is_string()) event.categories.emplace_back(category.as_string());
    }
  }
  if (const json::value* attendees = body.if_contains("attendees"); attendees && attendees->is_array()) {
    if (auto wrong = ReadAttendees(event, attendees->as_array())) return wrong;
  }
  if (const json::value* online = body.if_contains("isOnlineMeeting"); online && online->is_bool()) {
    event.conference_url = online->as_bool() ? "https://teams.example.com/l/meetup-join/sim" : "";
  }
  if (fresh) event.transaction_id = TextOf(body, "transactionId");
  if (const json::value* recurrence = body.if_contains("recurrence")) {
    if (recurrence->is_null()) {
      event.recurrence.clear();
    } else if (!recurrence->is_object() || !event.master_id.empty()) {
      return "The recurrence is invalid for this event.";
    } else {
      const auto rule = FromPattern(recurrence->as_object(), event.start);
      if (!rule) return rule.error();
      event.recurrence = {*rule};
    }
  }
  return std::nullopt;
}

}  // namespace latchkey::simulator::graph
