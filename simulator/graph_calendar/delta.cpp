// calendarView/delta: a window that never moves, thin occurrences, what has gone as @removed.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include "simulator/calendar/series.hpp"
#include "simulator/graph_calendar/calendar_area.hpp"

namespace latchkey::simulator::graph {
namespace {

namespace json = boost::json;
using calendar::Calendar;
using calendar::Event;

constexpr std::size_t kMaxStates = 2000;
/// A page when the client prefers nothing.
constexpr std::size_t kUsualPage = 50;

}  // namespace

std::optional<std::pair<Instant, Instant>> ReadWindow(const Call& call) {
  const auto read = [&](std::string_view name) -> std::optional<Instant> {
    const std::string* text = call.request.query.Find(name);
    if (!text) return std::nullopt;
    // The offset in the value, else UTC, whatever zone is preferred. '+' in an offset may have come as a blank.
    std::string fixed = *text;
    std::ranges::replace(fixed, ' ', '+');
    if (const auto instant = ParseInstant(fixed)) return instant;
    return ParseInstant(fixed + (fixed.size() == 10 ? "T00:00:00Z" : "Z"));
  };
  const auto from = read("startDateTime");
  const auto to = read("endDateTime");
  if (!from || !to || *to <= *from) return std::nullopt;
  return std::pair(*from, *to);
}

std::uint64_t CalendarArea::Keep(DeltaState state) {
  const std::uint64_t number = next_state_++;
  states_.emplace(number, std::move(state));
  if (states_.size() > kMaxStates) states_.erase(states_.begin());
  return number;
}

CalendarArea::DeltaState CalendarArea::Begin(const Calendar& calendar, const Account& account, Instant from, Instant to,
                                             const Told& before) {
  DeltaState state{
      .account = account.sub, .calendar = calendar.primary ? "primary" : calendar.id, .from = from, .to = to};
  state.revision = store_.Book(account).revision;
  Told gone = before;
  Told told;
  std::vector<std::string> pending;
  for (const Event& event : View(calendar, from, to, true)) {
    const auto known = before.find(event.id);
    gone.erase(event.id);
    told[event.id] = event.revision;
    if (known == before.end() || known->second != event.revision) pending.push_back(event.id);
  }
  for (const auto& [id, revision] : gone) pending.push_back("-" + id);
  state.told = std::make_shared<const Told>(std::move(told));
  state.pending = std::make_shared<const std::vector<std::string>>(std::move(pending));
  return state;
}

Response CalendarArea::Delta(Call& call, bool named) {
  const Parameters& query = call.request.query;
  for (const auto& [name, value] : query) {
    const bool allowed = name == "startDateTime" || name == "endDateTime" || name == "$skiptoken" ||
                         name == "$deltatoken" || name == "$skipToken" || name == "$deltaToken";
    if (!allowed) {
      return BadRequest(fmt::format("The query parameter '{}' is not supported with delta of calendarView.", name),
                        call.now, "ErrorInvalidParameter");
    }
  }
  Calendar* calendar = CalendarOf(call, named);
  if (!calendar) return ItemNotFound(call.now);
  std::string token;
  for (const char* name : {"$skiptoken", "$deltatoken", "$skipToken", "$deltaToken"}) {
    if (const std::string* text = query.Find(name)) token = *text;
  }
  const std::string path = call.request.Base() + call.request.path;
  if (token.empty()) {
    const auto window = ReadWindow(call);
    if (!window) return BadRequest("startDateTime and endDateTime are required", call.now, "ErrorInvalidParameter");
    return DeltaPage(call, *calendar, Begin(*calendar, call.account, window->first, window->second, {}), path);
  }
  const std::size_t dash = token.find('-');
  std::uint64_t number = 0;
  if (dash != std::string::npos) std::from_chars(token.data() + dash + 1, token.data() + token.size(), number);
  const auto found = states_.find(number);
  const std::string key = calendar->primary ? "primary" : calendar->id;
  if (found == states_.end() || found->second.account != call.account.sub || found->second.calendar != key ||
      found->second.revision < store_.Book(call.account).oldest_token) {
    Response gone = Error(410, "SyncStateNotFound", "The sync state generation is not found.", call.now);
    gone.headers.Add("Location", path);
    return gone;
  }
  // Copied: a link may be followed again after a lost answer.
  const DeltaState& state = found->second;
  if (token.starts_with("s")) return DeltaPage(call, *calendar, state, path);
  return DeltaPage(call, *calendar, Begin(*calendar, call.account, state.from, state.to, *state.told), path);
}

Response CalendarArea::DeltaPage(Call& call, const Calendar& calendar, DeltaState state, const std::string& path) {
  const auto view = ReadView(call);
  if (!view)
    return BadRequest("The time zone of the preference is unknown.", call.now, "TimeZoneNotSupportedException");
  const std::size_t size = std::clamp<std::size_t>(call.preferred_page_size().value_or(kUsualPage), 1, 1000);
  json::array value;
  // What the round began with is there as long as nothing changed: no series is followed from its start for each of its
  // occurrences.
  const bool unchanged = state.revision == store_.Book(call.account).revision;
  for (; state.next < state.pending->size() && value.size() < size; ++state.next) {
    const std::string& id = (*state.pending)[state.next];
    const bool removed = id.starts_with('-');
    const std::string plain = removed ? id.substr(1) : id;
    const Event* stored = calendar.Find(plain);
    auto event = stored ? std::optional(*stored) : calendar::FindInstance(calendar, plain, unchanged);
    if (removed || !event || event->deleted) {
      // What went between two pages of a round is told as removed, whether its reader knew it or not.
      value.push_back({{"@removed", {{"reason", "deleted"}}}, {"id", EventId(plain, view->immutable)}});
      continue;
    }
    const Event* master = event->master_id.empty() ? nullptr : calendar.Find(event->master_id);
    if (!stored && master && IsSeries(*master)) {
      value.push_back(RenderThin(*event, *view));
    } else {
      json::object item = RenderEvent(call, calendar, *event, *view);
      item["@odata.type"] = "#microsoft.graph.event";
      value.push_back(std::move(item));
    }
  }
  const bool more = state.next < state.pending->size();
  json::object out = {{"@odata.context", call.base() + "/$metadata#Collection(event)"}};
  const std::string nonce = fmt::format("{:016x}", store_.NextNonce());
  const std::uint64_t number = Keep(std::move(state));
  if (more) {
    out["@odata.nextLink"] = fmt::format("{}?$skiptoken=s{}-{}", path, nonce, number);
  } else {
    out["@odata.deltaLink"] = fmt::format("{}?$deltatoken=d{}-{}", path, nonce, number);
  }
  out["value"] = std::move(value);
  return Json(200, out);
}

}  // namespace latchkey::simulator::graph
