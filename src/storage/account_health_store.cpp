// The part of the account store that keeps faults, the schedule and the operator's notices.

#include <fmt/format.h>

#include <algorithm>

#include "storage/account_store.hpp"

namespace latchkey::storage {
namespace {

const Statement kReadFault(
    "SELECT user_id, generation, disconnecting, fault_code, paused_at IS NOT NULL, reauth_notified_at IS NOT NULL "
    "FROM connected_accounts WHERE id = $1");
const Statement kNoteTold("UPDATE connected_accounts SET reauth_notified_at = $2 WHERE id = $1");
const Statement kKeepChallenge(R"sql(
UPDATE connected_accounts SET claims_challenge = $3 WHERE id = $1 AND generation = $2 AND disconnecting = FALSE)sql");
const Statement kSetFault(R"sql(
UPDATE connected_accounts
SET fault_code = $2, fault_since = CASE WHEN fault_code IS NOT DISTINCT FROM $2 THEN fault_since ELSE $4 END, next_attempt_at = $3,
    updated_at = $4
WHERE id = $1 AND (fault_code IS DISTINCT FROM $2 OR next_attempt_at IS DISTINCT FROM $3))sql");
// Waiting for the person: nothing is due until they act.
const Statement kFaultStatus(R"sql(
UPDATE email_sync_status
SET sync_status = 'FAILED', error_message = $2, next_sync_at = CASE WHEN $3 THEN NULL ELSE coalesce($4, next_sync_at) END,
    updated_at = $5
WHERE connected_account_id = $1)sql");
const Statement kClearFault(R"sql(
UPDATE connected_accounts
SET fault_code = NULL, fault_since = NULL, next_attempt_at = NULL, last_success_at = $2, updated_at = $2
WHERE id = $1)sql");
const Statement kClearStatus(R"sql(
UPDATE email_sync_status
SET sync_status = CASE WHEN epoch = 0 THEN 'PENDING' WHEN backfill_complete THEN 'COMPLETED' ELSE 'IN_PROGRESS' END,
    error_message = NULL, next_sync_at = coalesce(next_sync_at, $2), updated_at = $2
WHERE connected_account_id = $1)sql");
const Statement kNoteSuccess("UPDATE connected_accounts SET last_success_at = $2 WHERE id = $1");

// The partial index on next_sync_at: only what is due is looked at.
const Statement kTakeDue(R"sql(
SELECT s.connected_account_id, a.generation
FROM email_sync_status s JOIN connected_accounts a ON a.id = s.connected_account_id
WHERE s.next_sync_at IS NOT NULL AND s.next_sync_at <= $1
ORDER BY s.next_sync_at LIMIT $2)sql",
                         R"sql(
SELECT s.connected_account_id, a.generation
FROM email_sync_status s JOIN connected_accounts a ON a.id = s.connected_account_id
WHERE s.next_sync_at IS NOT NULL AND s.next_sync_at <= $1
ORDER BY s.next_sync_at LIMIT $2
FOR UPDATE OF s SKIP LOCKED)sql");
const Statement kMoveOn("UPDATE email_sync_status SET next_sync_at = $2 WHERE connected_account_id = $1");
// The index on the last use: only what has rested for long is looked at.
const Statement kTakeUnused(R"sql(
SELECT id, generation, fault_code FROM connected_accounts
WHERE coalesce(last_refresh_at, created_at) < $1 AND disconnecting = 0 AND refresh_token <> ''
ORDER BY coalesce(last_refresh_at, created_at))sql",
                            R"sql(
SELECT id, generation, fault_code FROM connected_accounts
WHERE coalesce(last_refresh_at, created_at) < $1 AND NOT disconnecting AND refresh_token <> ''
ORDER BY coalesce(last_refresh_at, created_at))sql");
const Statement kHasCalendars("SELECT 1 FROM calendar_sync_status WHERE connected_account_id = $1");
const Statement kReadForSync(
    "SELECT generation, paused_at IS NOT NULL, disconnecting FROM connected_accounts WHERE id = $1 AND user_id = $2");

const Statement kRaise(R"sql(
INSERT INTO notices (provider, code, since, last_seen, count, reason) VALUES ($1, $2, $3, $3, 1, $4)
ON CONFLICT (provider, code) DO UPDATE
SET reason = CASE WHEN excluded.reason = '' AND notices.resolved_at IS NULL THEN notices.reason ELSE excluded.reason END,
    since = CASE WHEN notices.resolved_at IS NULL THEN notices.since ELSE excluded.since END,
    count = CASE WHEN notices.resolved_at IS NULL THEN notices.count + 1 ELSE 1 END,
    last_seen = excluded.last_seen, resolved_at = NULL)sql");
const Statement kOpenNotices("SELECT code FROM notices WHERE provider = $1 AND resolved_at IS NULL");
const Statement kResolve(
    "UPDATE notices SET resolved_at = $3 WHERE provider = $1 AND code = $2 AND resolved_at IS NULL");
