#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "calendar/account_status.hpp"
#include "calendar/calendar_provider.hpp"
#include "calendar/calendar_store.hpp"
#include "jobs/job.hpp"
#include "jobs/probe.hpp"

namespace latchkey::calendar {

struct CalendarSyncOptions {
  /// From one visit of an account to the next.
  std::chrono::milliseconds poll_interval = std::chrono::minutes(2);
  /// Windows far from today are looked at this often, and the provider asked how far the events reach.
  std::chrono::milliseconds far_interval = std::chrono::hours(1);
  std::chrono::milliseconds search_interval = std::chrono::hours(24);
  /// Pages of one visit; what is left goes on in the next one, so that other accounts get their turn.
  int pages_per_visit = 200;
  /// Visits that go on where the one before stopped, be it for the number of its pages or because the provider asked to
  /// wait a little, do not read again what was read since the first of them; for no longer than this.
  std::chrono::milliseconds longest_round = std::chrono::minutes(30);
};

/// What the job works with; everything outlives it.
struct CalendarSyncParts {
  CalendarStore& store;
  CalendarProviders& providers;
  AccountStatus& status;
  const Clock& clock;
  CalendarSyncOptions options;
};

/// Job `fetch_calendar`, once per account: takes the list of calendars, then follows each selected one window by window
/// from its cursor; every page commits together with the cursor behind it. A cursor that the provider no longer knows
/// starts the window's next epoch in place. One calendar that cannot be read does not keep the others waiting. Changes
/// come from one job at a time and in the provider's order, so the last answer is the newest. Loop thread only.
class CalendarSync {
 public:
  explicit CalendarSync(const CalendarSyncParts& parts) : parts_(parts) {}

  Task<jobs::Outcome> Run(const jobs::Job& job);

 private:
  struct Visit;

  void TakeRound(Visit& visit);
  void GoOnLater(const Visit& visit);
  Task<Result<void>> VisitAccount(Visit& visit);
  Task<Result<void>> VisitCalendar(Visit& visit, StoredCalendar& calendar);
  Task<Result<void>> ReadWindow(Visit& visit, StoredCalendar& calendar, const Window& window);
  Task<Result<void>> ApplyPage(Visit& visit, const StoredCalendar& calendar, Cursor& cursor, ChangePage page);
  Task<Result<void>> Sweep(Visit& visit, const StoredCalendar& calendar, Cursor& cursor);
  /// What left its window is somewhere else or gone: all windows are read before it goes.
  Task<Result<void>> SettleDepartures(Visit& visit, StoredCalendar& calendar);
  Task<Result<void>> FetchMissingMasters(Visit& visit, const StoredCalendar& calendar);
  Task<jobs::Outcome> Conclude(Visit& visit, Error error);
  Task<jobs::Outcome> Succeed(Visit& visit);

  const CalendarSyncParts parts_;
  /// Failures in a row per account, so that pauses grow; bounded.
  std::unordered_map<ConnectedAccountId, int> failures_;
  /// When the rounds began that are not over yet; bounded.
  std::unordered_map<ConnectedAccountId, Instant> rounds_;
  /// Providers of which an operator's fault was met since calendars could last be read.
  std::set<std::string> faulty_;
  jobs::Probe probe_;
};

/// True for a failure that belongs to the one calendar asked for, not to the account or the provider.
bool IsCalendarFailure(ErrorCode code);

}  // namespace latchkey::calendar
