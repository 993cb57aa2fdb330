#include "storage/event_list.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "calendar/series.hpp"
#include "storage/calendar_rows.hpp"
#include "storage/statement.hpp"

namespace latchkey::storage {
namespace {

using calendar::Event;
using calendar::EventKind;
using calendar::EventStatus;
using calendar::ListedEvent;

const Statement kCalendars(R"sql(
SELECT c.row_id, c.id, c.connected_account_id, c.covered_from, c.covered_to
FROM connected_accounts a JOIN calendars c ON c.connected_account_id = a.id
WHERE a.user_id = $1 AND a.disconnecting = FALSE AND c.selected = TRUE AND c.removed = FALSE
  AND (a.id = $2 OR $2 IS NULL) AND (c.id = $3 OR $3 IS NULL))sql");
const Statement kOwnsAccount(
    "SELECT 1 FROM connected_accounts WHERE id = $1 AND user_id = $2 AND disconnecting = FALSE");
const Statement kOwnsCalendar(R"sql(
SELECT 1 FROM calendars c JOIN connected_accounts a ON a.id = c.connected_account_id
WHERE c.id = $1 AND a.user_id = $2 AND a.disconnecting = FALSE AND c.removed = FALSE)sql");

// A page begins behind (sort_start, id) = ($4, $5). What is short began within a day before the range; what is long has
// an index of its own, by its end.
// On PostgreSQL ids are UUIDs, in the order of their text; where a page begins may be between two of them.
const std::string kSelect = "SELECT " + std::string(kEventColumns);
const Statement kShort(kSelect + R"sql(
FROM calendar_events e
WHERE e.calendar_row = $1 AND e.is_all_day = $2 AND (e.sort_start, e.id) > ($4, $5) AND e.sort_start < $6
  AND e.kind <> 'master' AND (e.sort_end > $3 OR e.sort_start >= $3)
ORDER BY e.sort_start, e.id LIMIT $7)sql",
                       kSelect + R"sql(
FROM calendar_events e
WHERE e.calendar_row = $1 AND e.is_all_day = $2 AND e.sort_start >= $4 AND e.sort_start < $6
  AND (e.sort_start > $4 OR CAST(e.id AS text) COLLATE "C" > $5)
  AND e.kind <> 'master' AND (e.sort_end > $3 OR e.sort_start >= $3)
ORDER BY e.sort_start, e.id LIMIT $7)sql");
const Statement kLong(kSelect + R"sql(
FROM calendar_events e INDEXED BY idx_calendar_events_long
WHERE e.calendar_row = $1 AND e.is_all_day = $2 AND e.sort_end > $3 AND e.sort_start < $6 AND e.sort_start < $7
  AND (e.sort_start, e.id) > ($4, $5) AND e.kind <> 'master' AND e.sort_end - e.sort_start > 86400000000)sql",
                      kSelect + R"sql(
FROM calendar_events e
WHERE e.calendar_row = $1 AND e.is_all_day = $2 AND e.sort_end > $3 AND e.sort_start < $6 AND e.sort_start < $7
  AND (e.sort_start > $4 OR e.sort_start = $4 AND CAST(e.id AS text) COLLATE "C" > $5)
  AND e.kind <> 'master' AND e.sort_end - e.sort_start > 86400000000)sql");
const Statement kMasters(kSelect + R"sql(
FROM calendar_events e
WHERE e.calendar_row = $1 AND e.kind = 'master' AND e.sort_end > $2 AND e.sort_start < $3)sql");
const Statement kMaster(kSelect + R"sql(
FROM calendar_events e WHERE e.calendar_row = $1 AND e.external_event_id = $2)sql");
const Statement kReplaced(R"sql(
SELECT original_start FROM calendar_events
WHERE calendar_row = $1 AND series_external_id = $2 AND original_start IS NOT NULL ORDER BY original_start)sql");
const Statement kById(kSelect + R"sql(, c.id, c.connected_account_id
FROM calendar_events e JOIN calendars c ON c.row_id = e.calendar_row
JOIN connected_accounts a ON a.id = c.connected_account_id
WHERE e.id = $1 AND a.user_id = $2 AND a.disconnecting = FALSE AND c.selected = TRUE AND c.removed = FALSE)sql");

const std::array<const Statement*, 5> kStatements{&kShort, &kLong, &kMasters, &kMaster, &kReplaced};

constexpr std::chrono::days kDay{1};
/// A few million steps are some hundred milliseconds.
constexpr std::int64_t kSteps = 2'000'000;
/// "20260315T090000Z", behind the master's id.
constexpr std::size_t kStampLength = 16;

