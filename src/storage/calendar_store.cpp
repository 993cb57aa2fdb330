#include "storage/calendar_store.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "storage/calendar_rows.hpp"

namespace latchkey::storage {
namespace {

using calendar::Calendar;
using calendar::CalendarId;
using calendar::Cursor;
using calendar::Event;
using Phase = Cursor::Phase;

const Statement kListCalendars(R"sql(
SELECT row_id, id, external_id, name, color, time_zone, is_primary, access_role, selected, removed, searched_at
FROM calendars WHERE connected_account_id = $1 ORDER BY is_primary DESC, row_id)sql");
const Statement kListCursors(R"sql(
SELECT "window", window_from, window_to, is_near, epoch, phase, token, synced_at
FROM calendar_cursors WHERE calendar_row = $1 ORDER BY is_near DESC, window_from NULLS FIRST)sql");
const Statement kInsertCalendar(R"sql(
INSERT INTO calendars (id, connected_account_id, external_id, name, color, time_zone, is_primary, access_role, selected,
  created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10))sql");
const Statement kUpdateCalendar(R"sql(
UPDATE calendars SET name = $2, color = $3, time_zone = $4, is_primary = $5, access_role = $6, removed = FALSE,
  updated_at = $7
WHERE row_id = $1 AND (name <> $2 OR color <> $3 OR time_zone <> $4 OR is_primary <> $5 OR access_role <> $6
  OR removed <> FALSE))sql");
const Statement kRemoveCalendar(
    "UPDATE calendars SET removed = TRUE, covered_from = NULL, covered_to = NULL, last_synced_at = NULL, updated_at = "
    "$2 "
    "WHERE row_id = $1 AND removed = FALSE");
const Statement kDropCursors("DELETE FROM calendar_cursors WHERE calendar_row = $1");

const Statement kFindSelected(R"sql(
SELECT row_id, epoch FROM calendars
WHERE id = $1 AND connected_account_id = $2 AND selected = TRUE AND removed = FALSE)sql");
const Statement kRaiseEpoch(R"sql(
UPDATE calendars
SET epoch = $2,
    covered_from = CASE WHEN CAST($3 AS timestamptz) IS NULL THEN NULL WHEN covered_from IS NULL OR covered_from > $3 THEN $3 ELSE covered_from END,
    covered_to = CASE WHEN CAST($4 AS timestamptz) IS NULL THEN NULL WHEN covered_to IS NULL OR covered_to < $4 THEN $4 ELSE covered_to END
WHERE row_id = $1)sql");
const Statement kBeginCursor(R"sql(
INSERT INTO calendar_cursors (calendar_row, "window", window_from, window_to, is_near, epoch, phase, token)
VALUES ($1, $2, $3, $4, $5, $6, 'reading', '')
ON CONFLICT (calendar_row, "window") DO UPDATE SET window_from = excluded.window_from, window_to = excluded.window_to,
  is_near = excluded.is_near, epoch = excluded.epoch, phase = 'reading', token = '')sql");
const Statement kWriteCursor(R"sql(
UPDATE calendar_cursors SET phase = $4, token = $5, synced_at = coalesce($6, synced_at), is_near = $7
WHERE calendar_row = $1 AND "window" = $2 AND epoch = $3)sql");
const Statement kHasCursor(
    R"sql(SELECT 1 FROM calendar_cursors WHERE calendar_row = $1 AND "window" = $2 AND epoch = $3)sql");

const Statement kFindEvent(R"sql(
SELECT row_id, kind, "window" FROM calendar_events WHERE calendar_row = $1 AND external_event_id = $2)sql");
const Statement kDeleteEvent("DELETE FROM calendar_events WHERE row_id = $1");
const Statement kDeleteSeries("DELETE FROM calendar_events WHERE calendar_row = $1 AND series_external_id = $2");
const Statement kDepart(R"sql(UPDATE calendar_events SET "window" = '-', updated_at = $2 WHERE row_id = $1)sql");

const Statement kUnseen(R"sql(
SELECT row_id FROM calendar_events WHERE calendar_row = $1 AND "window" = $2 AND epoch < $3 LIMIT $4)sql");
const Statement kDeparted(R"sql(
SELECT row_id FROM calendar_events WHERE calendar_row = $1 AND "window" IN ('-', '--') LIMIT $2)sql");
const Statement kMark(R"sql(UPDATE calendar_events SET "window" = '--' WHERE calendar_row = $1 AND "window" = '-')sql");
const Statement kMarked(R"sql(
SELECT row_id FROM calendar_events WHERE calendar_row = $1 AND "window" = '--' LIMIT $2)sql");
// A master that was only asked for by name goes with the last of its occurrences.
const Statement kBareMasters(R"sql(
SELECT m.row_id FROM calendar_events m
WHERE m.calendar_row = $1 AND m."window" = '*' AND NOT EXISTS (
  SELECT 1 FROM calendar_events o WHERE o.calendar_row = m.calendar_row AND o.series_external_id = m.external_event_id)
LIMIT $2)sql");
const Statement kCalendarRow("SELECT row_id FROM calendars WHERE id = $1");
const Statement kMissing(R"sql(
SELECT DISTINCT e.series_external_id FROM calendar_events e INDEXED BY idx_calendar_events_series
WHERE e.calendar_row = $1 AND e.series_external_id IS NOT NULL AND e.inherits <> 0 AND NOT EXISTS (
  SELECT 1 FROM calendar_events m WHERE m.calendar_row = $1 AND m.external_event_id = e.series_external_id)
LIMIT $2)sql",
                         R"sql(
SELECT DISTINCT e.series_external_id FROM calendar_events e
WHERE e.calendar_row = $1 AND e.series_external_id IS NOT NULL AND e.inherits <> 0 AND NOT EXISTS (
  SELECT 1 FROM calendar_events m WHERE m.calendar_row = $1 AND m.external_event_id = e.series_external_id)
LIMIT $2)sql");
const Statement kSearched("UPDATE calendars SET searched_at = $2 WHERE row_id = $1");
const Statement kFault(
    "UPDATE calendars SET fault_code = $2, updated_at = $3 WHERE row_id = $1 AND fault_code IS DISTINCT FROM $2");
const Statement kSynced("UPDATE calendars SET last_synced_at = $2 WHERE row_id = $1");

const Statement kHidden(
    "SELECT row_id FROM calendars WHERE connected_account_id = $1 AND (selected = FALSE OR removed = TRUE)");
const Statement kEmpty(
    "DELETE FROM calendar_events WHERE row_id IN (SELECT row_id FROM calendar_events WHERE calendar_row = $1 LIMIT "
    "$2)");
const Statement kForgetRemoved(R"sql(
DELETE FROM calendars WHERE row_id = $1 AND removed = TRUE
  AND NOT EXISTS (SELECT 1 FROM calendar_events WHERE calendar_row = $1))sql");

const Statement kConclude(R"sql(
INSERT INTO calendar_sync_status (connected_account_id, next_sync_at, last_sync_at, fault_code, fault_since,
  next_attempt_at)
VALUES ($1, $2, $3, $4, CASE WHEN CAST($4 AS text) IS NULL THEN NULL ELSE CAST($6 AS timestamptz) END, $5)
ON CONFLICT (connected_account_id) DO UPDATE SET next_sync_at = excluded.next_sync_at,
  last_sync_at = coalesce(excluded.last_sync_at, calendar_sync_status.last_sync_at),
  fault_since = CASE WHEN calendar_sync_status.fault_code IS NOT DISTINCT FROM excluded.fault_code
    THEN calendar_sync_status.fault_since ELSE excluded.fault_since END,
  fault_code = excluded.fault_code, next_attempt_at = excluded.next_attempt_at)sql");
const Statement kReadFault(
    "SELECT fault_code, next_attempt_at FROM calendar_sync_status WHERE connected_account_id = $1");

// Of several processes each takes what no other is taking.
const Statement kTakeDue(R"sql(
SELECT s.connected_account_id, a.generation, a.paused_at IS NULL AND NOT a.disconnecting
FROM calendar_sync_status s JOIN connected_accounts a ON a.id = s.connected_account_id
WHERE s.next_sync_at IS NOT NULL AND s.next_sync_at <= $1
ORDER BY s.next_sync_at LIMIT $2)sql",
                         R"sql(
SELECT s.connected_account_id, a.generation, a.paused_at IS NULL AND NOT a.disconnecting
FROM calendar_sync_status s JOIN connected_accounts a ON a.id = s.connected_account_id
WHERE s.next_sync_at IS NOT NULL AND s.next_sync_at <= $1
ORDER BY s.next_sync_at LIMIT $2
FOR UPDATE OF s SKIP LOCKED)sql");
const Statement kMoveOn("UPDATE calendar_sync_status SET next_sync_at = $2 WHERE connected_account_id = $1");

