#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "calendar/calendar_provider.hpp"
#include "calendar/event.hpp"
#include "jobs/job.hpp"

namespace latchkey::calendar {

/// Who writes, on which authority: as mail's fence. kFenced when the account was erased, paused or reconnected;
/// kLeaseLost when the job is another worker's.
struct WriteFence {
  ConnectedAccountId account_id;
  std::int64_t generation = 0;
  jobs::Lease lease;
};

/// How far one window of a calendar is known:
///
///   reading  -- a full read is under way; the token goes on with it
///   sweeping -- the read is complete; what it did not see is being removed
///   live     -- the token waits for changes
struct Cursor {
  enum class Phase { kReading, kSweeping, kLive };
  Window window;
  std::int64_t epoch = 0;  ///< Rises with every full read of any window of the calendar.
  Phase phase = Phase::kReading;
  std::string token;
  std::optional<Instant> synced_at;
};

struct StoredCalendar {
  CalendarId id;
  Calendar calendar;
  bool selected = false;
  std::vector<Cursor> cursors;
  /// When the provider was last asked how far the events reach.
  std::optional<Instant> searched_at;
};

/// One page of one window: all of it commits in one transaction with its cursor and event, or none (law one).
struct CalendarCommit {
  WriteFence fence;
  CalendarId calendar_id;
  /// The window's cursor as it is to be; its epoch must be the stored one.
  Cursor cursor;
  std::vector<Event> upserts;
  /// The provider's own tombstones: gone, a master with everything of its series.
  std::vector<std::string> deletions;
  /// Left this window: stays visible until DropDeparted, because another window may hold it.
  std::vector<std::string> departures;
};

struct CalendarCommitResult {
  std::int64_t inserted = 0, updated = 0, deleted = 0;
};

/// What the sync needs of the database. Implemented in storage/; the conformance suite there runs on each engine.
class CalendarStore {
 public:
  virtual ~CalendarStore() = default;

  /// Takes the provider's complete list. New calendars are selected as the provider suggests; those that are no longer
  /// listed disappear at once, with their events. Returns the calendars with their cursors.
  virtual Task<Result<std::vector<StoredCalendar>>> ReplaceCalendars(const WriteFence& fence,
                                                                     const std::vector<Calendar>& calendars) = 0;
  /// Begins a full read of the window: a new epoch with an empty token. Nothing stored is touched. kConflict when the
  /// calendar is no longer selected.
  virtual Task<Result<Cursor>> BeginEpoch(const WriteFence& fence, const CalendarId& calendar,
                                          const Window& window) = 0;
  /// kConflict when the window's cursor is of another epoch or gone (unselected meanwhile): nothing is written then.
  virtual Task<Result<CalendarCommitResult>> Apply(const CalendarCommit& commit) = 0;
  /// Takes up to `limit` rows that the epoch of the completed read did not see out of the window (`parts`: they depart,
  /// otherwise they are deleted). 0 means swept; the cursor is live then.
  virtual Task<Result<std::int64_t>> Sweep(const WriteFence& fence, const CalendarId& calendar, const Cursor& cursor,
                                           bool parts, int limit) = 0;
  /// Begins to settle what departed: what is marked now, and is in no window after all of them have been read, is gone.
  /// Returns how many are marked.
  virtual Task<Result<std::int64_t>> MarkDeparted(const WriteFence& fence, const CalendarId& calendar) = 0;
  /// Deletes up to `limit` events that were marked and came back in no window. 0: none is left.
  virtual Task<Result<std::int64_t>> DropDeparted(const WriteFence& fence, const CalendarId& calendar, int limit) = 0;
  virtual Task<Result<bool>> HasDeparted(const CalendarId& calendar) = 0;
  /// Series whose occurrences are stored but whose master is not.
  virtual Task<Result<std::vector<std::string>>> MissingMasters(const CalendarId& calendar, int limit) = 0;
  /// Stores masters that were asked for by name; they stay as long as they have occurrences.
  virtual Task<Result<void>> StoreMasters(const WriteFence& fence, const CalendarId& calendar,
                                          const std::vector<Event>& masters) = 0;
  virtual Task<Result<void>> NoteSearched(const WriteFence& fence, const CalendarId& calendar) = 0;
  /// What keeps one calendar from being read, or nullopt when nothing does.
  virtual Task<Result<void>> SetCalendarFault(const WriteFence& fence, const CalendarId& calendar,
                                              std::optional<ErrorCode> fault) = 0;
  /// Removes up to `limit` rows of calendars that are no longer selected or listed. 0: none is left.
  virtual Task<Result<std::int64_t>> EmptyUnselected(const WriteFence& fence, int limit) = 0;

  /// How a visit of the account ended: everything selected is current, or what holds it and until when.
  struct Outcome {
    std::optional<Instant> synced_at;
    std::optional<ErrorCode> fault;
    std::optional<Instant> next_attempt_at;
    /// When the account is due again; nullopt: only when the person has acted.
    std::optional<Instant> next_sync_at;
  };
  virtual Task<Result<void>> Conclude(const WriteFence& fence, const Outcome& outcome) = 0;
  /// Queues `fetch_calendar` for what is due by index, and moves it on to `next`. Returns how many.
  virtual Task<Result<int>> ScheduleDue(Instant now, Instant next, int limit) = 0;

  /// The person's choice. Unselecting takes the events and the cursors away; selecting queues a visit that reads anew.
  /// kNotFound for another user's calendar.
  virtual Task<Result<void>> Select(const UserId& user, const CalendarId& calendar, bool selected) = 0;
};

/// Reading side, always limited to the owner in the query itself.
struct ListedCalendar {
  CalendarId id;
  ConnectedAccountId account_id;
  Calendar calendar;
  bool selected = false;
  std::int64_t event_count = 0;  ///< A series counts once.
  std::optional<Instant> last_synced_at;
};

struct EventQuery {
  UserId user_id;
  Instant from{}, to{};  ///< What overlaps [from, to).
  /// In which the days of all-day events begin; IANA, known.
  std::string time_zone = "UTC";
  ConnectedAccountId account_id;  ///< Empty: all accounts.
  CalendarId calendar_id;         ///< Empty: all selected calendars.
  std::string cursor;
  int limit = 200;
};

struct ListedEvent {
  std::string id;  ///< Of the row; of an occurrence: the master's, with the start behind it.
  CalendarId calendar_id;
  ConnectedAccountId account_id;
  Event event;
  std::string series_id;  ///< The same for all occurrences of a series; empty for single events.
};

struct EventList {
  std::vector<ListedEvent> items;
  std::string next_cursor;
};

class CalendarReader {
 public:
  virtual ~CalendarReader() = default;
  /// By account, the primary first, then by name. kNotFound for another user's account.
  virtual Task<Result<std::vector<ListedCalendar>>> ListCalendars(const UserId& user,
                                                                  const ConnectedAccountId& account) = 0;
  virtual Task<Result<ListedCalendar>> GetCalendar(const UserId& user, const CalendarId& calendar) = 0;
  /// By start, series expanded. kInvalidArgument for a cursor that is not ours.
  virtual Task<Result<EventList>> ListEvents(const EventQuery& query) = 0;
  /// kNotFound also for another user's event, and for an id that names no occurrence.
  virtual Task<Result<ListedEvent>> GetEvent(const UserId& user, const std::string& id) = 0;
};

}  // namespace latchkey::calendar