struct CalendarRow {
  std::int64_t row = 0;
  calendar::CalendarId id;
  ConnectedAccountId account_id;
  std::optional<Instant> covered_from, covered_to;
};

/// Where a page begins: behind this place.
struct Place {
  Instant start = Instant::min();
  std::string id;
  friend auto operator<=>(const Place&, const Place&) = default;
};

struct Found {
  Place place;
  ListedEvent event;
};

std::string EncodeCursor(const Place& place) {
  return Base64UrlEncode(fmt::format("{}:{}", ToMicros(place.start), place.id));
}

std::optional<Place> DecodeCursor(const std::string& cursor) {
  const auto text = Base64UrlDecode(cursor);
  if (!text) return std::nullopt;
  std::int64_t micros = 0;
  const char* end = text->data() + text->size();
  const auto [behind, error] = std::from_chars(text->data(), end, micros);
  if (error != std::errc() || behind == end || *behind != ':') return std::nullopt;
  return Place{.start = FromMicros(micros), .id = std::string(behind + 1, end)};
}

std::string Stamp(Instant start) {
  const std::string text = FormatInstant(start);
  return fmt::format("{}{}{}T{}{}{}Z", text.substr(0, 4), text.substr(5, 2), text.substr(8, 2), text.substr(11, 2),
                     text.substr(14, 2), text.substr(17, 2));
}

std::optional<Instant> ParseStamp(std::string_view text) {
  const auto time = calendar::ParseRecurrenceTime(text);
  if (!time || !time->utc) return std::nullopt;
  return Instant(time->moment.time_since_epoch());
}

class Lister {
 public:
  Lister(Connection& connection, const calendar::EventQuery& query)
      : connection_(connection),
        query_(query),
        limit_(std::clamp(query.limit, 1, 500)),
        zone_(calendar::TimeZone::Find(query.time_zone)) {
    if (!zone_) zone_ = calendar::TimeZone::Utc();
    // The days that the range touches, as the dates of all-day events are kept: midnight UTC.
    const auto first = std::chrono::floor<std::chrono::days>(zone_->ToLocal(query.from));
    const auto last = std::chrono::ceil<std::chrono::days>(zone_->ToLocal(query.to));
    day_from_ = Instant(first.time_since_epoch());
    day_to_ = Instant(last.time_since_epoch());
  }

  Result<calendar::EventList> Run() {
    if (!query_.cursor.empty()) {
      const auto decoded = DecodeCursor(query_.cursor);
      if (!decoded) return Fail(ErrorCode::kInvalidArgument, "not a cursor of ours");
      after_ = *decoded;
    }
    if (!query_.account_id.empty() && !connection_.Query(kOwnsAccount, query_.account_id, query_.user_id).Step()) {
      return Fail(ErrorCode::kNotFound, "no such account");
    }
    if (!query_.calendar_id.empty() && !connection_.Query(kOwnsCalendar, query_.calendar_id, query_.user_id).Step()) {
      return Fail(ErrorCode::kNotFound, "no such calendar");
    }
    std::vector<CalendarRow> calendars;
    {
      Rows rows = connection_.Query(kCalendars, query_.user_id, OrNull(query_.account_id), OrNull(query_.calendar_id));
      while (rows.Step()) {
        calendars.push_back({.row = rows.Int(0),
                             .id = rows.IdOf<calendar::CalendarId>(1),
                             .account_id = rows.IdOf<ConnectedAccountId>(2),
                             .covered_from = rows.MaybeTime(3),
                             .covered_to = rows.MaybeTime(4)});
      }
    }
    for (const CalendarRow& calendar : calendars) {
      masters_.clear();
      AddRows(calendar, false);
      AddRows(calendar, true);
      AddSeries(calendar);
    }
    return Page();
  }

 private:
  /// The instant an all-day event begins for this reader, and back to the midnight UTC that stands for its date.
  Instant Shown(const Event& event) const {
    if (!event.time.all_day) return event.time.start;
    return zone_->ToUtc(
        calendar::LocalSeconds(std::chrono::floor<std::chrono::seconds>(event.time.start).time_since_epoch()));
  }
  /// Where a walk along the stored order begins so that nothing behind `after_` is missed.
  Place WalkFrom(bool all_day) const {
    Place from = after_;
    if (from.start == Instant::min()) return from;
    if (all_day) {
      const auto local = zone_->ToLocal(from.start);
      const auto day = std::chrono::floor<std::chrono::days>(local);
      from.start = Instant(day.time_since_epoch());
      // Within the day: everything of it began before.
      if (local != day) from.id = "~";
    }
    return from;
  }