// The account is locked: a sync that has passed its fence is over before its calendar is emptied.
const Statement kOwned(R"sql(
SELECT c.row_id, c.connected_account_id, c.selected, a.generation
FROM calendars c JOIN connected_accounts a ON a.id = c.connected_account_id
WHERE c.id = $1 AND a.user_id = $2 AND a.disconnecting = FALSE AND c.removed = FALSE)sql",
                       R"sql(
SELECT c.row_id, c.connected_account_id, c.selected, a.generation
FROM calendars c JOIN connected_accounts a ON a.id = c.connected_account_id
WHERE c.id = $1 AND a.user_id = $2 AND a.disconnecting = FALSE AND c.removed = FALSE
FOR NO KEY UPDATE OF a)sql");
const Statement kSelect(R"sql(
UPDATE calendars SET selected = $2, covered_from = NULL, covered_to = NULL, last_synced_at = NULL, fault_code = NULL,
  searched_at = NULL, updated_at = $3
WHERE row_id = $1)sql");

/// What one unselecting transaction takes away at once; the job does the rest, and nobody sees it meanwhile.
constexpr int kEmptyAtOnce = 2000;

std::string_view PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kReading:
      return "reading";
    case Phase::kSweeping:
      return "sweeping";
    case Phase::kLive:
      break;
  }
  return "live";
}

