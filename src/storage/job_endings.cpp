#include "storage/job_endings.hpp"

#include <algorithm>

#include "base/id.hpp"
#include "storage/job_rows.hpp"

namespace latchkey::storage {
namespace {

using jobs::Job;
using jobs::Outcome;

const Statement kReadJob("SELECT " + JobColumns() + " FROM jobs WHERE id = $1");
const Statement kReadLeased(
    "SELECT " + JobColumns() + " FROM jobs WHERE id = $1 AND state = 'running' AND lease_token = $2",
    "SELECT " + JobColumns() + " FROM jobs WHERE id = $1 AND state = 'running' AND lease_token = $2 FOR NO KEY UPDATE");

// $1 is what each engine finds a row by: SQLite the row's number, PostgreSQL the id.
const std::string kEndSet = R"sql(
UPDATE jobs SET state = $2, scheduled_at = $3, finalized_at = $4, attempt = $5, last_error_code = $6, last_error = $7,
  lease_token = NULL, lease_until = NULL, rerun = FALSE )sql";
const Statement kEnd(kEndSet + "WHERE row_id = $1", kEndSet + "WHERE id = $1");
const Statement kLog(R"sql(
INSERT INTO job_logs (id, job_type, job_id, attempt, connected_account_id, status, error_code, error_message,
                      started_at, completed_at, created_at)
VALUES ($1, $2, $3, $4, (SELECT id FROM connected_accounts WHERE id = $5), $6, $7, $8, $9, $10, $10))sql");

// Those that are completed, all at once: $1 and $2 are JSON arrays of ids and lease tokens, $3 is now. A row has a
// token only while it runs; not to ask for the state as well keeps the planner at the ids. What was asked for again
// while it ran is left for EndAttempt.
const Statement kCompleteAll("", R"sql(
UPDATE jobs j SET state = 'completed', finalized_at = CAST($3 AS timestamptz), last_error_code = '', last_error = '',
  lease_token = NULL, lease_until = NULL
FROM ROWS FROM (json_array_elements_text($1), json_array_elements_text($2)) WITH ORDINALITY AS told (id, token, place)
WHERE j.id = CAST(told.id AS uuid) AND j.lease_token = told.token AND NOT j.rerun
RETURNING told.place)sql");

// On PostgreSQL what runs is in two indexes, with an account and without: the last condition, always true, names both.
const Statement kExpired("SELECT id FROM jobs WHERE state = 'running' AND lease_until <= $1 LIMIT $2",
                         "SELECT id FROM jobs WHERE state = 'running' AND lease_until <= "
                         "coalesce(CAST($1 AS timestamptz), clock_timestamp()) AND (connected_account_id IS NULL OR "
                         "connected_account_id IS NOT NULL) LIMIT $2 FOR UPDATE SKIP LOCKED");
const Statement kClaimedBy("SELECT id FROM jobs WHERE state = 'running' AND lease_token LIKE $1 LIMIT $2",
                           "SELECT id FROM jobs WHERE state = 'running' AND lease_token LIKE $1 AND "
                           "(connected_account_id IS NULL OR connected_account_id IS NOT NULL) LIMIT $2 "
                           "FOR UPDATE SKIP LOCKED");

/// How a job goes on after an attempt: state, and when it runs again.
struct Next {
  jobs::JobState state = jobs::JobState::kCompleted;
  Instant scheduled_at{};
  std::optional<Instant> finalized_at;
  int attempt = 0;
};

Next NextOf(const Job& job, const Outcome& outcome, bool rerun, Instant next_run, Instant now) {
  Next next{.scheduled_at = job.scheduled_at, .attempt = job.attempt};
  const auto wait = [&](jobs::JobState waiting) {
    next.scheduled_at = rerun ? now : std::max(next_run, now);
    next.state = next.scheduled_at <= now ? jobs::JobState::kAvailable : waiting;
  };
  switch (outcome.kind) {
    case Outcome::Kind::kCompleted:
      next.state = jobs::JobState::kCompleted;
      break;
    case Outcome::Kind::kCancelled:
      next.state = jobs::JobState::kCancelled;
      break;
    case Outcome::Kind::kSnooze:
      --next.attempt;  // Waiting is not an attempt.
      wait(jobs::JobState::kScheduled);
      return next;
    case Outcome::Kind::kRetry:
      if (job.attempt < job.max_attempts) {
        wait(jobs::JobState::kRetryable);
        return next;
      }
      next.state = jobs::JobState::kDiscarded;
      break;
    case Outcome::Kind::kDiscard:
      next.state = jobs::JobState::kDiscarded;
      break;
  }
  if (rerun) {
    // Asked for again while it ran: the same row goes round once more.
    return {.state = jobs::JobState::kAvailable, .scheduled_at = now, .attempt = 0};
  }
  next.finalized_at = now;
  return next;
}

void End(Transaction& transaction, std::int64_t row, const Job& job, const Outcome& outcome, bool rerun,
         Instant next_run, Instant now) {
  const Next next = NextOf(job, outcome, rerun, next_run, now);
  const bool failed = outcome.kind == Outcome::Kind::kRetry || outcome.kind == Outcome::Kind::kDiscard;
  const bool told = failed || outcome.waits_for_error;
  const std::string_view code = told ? ToString(outcome.error.code) : std::string_view();
  const std::string_view detail = told ? std::string_view(outcome.error.detail) : std::string_view();
  const auto send = [&](const auto& key) {
    transaction.Send(kEnd, key, jobs::ToString(next.state), next.scheduled_at, next.finalized_at, next.attempt, code,
                     detail);
  };
  transaction.dialect() == Dialect::kPostgres ? send(job.id) : send(row);
  if (next.state == jobs::JobState::kAvailable || next.state == jobs::JobState::kScheduled ||
      next.state == jobs::JobState::kRetryable) {
    transaction.WakeJobs();
  }
  // A job that is completed is the line of its last attempt itself: the log has the attempts that left no such trace.
  if (outcome.kind != Outcome::Kind::kSnooze && next.state != jobs::JobState::kCompleted) {
    transaction.Send(kLog, NewUuid(now), job.kind, job.id, job.attempt, OrNull(job.account_id),
                     failed ? "FAILED" : "COMPLETED", code, OrNull(detail), job.attempted_at, now);
  }
}

std::vector<JobId> ListIds(Rows rows) {
  std::vector<JobId> found;
  while (rows.Step()) found.push_back(rows.IdOf<JobId>(0));
  return found;
}

/// Of running jobs whose worker died.
int EndDeadAttempts(Transaction& transaction, const std::vector<JobId>& dead, Instant now) {
  const Error died{.code = ErrorCode::kLeaseLost, .detail = "the worker died", .retry_after = std::nullopt};
  for (const JobId& id : dead) {
    Job job;
    std::int64_t row = 0;
    bool rerun = false;
    {
      Rows rows = transaction.Query(kReadJob, id);
      rows.Step();
      job = ReadJob(rows);
      row = rows.Int(16);
      rerun = rows.Bool(17);
    }
    // Counted as an attempt: a job that kills its worker must come to an end.
    End(transaction, row, job, Outcome::Retry(died), rerun, now, now);
  }
  return static_cast<int>(dead.size());
}

/// Ends what is completed and was not asked for again, on PostgreSQL. Says of each report whether that was all.
std::vector<bool> CompleteAll(Transaction& transaction, const std::vector<jobs::Report>& reports, Instant now) {
  std::vector<bool> ended(reports.size(), false);
  std::vector<std::string> ids, tokens;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (reports[i].outcome.kind != Outcome::Kind::kCompleted) continue;
    ids.push_back(reports[i].lease.job_id.text());
    tokens.push_back(reports[i].lease.token);
    places.push_back(i);
  }
  if (places.empty()) return ended;
  Rows rows = transaction.Query(kCompleteAll, ToJsonArray(ids), ToJsonArray(tokens), now);
  while (rows.Step()) ended[places.at(static_cast<std::size_t>(rows.Int(0)) - 1)] = true;
  return ended;
}

}  // namespace