  void AddRows(const CalendarRow& calendar, bool all_day) {
    const Instant from = all_day ? day_from_ : query_.from, to = all_day ? day_to_ : query_.to;
    Place walk = WalkFrom(all_day);
    const Place earliest{.start = from - kDay, .id = {}};
    const bool first_page = walk < earliest;
    if (first_page) {
      const Place old = walk;
      ReadRows(calendar, kLong, all_day, from, old, to, ToMicros(from - kDay));
      walk = earliest;
      // Exactly at the edge is short enough to be in the walk.
      walk.id.clear();
    }
    ReadRows(calendar, kShort, all_day, from, walk, to, limit_ + 1);
  }

  void ReadRows(const CalendarRow& calendar, const Sql& sql, bool all_day, Instant from, const Place& after, Instant to,
                std::int64_t last) {
    const std::int64_t start =
        after.start == Instant::min() ? std::numeric_limits<std::int64_t>::min() : ToMicros(after.start);
    Rows rows = connection_.Query(sql, calendar.row, all_day, ToMicros(from), start, after.id, ToMicros(to), last);
    while (rows.Step()) {
      EventRow row = ReadEvent(rows);
      // A called-off occurrence of a series is nobody's event any more.
      if (row.event.kind == EventKind::kException && row.event.status == EventStatus::kCancelled && IsBare(row.event)) {
        continue;
      }
      Add(calendar, std::move(row.id), std::move(row.event));
    }
  }

  /// True for a tombstone of an occurrence, as opposed to one that its organiser called off and that stays to be seen.
  static bool IsBare(const Event& event) { return event.title.empty() && event.inherits == 0; }

  void Add(const CalendarRow& calendar, std::string id, Event event) {
    Found found;
    if (event.kind == EventKind::kException || event.kind == EventKind::kOccurrence) {
      const EventRow* master = MasterOf(calendar, event.series_id);
      if (master != nullptr && event.inherits != 0) InheritFrom(master->event, event);
      found.event.series_id = master != nullptr ? master->id : event.series_id;
    }
    found.place = {.start = Shown(event), .id = id};
    if (found.place <= after_) return;
    found.event.id = std::move(id);
    found.event.calendar_id = calendar.id;
    found.event.account_id = calendar.account_id;
    found.event.event = std::move(event);
    found_.push_back(std::move(found));
  }

  const EventRow* MasterOf(const CalendarRow& calendar, const std::string& series_id) {
    const auto known = masters_.find(series_id);
    if (known != masters_.end()) return known->second ? &*known->second : nullptr;
    auto& place = masters_[series_id];
    Rows rows = connection_.Query(kMaster, calendar.row, series_id);
    if (rows.Step()) place = ReadEvent(rows);
    return place ? &*place : nullptr;
  }

  void AddSeries(const CalendarRow& calendar) {
    // All-day masters are kept as dates: a day of room on both sides.
    const bool inside = calendar.covered_from && calendar.covered_to && query_.from - kDay >= *calendar.covered_from &&
                        query_.to + kDay <= *calendar.covered_to;
    if (inside) return;
    std::vector<EventRow> masters;
    {
      Rows rows = connection_.Query(kMasters, calendar.row, ToMicros(query_.from - kDay), ToMicros(query_.to + kDay));
      while (rows.Step()) masters.push_back(ReadEvent(rows));
    }
    for (EventRow& master : masters) {
      if (master.event.status == EventStatus::kCancelled && master.event.recurrence.empty()) continue;
      AddOccurrences(calendar, master);
    }
  }

