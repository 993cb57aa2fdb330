#include "calendar/calendar_sync.hpp"

#include <algorithm>
#include <functional>

#include "telemetry/log.hpp"

namespace latchkey::calendar {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kMaxRemembered = 10'000;
constexpr int kRowsAtOnce = 500, kMastersAtOnce = 50;
/// A pause this short is nothing to show anybody.
constexpr milliseconds kUnremarkable = seconds(60);

/// 5 s doubled up to 15 minutes, the last fifth spread by account: a provider that comes back is not met by everybody
/// at once.
milliseconds Backoff(const ConnectedAccountId& account, int failures) {
  const milliseconds pause = std::min<milliseconds>(minutes(15), seconds(5) * (1 << std::clamp(failures - 1, 0, 10)));
  return pause * (1000 + static_cast<std::int64_t>(std::hash<ConnectedAccountId>()(account) % 200)) / 1000;
}

bool EndsTheJob(ErrorCode code) {
  return code == ErrorCode::kFenced || code == ErrorCode::kLeaseLost || code == ErrorCode::kCancelled;
}

std::vector<Window> WindowsOf(const StoredCalendar& calendar) {
  std::vector<Window> windows;
  for (const Cursor& cursor : calendar.cursors) windows.push_back(cursor.window);
  return windows;
}

Cursor* FindCursor(StoredCalendar& calendar, const std::string& window) {
  const auto it =
      std::ranges::find_if(calendar.cursors, [&](const Cursor& cursor) { return cursor.window.name == window; });
  return it == calendar.cursors.end() ? nullptr : &*it;
}

}  // namespace

struct CalendarSync::Visit {
  const jobs::Job& job;
  WriteFence fence;
  AccountStatus::Account account;
  std::shared_ptr<CalendarProvider> provider;
  Instant begun{};
  /// The round that this visit goes on with: what was read since it began is not read again. Otherwise its own
  /// beginning.
  Instant round{};
  bool goes_on = false;
  int pages = 0;
  bool unfinished = false;
  /// Something of the calendar at work was stored.
  bool stored = false;
};

bool IsCalendarFailure(ErrorCode code) {
  return code == ErrorCode::kNotFound || code == ErrorCode::kGone || code == ErrorCode::kForbidden ||
         code == ErrorCode::kInvalidArgument || code == ErrorCode::kMalformedReply ||
         code == ErrorCode::kCursorExpired || code == ErrorCode::kPayloadTooLarge;
}

Task<jobs::Outcome> CalendarSync::Run(const jobs::Job& job) {
  auto account = co_await parts_.status.Find(job.account_id);
  if (!account) {
    if (account.error().code == ErrorCode::kNotFound) co_return jobs::Outcome::Completed();
    co_return jobs::Outcome::Retry(std::move(account.error()));
  }
  if (account->generation != job.generation || !account->may_work) co_return jobs::Outcome::Completed();
  auto provider = parts_.providers.For(job.account_id, account->provider);
  if (!provider) co_return jobs::Outcome::Completed();
  Visit visit{.job = job,
              .fence = {.account_id = job.account_id,
                        .generation = job.generation,
                        .lease = {.job_id = job.id, .token = job.lease_token}},
              .account = std::move(*account),
              .provider = std::move(*provider),
              .begun = parts_.clock.Now()};
  TakeRound(visit);
  auto visited = co_await VisitAccount(visit);
  if (!visited) co_return co_await Conclude(visit, std::move(visited.error()));
  co_return co_await Succeed(visit);
}

void CalendarSync::TakeRound(Visit& visit) {
  const auto known = rounds_.extract(visit.job.account_id);
  visit.goes_on =
      !known.empty() && known.mapped() <= visit.begun && visit.begun - known.mapped() < parts_.options.longest_round;
  visit.round = visit.goes_on ? known.mapped() : visit.begun;
}

void CalendarSync::GoOnLater(const Visit& visit) {
  if (rounds_.size() >= kMaxRemembered) rounds_.clear();
  rounds_[visit.job.account_id] = visit.round;
}

