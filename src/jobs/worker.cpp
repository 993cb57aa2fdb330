#include "jobs/worker.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "async/deadline.hpp"
#include "telemetry/log.hpp"

namespace latchkey::jobs {
using std::chrono::milliseconds;

namespace {

/// Between two looks at what only a signal changes.
constexpr milliseconds kAnyTime = std::chrono::minutes(1);

/// The store cannot be written at the moment: nobody's failure, and over when it can.
bool IsStoreFault(ErrorCode code) {
  return code == ErrorCode::kDiskFull || code == ErrorCode::kStorageUnavailable || code == ErrorCode::kOverloaded;
}

/// What the store's trouble did to an attempt does not count: the job waits, and loses none of its attempts.
Outcome Forgive(Outcome outcome) {
  constexpr milliseconds kWait = std::chrono::seconds(5);
  if (outcome.kind == Outcome::Kind::kRetry && IsStoreFault(outcome.error.code)) {
    return Outcome::Snooze(std::max(kWait, outcome.error.retry_after.value_or(kWait)));
  }
  return outcome;
}

}  // namespace

Worker::Worker(Executor executor, JobStore& store, const Clock& clock, const WorkerOptions& options)
    : executor_(executor),
      store_(store),
      clock_(clock),
      options_(options),
      signal_(executor),
      idle_(executor),
      untold_signal_(executor),
      cut_signal_(executor),
      loops_(executor),
      running_(executor) {}

Worker::~Worker() = default;

void Worker::Register(std::string_view kind, Handler handler, const KindOptions& options) {
  kinds_.insert_or_assign(std::string(kind), Kind{.handler = std::move(handler), .options = options, .running = 0});
}

void Worker::Start() {
  claims_over_ = false;
  loops_.Spawn("jobs.claim", [this] { return ClaimLoop(); });
  loops_.Spawn("jobs.report", [this] { return ReportLoop(); });
  loops_.Spawn("jobs.heartbeat", [this] { return HeartbeatLoop(); });
}

void Worker::StopClaiming() {
  stopping_ = true;
  signal_.Raise();
}

Task<void> Worker::Stop() {
  StopClaiming();
  const auto give_up = std::chrono::steady_clock::now() + options_.drain;
  while (!attempts_.empty() && std::chrono::steady_clock::now() < give_up) co_await idle_.Wait(milliseconds(50));
  // A claim in progress is let finish: a job that was marked running but never started would wait for its lease to run
  // out. A store that does not answer is no reason to stay.
  const auto leave = give_up + std::chrono::seconds(3);
  while (!claims_over_ && std::chrono::steady_clock::now() < leave) co_await idle_.Wait(milliseconds(50));
  cut_ = true;
  cut_signal_.Raise();
  co_await running_.Stop();
  // Every attempt has ended; what they left to say ends by itself, since a store that fails is not asked again.
  while (telling_ || !untold_.empty()) co_await idle_.Wait(milliseconds(50));
  co_await loops_.Stop();
}

Task<void> Worker::HandBack(const Job& job) {
  const Lease lease{.job_id = job.id, .token = job.lease_token};
  const Outcome untouched = Outcome::Snooze(milliseconds(0));
  const auto done = co_await store_.Finish(lease, untouched, clock_.Now());
  if (!done) log::Warn("job.report_refused", {{"job_id", job.id}, {"error_code", ToString(done.error().code)}});
}

Task<Result<void>> Worker::Renew() {
  const auto now = std::chrono::steady_clock::now();
  if (attempts_.empty() || now - renewed_at_ < options_.lease / 2) co_return Result<void>();
  std::vector<Lease> leases;
  for (const auto& [id, lease] : attempts_) leases.push_back(lease);
  const auto kept = co_await store_.Heartbeat(leases, options_.lease);
  if (!kept) co_return Fail(kept.error());
  renewed_at_ = now;
  co_return Result<void>();
}

std::vector<std::string> Worker::OpenKinds() const {
  std::vector<std::string> open;
  for (const auto& [name, kind] : kinds_) {
    if (kind.running < kind.options.max_running) open.push_back(name);
  }
  return open;
}

int Worker::RoomOf(std::string_view kind) const {
  const Kind& found = kinds_.find(kind)->second;
  return found.options.max_running - found.running;
}

Task<milliseconds> Worker::UntilNextDue() {
  const auto due = co_await store_.NextDue();
  if (!due || !*due) co_return options_.poll;
  const auto wait = std::chrono::ceil<milliseconds>(**due - clock_.Now());
  co_return std::clamp(wait, milliseconds(1), options_.poll);
}

Task<void> Worker::ClaimLoop() {
  // The whole queue may be unreachable for a while: ask again, but not in a tight loop.
  constexpr milliseconds kAfterFailure = std::chrono::seconds(1);
  while (!stopping_) {
    std::vector<std::string> open = OpenKinds();
    // One claim may bring jobs of any open kind: asking for no more than the tightest has room for keeps every limit
    // and the order of priorities; the loop comes back at once for the rest.
    int room = options_.max_running - running();
    for (const std::string& name : open) room = std::min(room, RoomOf(name));
    // Half of all there is room for: the store hands out one half while it takes the reports of the other.
    room = std::min(room, std::max(1, options_.max_running / 2));
    if (room <= 0 || open.empty()) {
      co_await signal_.Wait(options_.poll);
      continue;
    }
    const ClaimQuery query{.kinds = std::move(open), .limit = room, .lease = options_.lease, .worker = options_.name};
    auto claimed = co_await store_.Claim(query);
    if (!claimed) {
      log::Warn("jobs.claim_failed",
                {{"error_code", ToString(claimed.error().code)}, {"detail", claimed.error().detail}});
      co_await signal_.Wait(kAfterFailure);
      continue;
    }
    for (Job& job : *claimed) {
      if (stopping_) {
        co_await HandBack(job);
        continue;
      }
      Kind& kind = kinds_.find(job.kind)->second;
      ++kind.running;
      attempts_.emplace(job.id, Lease{.job_id = job.id, .token = job.lease_token});
      auto shared = std::make_shared<Job>(std::move(job));
      running_.Spawn("jobs.attempt", [this, shared] { return Attempt(std::move(*shared)); });
    }
    if (!claimed->empty()) continue;
    const milliseconds wait = co_await UntilNextDue();
    co_await signal_.Wait(wait);
  }
  claims_over_ = true;
  idle_.Raise();
}

Task<void> Worker::HeartbeatLoop() {
  for (;;) {
    co_await SleepFor(options_.lease / 3);
    if (attempts_.empty()) continue;
    std::vector<Lease> leases;
    for (const auto& [id, lease] : attempts_) leases.push_back(lease);
    const auto kept = co_await store_.Heartbeat(leases, options_.lease);
    // An attempt whose lease is gone may run on: every write it tries is refused by its fence.
    if (!kept) {
      log::Warn("jobs.heartbeat_failed", {{"error_code", ToString(kept.error().code)}});
      continue;
    }
    renewed_at_ = std::chrono::steady_clock::now();
    if (kept->size() < leases.size()) {
      log::Warn("jobs.lease_lost", {{"count", leases.size() - kept->size()}});
    }
  }
}

Task<Outcome> Worker::RunHandler(const Job& job, const Kind& kind) {
  std::optional<Outcome> outcome;
  auto body = [&]() -> Task<void> { outcome = co_await kind.handler(job); };
  try {
    const bool in_time = co_await RunWithTimeout(body(), kind.options.deadline);
    // What a handler made of being cancelled is not how the job ended.
    if (outcome && !(cut_ && outcome->kind != Outcome::Kind::kCompleted)) co_return std::move(*outcome);
    if (!in_time && !cut_) {
      co_return Outcome::Retry({.code = ErrorCode::kTimeout, .detail = "the attempt took too long", .retry_after = {}});
    }
  } catch (const std::exception& failure) {
    if (!cut_) {
      log::Failure("job.exception", {{"job_id", job.id}, {"kind", job.kind}, {"detail", failure.what()}});
      co_return Outcome::Retry({.code = ErrorCode::kInternal, .detail = failure.what(), .retry_after = {}});
    }
  }
  // Cancelled because the worker stops: not the job's fault, so handed back as it was.
  co_return Outcome::Snooze(milliseconds(0));
}

/// While the store takes some reports the next ones gather: many small jobs cost few transactions, and one alone does
/// not wait for company.
Task<void> Worker::ReportLoop() {
  constexpr std::size_t kAtOnce = 500;
  for (;;) {
    while (untold_.empty()) co_await untold_signal_.Wait(kAnyTime);
    telling_ = true;
    const auto end = untold_.begin() + static_cast<std::ptrdiff_t>(std::min(untold_.size(), kAtOnce));
    std::vector<Untold> batch(std::make_move_iterator(untold_.begin()), std::make_move_iterator(end));
    untold_.erase(untold_.begin(), end);
    std::vector<Report> reports;
    reports.reserve(batch.size());
    for (Untold& untold : batch) reports.push_back(std::move(untold.report));
    const auto lost = co_await Deliver(reports);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      batch[i].report = std::move(reports[i]);
      const Lease& told = batch[i].report.lease;
      const auto is_this = [&](const Lease& lease) { return lease.job_id == told.job_id && lease.token == told.token; };
      Result<void> answer;
      if (!lost) {
        answer = Fail(lost.error());
      } else if (std::ranges::any_of(*lost, is_this)) {
        answer = Fail(ErrorCode::kLeaseLost, "another worker holds the job");
      }
      Ended(batch[i], answer);
    }
    telling_ = false;
    idle_.Raise();
    signal_.Raise();
  }
}

