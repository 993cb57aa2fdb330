// calendarList.list, events.list and events.instances: pages, sync tokens and their rules.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "simulator/calendar/google_errors.hpp"
#include "simulator/calendar/google_render.hpp"
#include "simulator/calendar/google_service.hpp"
#include "simulator/calendar/series.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::calendar {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxSnapshots = 1000;
/// How far back `updatedMin` reaches. Google does not say; its deletions are known for about four weeks.
constexpr std::chrono::days kUpdatedReach{28};
constexpr std::string_view kForbiddenWithToken[] = {
    "iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin"};

/// Tokens are fields between bars, in base64url.
std::string Seal(const std::vector<std::string>& fields) {
  std::string text;
  for (const std::string& field : fields) text += (text.empty() ? "" : "|") + field;
  return Base64UrlEncode(text);
}

std::vector<std::string> Open(std::string_view token) {
  std::vector<std::string> fields;
  const auto text = Base64UrlDecode(token);
  if (!text) return fields;
  std::string_view rest = *text;
  for (;;) {
    const std::size_t bar = rest.find('|');
    fields.emplace_back(rest.substr(0, bar));
    if (bar == std::string_view::npos) return fields;
    rest.remove_prefix(bar + 1);
  }
}

std::uint64_t Number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<std::size_t> PageSize(const Request& request, std::size_t usual, std::size_t most) {
  const std::string* text = request.query.Find("maxResults");
  if (!text || text->empty()) return usual;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value == 0) return std::nullopt;
  return std::min(value, most);
}

Response BadToken(std::string_view which) {
  return Invalid(fmt::format("Invalid {} token value.", which == "syncToken" ? "sync" : "page"), which);
}

bool Matches(const Event& event, std::string_view words) {
  if (words.empty()) return true;
  std::string text = mime::Lower(event.summary + "\n" + event.description + "\n" + event.location + "\n" +
                                 event.organizer.email + "\n" + event.organizer.name);
  for (const Attendee& attendee : event.attendees) {
    text += "\n" + mime::Lower(attendee.person.email) + "\n" + mime::Lower(attendee.person.name);
  }
  const std::string wanted = mime::Lower(words);
  std::string_view rest = wanted;
  while (!rest.empty()) {
    const std::size_t blank = rest.find(' ');
    if (!text.contains(rest.substr(0, blank))) return false;
    rest = blank == std::string_view::npos ? std::string_view() : rest.substr(blank + 1);
  }
  return true;
}

bool HasProperty(const Event& event, const char* kind, const std::vector<std::string_view>& wanted) {
  if (wanted.empty()) return true;
  const json::value* extended = event.google.if_contains("extendedProperties");
  const json::value* side = extended && extended->is_object() ? extended->as_object().if_contains(kind) : nullptr;
  return std::ranges::all_of(wanted, [&](std::string_view constraint) {
    const std::size_t equals = constraint.find('=');
    const json::value* value =
        side && side->is_object() ? side->as_object().if_contains(constraint.substr(0, equals)) : nullptr;
    return value && value->is_string() && equals != std::string_view::npos &&
           std::string_view(value->as_string()) == constraint.substr(equals + 1);
  });
}

}  // namespace

/// From the parameters of the first request and, later, out of a token.
struct GoogleCalendarService::ListState {
  bool single = false;
  bool deleted = false;  ///< Deleted ones too, with what is known of them.
  bool by_start = false;
  bool incremental = false;  ///< Changes since `since` only.
  bool answer_empty = false;
  std::uint64_t since = 0;
  std::uint64_t began = 0;  ///< The book's revision at the first page: the next token counts from there.
  std::uint64_t snapshot = 0;
  std::string last;  ///< The key of the last item of the page before.
  Instant from = Instant::min();
  Instant to = Instant::max();
  std::optional<Instant> updated_min;
  std::string words;
  std::string ical_uid;
  std::size_t size = 250;
  RenderOptions options;
};

