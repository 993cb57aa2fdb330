#include "storage/job_store.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <tuple>

#include <fmt/format.h>

#include "base/id.hpp"
#include "base/random.hpp"
#include "storage/job_endings.hpp"
#include "storage/job_rows.hpp"

namespace latchkey::storage {
namespace {

using jobs::Job;
using jobs::Outcome;

// SQLite would take the index by state and look at everything that waits; named, it walks what is due. On PostgreSQL
// what somebody else is promoting is left to them.
const Statement kPromote(R"sql(
UPDATE jobs SET state = 'available'
WHERE row_id IN (SELECT row_id FROM jobs INDEXED BY idx_jobs_due WHERE state IN ('scheduled', 'retryable') AND scheduled_at <= $1
                 ORDER BY scheduled_at LIMIT $2))sql",
                         R"sql(
UPDATE jobs SET state = 'available'
WHERE id IN (SELECT id FROM jobs WHERE state IN ('scheduled', 'retryable') AND scheduled_at <= $1
             ORDER BY scheduled_at LIMIT $2 FOR UPDATE SKIP LOCKED))sql");
// One walk along the claim index per kind. A job whose account has one of its kind running is passed over.
const Statement kCandidates(R"sql(
SELECT j.row_id, j.priority, j.scheduled_at, j.connected_account_id FROM jobs j
WHERE j.state = 'available' AND j.kind = $1
  AND (j.connected_account_id IS NULL OR NOT EXISTS (
    SELECT 1 FROM jobs r WHERE r.state = 'running' AND r.connected_account_id = j.connected_account_id
      AND r.kind = j.kind))
ORDER BY j.priority, j.scheduled_at, j.row_id LIMIT $2)sql",
                            "");
const Statement kTake(R"sql(
UPDATE jobs SET state = 'running', attempt = attempt + 1, attempted_at = $2, lease_token = $3, lease_until = $4
WHERE row_id = $1)sql",
                      "");
// The same in one statement, beside others that claim: the same walk per kind ($1, a JSON array), passing over rows
// that are taken just now, then one job of each kind per account, then the first $2 of all kinds. $3 is the lease's
// token, $4 its length in microseconds from $5 on, or from the server's own now. The chosen rows are locked, so they
// are found again by where they are; one that somebody had changed just before (and who brings a waiting job forward
// wakes the workers) is left for the next claim.
const std::string kClaimRows = R"sql(
WITH waiting AS MATERIALIZED (
  SELECT j.* FROM json_array_elements_text($1) AS wanted (kind) CROSS JOIN LATERAL (
    SELECT j.ctid AS place, j.row_id, j.kind, j.priority, j.scheduled_at, j.connected_account_id FROM jobs j
    WHERE j.state = 'available' AND j.kind = wanted.kind
      AND (j.connected_account_id IS NULL OR NOT EXISTS (
        SELECT 1 FROM jobs r WHERE r.state = 'running' AND r.connected_account_id = j.connected_account_id
          AND r.kind = j.kind))
    ORDER BY j.priority, j.scheduled_at, j.row_id LIMIT $2 FOR UPDATE SKIP LOCKED) j),
chosen AS MATERIALIZED (
  SELECT place FROM (
    SELECT place, row_id, priority, scheduled_at, row_number() OVER (
      PARTITION BY kind, connected_account_id, CASE WHEN connected_account_id IS NULL THEN row_id END
      ORDER BY priority, scheduled_at, row_id) AS turn
    FROM waiting) AS ranked
  WHERE turn = 1 ORDER BY priority, scheduled_at, row_id LIMIT $2)
UPDATE jobs SET state = 'running', attempt = attempt + 1, lease_token = $3,
  attempted_at = coalesce(CAST($5 AS timestamptz), clock_timestamp()),
  lease_until = coalesce(CAST($5 AS timestamptz), clock_timestamp()) + CAST($4 AS bigint) * interval '1 microsecond'
WHERE ctid = ANY (ARRAY(SELECT place FROM chosen)) RETURNING )sql";

const std::string kJobs = "SELECT " + JobColumns() + " FROM jobs ";
const Statement kClaim("", kClaimRows + JobColumns());
const Statement kReadJob(kJobs + "WHERE id = $1");
const Statement kReadRow(kJobs + "WHERE row_id = $1", "");
const Statement kHeartbeat("UPDATE jobs SET lease_until = $3 WHERE id = $1 AND state = 'running' AND lease_token = $2",
                           "");
