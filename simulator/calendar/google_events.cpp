// events.get, insert, import, update, patch and delete; channels.
#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include "simulator/calendar/google_errors.hpp"
#include "simulator/calendar/google_render.hpp"
#include "simulator/calendar/google_service.hpp"
#include "simulator/calendar/series.hpp"

namespace latchkey::simulator::calendar {
namespace {

namespace json = boost::json;

bool MayWrite(const Calendar& calendar) { return calendar.access_role == "owner" || calendar.access_role == "writer"; }

/// If-Match against the event's etag; "*" is any.
std::optional<Response> CheckEtag(const Request& request, const Event& event) {
  const std::string_view wanted = request.headers.Get("If-Match");
  if (wanted.empty() || wanted == "*" || wanted == Etag(event.updated)) return std::nullopt;
  return GoogleError(412, "conditionNotMet", "Precondition Failed", "global", "If-Match", "header");
}

/// What everybody sees of an event belongs to its organizer; the rest is each reader's own.
bool TouchesShared(const json::object& body) {
  for (const char* name : {"summary", "description", "location", "start", "end", "recurrence", "conferenceData"}) {
    if (body.contains(name)) return true;
  }
  return false;
}

}  // namespace

std::optional<Event> GoogleCalendarService::FindEvent(const Calendar& calendar, std::string_view id) const {
  if (const Event* stored = calendar.Find(id)) return *stored;
  return FindInstance(calendar, id);
}

Response GoogleCalendarService::EventsGet(Call& call) {
  const Calendar* calendar = call.book.Find(call.parameters[0]);
  const auto event = calendar ? FindEvent(*calendar, call.parameters[1]) : std::nullopt;
  if (!event) return NotFound();
  if (call.request.headers.Get("If-None-Match") == Etag(event->updated)) {
    Response unchanged;
    unchanged.status = 304;
    return unchanged;
  }
  RenderOptions options{.zone = calendar->zone};
  if (const auto zone = FindZone(call.request.query.Get("timeZone"))) options.zone = *zone;
  return JsonResponse(200, json::serialize(RenderEvent(*calendar, call.account(), *event, options)));
}

Response GoogleCalendarService::EventsInsert(Call& call, bool import) {
  Calendar* calendar = call.book.Find(call.parameters[0]);
  if (!calendar) return NotFound();
  if (!MayWrite(*calendar)) return NeedsAccess("writer");
  const auto body = ReadObject(call.request.body);
  if (!body) return Invalid("Parse Error");
  Event event;
  const std::string owner = calendar->primary ? call.account().email : calendar->id;
  event.creator = {call.account().email, call.account().name};
  event.organizer = {owner, calendar->primary ? call.account().name : calendar->summary};
  if (auto applied = ApplyBody(event, *body, import ? BodyUse::kImport : BodyUse::kInsert, *calendar); !applied) {
    return std::move(applied.error());
  }
  if (import) {
    for (const auto& [id, known] : calendar->events) {
      if (known.ical_uid == event.ical_uid && known.master_id.empty()) event.id = id;
    }
  } else if (!event.id.empty() && calendar->Find(event.id)) {
    return GoogleError(409, "duplicate", "The requested identifier already exists.");
  }
  if (calendar->events.size() >= CalendarStore::kMaxEvents) {
    return GoogleError(403, "quotaExceeded", "Calendar usage limits exceeded.", "usageLimits");
  }
  const Event& stored = store_.Put(call.account(), *calendar, std::move(event));
  return JsonResponse(200, json::serialize(RenderEvent(*calendar, call.account(), stored, {.zone = calendar->zone})));
}

Response GoogleCalendarService::EventsUpdate(Call& call, bool patch) {
  Calendar* calendar = call.book.Find(call.parameters[0]);
  auto event = calendar ? FindEvent(*calendar, call.parameters[1]) : std::nullopt;
  if (!event) return NotFound();
  if (!MayWrite(*calendar)) return NeedsAccess("writer");
  if (auto refused = CheckEtag(call.request, *event)) return std::move(*refused);
  const auto body = ReadObject(call.request.body);
  if (!body) return Invalid("Parse Error");
  const bool own = EqualsIgnoreCase(event->organizer.email, calendar->id) ||
                   EqualsIgnoreCase(event->organizer.email, call.account().email);
  const json::value* guests = event->google.if_contains("guestsCanModify");
  if (!own && patch && TouchesShared(*body) && !(guests && *guests == json::value(true))) {
    return GoogleError(403, "forbiddenForNonOrganizer",
                       "Shared properties can only be changed by the organizer of the event.", "calendar");
  }
  const Event before = *event;
  if (auto applied = ApplyBody(*event, *body, patch ? BodyUse::kPatch : BodyUse::kUpdate, *calendar); !applied) {
    return std::move(applied.error());
  }
  if (event->start != before.start || event->end != before.end || event->recurrence != before.recurrence) {
    ++event->sequence;
  }
  const bool series_moved =
      before.is_master() && (event->start != before.start || event->recurrence != before.recurrence);
  const Event stored = store_.Put(call.account(), *calendar, std::move(*event));
  if (series_moved) {
    // Instances that were changed on their own and no longer belong to the series end with the old one.
    if (const auto found = calendar->instances.find(stored.id); found != calendar->instances.end()) {
      const auto ids = found->second;
      for (const std::string& id : ids) {
        Event instance = *calendar->Find(id);
        bool still = false;
        if (instance.original_start && stored.is_master()) {
          VisitStarts(stored, instance.original_start->local, [&](LocalTime start) {
            still = start == instance.original_start->local;
            return !still;
          });
        }
        if (still || instance.is_cancelled()) continue;
        instance.status = EventStatus::kCancelled;
        instance.deleted = true;
        store_.Put(call.account(), *calendar, std::move(instance));
      }
    }
  }
  return JsonResponse(200, json::serialize(RenderEvent(*calendar, call.account(), stored, {.zone = calendar->zone})));
}

Response GoogleCalendarService::EventsDelete(Call& call) {
  Calendar* calendar = call.book.Find(call.parameters[0]);
  auto event = calendar ? FindEvent(*calendar, call.parameters[1]) : std::nullopt;
  if (!event) return NotFound();
  if (!MayWrite(*calendar)) return NeedsAccess("writer");
  if (auto refused = CheckEtag(call.request, *event)) return std::move(*refused);
  if (event->is_cancelled()) return GoogleError(410, "deleted", "Resource has been deleted");
  if (!calendar->Find(event->id))
    store_.Put(call.account(), *calendar, *event);  // An instance gets its own entry first.
  store_.Delete(call.account(), *calendar, event->id);
  Response done;
  done.status = 204;
  return done;
}

Response GoogleCalendarService::WatchResource(Call& call) {
  const bool list = call.method.id == MethodId::kCalendarListWatch;
  const Calendar* calendar = list ? nullptr : call.book.Find(call.parameters[0]);
  if (!list && !calendar) return NotFound();
  const auto body = ReadObject(call.request.body);
  if (!body) return Invalid("Parse Error");
  std::string path = call.request.path;
  path.resize(path.size() - std::string_view("/watch").size());
  return channels_.Watch(call.account(), calendar, call.request.Base() + path + "?alt=json", *body);
}

Response GoogleCalendarService::StopChannel(Call& call) {
  const auto body = ReadObject(call.request.body);
  if (!body) return Invalid("Parse Error");
  return channels_.Stop(call.account(), *body);
}

}  // namespace latchkey::simulator::calendar
