#include "storage/rows.hpp"

#include <boost/json.hpp>

#include <fmt/format.h>

namespace latchkey::storage {
namespace {

const Statement kInsertJob(R"sql(
INSERT INTO jobs (id, kind, args, priority, state, max_attempts, unique_key, connected_account_id, generation,
                  created_at, scheduled_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING)sql");

// Locked, so that it is still what it was when it is changed a moment later.
const Statement kFindByUniqueKey("SELECT id, state FROM jobs WHERE unique_key = $1 AND finalized_at IS NULL",
                                 "SELECT id, state FROM jobs WHERE unique_key = $1 AND finalized_at IS NULL "
                                 "FOR NO KEY UPDATE");

// What waits is brought forward; a running job is asked to run once more with the newer arguments.
const Statement kBringForward(R"sql(
UPDATE jobs
SET priority = CASE WHEN priority < $2 THEN priority ELSE $2 END,
    scheduled_at = CASE WHEN scheduled_at < $3 THEN scheduled_at ELSE $3 END,
    state = CASE WHEN scheduled_at <= $4 OR $3 <= $4 THEN 'available' ELSE state END
WHERE id = $1 AND (priority > $2 OR scheduled_at > $3 OR (state <> 'available' AND scheduled_at <= $4)))sql");

const Statement kAskToRerun(
    "UPDATE jobs SET rerun = TRUE, priority = CASE WHEN priority < $2 THEN priority ELSE $2 END WHERE id = $1");

const Statement kCancelWaiting(R"sql(
UPDATE jobs SET state = 'cancelled', finalized_at = $2
WHERE connected_account_id = $1 AND state IN ('available', 'scheduled', 'retryable'))sql");

const Statement kCancelWaitingOfKind(R"sql(
UPDATE jobs SET state = 'cancelled', finalized_at = $2
WHERE connected_account_id = $1 AND state IN ('available', 'scheduled', 'retryable') AND kind = $3)sql");

// Ids of one user have to become visible in their order, or a reader that asks for what came after the last one misses
// some. So a user's writers take turns, from the giving out of an id to the commit.
const Statement kInsertEvent(
    "INSERT INTO events (type, user_id, connected_account_id, payload, created_at) VALUES ($1, $2, $3, $4, $5)",
    R"sql(
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(5390, hashtext(CAST($2 AS text))))
INSERT INTO events (type, user_id, connected_account_id, payload, created_at)
SELECT $1, CAST(CAST($2 AS text) AS uuid), CAST($3 AS uuid), CAST($4 AS json), CAST($5 AS timestamptz) FROM turn)sql");

// The account's row is the lock of its mailbox: one writer at a time, and none beside a pause or an erase. Keys of
// other rows may go on pointing at it.
const Statement kReadFence(
    "SELECT user_id, generation, paused_at IS NOT NULL, disconnecting FROM connected_accounts WHERE id = $1",
    "SELECT user_id, generation, paused_at IS NOT NULL, disconnecting FROM connected_accounts WHERE id = $1 "
    "FOR NO KEY UPDATE");

const Statement kCheckLease("SELECT 1 FROM jobs WHERE id = $1 AND state = 'running' AND lease_token = $2");

constexpr std::size_t kMaxJobArgs = 4096;
constexpr int kInsertTries = 10;

}  // namespace

Result<JobId> InsertJob(Transaction& transaction, const jobs::NewJob& job, Instant now) {
  if (job.kind.empty() || job.args.size() > kMaxJobArgs || job.max_attempts < 1) {
    return Fail(ErrorCode::kInvalidArgument, "a job needs a kind, at most 4 KiB of arguments and one attempt");
  }
  const Instant due = job.scheduled_at.value_or(now);
  const auto id = JobId::New(now);
  transaction.WakeJobs();
  const auto state = due > now ? jobs::JobState::kScheduled : jobs::JobState::kAvailable;
  // The holder of the key may end between the two looks: then the key is free.
  for (int tries = 0; tries < kInsertTries; ++tries) {
    const auto inserted =
        transaction.Execute(kInsertJob, id, job.kind, job.args, static_cast<int>(job.priority), jobs::ToString(state),
                            job.max_attempts, OrNull(job.unique_key), OrNull(job.account_id), job.generation, now, due);
    if (inserted == 1) return id;

    Rows holder = transaction.Query(kFindByUniqueKey, job.unique_key);
    if (!holder.Step()) continue;
    auto held_by = holder.IdOf<JobId>(0);
    if (holder.Text(1) == "running") {
      transaction.Send(kAskToRerun, held_by, static_cast<int>(job.priority));
    } else {
      transaction.Send(kBringForward, held_by, static_cast<int>(job.priority), due, now);
    }
    return held_by;
  }
  return Fail(ErrorCode::kConflict, "a job was refused again and again without a holder of its unique key");
}

void CancelWaitingJobs(Transaction& transaction, const ConnectedAccountId& account,
                       const std::vector<std::string_view>& kinds, Instant now) {
  if (kinds.empty()) transaction.Send(kCancelWaiting, account, now);
  for (const auto kind : kinds) transaction.Send(kCancelWaitingOfKind, account, now, kind);
}

void WriteEvent(Transaction& transaction, const events::NewEvent& event, Instant now) {
  transaction.Send(kInsertEvent, event.type, event.user_id, OrNull(event.account_id), event.payload, now);
  transaction.WakeEvents(event.user_id);
}

void WriteAccountUpdated(Transaction& transaction, const UserId& user, const ConnectedAccountId& account, Instant now) {
  const events::NewEvent event{.type = "account.updated",
                               .user_id = user,
                               .account_id = account,
                               .payload = fmt::format(R"({{"account_id":"{}"}})", account)};
  WriteEvent(transaction, event, now);
}

Result<void> CheckLease(Transaction& transaction, const jobs::Lease& lease) {
  if (lease.job_id.empty()) return {};
  if (!transaction.Query(kCheckLease, lease.job_id, lease.token).Step()) {
    return Fail(ErrorCode::kLeaseLost, "another worker holds the job");
  }
  return {};
}

Result<FencedAccount> CheckFence(Transaction& transaction, const mail::WriteFence& fence) {
  Rows account = transaction.Query(kReadFence, fence.account_id);
  if (!account.Step()) return Fail(ErrorCode::kFenced, "the account is gone");
  if (account.Int(1) != fence.generation) return Fail(ErrorCode::kFenced, "the account has another generation");
  if (account.Bool(2)) return Fail(ErrorCode::kFenced, "the account is paused");
  if (account.Bool(3)) return Fail(ErrorCode::kFenced, "the account is being erased");
  if (auto held = CheckLease(transaction, fence.lease); !held) return Fail(std::move(held.error()));
  return FencedAccount{.user_id = account.IdOf<UserId>(0)};
}

std::optional<Instant> LeaseNow(const Clock& clock) {
  if (dynamic_cast<const SystemClock*>(&clock) != nullptr) return std::nullopt;
  return clock.Now();
}

std::string JsonString(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

std::string ToJsonArray(const std::vector<std::string>& items) {
  std::string json = "[";
  for (const std::string& item : items) {
    if (json.size() > 1) json += ',';
    json += JsonString(item);
  }
  json += ']';
  return json;
}

std::string ToJsonObject(const std::map<std::string, std::string>& members) {
  std::string json = "{";
  for (const auto& [name, value] : members) {
    if (json.size() > 1) json += ',';
    json += JsonString(name) + ':' + JsonString(value);
  }
  json += '}';
  return json;
}

std::map<std::string, std::string> ParseTextMap(std::string_view json) {
  std::map<std::string, std::string> members;
  boost::system::error_code error;
  const auto parsed = boost::json::parse(boost::json::string_view(json.data(), json.size()), error);
  if (error || !parsed.is_object()) return members;
  for (const auto& member : parsed.get_object()) {
    if (!member.value().is_string()) continue;
    const boost::json::string& text = member.value().get_string();
    members.emplace(std::string(member.key()), std::string(text.data(), text.size()));
  }
  return members;
}

std::vector<std::string> ParseJsonArray(std::string_view json) {
  std::vector<std::string> items;
  if (json.find('\\') != std::string_view::npos) {
    boost::system::error_code error;
    const auto parsed = boost::json::parse(boost::json::string_view(json.data(), json.size()), error);
    if (error || !parsed.is_array()) return items;
    for (const auto& item : parsed.get_array()) {
      if (item.is_string()) items.emplace_back(item.get_string().data(), item.get_string().size());
    }
    return items;
  }
  // Nearly always: plain strings without escapes, cut at their quotes.
  for (std::size_t open = json.find('"'); open != std::string_view::npos; open = json.find('"', open)) {
    const std::size_t close = json.find('"', open + 1);
    if (close == std::string_view::npos) break;
    items.emplace_back(json.substr(open + 1, close - open - 1));
    open = close + 1;
  }
  return items;
}

}  // namespace latchkey::storage
