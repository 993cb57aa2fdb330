#include "storage/account_store.hpp"

#include <fmt/format.h>

#include <charconv>
#include <sstream>

#include "base/encoding.hpp"

namespace latchkey::storage {
namespace {

using connected_accounts::Capability;
using Account = connected_accounts::ConnectedAccount;

// sync_running asks the index of running jobs, which holds as many rows as jobs run. Of the outbox the newest mail that
// ended or met something, along its index by account: behind a mail that went out nothing older matters.
const std::string kAccounts = R"sql(
SELECT a.id, a.user_id, a.provider, a.provider_account_id, a.email, a.display_name, a.requested_capabilities, a.scope,
       a.granted_capabilities, a.generation, a.paused_at, a.disconnecting, a.fault_code, a.fault_since,
       a.next_attempt_at, a.last_success_at, a.token_expires_at, a.created_at, s.backfill_complete, s.backfill_done,
       s.backfill_total, s.epoch, s.backfill_started_at, s.synced_messages_count,
       EXISTS (SELECT 1 FROM jobs j WHERE j.connected_account_id = a.id AND j.state = 'running'
               AND j.kind IN ('fetch_emails', 'backfill_emails')),
       a.last_refresh_at, a.claims_challenge,
       CASE WHEN a.disconnecting THEN (SELECT max(e.requested_at) FROM erasures e WHERE e.connected_account_id = a.id) END,
       c.last_sync_at, c.fault_code, c.fault_since, c.next_attempt_at,
       o.error_code, CASE WHEN o.state = 'queued' THEN o.send_at END
FROM connected_accounts a JOIN email_sync_status s ON s.connected_account_id = a.id
LEFT JOIN calendar_sync_status c ON c.connected_account_id = a.id
LEFT JOIN outbox o ON o.row_id = (
  SELECT x.row_id FROM outbox x
  WHERE x.connected_account_id = a.id AND (x.state = 'sent' OR (x.error_code IS NOT NULL AND NOT x.dismissed))
  ORDER BY x.row_id DESC LIMIT 1))sql";
const Statement kListOfUser(kAccounts + " WHERE a.user_id = $1 ORDER BY a.created_at, a.id");
const Statement kGetOfUser(kAccounts + " WHERE a.id = $1 AND a.user_id = $2");
const Statement kGet(kAccounts + " WHERE a.id = $1");
const Statement kFindByProvider(
    kAccounts + " WHERE a.user_id = $1 AND a.provider = $2 AND a.provider_account_id = $3 AND a.disconnecting = FALSE");

const Statement kRename(
    "UPDATE connected_accounts SET display_name = $3, updated_at = $4 WHERE id = $1 AND user_id = $2");
const Statement kIdentify(R"sql(
UPDATE connected_accounts
SET provider_account_id = $2, email = CASE WHEN $3 = '' THEN email ELSE $3 END, updated_at = $4
WHERE id = $1 AND disconnecting = FALSE AND (provider_account_id LIKE 'org:%' OR provider_account_id LIKE 'email:%')
  AND NOT EXISTS (
    SELECT 1 FROM connected_accounts o
    WHERE o.user_id = connected_accounts.user_id AND o.provider = connected_accounts.provider
      AND o.provider_account_id = $2 AND o.disconnecting = FALSE)
RETURNING user_id)sql");
const Statement kPause(R"sql(
UPDATE connected_accounts SET paused_at = $3, is_active = FALSE, updated_at = $3
WHERE id = $1 AND user_id = $2 AND paused_at IS NULL AND disconnecting = FALSE)sql");
const Statement kResume(R"sql(
UPDATE connected_accounts SET paused_at = NULL, is_active = TRUE, updated_at = $3
WHERE id = $1 AND user_id = $2 AND paused_at IS NOT NULL AND disconnecting = FALSE)sql");
const Statement kPauseStatus(R"sql(
UPDATE email_sync_status SET sync_status = 'PAUSED', next_sync_at = NULL, updated_at = $2
WHERE connected_account_id = $1)sql");
const Statement kResumeStatus(R"sql(
UPDATE email_sync_status
SET sync_status = CASE WHEN epoch = 0 THEN 'PENDING' WHEN backfill_complete THEN 'COMPLETED' ELSE 'IN_PROGRESS' END,
    next_sync_at = $2, updated_at = $2
WHERE connected_account_id = $1)sql");
const Statement kReadForResume(R"sql(
SELECT a.generation, s.epoch > 0 AND NOT s.backfill_complete
FROM connected_accounts a JOIN email_sync_status s ON s.connected_account_id = a.id WHERE a.id = $1)sql");
const Statement kScheduleCalendars("UPDATE calendar_sync_status SET next_sync_at = $2 WHERE connected_account_id = $1");
const Statement kExists("SELECT disconnecting FROM connected_accounts WHERE id = $1 AND user_id = $2");

const Statement kReadTokens(
    "SELECT access_token, refresh_token, token_expires_at, token_version, refresh_token_expires_at, "
    "refresh_token_lifetime FROM connected_accounts WHERE id = $1");
const Statement kReplaceTokens(R"sql(
UPDATE connected_accounts
SET access_token = $4, refresh_token = $5, token_expires_at = $6, refresh_token_expires_at = $8,
    refresh_token_lifetime = $9, token_version = token_version + 1, last_refresh_at = $7, claims_challenge = NULL,
    reauth_notified_at = NULL, refresh_lease_holder = NULL, refresh_lease_until = NULL, updated_at = $7
WHERE id = $1 AND generation = $2 AND token_version = $3)sql");
const Statement kReadVersions(
    "SELECT generation, token_version, fault_code, user_id, paused_at IS NOT NULL FROM connected_accounts WHERE id = "
    "$1");
const Statement kEndFault(R"sql(
UPDATE connected_accounts SET fault_code = NULL, fault_since = NULL, next_attempt_at = NULL WHERE id = $1)sql");
const Statement kLeaseRefresh(R"sql(
UPDATE connected_accounts SET refresh_lease_holder = $2, refresh_lease_until = $3
WHERE id = $1 AND (refresh_lease_holder IS NULL OR refresh_lease_holder = $2 OR refresh_lease_until <= $4))sql",
                              "");