Task<Result<void>> CalendarSync::VisitAccount(Visit& visit) {
  auto listed = co_await visit.provider->ListCalendars();
  if (!listed) co_return std::unexpected(std::move(listed.error()));
  auto stored = co_await parts_.store.ReplaceCalendars(visit.fence, *listed);
  if (!stored) co_return std::unexpected(std::move(stored.error()));
  for (std::int64_t gone = kRowsAtOnce; gone > 0;) {
    auto emptied = co_await parts_.store.EmptyUnselected(visit.fence, kRowsAtOnce);
    if (!emptied) co_return std::unexpected(std::move(emptied.error()));
    gone = *emptied;
  }
  for (StoredCalendar& calendar : *stored) {
    if (!calendar.selected) continue;
    auto visited = co_await VisitCalendar(visit, calendar);
    if (visit.unfinished && visited) break;
    if (!visited && visited.error().code == ErrorCode::kConflict) continue;  // Unselected meanwhile.
    if (!visited && !IsCalendarFailure(visited.error().code)) co_return visited;
    std::optional<ErrorCode> fault;
    if (!visited) {
      fault = visited.error().code;
      log::Info("calendar.not_readable", {{"account_id", visit.job.account_id},
                                          {"calendar_id", calendar.id.text()},
                                          {"error_code", ToString(*fault)},
                                          {"detail", visited.error().detail}});
    }
    auto noted = co_await parts_.store.SetCalendarFault(visit.fence, calendar.id, fault);
    if (!noted) co_return noted;
  }
  co_return Result<void>();
}

Task<Result<void>> CalendarSync::VisitCalendar(Visit& visit, StoredCalendar& calendar) {
  visit.stored = false;
  const bool search = !calendar.searched_at || visit.begun - *calendar.searched_at >= parts_.options.search_interval;
  const std::vector<Window> known = WindowsOf(calendar);
  auto windows = co_await visit.provider->Windows(calendar.calendar, known, visit.begun, search);
  if (!windows) co_return std::unexpected(std::move(windows.error()));
  for (const Window& window : *windows) {
    const Cursor* cursor = FindCursor(calendar, window.name);
    const bool read_before = cursor != nullptr && cursor->phase == Cursor::Phase::kLive && cursor->synced_at;
    const bool is_read = read_before && visit.goes_on && *cursor->synced_at >= visit.round;
    const bool due = !read_before || window.near || visit.begun - *cursor->synced_at >= parts_.options.far_interval;
    if (is_read || !due) continue;
    auto read = co_await ReadWindow(visit, calendar, window);
    if (!read || visit.unfinished) co_return read;
  }
  if (search) {
    // Not before: a window that was found and not begun yet would be forgotten until the next search.
    auto noted = co_await parts_.store.NoteSearched(visit.fence, calendar.id);
    if (!noted) co_return noted;
  }
  if (!visit.provider->windows_are_parts()) co_return Result<void>();
  auto departed = co_await parts_.store.HasDeparted(calendar.id);
  if (!departed) co_return std::unexpected(std::move(departed.error()));
  if (*departed) {
    auto settled = co_await SettleDepartures(visit, calendar);
    if (!settled || visit.unfinished) co_return settled;
  }
  if (visit.stored) co_return co_await FetchMissingMasters(visit, calendar);
  co_return Result<void>();
}

Task<Result<void>> CalendarSync::SettleDepartures(Visit& visit, StoredCalendar& calendar) {
  // What departs from now on is settled the next time: the windows before it are read already.
  auto marked = co_await parts_.store.MarkDeparted(visit.fence, calendar.id);
  if (!marked) co_return std::unexpected(std::move(marked.error()));
  const std::vector<Window> known = WindowsOf(calendar);
  auto windows = co_await visit.provider->Windows(calendar.calendar, known, visit.begun, true);
  if (!windows) co_return std::unexpected(std::move(windows.error()));
  // Also those that were read already: an event may have been on its way between two of them.
  for (const Window& window : *windows) {
    auto read = co_await ReadWindow(visit, calendar, window);
    if (!read || visit.unfinished) co_return read;
  }
  for (std::int64_t gone = kRowsAtOnce; gone > 0;) {
    auto dropped = co_await parts_.store.DropDeparted(visit.fence, calendar.id, kRowsAtOnce);
    if (!dropped) co_return std::unexpected(std::move(dropped.error()));
    gone = *dropped;
  }
  co_return Result<void>();
}

