#include "audit/audited_calendars.hpp"

#include <algorithm>
#include <map>
#include <unordered_set>

namespace latchkey::audit {
namespace {

using calendar::StoredCalendar;

/// Between a calendar's id and an event's, and between a calendar's id and the page within it.
constexpr char kSeparator = '\n';

std::string Join(const std::string& calendar, const std::string& rest) { return calendar + kSeparator + rest; }

std::pair<std::string, std::string> Split(const std::string& text) {
  const std::size_t at = text.find(kSeparator);
  if (at == std::string::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

calendar::WriteFence FenceOf(const jobs::Job& job) {
  return {.account_id = job.account_id,
          .generation = job.generation,
          .lease = {.job_id = job.id, .token = job.lease_token}};
}

bool IsLive(const StoredCalendar& calendar) {
  return !calendar.cursors.empty() && std::ranges::all_of(calendar.cursors, [](const calendar::Cursor& cursor) {
    return cursor.phase == calendar::Cursor::Phase::kLive;
  });
}

/// The window that the event belongs to; the first one when none says so (a series may begin before all of them).
const calendar::Cursor& WindowOf(const StoredCalendar& calendar, const calendar::Event& event) {
  for (const calendar::Cursor& cursor : calendar.cursors) {
    const bool begun = !cursor.window.from || *cursor.window.from <= event.time.start;
    const bool open = !cursor.window.to || event.time.start < *cursor.window.to;
    if (begun && open) return cursor;
  }
  return calendar.cursors.front();
}

}  // namespace

Task<Result<std::vector<StoredCalendar>>> AuditedCalendars::Selected(const jobs::Job& job,
                                                                     const mail::AccountStatus::Account& account) {
  auto provider = parts_.providers.For(job.account_id, account.provider);
  if (!provider) co_return Fail(std::move(provider.error()));
  auto listed = co_await (*provider)->ListCalendars();
  if (!listed) co_return Fail(std::move(listed.error()));
  const auto fence = FenceOf(job);
  auto stored = co_await parts_.store.ReplaceCalendars(fence, *listed);
  if (!stored) co_return Fail(std::move(stored.error()));
  std::erase_if(*stored, [](const StoredCalendar& calendar) { return !calendar.selected; });
  std::ranges::sort(*stored, {}, [](const StoredCalendar& calendar) { return calendar.calendar.external_id; });
  co_return std::move(*stored);
}

Task<Result<AuditedService::Standing>> AuditedCalendars::Stand(const jobs::Job& job,
                                                               const mail::AccountStatus::Account& account) {
  Standing standing;
  auto status = co_await parts_.status.Find(job.account_id);
  if (!status) co_return Fail(std::move(status.error()));
  if (!status->may_work || !parts_.providers.For(job.account_id, account.provider)) {
    standing.kind = Standing::Kind::kNotApplicable;
    co_return standing;
  }
  auto calendars = co_await Selected(job, account);
  if (!calendars) co_return Fail(std::move(calendars.error()));
  // A choice that changes, and any full read, begins the comparison anew.
  for (const StoredCalendar& calendar : *calendars) {
    if (!IsLive(calendar)) standing.kind = Standing::Kind::kWait;
    for (const calendar::Cursor& cursor : calendar.cursors) standing.epoch += cursor.epoch;
  }
  standing.epoch = standing.epoch * 1000 + static_cast<std::int64_t>(calendars->size());
  co_return standing;
}

Task<Result<AuditedService::Page>> AuditedCalendars::List(const jobs::Job& job,
                                                          const mail::AccountStatus::Account& account,
                                                          const std::string& cursor) {
  auto provider = parts_.providers.For(job.account_id, account.provider);
  if (!provider) co_return Fail(std::move(provider.error()));
  auto calendars = co_await Selected(job, account);
  if (!calendars) co_return Fail(std::move(calendars.error()));
  const auto [current, page] = Split(cursor);
  Page result;
  const auto at = std::ranges::find_if(
      *calendars, [&](const StoredCalendar& calendar) { return calendar.calendar.external_id >= current; });
  if (at == calendars->end()) co_return result;
  const bool going_on = at->calendar.external_id == current;
  std::vector<calendar::Window> windows;
  for (const calendar::Cursor& one : at->cursors) windows.push_back(one.window);
  auto listed = co_await (*provider)->ListIds(at->calendar, windows, going_on ? page : std::string());
  if (!listed && listed.error().code != ErrorCode::kNotFound && listed.error().code != ErrorCode::kForbidden) {
    co_return Fail(std::move(listed.error()));
  }
  if (listed) {
    for (const std::string& id : listed->ids) result.ids.push_back(Join(at->calendar.external_id, id));
    if (!listed->next_page.empty()) result.next = Join(at->calendar.external_id, listed->next_page);
  }
  if (result.next.empty() && at + 1 != calendars->end()) result.next = Join((at + 1)->calendar.external_id, {});
  co_return result;
}

Task<Result<bool>> AuditedCalendars::CaughtUp(const jobs::Job& job, const mail::AccountStatus::Account& account,
                                              Instant since) {
  auto calendars = co_await Selected(job, account);
  if (!calendars) co_return Fail(std::move(calendars.error()));
  // Far windows are visited rarely; direct reads settle what differs there.
  const bool current = std::ranges::all_of(*calendars, [&](const StoredCalendar& calendar) {
    return std::ranges::all_of(calendar.cursors, [&](const calendar::Cursor& cursor) {
      return !cursor.window.near || (cursor.synced_at && *cursor.synced_at > since);
    });
  });
  if (current) co_return true;
  const jobs::NewJob visit{.kind = "fetch_calendar",
                           .priority = jobs::Priority::kNormal,
                           .unique_key = jobs::AccountKey("fetch_calendar", job.account_id),
                           .account_id = job.account_id,
                           .generation = job.generation};
  auto queued = co_await jobs_.Insert(visit);
  if (!queued) co_return Fail(std::move(queued.error()));
  co_return false;
}

Task<Result<std::vector<std::string>>> AuditedCalendars::Stored(const ConnectedAccountId& account,
                                                                const std::vector<std::string>& ids) {
  co_return co_await store_.FindStored(account, Service::kCalendar, ids);
}

Task<Result<std::vector<AuditedService::Verdict>>> AuditedCalendars::Reconcile(
    const jobs::Job& job, const mail::AccountStatus::Account& account, const std::vector<std::string>& ids) {
  auto provider = parts_.providers.For(job.account_id, account.provider);
  if (!provider) co_return Fail(std::move(provider.error()));
  auto calendars = co_await Selected(job, account);
  if (!calendars) co_return Fail(std::move(calendars.error()));
  auto before = co_await Stored(job.account_id, ids);
  if (!before) co_return Fail(std::move(before.error()));
  const std::unordered_set<std::string> here(before->begin(), before->end());

  std::vector<Verdict> verdicts;
  // One commit for each calendar and window, as the sync itself makes them.
  std::map<std::pair<std::string, std::string>, calendar::CalendarCommit> commits;
  for (const std::string& id : ids) {
    const auto [calendar_id, event_id] = Split(id);
    Verdict verdict{.external_id = id};
    const auto calendar = std::ranges::find_if(
        *calendars, [&](const StoredCalendar& one) { return one.calendar.external_id == calendar_id; });
    if (calendar == calendars->end() || calendar->cursors.empty()) {
      // Not chosen any more: its events go with it.
      verdict.kind = Verdict::Kind::kGone;
      verdicts.push_back(std::move(verdict));
      continue;
    }
    auto event = co_await (*provider)->GetEvent(calendar->calendar, event_id);
    const bool gone = !event && (event.error().code == ErrorCode::kGone || event.error().code == ErrorCode::kNotFound);
    if (!event && !gone) {
      if (!calendar::IsCalendarFailure(event.error().code) && event.error().code != ErrorCode::kMalformedReply) {
        co_return Fail(std::move(event.error()));
      }
      verdict.kind = Verdict::Kind::kFailed;
      verdict.error_code = ToString(event.error().code);
    } else if (gone) {
      verdict.kind = Verdict::Kind::kGone;
    }
    const bool adds = event && !here.contains(id);
    const bool removes = gone && here.contains(id);
    if (adds || removes) {
      const calendar::Cursor& cursor = adds ? WindowOf(*calendar, *event) : calendar->cursors.front();
      auto& commit = commits[{calendar_id, cursor.window.name}];
      commit.fence = FenceOf(job);
      commit.calendar_id = calendar->id;
      commit.cursor = cursor;
      if (adds) commit.upserts.push_back(std::move(*event));
      if (removes) commit.deletions.push_back(event_id);
    }
    verdicts.push_back(std::move(verdict));
  }
  for (auto& [key, commit] : commits) {
    auto applied = co_await parts_.store.Apply(commit);
    if (!applied) co_return Fail(std::move(applied.error()));
  }
  auto after = co_await Stored(job.account_id, ids);
  if (!after) co_return Fail(std::move(after.error()));
  const std::unordered_set<std::string> stored(after->begin(), after->end());
  for (Verdict& verdict : verdicts) {
    if (verdict.kind != Verdict::Kind::kStored || stored.contains(verdict.external_id)) continue;
    verdict.kind = Verdict::Kind::kFailed;
    verdict.error_code = ToString(ErrorCode::kInternal);
  }
  co_return verdicts;
}

}  // namespace latchkey::audit
