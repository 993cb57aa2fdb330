// The part of the control API that acts on calendars, of either provider's accounts.
#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "simulator/calendar/files.hpp"
#include "simulator/calendar/google_render.hpp"
#include "simulator/calendar/series.hpp"
#include "simulator/control/control_api.hpp"
#include "simulator/json_fields.hpp"

namespace latchkey::simulator {
namespace {

using calendar::Calendar;
using calendar::Event;
using calendar::EventTime;

boost::json::object Describe(const Calendar& calendar) {
  std::size_t live = 0;
  for (const auto& [id, event] : calendar.events) live += event.is_cancelled() ? 0 : 1;
  return {{"id", calendar.id},           {"summary", calendar.summary},
          {"time_zone", calendar.zone},  {"access_role", calendar.access_role},
          {"primary", calendar.primary}, {"selected", calendar.selected},
          {"deleted", calendar.deleted}, {"events", live}};
}

boost::json::object Describe(const EventTime& time, const Calendar& calendar) {
  const std::string local = calendar::FormatBasicTime(time.local);
  const std::string date = local.substr(0, 4) + "-" + local.substr(4, 2) + "-" + local.substr(6, 2);
  if (time.all_day) return {{"date", date}, {"utc", calendar::WithOffset(time.At(calendar.zone), "UTC")}};
  const std::string clock = local.substr(9, 2) + ":" + local.substr(11, 2) + ":" + local.substr(13, 2);
  return {{"local", date + "T" + clock}, {"time_zone", time.zone}, {"utc", calendar::WithOffset(time.At(), "UTC")}};
}

boost::json::object Describe(const Event& event, const Calendar& calendar) {
  boost::json::array attendees;
  for (const calendar::Attendee& attendee : event.attendees) {
    attendees.push_back({{"email", attendee.person.email},
                         {"name", attendee.person.name},
                         {"response", attendee.response},
                         {"optional", attendee.optional}});
  }
  boost::json::object out = {{"id", event.id}, {"calendar", calendar.id}, {"ical_uid", event.ical_uid}};
  if (!event.master_id.empty()) out["master_id"] = event.master_id;
  if (event.original_start) out["original_start"] = Describe(*event.original_start, calendar);
  out["start"] = Describe(event.start, calendar);
  out["end"] = Describe(event.end, calendar);
  if (!event.recurrence.empty())
    out["recurrence"] = boost::json::array(event.recurrence.begin(), event.recurrence.end());
  out["status"] = event.is_cancelled()                                ? "cancelled"
                  : event.status == calendar::EventStatus::kTentative ? "tentative"
                                                                      : "confirmed";
  out["deleted"] = event.deleted;
  out["summary"] = event.summary;
  out["description"] = event.description;
  out["location"] = event.location;
  out["visibility"] = event.visibility;
  out["show_as"] = event.show_as;
  out["organizer"] = {{"email", event.organizer.email}, {"name", event.organizer.name}};
  out["attendees"] = std::move(attendees);
  out["conference_url"] = event.conference_url;
  out["updated"] = FormatInstant(event.updated);
  return out;
}

/// "2026-03-15" is a date, "2026-03-15T10:00:00" a clock in `zone`, with an offset an instant shown in `zone`.
std::optional<EventTime> ReadTime(const std::string& text, const std::string& zone) {
  EventTime time{.zone = zone};
  std::string digits = text.substr(0, 10);
  std::erase(digits, '-');
  const auto date = calendar::ParseBasicTime(digits);
  if (!date) return std::nullopt;
  if (text.size() == 10) {
    time.all_day = true;
    time.zone = "UTC";
    time.local = date->local;
    return time;
  }
  if (const auto instant = ParseInstant(text)) {
    time.local = calendar::ToLocal(*instant, zone);
    return time;
  }
  const auto local = ParseInstant(text + "Z");
  if (!local) return std::nullopt;
  time.local = calendar::LocalTime(std::chrono::floor<std::chrono::seconds>(*local).time_since_epoch());
  return time;
}

void ReadTimes(JsonFields& fields, Event& event, const Calendar& calendar, bool fresh) {
  std::string zone = fresh ? calendar.zone : event.start.zone;
  if (const auto named = fields.Text("time_zone")) {
    const auto known = calendar::FindZone(*named);
    if (!known) fields.Complain(fmt::format("nobody knows the time zone {}", *named));
    zone = known.value_or(zone);
  }
  const auto start = fields.Text("start");
  const auto end = fields.Text("end");
  if (fresh && !start) fields.Complain(R"("start" is missing: a date, a local time, or a time with an offset)");
  if (start) {
    const auto read = ReadTime(*start, zone);
    if (!read) return fields.Complain("\"start\" must be a date, a local time, or a time with an offset");
    const auto length = event.end.local - event.start.local;
    event.start = event.end = *read;
    event.end.local += !fresh ? length : read->all_day ? std::chrono::days(1) : std::chrono::hours(1);
  }
  if (end) {
    const auto read = ReadTime(*end, zone);
    if (!read || read->all_day != event.start.all_day) {
      return fields.Complain("\"end\" must have the form of \"start\"; the end of all-day events is exclusive");
    }
    event.end = *read;
  }
  if (event.end.At() < event.start.At()) fields.Complain("the event ends before it begins");
}

std::optional<std::string> ReadEvent(const boost::json::object& body, Event& event, const Calendar& calendar,
                                     bool fresh) {
  JsonFields fields(body);
  fields.Text("calendar");
  if (fresh) {
    event.id = fields.Text("id").value_or("");
    event.ical_uid = fields.Text("ical_uid").value_or("");
  }
  ReadTimes(fields, event, calendar, fresh);
  for (const auto& [name, target] :
       {std::pair("summary", &event.summary), std::pair("description", &event.description),
        std::pair("location", &event.location), std::pair("conference_url", &event.conference_url)}) {
    if (const auto text = fields.Text(name)) *target = *text;
  }
  const auto word = [&](const char* name, std::string& target, std::initializer_list<std::string_view> allowed) {
    const auto text = fields.Text(name);
    if (!text) return;
    if (std::ranges::find(allowed, *text) == allowed.end())
      fields.Complain(fmt::format("\"{}\" has an unknown value", name));
    target = *text;
  };
  word("visibility", event.visibility, {"default", "public", "private", "confidential"});
  word("show_as", event.show_as, {"busy", "free", "tentative", "oof", "workingElsewhere"});
  std::string status;
  word("status", status, {"confirmed", "tentative"});
  if (status == "tentative") event.status = calendar::EventStatus::kTentative;
  if (status == "confirmed") event.status = calendar::EventStatus::kConfirmed;
  if (const auto organizer = fields.Text("organizer")) event.organizer = {*organizer, ""};
  if (const auto recurrence = fields.Texts("recurrence")) {
    if (const std::string complaint = calendar::CheckRecurrence(*recurrence); !complaint.empty())
      fields.Complain(complaint);
    if (!event.master_id.empty()) fields.Complain("an instance has no recurrence of its own");
    event.recurrence = *recurrence;
  }
  if (const auto attendees = fields.Texts("attendees")) {
    event.attendees.clear();
    for (const std::string& email : *attendees) event.attendees.push_back({.person = {email, ""}});
  }
  return fields.Finish();
}

}  // namespace

ControlApi::Outcome ControlApi::Calendars(const Request& request, const boost::json::object& body) {
  const auto& segments = request.segments;
  if (segments.size() < 4) return Refuse(404, "calendars are at /control/calendar/{email}/calendars and …/events");
  const Account* account = parts_.accounts.FindByEmail(segments[2]);
  if (!account) return Refuse(404, fmt::format("there is no account {}", segments[2]));
  const std::string& topic = segments[3];
  if (topic == "calendars") return CalendarList(*account, request, body);
  if (topic == "events") return CalendarEvents(*account, request, body);
  if (topic == "import" && segments.size() == 4 && request.method == "POST") {
    JsonFields fields(body);
    const auto ics = fields.Text("ics");
    const auto file = fields.Text("file");
    if (ics.has_value() == file.has_value()) fields.Complain("give either \"ics\" or \"file\"");
    if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
    const auto imported = ics ? calendar::ImportText(parts_.calendars, *account, *ics)
                              : calendar::ImportCalendarFile(parts_.calendars, *account, *file);
    if (!imported) return Refuse(400, imported.error());
    return boost::json::object{{"events", *imported}};
  }
  if (topic == "expire-tokens" && segments.size() == 4 && request.method == "POST") {
    parts_.calendars.ExpireTokens(*account);
    return boost::json::object();
  }
  return Refuse(404, "calendar knows calendars, events, import and expire-tokens");
}

ControlApi::Outcome ControlApi::CalendarList(const Account& account, const Request& request,
                                             const boost::json::object& body) {
  calendar::CalendarBook& book = parts_.calendars.Book(account);
  const bool one = request.segments.size() == 5;
  if (!one && request.method == "GET") {
    boost::json::array list;
    for (const Calendar& calendar : book.calendars) list.push_back(Describe(calendar));
    return boost::json::object{{"calendars", std::move(list)}};
  }
  Calendar* calendar = one ? book.Find(request.segments[4]) : nullptr;
  if (one && !calendar) return Refuse(404, fmt::format("there is no calendar {}", request.segments[4]));
  if (one && request.method == "DELETE") {
    if (!parts_.calendars.RemoveCalendar(account, *calendar)) return Refuse(400, "the primary calendar cannot go");
    return boost::json::object();
  }
  if (request.method != (one ? "PATCH" : "POST")) {
    return Refuse(405, "calendars know GET and POST, a single one PATCH and DELETE");
  }
  JsonFields fields(body);
  const auto summary = fields.Text("summary");
  const auto zone = fields.Text("time_zone");
  const auto role = fields.Text("access_role");
  const auto selected = fields.Flag("selected");
  if (!one && !summary) fields.Complain("\"summary\" is missing: the calendar's name");
  if (zone && !calendar::FindZone(*zone)) fields.Complain(fmt::format("nobody knows the time zone {}", *zone));
  if (role && *role != "owner" && *role != "writer" && *role != "reader" && *role != "freeBusyReader") {
    fields.Complain("\"access_role\" must be owner, writer, reader or freeBusyReader");
  }
  if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
  if (!one) calendar = &parts_.calendars.AddCalendar(account, *summary, zone ? *calendar::FindZone(*zone) : "");
  if (summary) calendar->summary = *summary;
  if (zone) calendar->zone = *calendar::FindZone(*zone);
  if (role) calendar->access_role = *role;
  if (selected) calendar->selected = *selected;
  parts_.calendars.CalendarChanged(account, *calendar);
  return Describe(*calendar);
}

ControlApi::Outcome ControlApi::CalendarEvents(const Account& account, const Request& request,
                                               const boost::json::object& body) {
  calendar::CalendarStore& store = parts_.calendars;
  calendar::CalendarBook& book = store.Book(account);
  const auto* named = body.if_contains("calendar");
  const std::string id(named && named->is_string() ? std::string_view(named->as_string())
                                                   : request.query.Get("calendar"));
  Calendar* calendar = book.Find(id.empty() ? "primary" : id);
  if (!calendar) return Refuse(404, fmt::format("there is no calendar {}", id));
  if (request.segments.size() == 4 && request.method == "GET") return DescribeEvents(account, request);
  if (request.segments.size() == 4 && request.method == "POST") {
    Event event;
    event.creator = {account.email, account.name};
    event.organizer = calendar->primary ? event.creator : calendar::Person{calendar->id, calendar->summary};
    if (const auto complaint = ReadEvent(body, event, *calendar, true)) return Refuse(400, *complaint);
    return Describe(store.Put(account, *calendar, std::move(event)), *calendar);
  }
  if (request.segments.size() < 5) return Refuse(405, "events know GET and POST");
  // An id tells its calendar when none was named.
  if (id.empty()) {
    for (Calendar& candidate : book.calendars) {
      if (candidate.Find(request.segments[4]) || calendar::FindInstance(candidate, request.segments[4]))
        calendar = &candidate;
    }
  }
  const Event* stored = calendar->Find(request.segments[4]);
  auto event = stored ? std::optional(*stored) : calendar::FindInstance(*calendar, request.segments[4]);
  if (!event) return Refuse(404, fmt::format("there is no event {}", request.segments[4]));
  const bool cancel = request.segments.size() == 6 && request.segments[5] == "cancel" && request.method == "POST";
  if (cancel) {
    event->status = calendar::EventStatus::kCancelled;
    ++event->sequence;
    return Describe(store.Put(account, *calendar, std::move(*event)), *calendar);
  }
  if (request.segments.size() == 5 && request.method == "DELETE") {
    if (!stored) store.Put(account, *calendar, *event);
    if (!store.Delete(account, *calendar, event->id)) return Refuse(400, "it is cancelled already");
    return boost::json::object();
  }
  if (request.segments.size() != 5 || request.method != "PATCH") {
    return Refuse(405, "a single event knows PATCH, DELETE and POST …/cancel");
  }
  if (const auto complaint = ReadEvent(body, *event, *calendar, false)) return Refuse(400, *complaint);
  ++event->sequence;
  return Describe(store.Put(account, *calendar, std::move(*event)), *calendar);
}

ControlApi::Outcome ControlApi::DescribeEvents(const Account& account, const Request& request) {
  const auto from = ParseInstant(request.query.Get("from"));
  const auto to = ParseInstant(request.query.Get("to"));
  if (request.query.Find("from") && (!from || !to || *to <= *from)) {
    return Refuse(400, "\"from\" and \"to\" must be RFC 3339 instants in this order");
  }
  const bool deleted = request.query.Get("deleted") == "1";
  const std::string_view wanted = request.query.Get("calendar");
  boost::json::array events;
  for (const Calendar& calendar : parts_.calendars.Book(account).calendars) {
    if (calendar.deleted || (!wanted.empty() && parts_.calendars.Book(account).Find(wanted) != &calendar)) continue;
    for (const auto& [id, event] : calendar.events) {
      if (!from) {
        if (deleted || !event.deleted) events.push_back(Describe(event, calendar));
      } else if (event.is_master()) {
        if (event.is_cancelled()) continue;
        const calendar::InstanceQuery query{
            .from = *from, .to = *to, .now = parts_.clock.Now(), .cancelled = deleted, .most = 100'000};
        for (const Event& instance : calendar::Instances(calendar, event, query)) {
          events.push_back(Describe(instance, calendar));
        }
      } else if (event.master_id.empty() && (deleted || !event.is_cancelled()) &&
                 calendar::Touches(event, *from, *to, calendar.zone)) {
        events.push_back(Describe(event, calendar));
      }
    }
  }
  return boost::json::object{{"total", events.size()}, {"events", std::move(events)}};
}

ControlApi::Outcome ControlApi::CalendarChannels(const Request& request, const boost::json::object& body) {
  calendar::Channels& channels = parts_.google_calendar.channels();
  if (request.method == "PATCH") {
    JsonFields fields(body);
    PushQuirks quirks = channels.quirks();
    quirks.Read(fields);
    if (const auto complaint = fields.Finish()) return Refuse(400, *complaint);
    channels.quirks() = quirks;
  } else if (request.method != "GET") {
    return Refuse(405, "channels know GET and PATCH");
  }
  return boost::json::object{{"channels", channels.Describe()}, {"delivery", channels.quirks().Describe()}};
}

}  // namespace latchkey::simulator