Task<Result<void>> CalendarSync::ReadWindow(Visit& visit, StoredCalendar& calendar, const Window& window) {
  Cursor* cursor = FindCursor(calendar, window.name);
  const bool same = cursor != nullptr && cursor->window.from == window.from && cursor->window.to == window.to;
  if (!same) {
    auto begun = co_await parts_.store.BeginEpoch(visit.fence, calendar.id, window);
    if (!begun) co_return std::unexpected(std::move(begun.error()));
    if (cursor == nullptr) {
      calendar.cursors.push_back(std::move(*begun));
      cursor = &calendar.cursors.back();
    } else {
      *cursor = std::move(*begun);
    }
  }
  cursor->window.near = window.near;
  if (cursor->phase == Cursor::Phase::kSweeping) {
    auto swept = co_await Sweep(visit, calendar, *cursor);
    if (!swept) co_return swept;
  }
  bool restarted = false;
  for (bool more = true; more;) {
    if (++visit.pages > parts_.options.pages_per_visit) {
      visit.unfinished = true;
      co_return Result<void>();
    }
    auto page = co_await visit.provider->Changes(calendar.calendar, cursor->window, cursor->token);
    if (!page && page.error().code == ErrorCode::kCursorExpired && !restarted && !cursor->token.empty()) {
      restarted = true;
      auto begun = co_await parts_.store.BeginEpoch(visit.fence, calendar.id, cursor->window);
      if (!begun) co_return std::unexpected(std::move(begun.error()));
      *cursor = std::move(*begun);
      continue;
    }
    if (!page) co_return std::unexpected(std::move(page.error()));
    more = page->more;
    auto applied = co_await ApplyPage(visit, calendar, *cursor, std::move(*page));
    if (!applied) co_return applied;
  }
  co_return Result<void>();
}

Task<Result<void>> CalendarSync::ApplyPage(Visit& visit, const StoredCalendar& calendar, Cursor& cursor,
                                           ChangePage page) {
  cursor.token = std::move(page.next_token);
  if (!page.more) {
    cursor.synced_at = parts_.clock.Now();
    if (cursor.phase == Cursor::Phase::kReading) cursor.phase = Cursor::Phase::kSweeping;
  }
  CalendarCommit commit{.fence = visit.fence, .calendar_id = calendar.id, .cursor = cursor};
  commit.upserts = std::move(page.events);
  (visit.provider->windows_are_parts() ? commit.departures : commit.deletions) = std::move(page.removed);
  visit.stored = visit.stored || !commit.upserts.empty();
  auto applied = co_await parts_.store.Apply(commit);
  if (!applied) co_return std::unexpected(std::move(applied.error()));
  if (cursor.phase == Cursor::Phase::kSweeping) co_return co_await Sweep(visit, calendar, cursor);
  co_return Result<void>();
}

Task<Result<void>> CalendarSync::Sweep(Visit& visit, const StoredCalendar& calendar, Cursor& cursor) {
  for (std::int64_t gone = kRowsAtOnce; gone > 0;) {
    auto swept =
        co_await parts_.store.Sweep(visit.fence, calendar.id, cursor, visit.provider->windows_are_parts(), kRowsAtOnce);
    if (!swept) co_return std::unexpected(std::move(swept.error()));
    gone = *swept;
  }
  cursor.phase = Cursor::Phase::kLive;
  co_return Result<void>();
}