Phase PhaseOf(std::string_view name) {
  if (name == "reading") return Phase::kReading;
  return name == "sweeping" ? Phase::kSweeping : Phase::kLive;
}

Result<FencedAccount> Check(Transaction& transaction, const calendar::WriteFence& fence) {
  const mail::WriteFence same{.account_id = fence.account_id, .generation = fence.generation, .lease = fence.lease};
  return CheckFence(transaction, same);
}

void WriteChanged(Transaction& transaction, const UserId& user, const ConnectedAccountId& account,
                  const CalendarId& calendar, Instant now) {
  std::string payload = calendar.empty()
                            ? fmt::format(R"({{"account_id":"{}"}})", account)
                            : fmt::format(R"({{"account_id":"{}","calendar_id":"{}"}})", account, calendar);
  const events::NewEvent event{
      .type = "calendar.changed", .user_id = user, .account_id = account, .payload = std::move(payload)};
  WriteEvent(transaction, event, now);
}

jobs::NewJob FetchJob(const ConnectedAccountId& account, std::int64_t generation, jobs::Priority priority) {
  return {.kind = std::string(jobs::kFetchCalendar),
          .priority = priority,
          .unique_key = jobs::AccountKey(jobs::kFetchCalendar, account),
          .account_id = account,
          .generation = generation};
}

