#include "storage/job_endings.hpp"

#include <algorithm>
#include <set>

#include "base/id.hpp"
#include "storage/job_rows.hpp"

namespace latchkey::storage {
namespace {

using jobs::Job;
using jobs::Outcome;

const Statement kReadRow("SELECT " + JobColumns() + " FROM jobs WHERE row_id = $1");
const Statement kReadLeased(
    "SELECT " + JobColumns() + " FROM jobs WHERE id = $1 AND state = 'running' AND lease_token = $2",
    "SELECT " + JobColumns() + " FROM jobs WHERE id = $1 AND state = 'running' AND lease_token = $2 FOR NO KEY UPDATE");

const Statement kEnd(R"sql(
UPDATE jobs SET state = $2, scheduled_at = $3, finalized_at = $4, attempt = $5, last_error_code = $6, last_error = $7,
  lease_token = NULL, lease_until = NULL, rerun = FALSE
WHERE row_id = $1)sql");
const Statement kLog(R"sql(
INSERT INTO job_logs (id, job_type, job_id, attempt, connected_account_id, status, error_code, error_message,
                      started_at, completed_at, created_at)
VALUES ($1, $2, $3, $4, (SELECT id FROM connected_accounts WHERE id = $5), $6, $7, $8, $9, $10, $10))sql");

// Those that are completed, all at once: $1 and $2 are JSON arrays of ids and lease tokens, $3 of ids for the log, $4
// is now. Locked in one order, so that two that do this never wait for each other. What was asked for again while it
// ran goes round once more.
const Statement kCompleteAll("", R"sql(
WITH held AS MATERIALIZED (
  SELECT j.row_id, j.id, j.kind, j.attempt, j.attempted_at, j.connected_account_id, j.lease_token, j.rerun, told.log_id
  FROM ROWS FROM (json_array_elements_text($1), json_array_elements_text($2), json_array_elements_text($3))
    AS told (id, token, log_id)
  JOIN jobs j ON j.id = CAST(told.id AS uuid) AND j.state = 'running' AND j.lease_token = told.token
  ORDER BY j.row_id FOR NO KEY UPDATE OF j),
logged AS (
  INSERT INTO job_logs (id, job_type, job_id, attempt, connected_account_id, status, error_code, error_message,
                        started_at, completed_at, created_at)
  SELECT CAST(h.log_id AS uuid), h.kind, h.id, h.attempt, a.id, 'COMPLETED', '', NULL, h.attempted_at,
    CAST($4 AS timestamptz), CAST($4 AS timestamptz)
  FROM held h LEFT JOIN connected_accounts a ON a.id = h.connected_account_id)
UPDATE jobs j SET
  state = CASE WHEN held.rerun THEN 'available' ELSE 'completed' END,
  scheduled_at = CASE WHEN held.rerun THEN CAST($4 AS timestamptz) ELSE j.scheduled_at END,
  finalized_at = CASE WHEN held.rerun THEN NULL ELSE CAST($4 AS timestamptz) END,
  attempt = CASE WHEN held.rerun THEN 0 ELSE j.attempt END,
  last_error_code = '', last_error = '', lease_token = NULL, lease_until = NULL, rerun = FALSE
FROM held WHERE j.row_id = held.row_id RETURNING held.id, held.lease_token, held.rerun)sql");

const Statement kExpired("SELECT row_id FROM jobs WHERE state = 'running' AND lease_until <= $1 LIMIT $2",
                         "SELECT row_id FROM jobs WHERE state = 'running' AND lease_until <= "
                         "coalesce(CAST($1 AS timestamptz), clock_timestamp()) LIMIT $2 FOR UPDATE SKIP LOCKED");
const Statement kClaimedBy("SELECT row_id FROM jobs WHERE state = 'running' AND lease_token LIKE $1 LIMIT $2",
                           "SELECT row_id FROM jobs WHERE state = 'running' AND lease_token LIKE $1 LIMIT $2 "
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
  transaction.Send(kEnd, row, jobs::ToString(next.state), next.scheduled_at, next.finalized_at, next.attempt, code,
                   detail);
  if (next.state == jobs::JobState::kAvailable || next.state == jobs::JobState::kScheduled ||
      next.state == jobs::JobState::kRetryable) {
    transaction.WakeJobs();
  }
  if (outcome.kind != Outcome::Kind::kSnooze) {
    transaction.Send(kLog, NewUuid(now), job.kind, job.id, job.attempt, OrNull(job.account_id),
                     failed ? "FAILED" : "COMPLETED", code, OrNull(detail), job.attempted_at, now);
  }
}

std::vector<std::int64_t> ListRows(Rows rows) {
  std::vector<std::int64_t> found;
  while (rows.Step()) found.push_back(rows.Int(0));
  return found;
}

/// Of running jobs whose worker died.
int EndDeadAttempts(Transaction& transaction, const std::vector<std::int64_t>& dead, Instant now) {
  const Error died{.code = ErrorCode::kLeaseLost, .detail = "the worker died", .retry_after = std::nullopt};
  for (const std::int64_t row : dead) {
    Job job;
    bool rerun = false;
    {
      Rows rows = transaction.Query(kReadRow, row);
      rows.Step();
      job = ReadJob(rows);
      rerun = rows.Bool(17);
    }
    // Counted as an attempt: a job that kills its worker must come to an end.
    End(transaction, row, job, Outcome::Retry(died), rerun, now, now);
  }
  return static_cast<int>(dead.size());
}

/// What is completed, on PostgreSQL. Returns the leases that are still held.
std::set<std::pair<JobId, std::string>> CompleteAll(Transaction& transaction, const std::vector<jobs::Report>& reports,
                                                    Instant now) {
  std::vector<std::string> ids, tokens, log_ids;
  for (const auto& report : reports) {
    if (report.outcome.kind != Outcome::Kind::kCompleted) continue;
    ids.push_back(report.lease.job_id.text());
    tokens.push_back(report.lease.token);
    log_ids.push_back(NewUuid(now));
  }
  std::set<std::pair<JobId, std::string>> held;
  if (ids.empty()) return held;
  Rows rows = transaction.Query(kCompleteAll, ToJsonArray(ids), ToJsonArray(tokens), ToJsonArray(log_ids), now);
  bool again = false;
  while (rows.Step()) {
    held.emplace(rows.IdOf<JobId>(0), rows.String(1));
    again = again || rows.Bool(2);
  }
  if (again) transaction.WakeJobs();
  return held;
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
  std::set<std::pair<JobId, std::string>> completed;
  if (together) completed = CompleteAll(transaction, reports, now);
  std::vector<jobs::Lease> lost;
  for (const auto& report : reports) {
    const bool ended = together && report.outcome.kind == Outcome::Kind::kCompleted
                           ? completed.contains({report.lease.job_id, report.lease.token})
                           : EndAttempt(transaction, report, now);
    if (!ended) lost.push_back(report.lease);
  }
  return lost;
}

int RescueJobs(Transaction& transaction, std::optional<Instant> lease_until, int limit, Instant now) {
  return EndDeadAttempts(transaction, ListRows(transaction.Query(kExpired, lease_until, limit)), now);
}

int RescueClaimedBy(Transaction& transaction, const std::string& tokens, int limit, Instant now) {
  return EndDeadAttempts(transaction, ListRows(transaction.Query(kClaimedBy, tokens, limit)), now);
}

}  // namespace latchkey::storage
