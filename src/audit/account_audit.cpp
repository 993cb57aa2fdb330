#include "audit/account_audit.hpp"

#include <algorithm>
#include <set>

#include "mail/sync_parts.hpp"
#include "telemetry/log.hpp"

namespace latchkey::audit {
namespace {

using std::chrono::milliseconds;

constexpr int kClearChunk = 5'000;

jobs::Outcome Ended(Error error) {
  jobs::Outcome outcome;
  outcome.kind = jobs::Outcome::Kind::kCancelled;
  outcome.error = std::move(error);
  return outcome;
}

}  // namespace

std::string_view ToString(Service service) { return service == Service::kMail ? "mail" : "calendar"; }

std::string_view ToString(Phase phase) {
  switch (phase) {
    case Phase::kListing:
      return "listing";
    case Phase::kFindingMissing:
      return "finding_missing";
    case Phase::kFindingSurplus:
      return "finding_surplus";
    case Phase::kWaiting:
      return "waiting";
    case Phase::kConfirming:
      return "confirming";
    case Phase::kDone:
      break;
  }
  return "done";
}

std::optional<Phase> ParsePhase(std::string_view text) {
  for (int number = 0; number <= static_cast<int>(Phase::kDone); ++number) {
    if (ToString(static_cast<Phase>(number)) == text) return static_cast<Phase>(number);
  }
  return std::nullopt;
}

std::string_view ToString(Report::State state) {
  switch (state) {
    case Report::State::kNever:
      return "never";
    case Report::State::kRunning:
      return "running";
    case Report::State::kComplete:
      return "complete";
    case Report::State::kIncomplete:
      return "incomplete";
    case Report::State::kFailed:
      break;
  }
  return "failed";
}

struct AccountAudit::RunState {
  const jobs::Job& job;
  mail::WriteFence fence;
  mail::AccountStatus::Account account;
  Instant started;
  std::vector<Progress> progress;