std::expected<GoogleCalendarService::ListState, Response> GoogleCalendarService::ReadListState(
    const Call& call, const Calendar& calendar) {
  const Parameters& query = call.request.query;
  const auto flag = [&](std::string_view name) { return query.Get(name) == "true"; };
  ListState state;
  state.single = flag("singleEvents");
  state.deleted = flag("showDeleted");
  state.by_start = query.Get("orderBy") == "startTime";
  state.words = query.Get("q");
  state.ical_uid = query.Get("iCalUID");
  state.began = call.book.revision;
  state.options.zone = calendar.zone;
  if (const std::string* zone = query.Find("timeZone")) {
    const auto known = FindZone(*zone);
    if (!known) return std::unexpected(Invalid("Invalid time zone.", "timeZone"));
    state.options.zone = *known;
  }
  const auto size = PageSize(call.request, 250, 2500);
  if (!size) return std::unexpected(Invalid("Invalid value for maxResults.", "maxResults"));
  state.size = *size;
  if (const std::string* most = query.Find("maxAttendees")) state.options.max_attendees = Number(*most);
  if (state.by_start && !state.single) {
    return std::unexpected(Invalid("The requested ordering is not available for the particular query.", "orderBy"));
  }
  for (const auto& [name, target] : {std::pair("timeMin", &state.from), std::pair("timeMax", &state.to)}) {
    const std::string* text = query.Find(name);
    if (!text) continue;
    const auto instant = ParseInstant(*text);
    if (!instant) return std::unexpected(Invalid("Bad Request", name));
    *target = std::chrono::floor<std::chrono::seconds>(*instant);
  }
  if (state.to <= state.from) {
    return std::unexpected(
        GoogleError(400, "timeRangeEmpty", "The specified time range is empty.", "calendar", "timeMax"));
  }
  if (const std::string* text = query.Find("updatedMin")) {
    state.updated_min = ParseInstant(*text);
    if (!state.updated_min) return std::unexpected(Invalid("Bad Request", "updatedMin"));
    if (*state.updated_min < store_.Now() - kUpdatedReach) {
      return std::unexpected(GoogleError(410, "updatedMinTooLongAgo",
                                         "The requested minimum modification time lies too far in the past.",
                                         "calendar", "updatedMin"));
    }
    state.deleted = true;
  }
  if (const std::string* token = query.Find("syncToken")) {
    for (const std::string_view name : kForbiddenWithToken) {
      if (query.Find(name)) {
        return std::unexpected(Invalid("Sync token cannot be used with other query restrictions.", "syncToken"));
      }
    }
    if (query.Find("showDeleted") && !state.deleted) {
      return std::unexpected(Invalid("Sync token cannot be used with other query restrictions.", "syncToken"));
    }
    const auto fields = Open(*token);
    if (fields.size() != 7 || fields[0] != "s" || fields[1] != calendar.id)
      return std::unexpected(BadToken("syncToken"));
    if ((fields[3] == "1") != state.single) {
      return std::unexpected(Invalid("Sync token cannot be used with other query restrictions.", "syncToken"));
    }
    state.since = Number(fields[2]);
    state.snapshot = Number(fields[4]);
    state.from = fields[5].empty() ? Instant::min() : FromMicros(static_cast<std::int64_t>(Number(fields[5])));
    state.to = fields[6].empty() ? Instant::max() : FromMicros(static_cast<std::int64_t>(Number(fields[6])));
    state.incremental = true;
    const bool lost = state.single && !snapshots_.contains(state.snapshot);
    if (state.since < call.book.oldest_token || lost) return std::unexpected(FullSyncRequired());
  }
  if (const std::string* token = query.Find("pageToken")) {
    const auto fields = Open(*token);
    if (fields.size() != 4 || fields[0] != "p") return std::unexpected(BadToken("pageToken"));
    state.began = Number(fields[1]);
    state.last = fields[2];
    state.answer_empty = quirks_.empty_pages && fields[3] != "e";
  } else {
    state.answer_empty = quirks_.empty_pages;
  }
  return state;
}

