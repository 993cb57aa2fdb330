#include "simulator/calendar/google_service.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "simulator/calendar/google_errors.hpp"
#include "simulator/calendar/google_render.hpp"
#include "simulator/calendar/series.hpp"
#include "simulator/gmail/batch.hpp"
#include "simulator/gmail/fields.hpp"

namespace latchkey::simulator::calendar {
namespace {

constexpr std::string_view kPrefix = "https://www.googleapis.com/auth/";

constexpr std::string_view kList = "calendar calendar.calendarlist calendar.calendarlist.readonly calendar.readonly";
constexpr std::string_view kReadEvents =
    "calendar calendar.app.created calendar.events calendar.events.freebusy calendar.events.owned "
    "calendar.events.owned.readonly calendar.events.public.readonly calendar.events.readonly calendar.readonly";
constexpr std::string_view kWriteEvents = "calendar calendar.app.created calendar.events calendar.events.owned";

using enum MethodId;
constexpr Method kMethods[] = {
    {kCalendarListList, "calendarList.list", "GET", "users/me/calendarList", "calendar.v3.CalendarList.List", kList},
    {kCalendarListWatch, "calendarList.watch", "POST", "users/me/calendarList/watch", "calendar.v3.CalendarList.Watch",
     kList},
    {kCalendarListGet, "calendarList.get", "GET", "users/me/calendarList/{}", "calendar.v3.CalendarList.Get",
     "calendar calendar.app.created calendar.calendarlist calendar.calendarlist.readonly calendar.readonly"},
    {kCalendarsGet, "calendars.get", "GET", "calendars/{}", "calendar.v3.Calendars.Get",
     "calendar calendar.app.created calendar.calendars calendar.calendars.readonly calendar.readonly"},
    {kEventsList, "events.list", "GET", "calendars/{}/events", "calendar.v3.Events.List", kReadEvents},
    {kEventsInsert, "events.insert", "POST", "calendars/{}/events", "calendar.v3.Events.Insert", kWriteEvents},
    {kEventsImport, "events.import", "POST", "calendars/{}/events/import", "calendar.v3.Events.Import", kWriteEvents},
    {kEventsWatch, "events.watch", "POST", "calendars/{}/events/watch", "calendar.v3.Events.Watch", kReadEvents},
    {kEventsGet, "events.get", "GET", "calendars/{}/events/{}", "calendar.v3.Events.Get", kReadEvents},
    {kEventsUpdate, "events.update", "PUT", "calendars/{}/events/{}", "calendar.v3.Events.Update", kWriteEvents},
    {kEventsPatch, "events.patch", "PATCH", "calendars/{}/events/{}", "calendar.v3.Events.Patch", kWriteEvents},
    {kEventsDelete, "events.delete", "DELETE", "calendars/{}/events/{}", "calendar.v3.Events.Delete", kWriteEvents},
    {kEventsInstances, "events.instances", "GET", "calendars/{}/events/{}/instances", "calendar.v3.Events.Instances",
     kReadEvents},
    {kChannelsStop, "channels.stop", "POST", "channels/stop", "calendar.v3.Channels.Stop",
     "calendar calendar.acls calendar.acls.readonly calendar.app.created calendar.calendarlist "
     "calendar.calendarlist.readonly calendar.events calendar.events.freebusy calendar.events.owned "
     "calendar.events.owned.readonly calendar.events.public.readonly calendar.events.readonly calendar.readonly "
     "calendar.settings.readonly"},
    {kFreeBusyQuery, "freebusy.query", "POST", "freeBusy", "calendar.v3.Freebusy.Query",
     "calendar calendar.events.freebusy calendar.freebusy calendar.readonly"},
};

/// Compares "calendars/{}/events" with the segments behind calendar/v3.
bool PathMatches(std::string_view pattern, const Request& request, std::vector<std::string_view>& parameters) {
  parameters.clear();
  std::size_t at = 2;
  while (!pattern.empty()) {
    if (at >= request.segments.size()) return false;
    const std::size_t slash = pattern.find('/');
    const std::string_view piece = pattern.substr(0, slash);
    pattern = slash == std::string_view::npos ? std::string_view() : pattern.substr(slash + 1);
    const std::string& segment = request.segments[at++];
    if (piece == "{}") {
      parameters.push_back(segment);
    } else if (piece != segment) {
      return false;
    }
  }
  return at == request.segments.size();
}

bool Permits(const Method& method, const Grant& grant) {
  std::string_view rest = method.scopes;
  while (!rest.empty()) {
    const std::size_t blank = rest.find(' ');
    if (grant.Has(std::string(kPrefix).append(rest.substr(0, blank)))) return true;
    rest = blank == std::string_view::npos ? std::string_view() : rest.substr(blank + 1);
  }
  return false;
}

void ShapeAnswer(const Request& request, Response& response) {
  if (response.status != 200 || response.body.empty()) return;
  if (const std::string_view fields = request.query.Get("fields"); !fields.empty()) {
    std::optional<std::string> selected = SelectFields(response.body, fields);
    if (!selected) {
      response = GoogleError(400, "invalidParameter", "Invalid field selection", "global", "fields");
      return;
    }
    response.body = std::move(*selected);
  }
  if (request.query.Get("prettyPrint") == "true") response.body = PrettyPrint(response.body);
}

}  // namespace

std::span<const Method> AllMethods() { return kMethods; }

GoogleCalendarService::GoogleCalendarService(CalendarStore& store, Schedule& schedule, Outgoing& outgoing)
    : store_(store), channels_(schedule, outgoing) {
  store_.OnChange([this](const Account& account, const Calendar* calendar) { channels_.Changed(account, calendar); });
}

Response GoogleCalendarService::Handle(Request& request, const Grant& grant) {
  if (request.segments.empty() || request.segments[0] != "batch") return HandleOne(request, grant);
  return AnswerBatch(request, store_.NextNonce(), [&](Request& part) {
    std::optional<Response> gated = gate_ ? gate_(part, grant) : std::nullopt;
    return gated ? std::move(*gated) : HandleOne(part, grant);
  });
}

Response GoogleCalendarService::HandleOne(Request& request, const Grant& grant) {
  if (request.segments.size() < 3 || request.segments[0] != "calendar" || request.segments[1] != "v3")
    return NotFound();
  std::vector<std::string_view> parameters;
  const auto* const method = std::ranges::find_if(kMethods, [&](const Method& candidate) {
    return candidate.http_method == request.method && PathMatches(candidate.path, request, parameters);
  });
  if (method == std::end(kMethods)) return NotFound();
  if (!Permits(*method, grant)) return InsufficientScopes(method->rpc);
  if (auto refused = Charge(*grant.account, *method)) return std::move(*refused);
  Call call{request, grant, store_.Book(*grant.account), *method, std::move(parameters)};
  Response response = Dispatch(call);
  ShapeAnswer(request, response);
  return response;
}

Response GoogleCalendarService::Dispatch(Call& call) {
  switch (call.method.id) {
    case kCalendarListList:
      return CalendarListList(call);
    case kCalendarListGet:
      return CalendarListGet(call);
    case kCalendarsGet:
      return CalendarsGet(call);
    case kEventsList:
      return EventsList(call);
    case kEventsGet:
      return EventsGet(call);
    case kEventsInsert:
      return EventsInsert(call, false);
    case kEventsImport:
      return EventsInsert(call, true);
    case kEventsUpdate:
      return EventsUpdate(call, false);
    case kEventsPatch:
      return EventsUpdate(call, true);
    case kEventsDelete:
      return EventsDelete(call);
    case kEventsInstances:
      return EventsInstances(call);
    case kCalendarListWatch:
    case kEventsWatch:
      return WatchResource(call);
    case kChannelsStop:
      return StopChannel(call);
    case kFreeBusyQuery:
      return FreeBusy(call);
  }
  return NotFound();
}

std::optional<Response> GoogleCalendarService::Charge(const Account& account, const Method& method) {
  Usage& usage = usage_[account.email];
  const Instant now = store_.Now();
  while (!usage.last_minute.empty() && usage.last_minute.front() <= now - std::chrono::seconds(60)) {
    usage.last_minute.pop_front();
  }
  if (enforce_quota_ && std::ssize(usage.last_minute) >= kQueriesPerMinute) {
    // Both shapes take turns, because clients meet both.
    return QuotaExceeded(usage.refused++ % 2 == 0);
  }
  if (enforce_quota_) usage.last_minute.push_back(now);
  ++usage.calls;
  ++usage.by_method[method.name];
  return std::nullopt;
}

boost::json::object GoogleCalendarService::QuotaCounters() const {
  boost::json::object out;
  for (const auto& [account, usage] : usage_) {
    boost::json::object methods;
    for (const auto& [name, calls] : usage.by_method) methods[name] = calls;
    out[account] = {{"calls", usage.calls}, {"refused", usage.refused}, {"byMethod", std::move(methods)}};
  }
  return out;
}

Response GoogleCalendarService::CalendarListGet(Call& call) {
  const Calendar* calendar = call.book.Find(call.parameters[0]);
  if (!calendar) return NotFound();
  return JsonResponse(200, boost::json::serialize(RenderListEntry(*calendar, call.account())));
}

Response GoogleCalendarService::CalendarsGet(Call& call) {
  const Calendar* calendar = call.book.Find(call.parameters[0]);
  if (!calendar) return NotFound();
  return JsonResponse(200, boost::json::serialize(RenderCalendar(*calendar, call.account())));
}

Response GoogleCalendarService::FreeBusy(Call& call) {
  const auto body = ReadObject(call.request.body);
  if (!body) return Invalid("Parse Error");
  const auto instant = [&](std::string_view name) {
    const auto* value = body->if_contains(name);
    return value && value->is_string() ? ParseInstant(std::string_view(value->as_string())) : std::nullopt;
  };
  const auto from = instant("timeMin");
  const auto to = instant("timeMax");
  if (!from || !to) return Required(from ? "Missing timeMax parameter." : "Missing timeMin parameter.");
  if (*to <= *from)
    return GoogleError(400, "timeRangeEmpty", "The specified time range is empty.", "calendar", "timeMax");
  boost::json::object calendars;
  const auto* items = body->if_contains("items");
  for (const auto& item : items && items->is_array() ? items->as_array() : boost::json::array()) {
    const auto* id = item.is_object() ? item.as_object().if_contains("id") : nullptr;
    if (!id || !id->is_string() || calendars.size() >= 50) continue;
    const Calendar* calendar = call.book.Find(std::string_view(id->as_string()));
    if (!calendar) {
      const boost::json::object error = {{"domain", "global"}, {"reason", "notFound"}};
      calendars[id->as_string()] = {{"errors", boost::json::array{error}}, {"busy", boost::json::array()}};
      continue;
    }
    std::vector<std::pair<Instant, Instant>> busy;
    const auto add = [&](const Event& event) {
      if (event.is_cancelled() || event.show_as == "free" || !Touches(event, *from, *to, calendar->zone)) return;
      busy.emplace_back(event.start.At(calendar->zone), event.end.At(calendar->zone));
    };
    for (const auto& [event_id, event] : calendar->events) {
      if (event.is_master() && !event.is_cancelled()) {
        const InstanceQuery query{.from = *from, .to = *to, .now = store_.Now()};
        for (const Event& instance : Instances(*calendar, event, query)) add(instance);
      } else if (event.master_id.empty()) {
        add(event);
      }
    }
    std::ranges::sort(busy);
    boost::json::array spans;
    for (std::size_t i = 0; i < busy.size();) {
      auto [start, end] = busy[i];
      for (++i; i < busy.size() && busy[i].first <= end; ++i) end = std::max(end, busy[i].second);
      spans.push_back({{"start", WithOffset(start, "UTC")}, {"end", WithOffset(end, "UTC")}});
    }
    calendars[id->as_string()] = {{"busy", std::move(spans)}};
  }
  const boost::json::object out = {{"kind", "calendar#freeBusy"},
                                   {"timeMin", Milliseconds(*from)},
                                   {"timeMax", Milliseconds(*to)},
                                   {"calendars", std::move(calendars)}};
  return JsonResponse(200, boost::json::serialize(out));
}

}  // namespace latchkey::simulator::calendar