  void AddOccurrences(const CalendarRow& calendar, const EventRow& master) {
    const bool all_day = master.event.time.all_day;
    calendar::Series::Range range{.from = all_day ? day_from_ : query_.from, .to = all_day ? day_to_ : query_.to};
    const Place walk = WalkFrom(all_day);
    range.not_before = walk.start;
    std::vector<Instant> replaced;
    {
      Rows rows = connection_.Query(kReplaced, calendar.row, master.event.external_id);
      while (rows.Step()) replaced.push_back(rows.Time(0));
    }
    // One more than the page, and one for a start that the page before ended with.
    const calendar::Series series(master.event);
    for (const auto& occurrence : series.Expand(range, static_cast<std::size_t>(limit_) + 2, replaced, budget_)) {
      const bool stored = calendar.covered_from && calendar.covered_to && occurrence.end > *calendar.covered_from &&
                          occurrence.start < *calendar.covered_to;
      if (stored) continue;
      Event event = master.event;
      event.kind = EventKind::kOccurrence;
      event.series_id = master.event.external_id;
      event.recurrence.clear();
      event.time.start = occurrence.start;
      event.time.end = occurrence.end;
      Found found;
      found.event.series_id = master.id;
      found.event.id = master.id + "_" + Stamp(occurrence.start);
      found.place = {.start = Shown(event), .id = found.event.id};
      if (found.place <= after_) continue;
      found.event.calendar_id = calendar.id;
      found.event.account_id = calendar.account_id;
      found.event.event = std::move(event);
      found_.push_back(std::move(found));
    }
  }

  calendar::EventList Page() {
    std::ranges::sort(found_, {}, &Found::place);
    calendar::EventList list;
    const auto limit = static_cast<std::size_t>(limit_);
    if (found_.size() > limit) {
      found_.resize(limit);
      list.next_cursor = EncodeCursor(found_.back().place);
    }
    for (Found& found : found_) list.items.push_back(std::move(found.event));
    return list;
  }

  Connection& connection_;
  const calendar::EventQuery& query_;
  const int limit_;
  std::shared_ptr<const calendar::TimeZone> zone_;
  Instant day_from_{}, day_to_{};
  Place after_;
  calendar::ExpansionBudget budget_{kSteps};
  std::map<std::string, std::optional<EventRow>> masters_;
  std::vector<Found> found_;
};

/// The one occurrence of `master` that begins at `start`; kNotFound when its rule gives none there.
Result<Event> OccurrenceAt(Connection& connection, const EventRow& master, Instant start) {
  calendar::ExpansionBudget budget(kSteps);
  std::vector<Instant> replaced;
  Rows rows = connection.Query(kReplaced, master.calendar_row, master.event.external_id);
  while (rows.Step()) replaced.push_back(rows.Time(0));
  const calendar::Series::Range range{.from = start, .to = start + std::chrono::microseconds(1), .not_before = start};
  const auto found = calendar::Series(master.event).Expand(range, 1, replaced, budget);
  if (found.empty() || found.front().start != start) return Fail(ErrorCode::kNotFound, "no such occurrence");
  Event event = master.event;
  event.kind = EventKind::kOccurrence;
  event.series_id = master.event.external_id;
  event.recurrence.clear();
  event.time.start = found.front().start;
  event.time.end = found.front().end;
  return event;
}

}  // namespace

Result<calendar::EventList> ListStoredEvents(Connection& connection, const calendar::EventQuery& query) {
  return Lister(connection, query).Run();
}

Result<ListedEvent> GetStoredEvent(Connection& connection, const UserId& user, const std::string& id) {
  const auto split = id.find('_');
  const std::string row_id = id.substr(0, split);
  if (!IsUuid(row_id)) return Fail(ErrorCode::kNotFound, "no such event");
  Rows rows = connection.Query(kById, row_id, user);
  if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such event");
  EventRow row = ReadEvent(rows);
  ListedEvent listed;
  listed.id = id;
  listed.calendar_id = rows.IdOf<calendar::CalendarId>(kEventColumnCount);
  listed.account_id = rows.IdOf<ConnectedAccountId>(kEventColumnCount + 1);
  const bool is_master = row.event.kind == EventKind::kMaster;
  if (is_master != (split != std::string::npos)) return Fail(ErrorCode::kNotFound, "no such event");
  if (is_master) {
    const auto start = ParseStamp(std::string_view(id).substr(split + 1));
    if (!start || id.size() - split - 1 != kStampLength) return Fail(ErrorCode::kNotFound, "no such occurrence");
    auto event = OccurrenceAt(connection, row, *start);
    if (!event) return Fail(std::move(event.error()));
    listed.event = std::move(*event);
    listed.series_id = row.id;
    return listed;
  }
  if (!row.event.series_id.empty()) {
    Rows found = connection.Query(kMaster, row.calendar_row, row.event.series_id);
    listed.series_id = row.event.series_id;
    if (found.Step()) {
      const EventRow master = ReadEvent(found);
      InheritFrom(master.event, row.event);
      listed.series_id = master.id;
    }
  }
  listed.event = std::move(row.event);
  return listed;
}

std::span<const Statement* const> EventListStatements() { return kStatements; }

}  // namespace latchkey::storage
