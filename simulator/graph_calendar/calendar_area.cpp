#include "simulator/graph_calendar/calendar_area.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "base/encoding.hpp"
#include "simulator/calendar/series.hpp"

namespace latchkey::simulator::graph {
namespace {

namespace json = boost::json;
using calendar::Calendar;
using calendar::CalendarBook;
using calendar::Event;

bool MayWrite(const Calendar& calendar) { return calendar.access_role == "owner" || calendar.access_role == "writer"; }

std::size_t NumberOr(const std::string* text, std::size_t fallback, std::size_t most) {
  std::size_t value = fallback;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return std::clamp<std::size_t>(value, 0, most);
}

/// Keeps id, annotations and the selected members.
void Select(json::object& object, std::string_view names) {
  if (names.empty()) return;
  json::object kept;
  for (const auto& member : object) {
    const std::string_view key = member.key();
    bool wanted = key == "id" || key.starts_with('@');
    for (std::string_view rest = names; !rest.empty() && !wanted;) {
      const std::size_t comma = rest.find(',');
      std::string_view name = rest.substr(0, comma);
      while (name.starts_with(' ')) name.remove_prefix(1);
      wanted = EqualsIgnoreCase(name, key);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    if (wanted) kept[key] = member.value();
  }
  object = std::move(kept);
}

Response NoContent(int status) {
  Response response;
  response.status = status;
  return response;
}

}  // namespace

CalendarArea::CalendarArea(calendar::CalendarStore& store) : store_(store) {
  store_.OnEvent([this](const Account& account, const Calendar& calendar, const Event& event, bool created) {
    Changed(account, calendar, event, created);
  });
}

void CalendarArea::AddRoutes(Router& router) {
  const std::vector<std::string> read = {"Calendars.Read", "Calendars.ReadWrite", "Calendars.ReadBasic"};
  const std::vector<std::string> write = {"Calendars.ReadWrite"};
  const auto add = [&](const char* method, const char* path, const std::vector<std::string>& scopes, Handler handler) {
    router.Add({.method = method, .path = path, .scopes = scopes, .handler = std::move(handler)});
  };
  add("GET", "/me/calendars", read, [this](Call& call) { return ListCalendars(call); });
  add("GET", "/me/calendar", read, [this](Call& call) { return GetCalendar(call, false); });
  add("GET", "/me/calendars/{}", read, [this](Call& call) { return GetCalendar(call, true); });
  add("GET", "/me/events", read, [this](Call& call) { return ListEvents(call, false); });
  add("GET", "/me/calendar/events", read, [this](Call& call) { return ListEvents(call, false); });
  add("GET", "/me/calendars/{}/events", read, [this](Call& call) { return ListEvents(call, true); });
  add("GET", "/me/calendarView", read, [this](Call& call) { return ListView(call, false); });
  add("GET", "/me/calendar/calendarView", read, [this](Call& call) { return ListView(call, false); });
  add("GET", "/me/calendars/{}/calendarView", read, [this](Call& call) { return ListView(call, true); });
  add("GET", "/me/calendarView/delta", read, [this](Call& call) { return Delta(call, false); });
  add("GET", "/me/calendar/calendarView/delta", read, [this](Call& call) { return Delta(call, false); });
  add("GET", "/me/calendars/{}/calendarView/delta", read, [this](Call& call) { return Delta(call, true); });
  add("GET", "/me/events/delta", read, [this](Call& call) { return Delta(call, false); });
  add("GET", "/me/calendars/{}/events/delta", read, [this](Call& call) { return Delta(call, true); });
  add("GET", "/me/events/{}", read, [this](Call& call) { return GetEvent(call, 0); });
  add("GET", "/me/calendar/events/{}", read, [this](Call& call) { return GetEvent(call, 0); });
  add("GET", "/me/calendars/{}/events/{}", read, [this](Call& call) { return GetEvent(call, 1); });
  add("GET", "/me/events/{}/instances", read, [this](Call& call) { return ListInstances(call); });
  add("POST", "/me/events", write, [this](Call& call) { return CreateEvent(call, false); });
  add("POST", "/me/calendar/events", write, [this](Call& call) { return CreateEvent(call, false); });
  add("POST", "/me/calendars/{}/events", write, [this](Call& call) { return CreateEvent(call, true); });
  add("PATCH", "/me/events/{}", write, [this](Call& call) { return UpdateEvent(call, 0); });
  add("PATCH", "/me/calendars/{}/events/{}", write, [this](Call& call) { return UpdateEvent(call, 1); });
  add("DELETE", "/me/events/{}", write, [this](Call& call) { return DeleteEvent(call, 0); });
  add("DELETE", "/me/calendars/{}/events/{}", write, [this](Call& call) { return DeleteEvent(call, 1); });
  add("POST", "/me/events/{}/cancel", write, [this](Call& call) { return CancelEvent(call); });
  add("POST", "/me/events/{}/accept", write, [this](Call& call) { return Answer(call, "accepted"); });
  add("POST", "/me/events/{}/tentativelyAccept", write, [this](Call& call) { return Answer(call, "tentative"); });
  add("POST", "/me/events/{}/decline", write, [this](Call& call) { return Answer(call, "declined"); });
}

Calendar* CalendarArea::CalendarOf(Call& call, bool named) {
  CalendarBook& book = store_.Book(call.account);
  if (!named) return &book.primary();
  const auto id = ParseCalendarId(call.parameter(0));
  return id ? book.Find(*id) : nullptr;
}

std::expected<CalendarArea::Found, Response> CalendarArea::EventOf(Call& call, std::size_t parameter) {
  const auto id = ParseEventId(call.parameter(parameter));
  if (!id) return std::unexpected(IdMalformed(call.now));
  CalendarBook& book = store_.Book(call.account);
  for (Calendar& calendar : book.calendars) {
    if (calendar.deleted) continue;
    if (parameter == 1 && &calendar != CalendarOf(call, true)) continue;
    const Event* stored = calendar.Find(*id);
    auto event = stored ? std::optional(*stored) : calendar::FindInstance(calendar, *id);
    // Deleted ones are gone at Microsoft; what its organizer called off stays until somebody removes it.
    if (event && !event->deleted && !(event->is_cancelled() && !event->master_id.empty())) {
      return Found{&calendar, std::move(*event)};
    }
  }
  return std::unexpected(ItemNotFound(call.now));
}

Response CalendarArea::ListCalendars(Call& call) {
  std::vector<json::object> items;
  for (const Calendar& calendar : store_.Book(call.account).calendars) {
    if (!calendar.deleted) items.push_back(RenderCalendar(calendar, call.account));
  }
  return Page(call, "calendars", std::move(items));
}

Response CalendarArea::GetCalendar(Call& call, bool named) {
  const Calendar* calendar = CalendarOf(call, named);
  if (!calendar) return ItemNotFound(call.now);
  json::object out = RenderCalendar(*calendar, call.account);
  out["@odata.context"] = call.Context("calendars/$entity");
  return Json(200, out);
}

Response CalendarArea::Page(Call& call, const std::string& context, std::vector<json::object> items) {
  const Parameters& query = call.request.query;
  const std::size_t top = std::max<std::size_t>(NumberOr(query.Find("$top"), 10, 1000), 1);
  const std::size_t skip = NumberOr(query.Find("$skip"), 0, 1'000'000);
  json::array value;
  for (std::size_t i = skip; i < items.size() && value.size() < top; ++i) {
    Select(items[i], query.Get("$select"));
    value.push_back(std::move(items[i]));
  }
  json::object out = {{"@odata.context", call.Context(context)}};
  if (query.Get("$count") == "true") out["@odata.count"] = items.size();
  if (skip + value.size() < items.size()) {
    std::string link = call.request.Base() + call.request.path + "?";
    for (const auto& [name, text] : query) {
      if (name != "$skip" && name != "$top") link += PercentEncode(name) + "=" + PercentEncode(text) + "&";
    }
    out["@odata.nextLink"] = link + fmt::format("$top={}&$skip={}", top, skip + value.size());
  }
  out["value"] = std::move(value);
  return Json(200, out);
}

Response CalendarArea::ListEvents(Call& call, bool named) {
  const Calendar* calendar = CalendarOf(call, named);
  if (!calendar) return ItemNotFound(call.now);
  const auto view = ReadView(call);
  if (!view)
    return BadRequest("The time zone of the preference is unknown.", call.now, "TimeZoneNotSupportedException");
  std::vector<json::object> items;
  for (const auto& [id, event] : calendar->events) {
    if (event.deleted || !event.master_id.empty()) continue;
    if (event.is_master() && !IsSeries(event)) {
      const calendar::InstanceQuery query{.now = call.now, .most = 1000};
      for (const Event& one : calendar::Instances(*calendar, event, query)) {
        items.push_back(RenderEvent(call, *calendar, one, *view));
      }
      continue;
    }
    items.push_back(RenderEvent(call, *calendar, event, *view));
  }
  return Page(call, "events", std::move(items));
}

Response CalendarArea::GetEvent(Call& call, std::size_t parameter) {
  const auto found = EventOf(call, parameter);
  if (!found) return found.error();
  const auto view = ReadView(call);
  if (!view)
    return BadRequest("The time zone of the preference is unknown.", call.now, "TimeZoneNotSupportedException");
  json::object out = RenderEvent(call, *found->calendar, found->event, *view);
  Select(out, call.request.query.Get("$select"));
  out["@odata.context"] = call.Context("events/$entity");
  return Json(200, out);
}

std::vector<Event> CalendarArea::View(const Calendar& calendar, Instant from, Instant to, bool masters) const {
  std::vector<Event> events;
  for (const auto& [id, event] : calendar.events) {
    if (event.deleted || !event.master_id.empty()) continue;
    if (!event.is_master()) {
      if (calendar::Touches(event, from, to, "UTC")) events.push_back(event);
      continue;
    }
    // What Exchange holds as no series could be in a mailbox event by event only, and nobody has every half hour so.
    const std::size_t most = IsSeries(event) ? 20'000 : 500;
    const calendar::InstanceQuery query{.from = from, .to = to, .now = store_.Now(), .most = most};
    std::vector<Event> instances = calendar::Instances(calendar, event, query);
    if (masters && !instances.empty() && IsSeries(event)) events.push_back(event);
    for (Event& instance : instances) events.push_back(std::move(instance));
  }
  return events;
}

Response CalendarArea::ListView(Call& call, bool named) {
  const Calendar* calendar = CalendarOf(call, named);
  if (!calendar) return ItemNotFound(call.now);
  const auto view = ReadView(call);
  if (!view)
    return BadRequest("The time zone of the preference is unknown.", call.now, "TimeZoneNotSupportedException");
  const auto window = ReadWindow(call);
  if (!window) return BadRequest("startDateTime and endDateTime are required", call.now, "ErrorInvalidParameter");
  std::vector<Event> events = View(*calendar, window->first, window->second, false);
  std::ranges::sort(events, {}, [](const Event& event) { return std::pair(event.start.At(), event.id); });
  std::vector<json::object> items;
  for (const Event& event : events) items.push_back(RenderEvent(call, *calendar, event, *view));
  return Page(call, "calendarView", std::move(items));
}

Response CalendarArea::ListInstances(Call& call) {
  const auto found = EventOf(call, 0);
  if (!found) return found.error();
  const auto view = ReadView(call);
  if (!view)
    return BadRequest("The time zone of the preference is unknown.", call.now, "TimeZoneNotSupportedException");
  const auto window = ReadWindow(call);
  if (!window) return BadRequest("startDateTime and endDateTime are required", call.now, "ErrorInvalidParameter");
  std::vector<json::object> items;
  if (IsSeries(found->event)) {
    const calendar::InstanceQuery query{.from = window->first, .to = window->second, .now = call.now};
    for (const Event& event : calendar::Instances(*found->calendar, found->event, query)) {
      items.push_back(RenderEvent(call, *found->calendar, event, *view));
    }
  }
  return Page(call, "events('" + call.parameter(0) + "')/instances", std::move(items));
}

Response CalendarArea::CreateEvent(Call& call, bool named) {
  Calendar* calendar = CalendarOf(call, named);
  if (!calendar) return ItemNotFound(call.now);
  if (!MayWrite(*calendar)) return AccessDenied(call.now);
  const auto view = ReadView(call);
  if (!view)
    return BadRequest("The time zone of the preference is unknown.", call.now, "TimeZoneNotSupportedException");
  auto body = call.Body();
  if (!body) return body.error();
  Event event;
  if (const auto wrong = ApplyBody(event, *body, true)) return BadRequest(*wrong, call.now, "ErrorInvalidRequest");
  const auto answer = [&](const Event& stored) {
    json::object out = RenderEvent(call, *calendar, stored, *view);
    out["@odata.context"] = call.Context("events/$entity");
    return Json(201, out);
  };
  if (!event.transaction_id.empty()) {
    for (const auto& [id, known] : calendar->events) {
      if (known.transaction_id == event.transaction_id && !known.deleted) return answer(known);
    }
  }
  event.creator = event.organizer = {call.account.email, call.account.name};
  event.ical_uid =
      fmt::format("040000008200E00074C5B7101A82E00800000000{:016X}{:016X}", store_.NextNonce(), store_.NextNonce());
  return answer(store_.Put(call.account, *calendar, std::move(event)));
}

Response CalendarArea::UpdateEvent(Call& call, std::size_t parameter) {
  auto found = EventOf(call, parameter);
  if (!found) return found.error();
  if (!MayWrite(*found->calendar)) return AccessDenied(call.now);
  const auto view = ReadView(call);
  if (!view)
    return BadRequest("The time zone of the preference is unknown.", call.now, "TimeZoneNotSupportedException");
  auto body = call.Body();
  if (!body) return body.error();
  if (const auto wrong = ApplyBody(found->event, *body, false)) {
    return BadRequest(*wrong, call.now, "ErrorInvalidRequest");
  }
  ++found->event.sequence;
  const Event& stored = store_.Put(call.account, *found->calendar, found->event);
  json::object out = RenderEvent(call, *found->calendar, stored, *view);
  out["@odata.context"] = call.Context("events/$entity");
  return Json(200, out);
}

Response CalendarArea::DeleteEvent(Call& call, std::size_t parameter) {
  auto found = EventOf(call, parameter);
  if (!found) return found.error();
  if (!MayWrite(*found->calendar)) return AccessDenied(call.now);
  // What can be found here may be called off already, which the store would take for deleted.
  found->event.status = calendar::EventStatus::kConfirmed;
  store_.Put(call.account, *found->calendar, found->event);
  store_.Delete(call.account, *found->calendar, found->event.id);
  return NoContent(204);
}

Response CalendarArea::CancelEvent(Call& call) {
  auto found = EventOf(call, 0);
  if (!found) return found.error();
  if (!EqualsIgnoreCase(found->event.organizer.email, call.account.email)) {
    return BadRequest("Your request can't be completed. You need to be an organizer to cancel a meeting.", call.now,
                      "ErrorAccessDenied");
  }
  const Response deleted = DeleteEvent(call, 0);
  return deleted.status == 204 ? NoContent(202) : deleted;
}

Response CalendarArea::Answer(Call& call, const char* response) {
  auto found = EventOf(call, 0);
  if (!found) return found.error();
  if (EqualsIgnoreCase(found->event.organizer.email, call.account.email)) {
    return BadRequest(
        "Your request can't be completed. You can't respond to this meeting because you're the organizer.", call.now,
        "ErrorInvalidRequest");
  }
  if (std::string_view(response) == "declined") {
    const Response deleted = DeleteEvent(call, 0);
    return deleted.status == 204 ? NoContent(202) : deleted;
  }
  bool listed = false;
  for (calendar::Attendee& attendee : found->event.attendees) {
    if (!EqualsIgnoreCase(attendee.person.email, call.account.email)) continue;
    attendee.response = response;
    listed = true;
  }
  if (!listed)
    found->event.attendees.push_back({.person = {call.account.email, call.account.name}, .response = response});
  store_.Put(call.account, *found->calendar, found->event);
  return NoContent(202);
}

void CalendarArea::Changed(const Account& account, const Calendar& calendar, const Event& event, bool created) {
  if (!listener_ || !account.IsMicrosoft()) return;
  const ItemChange change{.collection = "events",
                          .container = CalendarId(calendar),
                          .type = event.deleted ? "deleted"
                                  : created     ? "created"
                                                : "updated",
                          .odata_type = "#Microsoft.Graph.Event",
                          .id = EventId(event.id, false),
                          .immutable_id = EventId(event.id, true),
                          .etag = fmt::format("W/\"{}\"", event.revision)};
  listener_->Changed(account, change);
}

}  // namespace latchkey::simulator::graph