bool EndAttempt(Transaction& transaction, const jobs::Report& report, Instant now) {
  Job job;
  std::int64_t row = 0;
  bool rerun = false;
  {
    Rows rows = transaction.Query(kReadLeased, report.lease.job_id, report.lease.token);
    if (!rows.Step()) return false;
    job = ReadJob(rows);
    row = rows.Int(16);
    rerun = rows.Bool(17);
  }
  End(transaction, row, job, report.outcome, rerun, report.next_run, now);
  return true;
}

std::vector<jobs::Lease> EndAttempts(Transaction& transaction, const std::vector<jobs::Report>& reports, Instant now) {
  const bool together = transaction.dialect() == Dialect::kPostgres;
  const auto ended = together ? CompleteAll(transaction, reports, now) : std::vector<bool>(reports.size(), false);
  std::vector<jobs::Lease> lost;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (!ended[i] && !EndAttempt(transaction, reports[i], now)) lost.push_back(reports[i].lease);
  }
  return lost;
}

int RescueJobs(Transaction& transaction, std::optional<Instant> lease_until, int limit, Instant now) {
  return EndDeadAttempts(transaction, ListIds(transaction.Query(kExpired, lease_until, limit)), now);
}

int RescueClaimedBy(Transaction& transaction, const std::string& tokens, int limit, Instant now) {
  return EndDeadAttempts(transaction, ListIds(transaction.Query(kClaimedBy, tokens, limit)), now);
}

}  // namespace latchkey::storage
