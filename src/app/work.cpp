#include "app/work.hpp"

#include <algorithm>

namespace latchkey::app {
namespace {

constexpr std::chrono::hours kEventsKept{24 * 3};
constexpr std::chrono::hours kJobsKept{24 * 14};
constexpr std::chrono::hours kOutboxKept{24 * 30};
constexpr int kBatch = 500;

jobs::WorkerOptions Named(const std::string& name) {
  jobs::WorkerOptions options;
  options.name = name;
  return options;
}

}  // namespace

Work::Work(const Parts& parts)
    : parts_(parts),
      faults_(parts_.sync),
      folders_(parts_.sync, parts_.folders, faults_),
      live_(parts_.sync, faults_, &folders_),
      backfill_(parts_.sync, faults_, &folders_),
      index_(parts_.sync),
      calendars_(parts_.calendars),
      audited_mail_(parts_.sync, parts_.jobs, parts_.audits),
      audited_calendars_(parts_.calendars, parts_.jobs, parts_.audits),
      audit_({parts_.audits, {&audited_mail_, &audited_calendars_}, parts_.sync.status, faults_, parts_.clock, {}}),
      send_(
          {.outbox = parts_.outbox, .senders = parts_.senders, .accounts = parts_.sync.status, .clock = parts_.clock}),
      worker_(parts_.executor, parts_.jobs, parts_.clock, Named(parts_.worker_name)),
      scheduler_(parts_.executor) {
  Register(mail::kFetchEmailsKind, [this](const jobs::Job& job) { return live_.Run(job); }, 8);
  // Fewer than the worker's room, so that a full read of many mailboxes never keeps live work waiting.
  Register(mail::kBackfillKind, [this](const jobs::Job& job) { return backfill_.Run(job); }, 4);
  Register(mail::kIndexKind, [this](const jobs::Job& job) { return index_.Run(job); }, 1);
  Register(jobs::kFetchCalendar, [this](const jobs::Job& job) { return calendars_.Run(job); }, 4);
  Register(audit::kAuditKind, [this](const jobs::Job& job) { return audit_.Run(job); }, 2);
  Register(jobs::kDeleteSyncedData, [this](const jobs::Job& job) { return DeleteSyncedData(job); }, 4);
  Register(push::kRenewKind, [this](const jobs::Job& job) { return parts_.push.Run(job); }, 4);
  Register(mail::kSendEmailKind, [this](const jobs::Job& job) { return send_.Run(job); }, 4);
  Register(
      connected_accounts::kRevokeGrant, [this](const jobs::Job& job) { return parts_.disconnect.RevokeGrant(job); }, 4);
  Register(connected_accounts::kRefreshGrant, [this](const jobs::Job& job) { return parts_.tokens.KeepAlive(job); }, 2);
}

void Work::Register(std::string_view kind, jobs::Handler handler, int at_most) {
  jobs::KindOptions options;
  options.max_running = at_most;
  auto run = [this, handler = std::move(handler)](const jobs::Job& job) -> Task<jobs::Outcome> {
    std::optional<jobs::RightOfWay::Pass> pass;
    if (job.priority <= jobs::Priority::kLive) pass.emplace(parts_.right_of_way);
    co_return co_await handler(job);
  };
  worker_.Register(kind, std::move(run), options);
}

void Work::Start() {
  worker_.Start();
  const auto tick = std::clamp<std::chrono::milliseconds>(parts_.sync.options.poll_interval / 4,
                                                          std::chrono::milliseconds(250), std::chrono::seconds(5));
  scheduler_.Every("queue_due_mailboxes", tick, [this] { return QueueDueMailboxes(); });
  scheduler_.Every("queue_due_calendars", tick, [this] { return QueueDueCalendars(); });
  scheduler_.Every("queue_due_audits", std::chrono::minutes(1), [this] { return QueueDueAudits(); });
  if (parts_.push_configured) {
    scheduler_.Every("queue_due_push", std::chrono::seconds(5), [this] { return QueueDuePush(); });
  }
  scheduler_.Every("rescue_jobs", std::chrono::seconds(5), [this] { return RescueJobs(); });
  scheduler_.Every("queue_unused_grants", std::chrono::hours(1), [this] { return QueueUnusedGrants(); });
  scheduler_.Every("requeue_mail", std::chrono::seconds(30), [this] { return RequeueMail(); });
  scheduler_.Every("prune", std::chrono::hours(1), [this] { return Prune(); });
}

Task<void> Work::Stop() {
  co_await scheduler_.Stop();
  co_await worker_.Stop();
}

Task<Result<void>> Work::QueueDueCalendars() {
  for (;;) {
    const auto now = parts_.clock.Now();
    auto queued =
        co_await parts_.calendars.store.ScheduleDue(now, now + parts_.calendars.options.poll_interval, kBatch);
    if (!queued) co_return Fail(queued.error());
    if (*queued < kBatch) co_return Result<void>();
  }
}

Task<Result<void>> Work::QueueDueMailboxes() {
  for (;;) {
    const auto now = parts_.clock.Now();
    auto queued = co_await parts_.accounts.ScheduleDue(now, now + parts_.sync.options.poll_interval, kBatch,
                                                       mail::kFetchEmailsKind);
    if (!queued) co_return Fail(queued.error());
    if (*queued < kBatch) co_return Result<void>();
  }
}

Task<Result<void>> Work::QueueDueAudits() {
  for (;;) {
    auto queued = co_await parts_.audits.ScheduleDue(parts_.clock.Now(), audit::kAuditInterval, kBatch);
    if (!queued) co_return Fail(queued.error());
    if (*queued < kBatch) co_return Result<void>();
  }
}

Task<Result<void>> Work::QueueDuePush() {
  // The job says itself when it is next due; until then, and should it be lost, an hour.
  constexpr std::chrono::hours kUntilTold{1};
  for (;;) {
    auto queued = co_await parts_.push_channels.ScheduleDue(parts_.clock.Now(), kUntilTold, kBatch);
    if (!queued) co_return Fail(queued.error());
    if (*queued < kBatch) co_return Result<void>();
  }
}

Task<jobs::Outcome> Work::DeleteSyncedData(const jobs::Job& job) {
  // While the tokens are still there. What cannot be stopped in time ends by itself within days, unheard.
  constexpr std::chrono::seconds kPatience{5};
  if (parts_.push_configured) co_await parts_.push.StopAll(job.account_id, kPatience);
  co_return co_await parts_.disconnect.DeleteSyncedData(job);
}

Task<Result<void>> Work::RescueJobs() {
  // Our own first: after a sleep of this process, or of its store, they may look dead.
  if (auto renewed = co_await worker_.Renew(); !renewed) co_return renewed;
  auto rescued = co_await parts_.jobs.Rescue();
  if (!rescued) co_return Fail(rescued.error());
  if (*rescued > 0) worker_.Wake();
  co_return Result<void>();
}

Task<Result<void>> Work::QueueUnusedGrants() {
  // No more at once than an hour's work: those that rested longest come first, the next hour brings the others.
  const auto used_before = parts_.clock.Now() - connected_accounts::kUnusedFor;
  const auto queued = co_await parts_.accounts.ScheduleUnused(used_before, kBatch, connected_accounts::kRefreshGrant);
  if (!queued) co_return Fail(queued.error());
  co_return Result<void>();
}

Task<Result<void>> Work::RequeueMail() {
  auto queued = co_await parts_.outbox.Requeue(kBatch);
  if (!queued) co_return Fail(queued.error());
  if (*queued > 0) worker_.Wake();
  co_return Result<void>();
}

Task<Result<void>> Work::Prune() {
  const auto now = parts_.clock.Now();
  int gone = kBatch;
  while (gone == kBatch) {
    auto events = co_await parts_.events.Prune(now - kEventsKept, kBatch);
    if (!events) co_return Fail(events.error());
    auto finished = co_await parts_.jobs.Prune(now - kJobsKept, kBatch);
    if (!finished) co_return Fail(finished.error());
    auto expired = co_await parts_.identities.PruneExpired(kBatch);
    if (!expired) co_return Fail(expired.error());
    auto pauses = co_await parts_.pauses.PrunePauses(now, kBatch);
    if (!pauses) co_return Fail(pauses.error());
    auto outbox = co_await parts_.outbox.Prune(now - kOutboxKept, kBatch);
    if (!outbox) co_return Fail(outbox.error());
    gone = std::max({*events, *finished, *expired, *pauses, *outbox});
  }
  co_return Result<void>();
}

}  // namespace latchkey::app