Task<Result<void>> CalendarSync::FetchMissingMasters(Visit& visit, const StoredCalendar& calendar) {
  auto missing = co_await parts_.store.MissingMasters(calendar.id, kMastersAtOnce);
  if (!missing) co_return std::unexpected(std::move(missing.error()));
  std::vector<Event> masters;
  for (const std::string& id : *missing) {
    auto master = co_await visit.provider->GetEvent(calendar.calendar, id);
    if (!master && (master.error().code == ErrorCode::kGone || master.error().code == ErrorCode::kNotFound)) continue;
    if (!master) co_return std::unexpected(std::move(master.error()));
    masters.push_back(std::move(*master));
  }
  if (masters.empty()) co_return Result<void>();
  co_return co_await parts_.store.StoreMasters(visit.fence, calendar.id, masters);
}

Task<jobs::Outcome> CalendarSync::Succeed(Visit& visit) {
  failures_.erase(visit.job.account_id);
  if (visit.unfinished) GoOnLater(visit);
  if (faulty_.erase(visit.account.provider) > 0) co_await parts_.status.ResolveNotice(visit.account.provider);
  const Instant now = parts_.clock.Now();
  CalendarStore::Outcome outcome{.next_sync_at = now + parts_.options.poll_interval};
  if (!visit.unfinished) outcome.synced_at = visit.round;
  auto concluded = co_await parts_.store.Conclude(visit.fence, outcome);
  if (!concluded) co_return co_await Conclude(visit, std::move(concluded.error()));
  co_return visit.unfinished ? jobs::Outcome::Snooze(milliseconds(0)) : jobs::Outcome::Completed();
}

Task<jobs::Outcome> CalendarSync::Conclude(Visit& visit, Error error) {
  const ConnectedAccountId& account = visit.job.account_id;
  log::Info("calendar.sync.interrupted",
            {{"account_id", account}, {"error_code", ToString(error.code)}, {"detail", error.detail}});
  jobs::Outcome ended;
  ended.kind = jobs::Outcome::Kind::kCancelled;
  const Instant now = parts_.clock.Now();
  CalendarStore::Outcome outcome{.fault = error.code};
  milliseconds pause{0};
  switch (OwnerOf(error.code)) {
    case FaultOwner::kAccount:
      // Calendars that may not be read leave the mail alone; a grant that is over does not.
      if (error.code != ErrorCode::kMissingScope && error.code != ErrorCode::kNoMailbox) {
        co_await parts_.status.ReportFault(visit.job, error);
      }
      break;
    case FaultOwner::kOperator:
      co_await parts_.status.RaiseNotice(visit.account.provider, error);
      faulty_.insert(visit.account.provider);
      pause = error.retry_after.value_or(probe_.NextTry(visit.account.provider, now));
      break;
    case FaultOwner::kProvider: {
      if (failures_.size() >= kMaxRemembered) failures_.clear();
      const int failures = failures_[account] + 1;
      pause = error.retry_after.value_or(Backoff(account, failures));
      if (error.code == ErrorCode::kRateLimited && pause < kUnremarkable) {
        GoOnLater(visit);
        co_return jobs::Outcome::Snooze(pause);
      }
      failures_[account] = failures;
      break;
    }
    case FaultOwner::kOurselves:
      if (!EndsTheJob(error.code)) co_return jobs::Outcome::Retry(std::move(error));
      ended.error = std::move(error);
      co_return ended;
    case FaultOwner::kCaller:
      co_return jobs::Outcome::Retry(std::move(error));
  }
  if (pause.count() > 0) {
    outcome.next_attempt_at = now + pause;
    // The sleeping job comes first; the schedule only catches its loss.
    outcome.next_sync_at = now + pause + parts_.options.poll_interval;
  }
  auto noted = co_await parts_.store.Conclude(visit.fence, outcome);
  if (!noted && !EndsTheJob(noted.error().code)) co_return jobs::Outcome::Retry(std::move(noted.error()));
  if (pause.count() > 0) co_return jobs::Outcome::WaitFor(std::move(error), pause);
  ended.error = std::move(error);
  co_return ended;
}

}  // namespace latchkey::calendar