// All of them in one statement: $1 and $2 are JSON arrays of ids and tokens, $3 and $4 as $4 and $5 of the claim.
const Statement kHeartbeats("", R"sql(
UPDATE jobs j
SET lease_until = coalesce(CAST($4 AS timestamptz), clock_timestamp()) + CAST($3 AS bigint) * interval '1 microsecond'
FROM ROWS FROM (json_array_elements_text($1), json_array_elements_text($2)) AS held (id, token)
WHERE j.id = CAST(held.id AS uuid) AND j.state = 'running' AND j.lease_token = held.token RETURNING j.id, j.lease_token)sql");
const Statement kNextDue(R"sql(
SELECT min(scheduled_at) FROM jobs INDEXED BY idx_jobs_due WHERE state IN ('scheduled', 'retryable'))sql",
                         "SELECT min(scheduled_at) FROM jobs WHERE state IN ('scheduled', 'retryable')");

const Statement kReadState("SELECT state FROM jobs WHERE id = $1",
                           "SELECT state FROM jobs WHERE id = $1 FOR NO KEY UPDATE");
const Statement kRevive(R"sql(
UPDATE jobs SET state = 'available', scheduled_at = $2, finalized_at = NULL, attempt = 0 WHERE id = $1)sql");
const Statement kCancel("UPDATE jobs SET state = 'cancelled', finalized_at = $2 WHERE id = $1");
const Statement kPrune(R"sql(
DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finalized_at IS NOT NULL AND finalized_at < $1 LIMIT $2))sql");
const Statement kPruneLogs("DELETE FROM job_logs WHERE id IN (SELECT id FROM job_logs WHERE created_at < $1 LIMIT $2)");

constexpr int kPromoteAtOnce = 1000;
constexpr int kRescueAtOnce = 1000;
// Each one lost is another claimer's success: with ten at the same accounts about every fifth is.
constexpr int kClaimTries = 20;

std::int64_t Micros(std::chrono::milliseconds duration) { return std::chrono::microseconds(duration).count(); }

/// Has idx_jobs_state.
bool IndexedState(const std::optional<jobs::JobState>& state) {
  return state == jobs::JobState::kRetryable || state == jobs::JobState::kDiscarded ||
         state == jobs::JobState::kCancelled;
}

bool ParseRow(std::string_view text, std::int64_t& row) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), row);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

struct Candidate {
  std::int64_t row = 0, priority = 0, scheduled_at = 0;
  std::string account, kind;
};

std::vector<Candidate> FindCandidates(Transaction& transaction, const jobs::ClaimQuery& query) {
  std::vector<Candidate> candidates;
  for (const auto& kind : query.kinds) {
    Rows rows = transaction.Query(kCandidates, kind, query.limit);
    while (rows.Step()) {
      candidates.push_back({.row = rows.Int(0),
                            .priority = rows.Int(1),
                            .scheduled_at = rows.Int(2),
                            .account = rows.String(3),
                            .kind = kind});
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.priority, a.scheduled_at, a.row) < std::tie(b.priority, b.scheduled_at, b.row);
  });
  return candidates;
}

}  // namespace

Task<Result<JobId>> JobStore::Insert(const jobs::NewJob& job) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) { return InsertJob(transaction, job, now); };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

/// On PostgreSQL, where several processes claim at once.
Result<std::vector<Job>> JobStore::ClaimBesideOthers(Transaction& transaction, const jobs::ClaimQuery& query,
                                                     const std::string& token, Instant now) const {
  transaction.Send(kPromote, now, kPromoteAtOnce);
  struct Turn {
    jobs::Priority priority;
    Instant scheduled_at;
    std::int64_t row;
    std::size_t taken;
  };
  std::vector<Job> taken;
  taken.reserve(static_cast<std::size_t>(std::clamp(query.limit, 0, 512)));
  std::vector<Turn> turns;
  Rows rows =
      transaction.Query(kClaim, ToJsonArray(query.kinds), query.limit, token, Micros(query.lease), LeaseNow(clock_));
  while (rows.Step()) {
    const Job& job = taken.emplace_back(ReadJob(rows));
    turns.push_back(
        {.priority = job.priority, .scheduled_at = job.scheduled_at, .row = rows.Int(16), .taken = taken.size() - 1});
  }
  std::ranges::sort(turns, {}, [](const Turn& turn) { return std::tie(turn.priority, turn.scheduled_at, turn.row); });
  std::vector<Job> claimed;
  claimed.reserve(turns.size());
  for (const Turn& turn : turns) claimed.push_back(std::move(taken[turn.taken]));
  return claimed;
}