const Statement kAwakenJobs(R"sql(
UPDATE jobs SET scheduled_at = $3
WHERE state IN ('scheduled', 'retryable') AND last_error_code = $2 AND scheduled_at > $3
  AND connected_account_id IN (SELECT id FROM connected_accounts WHERE provider = $1))sql");
// Before the jobs: each of them looks when its mail is due.
const Statement kAwakenMail(R"sql(
UPDATE outbox SET send_at = $3
WHERE state = 'queued' AND error_code = $2 AND send_at > $3
  AND connected_account_id IN (SELECT id FROM connected_accounts WHERE provider = $1))sql");
const Statement kListNotices(
    "SELECT code, provider, since, last_seen, count, reason FROM notices WHERE resolved_at IS NULL ORDER BY since");

const Statement kCountSharing(R"sql(
SELECT count(*) FROM connected_accounts
WHERE provider = $1 AND provider_account_id = $2 AND id <> $3 AND disconnecting = FALSE)sql");

struct FaultRow {
  UserId user_id;
  std::string code;
  bool paused = false;
  bool told = false;  ///< The person was told that they have to sign in again.

  std::optional<ErrorCode> fault() const { return code.empty() ? std::nullopt : ParseErrorCode(code); }
};

Result<FaultRow> ReadFault(Transaction& transaction, const ConnectedAccountId& id, std::int64_t generation) {
  Rows rows = transaction.Query(kReadFault, id);
  if (!rows.Step() || rows.Int(1) != generation || rows.Bool(2)) {
    return Fail(ErrorCode::kFenced, "the account is gone or of another generation");
  }
  return FaultRow{
      .user_id = rows.IdOf<UserId>(0), .code = rows.String(3), .paused = rows.Bool(4), .told = rows.Bool(5)};
}

std::unexpected<Error> Paused() { return Fail(ErrorCode::kFenced, "the account is paused"); }

void TellToSignIn(Transaction& transaction, const UserId& user, const ConnectedAccountId& id, std::string_view fault,
                  Instant now) {
  transaction.Send(kNoteTold, id, now);
  const events::NewEvent event{.type = "account.needs_reauth",
                               .user_id = user,
                               .account_id = id,
                               .payload = fmt::format(R"({{"account_id":"{}","reason":{}}})", id, JsonString(fault))};
  WriteEvent(transaction, event, now);
}

}  // namespace