std::vector<std::int64_t> RowsOf(Transaction& transaction, const Sql& sql, auto... values) {
  std::vector<std::int64_t> found;
  Rows rows = transaction.Query(sql, values...);
  while (rows.Step()) found.push_back(rows.Int(0));
  return found;
}

std::vector<Cursor> CursorsOf(Transaction& transaction, std::int64_t calendar_row) {
  std::vector<Cursor> cursors;
  Rows rows = transaction.Query(kListCursors, calendar_row);
  while (rows.Step()) {
    cursors.push_back(
        {.window = {.name = rows.String(0), .from = rows.MaybeTime(1), .to = rows.MaybeTime(2), .near = rows.Bool(3)},
         .epoch = rows.Int(4),
         .phase = PhaseOf(rows.Text(5)),
         .token = rows.String(6),
         .synced_at = rows.MaybeTime(7)});
  }
  return cursors;
}

struct CalendarRow {
  std::int64_t row = 0;
  bool removed = false;
  calendar::StoredCalendar stored;
};

std::vector<CalendarRow> CalendarsOf(Transaction& transaction, const ConnectedAccountId& account) {
  std::vector<CalendarRow> calendars;
  Rows rows = transaction.Query(kListCalendars, account);
  while (rows.Step()) {
    CalendarRow row{.row = rows.Int(0), .removed = rows.Bool(9)};
    row.stored.id = rows.IdOf<CalendarId>(1);
    row.stored.calendar = {.external_id = rows.String(2),
                           .name = rows.String(3),
                           .color = rows.String(4),
                           .time_zone = rows.String(5),
                           .is_primary = rows.Bool(6),
                           .role = calendar::ParseAccessRole(rows.Text(7)).value_or(calendar::AccessRole::kReader)};
    row.stored.selected = rows.Bool(8);
    row.stored.searched_at = rows.MaybeTime(10);
    calendars.push_back(std::move(row));
  }
  return calendars;
}

struct Selected {
  std::int64_t row = 0, epoch = 0;
};

Result<Selected> FindSelected(Transaction& transaction, const CalendarId& calendar, const ConnectedAccountId& account) {
  Rows rows = transaction.Query(kFindSelected, calendar, account);
  if (!rows.Step()) return Fail(ErrorCode::kConflict, "the calendar is no longer selected");
  return Selected{.row = rows.Int(0), .epoch = rows.Int(1)};
}

}  // namespace