Task<Result<std::vector<Job>>> JobStore::Claim(const jobs::ClaimQuery& query) {
  const Instant now = clock_.Now();
  const std::string token = query.worker + RandomToken(16);
  auto write = [&](Transaction& transaction) -> Result<std::vector<Job>> {
    if (transaction.dialect() == Dialect::kPostgres) return ClaimBesideOthers(transaction, query, token, now);
    transaction.Send(kPromote, now, kPromoteAtOnce);
    std::vector<Job> claimed;
    std::vector<std::pair<std::string, std::string>> taken;  // account and kind
    for (const Candidate& candidate : FindCandidates(transaction, query)) {
      if (claimed.size() >= static_cast<std::size_t>(std::max(query.limit, 0))) break;
      std::pair owner(candidate.account, candidate.kind);
      if (!candidate.account.empty()) {
        if (std::find(taken.begin(), taken.end(), owner) != taken.end()) continue;
        taken.push_back(std::move(owner));
      }
      transaction.Send(kTake, candidate.row, now, query.worker + RandomToken(16), now + query.lease);
      Rows rows = transaction.Query(kReadRow, candidate.row);
      rows.Step();
      claimed.push_back(ReadJob(rows));
    }
    return claimed;
  };
  // Two that claim at the same instant may choose two jobs of one account and kind: the schema lets one of them have
  // its way, and the other looks again.
  for (int tries = 1;; ++tries) {
    auto claimed = co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
    if (claimed || claimed.error().code != ErrorCode::kAlreadyExists || tries == kClaimTries) co_return claimed;
  }
}