std::vector<Event> GoogleCalendarService::CollectInstances(const Calendar& calendar, ListState& state) {
  std::vector<Event> all;
  for (const auto& [id, event] : calendar.events) {
    if (!event.master_id.empty()) continue;
    if (event.is_master()) {
      if (event.is_cancelled()) continue;
      const InstanceQuery query{
          .from = state.from, .to = state.to, .now = store_.Now(), .cancelled = state.deleted || state.incremental};
      for (Event& instance : Instances(calendar, event, query)) all.push_back(std::move(instance));
    } else if ((!event.is_cancelled() || state.deleted || state.incremental) &&
               Touches(event, state.from, state.to, calendar.zone)) {
      all.push_back(event);
    }
  }
  if (!state.incremental) return all;
  // Against what the reader was told: new and changed ones, then those that have gone.
  const Snapshot& before = snapshots_.at(state.snapshot);
  std::map<std::string, std::uint64_t> left = before.revisions;
  std::vector<Event> changed;
  for (Event& event : all) {
    const auto known = before.revisions.find(event.id);
    left.erase(event.id);
    const bool was_known = known != before.revisions.end();
    if (was_known ? known->second != event.revision : !event.is_cancelled()) changed.push_back(std::move(event));
  }
  for (const auto& [id, revision] : left) {
    Event gone;
    gone.id = id;
    gone.status = EventStatus::kCancelled;
    gone.updated = calendar.events_updated;
    if (const Event* stored = calendar.Find(id)) {
      gone = *stored;
    } else if (const std::size_t mark = id.rfind('_'); mark != std::string::npos) {
      gone.master_id = id.substr(0, mark);
      const auto time = ParseBasicTime(std::string_view(id).substr(mark + 1));
      if (time) gone.original_start = EventTime{.all_day = time->date, .local = time->local, .zone = "UTC"};
    }
    changed.push_back(std::move(gone));
  }
  return changed;
}

std::vector<json::object> GoogleCalendarService::CollectPage(const Call& call, const Calendar& calendar,
                                                             ListState& state, bool& more) {
  const auto private_wanted = call.request.query.All("privateExtendedProperty");
  const auto shared_wanted = call.request.query.All("sharedExtendedProperty");
  const auto wanted = [&](const Event& event) {
    if (state.updated_min && event.updated < *state.updated_min) return false;
    if (!state.ical_uid.empty() && event.ical_uid != state.ical_uid) return false;
    return Matches(event, state.words) && HasProperty(event, "private", private_wanted) &&
           HasProperty(event, "shared", shared_wanted);
  };
  const auto render = [&](const Event& event) {
    // "incremental sync requests with showDeleted set to false will not return these details"
    if (event.is_cancelled() && !state.deleted) return RenderCancelled(event, state.options);
    return RenderEvent(calendar, call.account(), event, state.options);
  };
  std::vector<json::object> items;
  more = false;
  std::string first_key = state.last;
  const auto take = [&](const Event& event, const std::string& key) {
    if (items.size() >= state.size) {
      more = true;
      return false;
    }
    state.last = key;
    items.push_back(render(event));
    return true;
  };
  if (state.single) {
    std::vector<Event> events = CollectInstances(calendar, state);
    const auto key_of = [&](const Event& event) {
      if (!state.by_start) return event.id;
      return fmt::format("{:020} {}", ToMicros(event.start.At(calendar.zone)) + (1LL << 60), event.id);
    };
    std::ranges::sort(events, {}, key_of);
    for (const Event& event : events) {
      const std::string key = key_of(event);
      if (key > first_key && wanted(event) && !take(event, key)) break;
    }
    return items;
  }
  if (state.incremental) {
    const std::uint64_t after = std::max(state.since, first_key.empty() ? 0 : Number(first_key));
    for (auto change = calendar.changes.upper_bound(after); change != calendar.changes.end(); ++change) {
      const Event& event = *calendar.Find(change->second);
      if (wanted(event) && !take(event, std::to_string(change->first))) break;
    }
    return items;
  }
  for (auto entry = calendar.events.upper_bound(first_key); entry != calendar.events.end(); ++entry) {
    const Event& event = entry->second;
    // Cancelled instances of a living series belong to it, whatever showDeleted says.
    if (event.is_cancelled() && event.master_id.empty() && !state.deleted) continue;
    bool inside = Touches(event, state.from, state.to, calendar.zone);
    if (event.is_master() && (state.from != Instant::min() || state.to != Instant::max())) {
      const InstanceQuery query{.from = state.from, .to = state.to, .now = store_.Now(), .most = 1};
      inside = !Instances(calendar, event, query).empty();
    }
    if (inside && wanted(event) && !take(event, event.id)) break;
  }
  return items;
}