/// The reports wait for a store that cannot take them now: without it their jobs would look like those of a dead
/// worker.
Task<Result<std::vector<Lease>>> Worker::Deliver(const std::vector<Report>& reports) {
  for (;;) {
    auto lost = co_await store_.FinishAll(reports);
    if (lost || cut_ || !IsStoreFault(lost.error().code)) co_return lost;
    co_await cut_signal_.Wait(options_.store_pause);
  }
}

Task<void> Worker::Attempt(Job job) {
  // Shutting down cancels the handler (through RunWithTimeout), but the report of how it ended must still be written:
  // from here on it is the report loop's, which outlives all attempts.
  const Kind& kind = kinds_.find(job.kind)->second;
  const Instant began = clock_.Now();
  Outcome outcome = Forgive(co_await RunHandler(job, kind));
  const Instant next_run = retry_.NextRun(job, outcome, clock_.Now());
  Report report{.lease = LeaseOf(job), .outcome = std::move(outcome), .next_run = next_run};
  untold_.push_back({.job = std::move(job), .report = std::move(report), .began = began});
  untold_signal_.Raise();
}

void Worker::Ended(const Untold& told, const Result<void>& answer) {
  const Job& job = told.job;
  const Outcome& outcome = told.report.outcome;
  attempts_.erase(job.id);
  --kinds_.find(job.kind)->second.running;
  const auto duration = std::chrono::duration_cast<milliseconds>(clock_.Now() - told.began).count();
  if (!answer) {
    log::Warn("job.report_refused",
              {{"job_id", job.id}, {"kind", job.kind}, {"error_code", ToString(answer.error().code)}});
  } else if (outcome.kind == Outcome::Kind::kRetry || outcome.kind == Outcome::Kind::kDiscard) {
    log::Warn("job.failed", {{"job_id", job.id},
                             {"kind", job.kind},
                             {"account_id", job.account_id},
                             {"attempt", job.attempt},
                             {"error_code", ToString(outcome.error.code)},
                             {"detail", outcome.error.detail},
                             {"duration_ms", duration}});
  } else {
    log::Debug("job.done",
               {{"job_id", job.id}, {"kind", job.kind}, {"account_id", job.account_id}, {"duration_ms", duration}});
  }
}

}  // namespace latchkey::jobs