Task<Result<std::vector<jobs::Lease>>> JobStore::Heartbeat(const std::vector<jobs::Lease>& leases,
                                                           std::chrono::milliseconds lease) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<std::vector<jobs::Lease>> {
    std::vector<jobs::Lease> ours;
    if (transaction.dialect() == Dialect::kPostgres) {
      std::vector<std::string> ids, tokens;
      for (const auto& held : leases) {
        ids.push_back(held.job_id.text());
        tokens.push_back(held.token);
      }
      Rows rows =
          transaction.Query(kHeartbeats, ToJsonArray(ids), ToJsonArray(tokens), Micros(lease), LeaseNow(clock_));
      while (rows.Step()) ours.push_back({.job_id = rows.IdOf<JobId>(0), .token = rows.String(1)});
      return ours;
    }
    for (const auto& held : leases) {
      if (transaction.Execute(kHeartbeat, held.job_id, held.token, now + lease) == 1) ours.push_back(held);
    }
    return ours;
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> JobStore::Finish(const jobs::Lease& lease, const Outcome& outcome, Instant next_run) {
  const Instant now = clock_.Now();
  const jobs::Report report{.lease = lease, .outcome = outcome, .next_run = next_run};
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (EndAttempt(transaction, report, now)) return {};
    return Fail(ErrorCode::kLeaseLost, "another worker holds the job");
  };
  // By the job's own row, which is locked.
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::vector<jobs::Lease>>> JobStore::FinishAll(const std::vector<jobs::Report>& reports) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<std::vector<jobs::Lease>> {
    return EndAttempts(transaction, reports, now);
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<int>> JobStore::Rescue() {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<int> {
    return RescueJobs(transaction, transaction.dialect() == Dialect::kPostgres ? LeaseNow(clock_) : now, kRescueAtOnce,
                      now);
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<int>> JobStore::RescueWorker(std::string_view worker) {
  const Instant now = clock_.Now();
  const std::string tokens = std::string(worker) + "%";
  int rescued = 0;
  for (int some = kRescueAtOnce; some == kRescueAtOnce; rescued += some) {
    auto write = [&](Transaction& transaction) -> Result<int> {
      return RescueClaimedBy(transaction, tokens, kRescueAtOnce, now);
    };
    auto ended = co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
    if (!ended) co_return Fail(ended.error());
    some = *ended;
  }
  co_return rescued;
}

Task<Result<std::optional<Instant>>> JobStore::NextDue() {
  auto read = [](Connection& connection) -> Result<std::optional<Instant>> {
    Rows rows = connection.Query(kNextDue);
    rows.Step();
    return rows.MaybeTime(0);
  };
  co_return co_await engine_.Read(read);
}

Task<Result<Job>> JobStore::Get(const JobId& id) {
  auto read = [&](Connection& connection) -> Result<Job> {
    Rows rows = connection.Query(kReadJob, id);
    if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such job");
    return ReadJob(rows);
  };
  co_return co_await engine_.Read(read);
}

Task<Result<jobs::JobPage>> JobStore::List(const jobs::JobFilter& filter) {
  const int limit = std::clamp(filter.limit, 1, 500);
  auto read = [&](Connection& connection) -> Result<jobs::JobPage> {
    // Each filter has an index that gives rows newest first; the rest is looked at row by row. On PostgreSQL only those
    // indexes know the rows' numbers: without them the ids do, which begin with the time.
    const bool by_id =
        connection.dialect() == Dialect::kPostgres && filter.account_id.empty() && !IndexedState(filter.state);
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    std::string_view before_id = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    if (!filter.cursor.empty()) {
      if (by_id ? !IsUuid(filter.cursor) : !ParseRow(filter.cursor, before)) {
        return Fail(ErrorCode::kInvalidArgument, "not our cursor");
      }
      before_id = filter.cursor;
    }
    const std::string_view key = by_id ? "id" : "row_id";
    std::string sql = fmt::format("{}WHERE {} < $1", kJobs, key);
    if (!filter.account_id.empty()) sql += " AND connected_account_id = $2";
    if (filter.state) sql += " AND state = $3";
    if (!filter.kind.empty()) sql += " AND kind = $4";
    // Every parameter has to be there, and to have a type.
    sql += fmt::format(
        " AND (CAST($2 AS text) IS NULL OR TRUE) AND (CAST($3 AS text) IS NULL OR TRUE)"
        " AND (CAST($4 AS text) IS NULL OR TRUE) ORDER BY {} DESC LIMIT $5",
        key);
    const std::string_view state = filter.state ? jobs::ToString(*filter.state) : std::string_view();
    const auto ask = [&](const auto& from) {
      return connection.Query(sql, from, OrNull(filter.account_id), OrNull(state), OrNull(filter.kind), limit + 1);
    };
    jobs::JobPage page;
    Rows rows = by_id ? ask(before_id) : ask(before);
    std::string last;
    while (rows.Step()) {
      if (static_cast<int>(page.items.size()) == limit) {
        page.next_cursor = last;
        break;
      }
      page.items.push_back(ReadJob(rows));
      last = by_id ? page.items.back().id.text() : std::to_string(rows.Int(16));
    }
    return page;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> JobStore::RetryNow(const JobId& id) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    Rows rows = transaction.Query(kReadState, id);
    if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such job");
    if (rows.Text(0) != "discarded" && rows.Text(0) != "cancelled") {
      return Fail(ErrorCode::kConflict, "only a discarded or cancelled job can be retried");
    }
    try {
      transaction.Execute(kRevive, id, now);
    } catch (const DatabaseError& error) {
      if (error.error_code() != ErrorCode::kAlreadyExists) throw;
      return Fail(ErrorCode::kConflict, "a newer job does the same work");
    }
    transaction.WakeJobs();
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<void>> JobStore::Cancel(const JobId& id) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    Rows rows = transaction.Query(kReadState, id);
    if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such job");
    const auto state = jobs::ParseJobState(rows.Text(0));
    if (state != jobs::JobState::kAvailable && state != jobs::JobState::kScheduled &&
        state != jobs::JobState::kRetryable) {
      return Fail(ErrorCode::kConflict, "the job does not wait");
    }
    transaction.Send(kCancel, id, now);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<int>> JobStore::Prune(Instant before, int limit) {
  auto write = [&](Transaction& transaction) -> Result<int> {
    const auto deleted = transaction.Execute(kPrune, before, limit) + transaction.Execute(kPruneLogs, before, limit);
    return static_cast<int>(deleted);
  };
  co_return co_await engine_.Write(write);
}

}  // namespace latchkey::storage