// The same by the server's clock, which all processes share; the two of ours only say how long. $5 as in LeaseNow.
const Statement kLeaseRefreshHere("", R"sql(
UPDATE connected_accounts
SET refresh_lease_holder = $2, refresh_lease_until = coalesce(CAST($5 AS timestamptz), clock_timestamp())
  + (CAST($3 AS timestamptz) - CAST($4 AS timestamptz))
WHERE id = $1 AND (refresh_lease_holder IS NULL OR refresh_lease_holder = $2
  OR refresh_lease_until <= coalesce(CAST($5 AS timestamptz), clock_timestamp())))sql");

// What the log says, and the jobs that are completed: those are the lines of their own last attempts.
const Statement kListActivity(R"sql(
SELECT line.id, line.job_type, line.status, line.error_code, line.started_at, line.completed_at, line.created_at FROM (
  SELECT * FROM (
    SELECT l.id, l.job_type, l.status, l.error_code, l.started_at, l.completed_at, l.created_at FROM job_logs l
    WHERE l.connected_account_id = $2 AND (l.created_at, l.id) < ($4, $5)
    ORDER BY l.created_at DESC, l.id DESC LIMIT $3) AS logged
  UNION ALL
  SELECT * FROM (
    SELECT j.id, j.kind, 'COMPLETED', '', j.attempted_at, j.finalized_at, j.finalized_at FROM jobs j
    WHERE j.connected_account_id = $2 AND j.state = 'completed' AND (j.finalized_at, j.id) < ($4, $5)
    ORDER BY j.finalized_at DESC, j.id DESC LIMIT $3) AS done) AS line
JOIN connected_accounts a ON a.id = $2
WHERE a.user_id = $1 ORDER BY line.created_at DESC, line.id DESC LIMIT $3)sql");

/// Where a page of activity ended. As it stands: before the first.
struct ActivityKey {
  Instant created_at = Instant::max();
  std::string id = "ffffffff-ffff-ffff-ffff-ffffffffffff";
};

std::string EncodeCursor(const ActivityKey& key) {
  return Base64UrlEncode(fmt::format("{}:{}", ToMicros(key.created_at), key.id));
}

std::optional<ActivityKey> DecodeCursor(const std::string& cursor) {
  const auto text = Base64UrlDecode(cursor);
  if (!text) return std::nullopt;
  std::int64_t created_at = 0;
  const char* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, created_at);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ':') return std::nullopt;
  ActivityKey key{.created_at = FromMicros(created_at), .id = std::string(parsed.ptr + 1, end)};
  if (!IsUuid(key.id)) return std::nullopt;
  return key;
}

std::vector<std::string> SplitWords(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::vector<std::string> split;
  for (std::string word; words >> word;) split.push_back(std::move(word));
  return split;
}

