#include <algorithm>
#include <charconv>
#include <chrono>

#include "api/handlers.hpp"
#include "api/input.hpp"
#include "api/respond.hpp"
#include "api/shapes.hpp"
#include "base/json.hpp"
#include "calendar/calendar_store.hpp"
#include "calendar/time_zone.hpp"

namespace latchkey::api {
namespace {

using calendar::CalendarId;

constexpr std::chrono::days kLongestRange{400};
constexpr int kMostEvents = 500, kUsualEvents = 200;

void WriteCalendar(json::Writer& out, const calendar::ListedCalendar& listed) {
  const auto& entry = listed.calendar;
  out.BeginObject()
      .Member("id", listed.id.text())
      .Member("account_id", listed.account_id.text())
      .Member("name", entry.name);
  WriteText(out, "color", entry.color);
  WriteText(out, "time_zone", entry.time_zone);
  out.Member("is_primary", entry.is_primary)
      .Member("access_role", ToString(entry.role))
      .Member("selected", listed.selected)
      .Member("event_count", listed.event_count);
  WriteInstant(out, "last_synced_at", listed.last_synced_at);
  out.EndObject();
}

void WriteDate(json::Writer& out, std::string_view name, const calendar::EventTime& time, Instant day) {
  WriteText(out, name, time.all_day ? calendar::FormatDate(day) : std::string());
}

void WriteEvent(json::Writer& out, const calendar::ListedEvent& listed) {
  const auto& event = listed.event;
  const auto& time = event.time;
  const auto instant = [&](Instant value) { return time.all_day ? std::optional<Instant>() : value; };
  out.BeginObject()
      .Member("id", listed.id)
      .Member("calendar_id", listed.calendar_id.text())
      .Member("account_id", listed.account_id.text());
  WriteText(out, "title", event.title);
  WriteText(out, "location", event.location);
  out.Member("status", ToString(event.status)).Member("is_all_day", time.all_day);
  WriteInstant(out, "start", instant(time.start));
  WriteInstant(out, "end", instant(time.end));
  WriteDate(out, "start_date", time, time.start);
  WriteDate(out, "end_date", time, time.end);
  WriteText(out, "time_zone", time.zone);
  out.Member("is_private", event.is_private).Member("shows_as", ToString(event.shows_as)).Key("organizer");
  if (event.organizer.name.empty() && event.organizer.email.empty()) {
    out.Null();
  } else {
    out.BeginObject();
    WriteText(out, "name", event.organizer.name);
    WriteText(out, "email", event.organizer.email);
    out.Member("self", event.organizer.self).EndObject();
  }
  out.Key("attendees").BeginArray();
  for (const auto& attendee : event.attendees) {
    out.BeginObject();
    WriteText(out, "name", attendee.name);
    WriteText(out, "email", attendee.email);
    out.Member("response", ToString(attendee.response))
        .Member("optional", attendee.optional)
        .Member("self", attendee.self)
        .EndObject();
  }
  out.EndArray().Member("attendees_omitted", event.attendees_omitted);
  WriteText(out, "conference_url", event.conference_url);
  WriteText(out, "series_id", listed.series_id);
  out.Member("is_exception", event.kind == calendar::EventKind::kException);
  WriteText(out, "html_link", event.html_link);
  WriteText(out, "description", event.description);
  out.EndObject();
}

Result<Instant> QueryInstant(const Call& call, std::string_view name) {
  const auto text = call.request.FindQuery(name);
  const auto instant = text ? ParseInstant(*text) : std::nullopt;
  if (!instant) return Fail(ErrorCode::kInvalidArgument, "from and to are instants");
  return *instant;
}

Result<int> EventLimit(const Call& call) {
  const auto text = call.request.FindQuery("limit");
  if (!text) return kUsualEvents;
  int value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 1 || value > kMostEvents) {
    return Fail(ErrorCode::kInvalidArgument, "limit is a number from 1 to 500");
  }
  return value;
}

Result<calendar::EventQuery> ReadQuery(const Call& call) {
  calendar::EventQuery query;
  query.user_id = call.user().id;
  const auto from = QueryInstant(call, "from"), to = QueryInstant(call, "to");
  if (!from) return Fail(from.error());
  if (!to) return Fail(to.error());
  if (*to <= *from || *to - *from > kLongestRange) {
    return Fail(ErrorCode::kInvalidArgument, "to is later than from, by at most 400 days");
  }
  query.from = *from;
  query.to = *to;
  const auto zone = QueryText(call, "time_zone", 64);
  if (!zone) return Fail(zone.error());
  if (!zone->empty()) query.time_zone = *zone;
  if (query.time_zone != "UTC" && !calendar::TimeZone::Find(query.time_zone)) {
    return Fail(ErrorCode::kInvalidArgument, "time_zone is an IANA name");
  }
  const auto account = QueryId<ConnectedAccountId>(call, "account");
  if (!account) return Fail(account.error());
  const auto entry = QueryId<CalendarId>(call, "calendar");
  if (!entry) return Fail(entry.error());
  const auto cursor = QueryText(call, "cursor", 512);
  if (!cursor) return Fail(cursor.error());
  const auto limit = EventLimit(call);
  if (!limit) return Fail(limit.error());
  query.account_id = *account;
  query.calendar_id = *entry;
  query.cursor = *cursor;
  query.limit = *limit;
  return query;
}

}  // namespace

Answer ListCalendars(Call& call) {
  auto account = QueryId<ConnectedAccountId>(call, "account");
  if (!account) co_return Fail(account.error());
  auto calendars = co_await call.services.calendar_reader.ListCalendars(call.user().id, *account);
  if (!calendars) co_return Fail(calendars.error());
  json::Writer out(256 * calendars->size() + 32);
  out.BeginObject().Key("calendars").BeginArray();
  for (const auto& listed : *calendars) WriteCalendar(out, listed);
  out.EndArray().EndObject();
  co_return Json(200, out.Take());
}

Answer UpdateCalendar(Call& call) {
  auto id = PathId<CalendarId>(call);
  if (!id) co_return Fail(id.error());
  auto members = json::Members::Of(call.body);
  if (!members) co_return Fail(members.error());
  auto selected = members->Bool("selected");
  if (!selected) co_return Fail(selected.error());
  if (auto others = members->RefuseOthers(); !others) co_return Fail(others.error());
  auto done = co_await call.services.calendars.Select(call.user().id, *id, *selected);
  if (!done) co_return Fail(done.error());
  auto listed = co_await call.services.calendar_reader.GetCalendar(call.user().id, *id);
  if (!listed) co_return Fail(listed.error());
  json::Writer out(256);
  WriteCalendar(out, *listed);
  co_return Json(200, out.Take());
}

Answer ListCalendarEvents(Call& call) {
  auto query = ReadQuery(call);
  if (!query) co_return Fail(query.error());
  auto list = co_await call.services.calendar_reader.ListEvents(*query);
  if (!list) co_return Fail(list.error());
  json::Writer out(768 * list->items.size() + 64);
  out.BeginObject().Key("events").BeginArray();
  for (const auto& listed : list->items) WriteEvent(out, listed);
  out.EndArray();
  WriteText(out, "next_cursor", list->next_cursor);
  out.EndObject();
  co_return Json(200, out.Take());
}

Answer GetCalendarEvent(Call& call) {
  const std::string id(call.request.PathParameter("id"));
  auto listed = co_await call.services.calendar_reader.GetEvent(call.user().id, id);
  if (!listed) co_return Fail(listed.error());
  json::Writer out(1024);
  WriteEvent(out, *listed);
  co_return Json(200, out.Take());
}

}  // namespace latchkey::api