std::uint64_t GoogleCalendarService::KeepSnapshot(Snapshot snapshot) {
  const std::uint64_t number =
      snapshots_.empty() ? store_.Now().time_since_epoch().count() : snapshots_.rbegin()->first + 1;
  snapshots_.emplace(number, std::move(snapshot));
  if (snapshots_.size() > kMaxSnapshots) snapshots_.erase(snapshots_.begin());
  return number;
}

Response GoogleCalendarService::FinishList(const Call& call, const Calendar& calendar, const ListState& state,
                                           std::vector<json::object> items, bool more) {
  json::object out = {{"kind", "calendar#events"},
                      {"etag", fmt::format("\"p{}g\"", ToMicros(calendar.events_updated))},
                      {"summary", calendar.summary},
                      {"description", calendar.description},
                      {"updated", Milliseconds(calendar.events_updated)},
                      {"timeZone", calendar.zone},
                      {"accessRole", calendar.access_role}};
  out["defaultReminders"] =
      calendar.primary ? json::array{json::object{{"method", "popup"}, {"minutes", 10}}} : json::array();
  if (more) {
    out["nextPageToken"] = Seal({"p", std::to_string(state.began), state.last, state.answer_empty ? "e" : ""});
  } else if (!state.by_start && state.words.empty() && state.ical_uid.empty() && !state.updated_min &&
             call.request.query.All("privateExtendedProperty").empty() &&
             call.request.query.All("sharedExtendedProperty").empty()) {
    std::uint64_t snapshot = 0;
    if (state.single && call.method.id == MethodId::kEventsList) {
      ListState all = state;
      all.incremental = false;
      all.deleted = true;
      Snapshot told{.calendar = calendar.id, .from = state.from, .to = state.to};
      for (const Event& event : CollectInstances(calendar, all)) told.revisions[event.id] = event.revision;
      snapshot = KeepSnapshot(std::move(told));
    }
    const auto bound = [](Instant instant, Instant none) {
      return instant == none ? std::string() : std::to_string(ToMicros(instant));
    };
    out["nextSyncToken"] =
        Seal({"s", calendar.id, std::to_string(state.began), state.single ? "1" : "0", std::to_string(snapshot),
              bound(state.from, Instant::min()), bound(state.to, Instant::max())});
  }
  json::array list;
  for (json::object& item : items) list.push_back(std::move(item));
  out["items"] = std::move(list);
  return JsonResponse(200, json::serialize(out));
}

Response GoogleCalendarService::EventsList(Call& call) {
  const Calendar* calendar = call.book.Find(call.parameters[0]);
  if (!calendar) return NotFound();
  auto state = ReadListState(call, *calendar);
  if (!state) return std::move(state.error());
  if (state->answer_empty) return FinishList(call, *calendar, *state, {}, true);
  bool more = false;
  std::vector<json::object> items = CollectPage(call, *calendar, *state, more);
  return FinishList(call, *calendar, *state, std::move(items), more);
}