Task<Result<std::vector<calendar::StoredCalendar>>> CalendarStore::ReplaceCalendars(
    const Fence& fence, const std::vector<Calendar>& calendars) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<std::vector<calendar::StoredCalendar>> {
    auto fenced = Check(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    bool changed = false;
    std::set<std::string> listed;
    std::vector<CalendarRow> known = CalendarsOf(transaction, fence.account_id);
    for (const Calendar& calendar : calendars) {
      if (calendar.external_id.empty() || !listed.insert(calendar.external_id).second) continue;
      const auto same = std::ranges::find_if(
          known, [&](const CalendarRow& row) { return row.stored.calendar.external_id == calendar.external_id; });
      const std::string_view role = ToString(calendar.role);
      if (same == known.end()) {
        transaction.Send(kInsertCalendar, CalendarId::New(now), fence.account_id, calendar.external_id, calendar.name,
                         calendar.color, calendar.time_zone, calendar.is_primary, role, calendar.suggested, now);
        changed = true;
      } else if (transaction.Execute(kUpdateCalendar, same->row, calendar.name, calendar.color, calendar.time_zone,
                                     calendar.is_primary, role, now) > 0) {
        changed = true;
      }
    }
    for (const CalendarRow& row : known) {
      if (listed.contains(row.stored.calendar.external_id)) continue;
      changed = transaction.Execute(kRemoveCalendar, row.row, now) > 0 || changed;
      transaction.Send(kDropCursors, row.row);
    }
    std::vector<calendar::StoredCalendar> stored;
    for (CalendarRow& row : CalendarsOf(transaction, fence.account_id)) {
      if (row.removed) continue;
      row.stored.cursors = CursorsOf(transaction, row.row);
      stored.push_back(std::move(row.stored));
    }
    if (changed) WriteChanged(transaction, fenced->user_id, fence.account_id, {}, now);
    return stored;
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<Cursor>> CalendarStore::BeginEpoch(const Fence& fence, const Id& calendar, const calendar::Window& window) {
  auto write = [&](Transaction& transaction) -> Result<Cursor> {
    auto fenced = Check(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    const auto selected = FindSelected(transaction, calendar, fence.account_id);
    if (!selected) return Fail(selected.error());
    const std::int64_t epoch = selected->epoch + 1;
    transaction.Send(kRaiseEpoch, selected->row, epoch, window.from, window.to);
    transaction.Send(kBeginCursor, selected->row, window.name, window.from, window.to, window.near, epoch);
    return Cursor{.window = window, .epoch = epoch};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<calendar::CalendarCommitResult>> CalendarStore::Apply(const calendar::CalendarCommit& commit) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<calendar::CalendarCommitResult> {
    auto fenced = Check(transaction, commit.fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    const auto selected = FindSelected(transaction, commit.calendar_id, commit.fence.account_id);
    if (!selected) return Fail(selected.error());
    const Cursor& cursor = commit.cursor;
    const auto written =
        transaction.Execute(kWriteCursor, selected->row, cursor.window.name, cursor.epoch, PhaseName(cursor.phase),
                            cursor.token, cursor.synced_at, cursor.window.near);
    if (written == 0) return Fail(ErrorCode::kConflict, "the window is read anew, or no longer");
    calendar::CalendarCommitResult result;
    const EventPlace place{.account_id = commit.fence.account_id,
                           .calendar_row = selected->row,
                           .window = cursor.window.name,
                           .epoch = cursor.epoch};
    for (const Event& event : commit.upserts) {
      const auto change = UpsertEvent(transaction, place, event, now);
      result.inserted += change == EventChange::kInserted ? 1 : 0;
      result.updated += change == EventChange::kUpdated ? 1 : 0;
    }
    const auto find = [&](const std::string& id, const auto& found) {
      Rows rows = transaction.Query(kFindEvent, selected->row, id);
      if (rows.Step()) found(rows.Int(0), rows.String(1), rows.String(2));
    };
    for (const std::string& id : commit.deletions) {
      find(id, [&](std::int64_t row, const std::string& kind, const std::string&) {
        if (kind == "master") result.deleted += transaction.Execute(kDeleteSeries, selected->row, id);
        result.deleted += transaction.Execute(kDeleteEvent, row);
      });
    }
    for (const std::string& id : commit.departures) {
      find(id, [&](std::int64_t row, const std::string&, const std::string& window) {
        // Another window has it: then this is only where it was.
        if (window == cursor.window.name) transaction.Send(kDepart, row, now);
      });
    }
    if (cursor.synced_at && cursor.window.near) transaction.Send(kSynced, selected->row, *cursor.synced_at);
    if (result.inserted + result.updated + result.deleted > 0) {
      WriteChanged(transaction, fenced->user_id, commit.fence.account_id, commit.calendar_id, now);
    }
    return result;
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::int64_t>> CalendarStore::Sweep(const Fence& fence, const Id& calendar, const Cursor& cursor,
                                                bool parts, int limit) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<std::int64_t> {
    auto fenced = Check(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    const auto selected = FindSelected(transaction, calendar, fence.account_id);
    if (!selected) return Fail(selected.error());
    if (!transaction.Query(kHasCursor, selected->row, cursor.window.name, cursor.epoch).Step()) {
      return Fail(ErrorCode::kConflict, "the window is read anew, or no longer");
    }
    const auto unseen = RowsOf(transaction, kUnseen, selected->row, cursor.window.name, cursor.epoch, limit);
    for (const std::int64_t row : unseen) {
      if (parts) {
        transaction.Send(kDepart, row, now);
      } else {
        transaction.Send(kDeleteEvent, row);
      }
    }
    if (unseen.empty()) {
      transaction.Send(kWriteCursor, selected->row, cursor.window.name, cursor.epoch, PhaseName(Phase::kLive),
                       cursor.token, cursor.synced_at, cursor.window.near);
      if (cursor.synced_at && cursor.window.near) transaction.Send(kSynced, selected->row, *cursor.synced_at);
    }
    if (!unseen.empty() && !parts) WriteChanged(transaction, fenced->user_id, fence.account_id, calendar, now);
    return static_cast<std::int64_t>(unseen.size());
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::int64_t>> CalendarStore::MarkDeparted(const Fence& fence, const Id& calendar) {
  auto write = [&](Transaction& transaction) -> Result<std::int64_t> {
    auto fenced = Check(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    const auto selected = FindSelected(transaction, calendar, fence.account_id);
    if (!selected) return Fail(selected.error());
    return transaction.Execute(kMark, selected->row);
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::int64_t>> CalendarStore::DropDeparted(const Fence& fence, const Id& calendar, int limit) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<std::int64_t> {
    auto fenced = Check(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    const auto selected = FindSelected(transaction, calendar, fence.account_id);
    if (!selected) return Fail(selected.error());
    auto gone = RowsOf(transaction, kMarked, selected->row, limit);
    for (const std::int64_t row : gone) transaction.Execute(kDeleteEvent, row);
    if (gone.empty()) {
      gone = RowsOf(transaction, kBareMasters, selected->row, limit);
      for (const std::int64_t row : gone) transaction.Execute(kDeleteEvent, row);
    }
    if (!gone.empty()) WriteChanged(transaction, fenced->user_id, fence.account_id, calendar, now);
    return static_cast<std::int64_t>(gone.size());
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<bool>> CalendarStore::HasDeparted(const Id& calendar) {
  auto read = [&](Connection& connection) -> Result<bool> {
    Rows rows = connection.Query(kCalendarRow, calendar);
    return rows.Step() && connection.Query(kDeparted, rows.Int(0), 1).Step();
  };
  co_return co_await engine_.Read(read);
}

Task<Result<std::vector<std::string>>> CalendarStore::MissingMasters(const Id& calendar, int limit) {
  auto read = [&](Connection& connection) -> Result<std::vector<std::string>> {
    std::vector<std::string> ids;
    Rows row = connection.Query(kCalendarRow, calendar);
    if (!row.Step()) return ids;
    Rows rows = connection.Query(kMissing, row.Int(0), limit);
    while (rows.Step()) ids.push_back(rows.String(0));
    return ids;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> CalendarStore::StoreMasters(const Fence& fence, const Id& calendar,
                                               const std::vector<Event>& masters) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    auto fenced = Check(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    const auto selected = FindSelected(transaction, calendar, fence.account_id);
    if (!selected) return Fail(selected.error());
    const EventPlace place{.account_id = fence.account_id,
                           .calendar_row = selected->row,
                           .window = kAskedForWindow,
                           .epoch = selected->epoch};
    bool changed = false;
    for (const Event& master : masters) {
      changed = UpsertEvent(transaction, place, master, now) != EventChange::kNone || changed;
    }
    if (changed) WriteChanged(transaction, fenced->user_id, fence.account_id, calendar, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> CalendarStore::NoteSearched(const Fence& fence, const Id& calendar) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    auto fenced = Check(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    const auto selected = FindSelected(transaction, calendar, fence.account_id);
    if (!selected) return Fail(selected.error());
    transaction.Send(kSearched, selected->row, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> CalendarStore::SetCalendarFault(const Fence& fence, const Id& calendar,
                                                   std::optional<ErrorCode> fault) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    auto fenced = Check(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    const auto selected = FindSelected(transaction, calendar, fence.account_id);
    if (!selected) return Result<void>();
    std::optional<std::string_view> code;
    if (fault) code = ToString(*fault);
    if (transaction.Execute(kFault, selected->row, code, now) > 0) {
      WriteChanged(transaction, fenced->user_id, fence.account_id, calendar, now);
    }
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::int64_t>> CalendarStore::EmptyUnselected(const Fence& fence, int limit) {
  // Nearly always there is nothing: on a reader.
  auto any = [&](Connection& connection) -> Result<bool> { return connection.Query(kHidden, fence.account_id).Step(); };
  const auto hidden = co_await engine_.Read(any);
  if (!hidden) co_return Fail(hidden.error());
  if (!*hidden) co_return 0;
  auto write = [&](Transaction& transaction) -> Result<std::int64_t> {
    auto fenced = Check(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    std::int64_t gone = 0;
    for (const std::int64_t row : RowsOf(transaction, kHidden, fence.account_id)) {
      transaction.Send(kDropCursors, row);
      if (gone < limit) gone += transaction.Execute(kEmpty, row, limit - gone);
      if (gone < limit) transaction.Send(kForgetRemoved, row);
    }
    return gone;
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> CalendarStore::Conclude(const Fence& fence, const Outcome& outcome) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    auto fenced = Check(transaction, fence);
    if (!fenced) return Fail(std::move(fenced.error()));
    std::optional<std::string> fault;
    if (outcome.fault) fault = std::string(ToString(*outcome.fault));
    bool changed = true;
    {
      Rows rows = transaction.Query(kReadFault, fence.account_id);
      if (rows.Step()) changed = rows.Text(0) != fault.value_or("") || rows.MaybeTime(1) != outcome.next_attempt_at;
    }
    transaction.Send(kConclude, fence.account_id, outcome.next_sync_at, outcome.synced_at, fault,
                     outcome.next_attempt_at, now);
    if (changed) WriteAccountUpdated(transaction, fenced->user_id, fence.account_id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<int>> CalendarStore::ScheduleDue(Instant now, Instant next, int limit) {
  auto write = [&](Transaction& transaction) -> Result<int> {
    struct Due {
      ConnectedAccountId id;
      std::int64_t generation = 0;
      bool may_work = false;
    };
    std::vector<Due> due;
    {
      Rows rows = transaction.Query(kTakeDue, now, limit);
      while (rows.Step()) {
        due.push_back({.id = rows.IdOf<ConnectedAccountId>(0), .generation = rows.Int(1), .may_work = rows.Bool(2)});
      }
    }
    for (const Due& account : due) {
      transaction.Send(kMoveOn, account.id, account.may_work ? std::optional(next) : std::nullopt);
      if (!account.may_work) continue;
      auto inserted = InsertJob(transaction, FetchJob(account.id, account.generation, jobs::Priority::kLive), now);
      if (!inserted) return Fail(std::move(inserted.error()));
    }
    return static_cast<int>(due.size());
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> CalendarStore::Select(const UserId& user, const Id& calendar, bool selected) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    std::int64_t row = 0, generation = 0;
    ConnectedAccountId account;
    {
      Rows rows = transaction.Query(kOwned, calendar, user);
      if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such calendar");
      row = rows.Int(0);
      account = rows.IdOf<ConnectedAccountId>(1);
      generation = rows.Int(3);
      if (rows.Bool(2) == selected) return {};
    }
    transaction.Send(kSelect, row, selected, now);
    transaction.Send(kDropCursors, row);
    if (!selected) transaction.Send(kEmpty, row, kEmptyAtOnce);
    auto inserted = InsertJob(transaction, FetchJob(account, generation, jobs::Priority::kInteractive), now);
    if (!inserted) return Fail(std::move(inserted.error()));
    WriteChanged(transaction, user, account, calendar, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower, Isolation::kReadCommitted);
}

}  // namespace latchkey::storage