  Progress* Find(Service service) {
    const auto found = std::ranges::find(progress, service, &Progress::service);
    return found == progress.end() ? nullptr : &*found;
  }
};

bool AccountAudit::TimeIsUp(const RunState& run) const {
  return parts_.clock.Now() - run.started >= parts_.options.longest_run;
}

Task<jobs::Outcome> AccountAudit::Run(const jobs::Job& job) {
  auto account = co_await parts_.status.Find(job.account_id);
  if (!account) {
    if (account.error().code == ErrorCode::kNotFound) co_return jobs::Outcome::Completed();
    co_return jobs::Outcome::Retry(std::move(account.error()));
  }
  if (account->generation != job.generation || account->disconnecting) co_return jobs::Outcome::Completed();
  // What was asked for is done once the account works again.
  if (account->paused) co_return jobs::Outcome::Snooze(std::chrono::minutes(10));

  RunState run{.job = job,
               .fence = mail::FenceOf(job),
               .account = std::move(*account),
               .started = parts_.clock.Now(),
               .progress = {}};
  auto begun = co_await parts_.store.StartedAt(job.account_id);
  if (!begun) co_return jobs::Outcome::Retry(std::move(begun.error()));
  if (!*begun) co_return jobs::Outcome::Completed();
  if (run.started - **begun > parts_.options.give_up) {
    auto given_up = co_await parts_.store.Finish(run.fence, ToString(ErrorCode::kTimeout));
    if (!given_up) co_return jobs::Outcome::Retry(std::move(given_up.error()));
    co_return Ended({.code = ErrorCode::kTimeout, .detail = "the audit took too long", .retry_after = {}});
  }
  auto progress = co_await parts_.store.ReadProgress(job.account_id);
  if (!progress) co_return jobs::Outcome::Retry(std::move(progress.error()));
  if (*progress) run.progress = std::move(**progress);

  bool applicable = false;
  for (AuditedService* service : parts_.services) {
    auto standing = co_await service->Stand(job, run.account);
    if (!standing) co_return co_await Conclude(run, std::move(standing.error()));
    if (standing->kind == AuditedService::Standing::Kind::kNotApplicable) continue;
    applicable = true;
    if (standing->kind == AuditedService::Standing::Kind::kWait) {
      co_return jobs::Outcome::Snooze(parts_.options.import_patience);
    }
    const Progress* known = run.Find(service->service());
    if (known == nullptr || (known->epoch != standing->epoch && known->phase != Phase::kDone)) {
      auto started = co_await Begin(run, *service, standing->epoch);
      if (!started) co_return co_await Conclude(run, std::move(started.error()));
    }
    auto step = co_await Drive(run, *service);
    if (!step) co_return co_await Conclude(run, std::move(step.error()));
    if (*step) co_return jobs::Outcome::Snooze(**step);
  }
  std::string_view failure;
  if (!applicable) failure = ToString(ErrorCode::kMissingScope);
  auto finished = co_await parts_.store.Finish(run.fence, failure);
  if (!finished) co_return co_await Conclude(run, std::move(finished.error()));
  co_await parts_.faults.Succeeded(job, run.account);
  co_return jobs::Outcome::Completed();
}

Task<Result<Progress>> AccountAudit::Begin(RunState& run, AuditedService& service, std::int64_t epoch) {
  const Progress fresh{.service = service.service(),
                       .phase = Phase::kListing,
                       .cursor = {},
                       .epoch = epoch,
                       .listed_from = parts_.clock.Now(),
                       .listed_until = std::nullopt};
  for (;;) {
    auto cleared = co_await parts_.store.Clear(run.fence, fresh.service, kClearChunk);
    if (!cleared) co_return Fail(std::move(cleared.error()));
    if (*cleared == 0) break;
  }
  auto stored = co_await parts_.store.StartService(run.fence, fresh);
  if (!stored) co_return Fail(std::move(stored.error()));
  if (Progress* known = run.Find(fresh.service)) {
    *known = fresh;
  } else {
    run.progress.push_back(fresh);
  }
  co_return fresh;
}

Task<Result<AccountAudit::Step>> AccountAudit::Drive(RunState& run, AuditedService& service) {
  Progress& progress = *run.Find(service.service());
  while (progress.phase != Phase::kDone) {
    if (TimeIsUp(run)) co_return Step(milliseconds(0));
    switch (progress.phase) {
      case Phase::kListing: {
        auto listed = co_await ListPage(run, service, progress);
        if (!listed) co_return Fail(std::move(listed.error()));
        continue;
      }
      case Phase::kFindingMissing:
      case Phase::kFindingSurplus: {
        const bool missing = progress.phase == Phase::kFindingMissing;
        const auto kind = missing ? Finding::Kind::kMissing : Finding::Kind::kSurplus;
        auto more = co_await parts_.store.CompareSome(run.fence, progress.service, kind, parts_.options.compare_chunk);
        if (!more) co_return Fail(std::move(more.error()));
        if (*more) continue;
        if (missing) {
          progress.phase = Phase::kFindingSurplus;
        } else {
          auto open = co_await parts_.store.OpenFindings(run.job.account_id, progress.service, 1);
          if (!open) co_return Fail(std::move(open.error()));
          progress.phase = open->empty() ? Phase::kDone : Phase::kWaiting;
        }
        break;
      }
      case Phase::kWaiting: {
        auto caught_up = co_await service.CaughtUp(run.job, run.account, *progress.listed_until);
        if (!caught_up) co_return Fail(std::move(caught_up.error()));
        if (!*caught_up) co_return Step(parts_.options.patience);
        progress.phase = Phase::kConfirming;
        break;
      }
      case Phase::kConfirming: {
        auto more = co_await CheckSome(run, service);
        if (!more) co_return Fail(std::move(more.error()));
        if (*more) continue;
        progress.phase = Phase::kDone;
        break;
      }
      case Phase::kDone:
        break;
    }
    auto stored = co_await parts_.store.SetPhase(run.fence, progress.service, progress.phase);
    if (!stored) co_return Fail(std::move(stored.error()));
  }
  // The list is of no more use; it is the size of the mailbox.
  for (;;) {
    if (TimeIsUp(run)) co_return Step(milliseconds(0));
    auto cleared = co_await parts_.store.ClearListed(run.fence, progress.service, kClearChunk);
    if (!cleared) co_return Fail(std::move(cleared.error()));
    if (*cleared == 0) break;
  }
  co_return Step();
}

Task<Result<void>> AccountAudit::ListPage(RunState& run, AuditedService& service, Progress& progress) {
  auto page = co_await service.List(run.job, run.account, progress.cursor);
  if (!page && page.error().code == ErrorCode::kCursorExpired && !progress.cursor.empty()) {
    // The page token died: the list is read from its start again, and what was listed may be older than it looks.
    auto started = co_await Begin(run, service, progress.epoch);
    if (!started) co_return Fail(std::move(started.error()));
    co_return Result<void>();
  }
  if (!page) co_return Fail(std::move(page.error()));
  Progress next = progress;
  next.cursor = std::move(page->next);
  if (next.cursor.empty()) {
    next.phase = Phase::kFindingMissing;
    next.listed_until = parts_.clock.Now();
  }
  auto stored = co_await parts_.store.AddListed(run.fence, next, page->ids);
  if (!stored) co_return stored;
  progress = std::move(next);
  co_return Result<void>();
}

Task<Result<bool>> AccountAudit::CheckSome(RunState& run, AuditedService& service) {
  const ConnectedAccountId& account = run.job.account_id;
  auto open = co_await parts_.store.OpenFindings(account, service.service(), parts_.options.check_chunk);
  if (!open) co_return Fail(std::move(open.error()));
  if (open->empty()) co_return false;

  // First what the live lane has settled by itself.
  std::vector<std::string> ids;
  for (const Finding& finding : *open) ids.push_back(finding.external_id);
  auto stored = co_await service.Stored(account, ids);
  if (!stored) co_return Fail(std::move(stored.error()));
  const std::set<std::string> here(stored->begin(), stored->end());
  std::vector<Finding> checking;
  std::vector<std::string> dismissed, asked;
  for (Finding& finding : *open) {
    const bool differs = here.contains(finding.external_id) == (finding.kind == Finding::Kind::kSurplus);
    // One that was being checked when the process died may be settled without our having noted it.
    if (!differs && finding.state == Finding::State::kSuspected) {
      dismissed.push_back(finding.external_id);
      continue;
    }
    finding.state = Finding::State::kChecking;
    asked.push_back(finding.external_id);
    checking.push_back(std::move(finding));
  }
  auto noted = co_await parts_.store.Settle(run.fence, service.service(), checking, dismissed);
  if (!noted) co_return Fail(std::move(noted.error()));
  if (asked.empty()) co_return true;

  auto verdicts = co_await service.Reconcile(run.job, run.account, asked);
  if (!verdicts) co_return Fail(std::move(verdicts.error()));
  std::map<std::string_view, const AuditedService::Verdict*> by_id;
  for (const auto& verdict : *verdicts) by_id.emplace(verdict.external_id, &verdict);
  std::vector<Finding> settled;
  dismissed.clear();
  for (Finding& finding : checking) {
    using Kind = AuditedService::Verdict::Kind;
    const auto found = by_id.find(finding.external_id);
    // Not answered: asked again in the next round.
    if (found == by_id.end()) continue;
    const bool missing = finding.kind == Finding::Kind::kMissing;
    switch (found->second->kind) {
      case Kind::kStored:
        finding.state = Finding::State::kSettled;
        if (!missing) dismissed.push_back(finding.external_id);
        break;
      case Kind::kGone:
        finding.state = Finding::State::kSettled;
        if (missing) dismissed.push_back(finding.external_id);
        break;
      case Kind::kFailed:
        finding.state = Finding::State::kFailed;
        finding.error_code = found->second->error_code;
        // Nothing is claimed about a row that the provider would not speak of.
        if (!missing) dismissed.push_back(finding.external_id);
        break;
    }
    settled.push_back(std::move(finding));
  }
  if (settled.empty()) co_return Fail(ErrorCode::kInternal, "an audited service gave no verdict");
  auto done = co_await parts_.store.Settle(run.fence, service.service(), settled, dismissed);
  if (!done) co_return Fail(std::move(done.error()));
  co_return true;
}

Task<jobs::Outcome> AccountAudit::Conclude(RunState& run, Error error) {
  const std::string code(ToString(error.code));
  if (error.code == ErrorCode::kConflict) {
    // The live lane began a new epoch under our feet: what we compare against is being read anew.
    co_return jobs::Outcome::Snooze(parts_.options.patience);
  }
  if (error.code == ErrorCode::kFenced) {
    auto now = co_await parts_.status.Find(run.job.account_id);
    if (now && now->paused && now->generation == run.job.generation) {
      co_return jobs::Outcome::Snooze(std::chrono::minutes(10));
    }
    co_return Ended(std::move(error));
  }
  auto outcome = co_await parts_.faults.Conclude(run.job, run.account.provider, std::move(error));
  if (outcome.kind == jobs::Outcome::Kind::kCancelled && code != ToString(ErrorCode::kLeaseLost) &&
      code != ToString(ErrorCode::kCancelled)) {
    auto finished = co_await parts_.store.Finish(run.fence, code);
    if (!finished) {
      log::Warn("audit.end_not_stored",
                {{"account_id", run.job.account_id}, {"error_code", ToString(finished.error().code)}});
    }
  }
  co_return outcome;
}

}  // namespace latchkey::audit