Response GoogleCalendarService::EventsInstances(Call& call) {
  const Calendar* calendar = call.book.Find(call.parameters[0]);
  const Event* master = calendar ? calendar->Find(call.parameters[1]) : nullptr;
  if (!master || !master->master_id.empty()) return NotFound();
  auto state = ReadListState(call, *calendar);
  if (!state) return std::move(state.error());
  const InstanceQuery query{.from = state->from, .to = state->to, .now = store_.Now(), .cancelled = state->deleted};
  std::vector<json::object> items;
  bool more = false;
  std::string last;
  const std::string original(call.request.query.Get("originalStart"));
  if (!master->is_cancelled() && master->is_master()) {
    for (const Event& instance : Instances(*calendar, *master, query)) {
      const std::string key =
          fmt::format("{:020} {}", ToMicros(instance.start.At(calendar->zone)) + (1LL << 60), instance.id);
      if (key <= state->last) continue;
      if (items.size() >= state->size) {
        more = true;
        break;
      }
      last = key;
      json::object item = RenderEvent(*calendar, call.account(), instance, state->options);
      if (!original.empty() && item["originalStartTime"].as_object()["dateTime"] != json::value(original)) continue;
      items.push_back(std::move(item));
    }
  }
  state->last = last;
  return FinishList(call, *calendar, *state, std::move(items), more);
}

Response GoogleCalendarService::CalendarListList(Call& call) {
  const Parameters& query = call.request.query;
  const auto size = PageSize(call.request, 100, 250);
  if (!size) return Invalid("Invalid value for maxResults.", "maxResults");
  bool deleted = query.Get("showDeleted") == "true";
  std::uint64_t since = 0;
  std::uint64_t began = call.book.revision;
  std::size_t offset = 0;
  bool answer_empty = quirks_.empty_pages;
  if (const std::string* token = query.Find("syncToken")) {
    if (query.Find("minAccessRole") || (query.Find("showDeleted") && !deleted)) {
      return Invalid("Sync token cannot be used with other query restrictions.", "syncToken");
    }
    const auto fields = Open(*token);
    if (fields.size() != 2 || fields[0] != "c") return BadToken("syncToken");
    since = Number(fields[1]);
    if (since < call.book.oldest_token) return FullSyncRequired();
    deleted = true;
  }
  if (const std::string* token = query.Find("pageToken")) {
    const auto fields = Open(*token);
    if (fields.size() != 4 || fields[0] != "l") return BadToken("pageToken");
    began = Number(fields[1]);
    offset = Number(fields[2]);
    answer_empty = quirks_.empty_pages && fields[3] != "e";
  }
  constexpr std::string_view kRoles[] = {"freeBusyReader", "reader", "writer", "owner"};
  const auto rank = [&](std::string_view role) { return std::ranges::find(kRoles, role) - std::begin(kRoles); };
  const std::string_view least = query.Get("minAccessRole");
  json::array items;
  std::size_t at = 0;
  bool more = answer_empty;
  for (const Calendar& calendar : call.book.calendars) {
    if (answer_empty) break;
    if ((calendar.deleted && !deleted) || calendar.revision <= since) continue;
    if (!least.empty() && rank(calendar.access_role) < rank(least)) continue;
    if (at++ < offset) continue;
    if (items.size() >= *size) {
      more = true;
      break;
    }
    items.push_back(RenderListEntry(calendar, call.account()));
  }
  json::object out = {{"kind", "calendar#calendarList"}, {"etag", fmt::format("\"p{}o\"", call.book.revision)}};
  if (more) {
    out["nextPageToken"] =
        Seal({"l", std::to_string(began), std::to_string(offset + items.size()), answer_empty ? "e" : ""});
  } else if (least.empty()) {
    out["nextSyncToken"] = Seal({"c", std::to_string(began)});
  }
  out["items"] = std::move(items);
  return JsonResponse(200, json::serialize(out));
}

}  // namespace latchkey::simulator::calendar