Account ReadAccount(const Rows& rows) {
  Account account{.id = rows.IdOf<ConnectedAccountId>(0),
                  .user_id = rows.IdOf<UserId>(1),
                  .provider = rows.String(2),
                  .provider_account_id = rows.String(3),
                  .email = rows.String(4),
                  .display_name = rows.String(5),
                  .requested = ParseCapabilities(rows.Text(6)),
                  .granted_scopes = SplitWords(rows.Text(7)),
                  .granted = ParseCapabilities(rows.Text(8)),
                  .generation = rows.Int(9),
                  .paused = !rows.IsNull(10),
                  .disconnecting = rows.Bool(11),
                  .paused_at = rows.MaybeTime(10)};
  if (!rows.IsNull(12)) account.fault = ParseErrorCode(rows.Text(12)).value_or(ErrorCode::kInternal);
  account.fault_since = rows.MaybeTime(13);
  account.next_attempt_at = rows.MaybeTime(14);
  account.last_success_at = rows.MaybeTime(15);
  account.token_expires_at = rows.MaybeTime(16);
  account.created_at = rows.Time(17);
  account.backfill_complete = rows.Bool(18);
  account.backfill_done = rows.Int(19);
  account.backfill_total = rows.Int(20);
  account.epoch = rows.Int(21);
  account.backfill_started_at = rows.MaybeTime(22);
  account.message_count = rows.Int(23);
  account.sync_running = rows.Bool(24);
  account.last_refresh_at = rows.MaybeTime(25);
  account.claims_challenge = rows.String(26);
  account.disconnecting_since = rows.MaybeTime(27);
  account.calendar.last_sync_at = rows.MaybeTime(28);
  if (!rows.IsNull(29)) account.calendar.fault = ParseErrorCode(rows.Text(29)).value_or(ErrorCode::kInternal);
  account.calendar.fault_since = rows.MaybeTime(30);
  account.calendar.next_attempt_at = rows.MaybeTime(31);
  if (!rows.IsNull(32)) account.send.fault = ParseErrorCode(rows.Text(32)).value_or(ErrorCode::kInternal);
  account.send.next_attempt_at = rows.MaybeTime(33);
  return account;
}

Result<Account> ReadOne(Rows rows) {
  if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such account");
  return ReadAccount(rows);
}

}  // namespace

std::optional<std::int64_t> SecondsOrNull(const std::optional<std::chrono::seconds>& duration) {
  return duration ? std::optional<std::int64_t>(duration->count()) : std::nullopt;
}

std::string CapabilitiesJson(const std::vector<Capability>& capabilities) {
  std::vector<std::string> names;
  for (const Capability capability : capabilities) names.emplace_back(connected_accounts::ToString(capability));
  return ToJsonArray(names);
}

std::vector<Capability> ParseCapabilities(std::string_view json) {
  std::vector<Capability> capabilities;
  for (const auto& name : ParseJsonArray(json)) {
    if (const auto known = connected_accounts::ParseCapability(name)) capabilities.push_back(*known);
  }
  return capabilities;
}

Task<Result<Account>> AccountStore::FindByProviderAccount(const UserId& user, std::string_view provider,
                                                          std::string_view provider_account_id) {
  auto read = [&](Connection& connection) {
    return ReadOne(connection.Query(kFindByProvider, user, provider, provider_account_id));
  };
  co_return co_await engine_.Read(read);
}