Task<Result<void>> AccountStore::SetFault(const ConnectedAccountId& id, std::int64_t generation, ErrorCode code,
                                          std::optional<Instant> next_attempt_at, const jobs::Lease& lease) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto held = CheckLease(transaction, lease); !held) return held;
    auto before = ReadFault(transaction, id, generation);
    if (!before) return Fail(std::move(before.error()));
    const bool needs_sign_in = connected_accounts::NeedsSignIn(code);
    if (before->paused && !needs_sign_in) return Paused();
    const auto held = before->fault();
    if (held && connected_accounts::NeedsSignIn(*held) && !needs_sign_in) return {};
    const std::string_view name = ToString(code);
    const bool waits_for_person = !next_attempt_at && OwnerOf(code) == FaultOwner::kAccount;
    const bool changed = transaction.Execute(kSetFault, id, name, next_attempt_at, now) > 0;
    // Also when the fault is the same: a resumed account may have become due meanwhile.
    if (!before->paused) transaction.Send(kFaultStatus, id, name, waits_for_person, next_attempt_at, now);
    if (needs_sign_in && !before->told) TellToSignIn(transaction, before->user_id, id, name, now);
    if (changed) WriteAccountUpdated(transaction, before->user_id, id, now);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<void>> AccountStore::ClearFault(const ConnectedAccountId& id, std::int64_t generation,
                                            const jobs::Lease& lease) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto held = CheckLease(transaction, lease); !held) return held;
    auto before = ReadFault(transaction, id, generation);
    if (!before) return Fail(std::move(before.error()));
    if (before->paused) return Paused();
    const auto held = before->fault();
    if (!held || connected_accounts::EndsWithNewTokens(*held)) {
      transaction.Send(kNoteSuccess, id, now);
      return {};
    }
    transaction.Send(kClearFault, id, now);
    transaction.Send(kClearStatus, id, now);
    WriteAccountUpdated(transaction, before->user_id, id, now);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<void>> AccountStore::KeepClaimsChallenge(const ConnectedAccountId& id, std::int64_t generation,
                                                     std::string_view challenge) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kKeepChallenge, id, generation, challenge);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<int>> AccountStore::ScheduleUnused(Instant used_before, int limit, std::string_view kind) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<int> {
    std::vector<Due> unused;
    {
      Rows rows = transaction.Query(kTakeUnused, used_before);
      while (static_cast<int>(unused.size()) < limit && rows.Step()) {
        const auto fault = rows.IsNull(2) ? std::nullopt : ParseErrorCode(rows.Text(2));
        if (fault && connected_accounts::NeedsSignIn(*fault)) continue;
        unused.push_back({.id = rows.IdOf<ConnectedAccountId>(0), .generation = rows.Int(1)});
      }
    }
    for (const Due& account : unused) {
      const jobs::NewJob job{.kind = std::string(kind),
                             .priority = jobs::Priority::kNormal,
                             .unique_key = jobs::AccountKey(kind, account.id),
                             .account_id = account.id,
                             .generation = account.generation};
      if (auto inserted = InsertJob(transaction, job, now); !inserted) return Fail(std::move(inserted.error()));
    }
    return static_cast<int>(unused.size());
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<int>> AccountStore::ScheduleDue(Instant now, Instant next, int limit, std::string_view kind) {
  auto write = [&](Transaction& transaction) -> Result<int> {
    std::vector<Due> due;
    {
      Rows rows = transaction.Query(kTakeDue, now, limit);
      while (rows.Step()) due.push_back({.id = rows.IdOf<ConnectedAccountId>(0), .generation = rows.Int(1)});
    }
    for (const Due& account : due) {
      transaction.Send(kMoveOn, account.id, next);
      const jobs::NewJob job{.kind = std::string(kind),
                             .priority = jobs::Priority::kLive,
                             .unique_key = jobs::AccountKey(kind, account.id),
                             .account_id = account.id,
                             .generation = account.generation};
      if (auto inserted = InsertJob(transaction, job, now); !inserted) return Fail(std::move(inserted.error()));
    }
    return static_cast<int>(due.size());
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<void>> AccountStore::RequestSync(const UserId& user, const ConnectedAccountId& id) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    Rows rows = transaction.Query(kReadForSync, id, user);
    if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such account");
    if (rows.Bool(1)) return Fail(ErrorCode::kConflict, "the account is paused");
    if (rows.Bool(2)) return Fail(ErrorCode::kConflict, "the account is being erased");
    const jobs::NewJob job{.kind = std::string(jobs::kFetchEmails),
                           .priority = jobs::Priority::kInteractive,
                           .unique_key = jobs::AccountKey(jobs::kFetchEmails, id),
                           .account_id = id,
                           .generation = rows.Int(0)};
    if (auto inserted = InsertJob(transaction, job, now); !inserted) return Fail(std::move(inserted.error()));
    if (transaction.Query(kHasCalendars, id).Step()) {
      jobs::NewJob calendars = job;
      calendars.kind = jobs::kFetchCalendar;
      calendars.unique_key = jobs::AccountKey(jobs::kFetchCalendar, id);
      if (auto inserted = InsertJob(transaction, calendars, now); !inserted) return Fail(std::move(inserted.error()));
    }
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<int>> AccountStore::CountSharingGrant(std::string_view provider, std::string_view provider_account_id,
                                                  const ConnectedAccountId& except) {
  auto read = [&](Connection& connection) -> Result<int> {
    Rows rows = connection.Query(kCountSharing, provider, provider_account_id, except);
    rows.Step();
    return static_cast<int>(rows.Int(0));
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> AccountStore::RaiseNotice(std::string_view provider, ErrorCode code, std::string_view reason) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kRaise, provider, ToString(code), now, reason);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<void>> AccountStore::ResolveNotices(std::string_view provider, std::vector<ErrorCode> faults) {
  const Instant now = clock_.Now();
  const auto read_open = [&](auto& connection) {
    std::vector<std::string> open;
    Rows rows = connection.Query(kOpenNotices, provider);
    while (rows.Step()) {
      const auto code = ParseErrorCode(rows.Text(0));
      if (code && std::ranges::find(faults, *code) != faults.end()) open.push_back(rows.String(0));
    }
    return open;
  };
  // Asked after every success: nearly always there is nothing to write.
  auto any = [&](Connection& connection) -> Result<bool> { return !read_open(connection).empty(); };
  const auto found = co_await engine_.Read(any);
  if (!found) co_return Fail(found.error());
  if (!*found) co_return Result<void>();
  auto write = [&](Transaction& transaction) -> Result<void> {
    for (const std::string& code : read_open(transaction)) {
      transaction.Execute(kResolve, provider, code, now);
      transaction.Execute(kAwakenMail, provider, code, now);
      transaction.Execute(kAwakenJobs, provider, code, now);
      transaction.WakeJobs();
    }
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<std::vector<AccountStore::Notice>>> AccountStore::ListNotices() {
  auto read = [](Connection& connection) -> Result<std::vector<Notice>> {
    std::vector<Notice> notices;
    Rows rows = connection.Query(kListNotices);
    while (rows.Step()) {
      notices.push_back({.code = rows.String(0),
                         .provider = rows.String(1),
                         .reason = rows.String(5),
                         .since = rows.Time(2),
                         .last_seen = rows.Time(3),
                         .count = rows.Int(4)});
    }
    return notices;
  };
  co_return co_await engine_.Read(read);
}

}  // namespace latchkey::storage