Task<Result<std::vector<Account>>> AccountStore::List(const UserId& user) {
  auto read = [&](Connection& connection) -> Result<std::vector<Account>> {
    std::vector<Account> accounts;
    Rows rows = connection.Query(kListOfUser, user);
    while (rows.Step()) accounts.push_back(ReadAccount(rows));
    return accounts;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<Account>> AccountStore::Get(const UserId& user, const ConnectedAccountId& id) {
  auto read = [&](Connection& connection) { return ReadOne(connection.Query(kGetOfUser, id, user)); };
  co_return co_await engine_.Read(read);
}

Task<Result<Account>> AccountStore::GetForWork(const ConnectedAccountId& id) {
  auto read = [&](Connection& connection) { return ReadOne(connection.Query(kGet, id)); };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> AccountStore::Rename(const UserId& user, const ConnectedAccountId& id,
                                        std::string_view display_name) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (transaction.Execute(kRename, id, user, display_name, now) == 0) {
      return Fail(ErrorCode::kNotFound, "no such account");
    }
    WriteAccountUpdated(transaction, user, id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> AccountStore::Identify(const ConnectedAccountId& id, std::string_view provider_account_id,
                                          std::string_view email) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    UserId user;
    {
      Rows rows = transaction.Query(kIdentify, id, provider_account_id, email, now);
      if (!rows.Step()) return {};
      user = rows.IdOf<UserId>(0);
      rows.Step();
    }
    WriteAccountUpdated(transaction, user, id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> AccountStore::SetPaused(const UserId& user, const ConnectedAccountId& id, bool paused) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (transaction.Execute(paused ? kPause : kResume, id, user, now) == 0) {
      Rows rows = transaction.Query(kExists, id, user);
      if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such account");
      if (rows.Bool(0)) return Fail(ErrorCode::kConflict, "the account is being erased");
      return {};  // It is so already.
    }
    if (paused) {
      transaction.Send(kPauseStatus, id, now);
      transaction.Send(kScheduleCalendars, id, std::optional<Instant>());
      CancelWaitingJobs(transaction, id, {jobs::kFetchEmails, jobs::kBackfillEmails, jobs::kFetchCalendar}, now);
    } else {
      transaction.Send(kResumeStatus, id, now);
      // Due at once: the scheduler queues the visit.
      transaction.Send(kScheduleCalendars, id, std::optional(now));
      Rows rows = transaction.Query(kReadForResume, id);
      rows.Step();
      jobs::NewJob job{.kind = std::string(jobs::kFetchEmails),
                       .priority = jobs::Priority::kInteractive,
                       .unique_key = jobs::AccountKey(jobs::kFetchEmails, id),
                       .account_id = id,
                       .generation = rows.Int(0)};
      if (auto inserted = InsertJob(transaction, job, now); !inserted) return Fail(std::move(inserted.error()));
      if (rows.Bool(1)) {
        job.kind = jobs::kBackfillEmails;
        job.priority = jobs::Priority::kBackfill;
        job.unique_key = jobs::AccountKey(jobs::kBackfillEmails, id);
        if (auto inserted = InsertJob(transaction, job, now); !inserted) return Fail(std::move(inserted.error()));
      }
    }
    WriteAccountUpdated(transaction, user, id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<connected_accounts::SealedTokens>> AccountStore::GetTokens(const ConnectedAccountId& id) {
  auto read = [&](Connection& connection) -> Result<Tokens> {
    Rows rows = connection.Query(kReadTokens, id);
    if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such account");
    return Tokens{.access_token = rows.String(0),
                  .refresh_token = rows.String(1),
                  .expires_at = rows.MaybeTime(2),
                  .refresh_expires_at = rows.MaybeTime(4),
                  .refresh_lifetime = rows.IsNull(5) ? std::nullopt : std::optional(std::chrono::seconds(rows.Int(5))),
                  .version = rows.Int(3)};
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> AccountStore::ReplaceTokens(const ConnectedAccountId& id, std::int64_t generation,
                                               const Tokens& tokens, std::int64_t expected_version) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    Rows rows = transaction.Query(kReadVersions, id);
    if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such account");
    if (rows.Int(0) != generation) return Fail(ErrorCode::kFenced, "the account has another generation");
    if (rows.Int(1) != expected_version) return Fail(ErrorCode::kConflict, "newer tokens are stored");
    transaction.Send(kReplaceTokens, id, generation, expected_version, tokens.access_token, tokens.refresh_token,
                     tokens.expires_at, now, tokens.refresh_expires_at, SecondsOrNull(tokens.refresh_lifetime));
    const auto fault = rows.IsNull(2) ? std::nullopt : ParseErrorCode(rows.Text(2));
    if (fault && connected_accounts::EndsWithNewTokens(*fault)) {
      transaction.Send(kEndFault, id);
      if (!rows.Bool(4)) transaction.Send(kResumeStatus, id, now);
      WriteAccountUpdated(transaction, rows.IdOf<UserId>(3), id, now);
    }
    return {};
  };
  // A rotated refresh token exists nowhere else: it must be on the disk before it is used.
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<bool>> AccountStore::TryLeaseRefresh(const ConnectedAccountId& id, std::string_view holder, Instant until) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<bool> {
    if (transaction.dialect() == Dialect::kPostgres) {
      return transaction.Execute(kLeaseRefreshHere, id, holder, until, now, LeaseNow(clock_)) == 1;
    }
    return transaction.Execute(kLeaseRefresh, id, holder, until, now) == 1;
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<AccountStore::ActivityPage>> AccountStore::ListActivity(const UserId& user, const ConnectedAccountId& id,
                                                                    const std::string& cursor, int limit) {
  ActivityKey before;
  if (!cursor.empty()) {
    const auto decoded = DecodeCursor(cursor);
    if (!decoded) co_return Fail(ErrorCode::kInvalidArgument, "not a cursor of ours");
    before = *decoded;
  }
  auto read = [&](Connection& connection) -> Result<ActivityPage> {
    if (!connection.Query(kExists, id, user).Step()) return Fail(ErrorCode::kNotFound, "no such account");
    ActivityPage page;
    Rows rows = connection.Query(kListActivity, user, id, limit + 1, before.created_at, before.id);
    while (rows.Step()) {
      if (page.rows.size() == static_cast<std::size_t>(limit)) {
        page.next_cursor = EncodeCursor({.created_at = page.rows.back().created_at, .id = page.rows.back().id});
        break;
      }
      page.rows.push_back({.id = rows.String(0),
                           .job_type = rows.String(1),
                           .status = rows.String(2),
                           .error_code = rows.String(3),
                           .started_at = rows.MaybeTime(4),
                           .completed_at = rows.MaybeTime(5),
                           .created_at = rows.Time(6)});
    }
    return page;
  };
  co_return co_await engine_.Read(read);
}

}  // namespace latchkey::storage
