// The part of the account store that follows a connect attempt from its start to the stored connection.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "storage/account_store.hpp"

namespace latchkey::storage {
namespace {

using connected_accounts::ConnectAttempt;

const Statement kInsertAttempt(R"sql(
INSERT INTO connect_attempts (id, user_id, session_id, provider, capabilities, mode, connected_account_id, state,
                              created_at, expires_at, ticket_hash, ticket_expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10, $11))sql");
const std::string kAttempts =
    "SELECT id, user_id, session_id, provider, capabilities, mode, connected_account_id, state, error_code, "
    "result_account_id, created_at, expires_at, ticket_hash, ticket_expires_at, params FROM connect_attempts ";
const Statement kReadAttempt(kAttempts + "WHERE id = $1");
const Statement kReadAttemptOfUser(kAttempts + "WHERE id = $1 AND user_id = $2");
const Statement kReadByTicket(kAttempts + "WHERE ticket_hash = $1 AND state = 'pending' AND ticket_expires_at > $2");
const Statement kClearTicket("UPDATE connect_attempts SET ticket_hash = NULL WHERE id = $1");
const Statement kFailAttempt(
    "UPDATE connect_attempts SET state = 'failed', error_code = $2, params = $3 WHERE id = $1 AND state = 'pending'");
const Statement kSucceedAttempt(R"sql(
UPDATE connect_attempts SET state = 'succeeded', result_account_id = $3, error_code = $4
WHERE id = $1 AND user_id = $2 AND state = 'pending')sql");
const Statement kSessionLives("SELECT 1 FROM sessions WHERE id = $1 AND user_id = $2 AND expires_at > $3");

const Statement kFindIdentity(R"sql(
SELECT id FROM connected_accounts
WHERE user_id = $1 AND provider = $2 AND provider_account_id = $3 AND disconnecting = FALSE)sql");
const Statement kFindAccount("SELECT disconnecting FROM connected_accounts WHERE id = $1 AND user_id = $2");
const Statement kInsertAccount(R"sql(
INSERT INTO connected_accounts (id, user_id, provider, provider_account_id, email, display_name, access_token,
  refresh_token, token_expires_at, refresh_token_expires_at, scope, requested_capabilities, granted_capabilities,
  generation, created_at, updated_at, refresh_token_lifetime)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16))sql");
const Statement kInsertStatus(R"sql(
INSERT INTO email_sync_status (id, connected_account_id, next_sync_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $4))sql");
// A provider may leave the refresh token out when it gave one before: the old one stays valid.
const Statement kReconnect(R"sql(
UPDATE connected_accounts
SET email = $2, display_name = $3, access_token = $4, provider_account_id = $13,
    refresh_token = CASE WHEN $5 = '' THEN refresh_token ELSE $5 END, token_expires_at = $6,
    refresh_token_expires_at = CASE WHEN $5 = '' THEN refresh_token_expires_at ELSE $7 END,
    refresh_token_lifetime = CASE WHEN $5 = '' THEN refresh_token_lifetime ELSE $12 END, last_refresh_at = $11,
    claims_challenge = NULL, reauth_notified_at = NULL,
    token_version = token_version + 1, scope = $8, requested_capabilities = $9, granted_capabilities = $10,
    fault_code = NULL, fault_since = NULL, next_attempt_at = NULL, refresh_lease_holder = NULL,
    refresh_lease_until = NULL, updated_at = $11
WHERE id = $1)sql");
// A paused account stays paused, with nothing due.
const Statement kReconnectStatus(R"sql(
UPDATE email_sync_status
SET sync_status = CASE WHEN sync_status = 'PAUSED' THEN 'PAUSED' WHEN epoch = 0 THEN 'PENDING'
                       WHEN backfill_complete THEN 'COMPLETED' ELSE 'IN_PROGRESS' END,
    error_message = NULL, next_sync_at = CASE WHEN sync_status <> 'PAUSED' THEN CAST($2 AS timestamptz) END, updated_at = $3
WHERE connected_account_id = $1)sql");
// The first visit is queued beside it, as for mail. A paused account's calendars wait for it to be resumed.
const Statement kScheduleCalendars(R"sql(
INSERT INTO calendar_sync_status (connected_account_id, next_sync_at)
SELECT id, CASE WHEN paused_at IS NULL THEN CAST($2 AS timestamptz) END FROM connected_accounts WHERE id = $1
ON CONFLICT (connected_account_id) DO UPDATE SET next_sync_at = excluded.next_sync_at, fault_code = NULL,
  fault_since = NULL, next_attempt_at = NULL)sql");
const Statement kGeneration("SELECT generation FROM connected_accounts WHERE id = $1");

// The first job is queued beside the account; the scheduler looks again later in case that job found nothing to set.
constexpr std::chrono::minutes kScheduleSafety{5};

std::string_view StateName(ConnectAttempt::State state) {
  switch (state) {
    case ConnectAttempt::State::kSucceeded:
      return "succeeded";
    case ConnectAttempt::State::kFailed:
      return "failed";
    case ConnectAttempt::State::kExpired:
      return "expired";
    case ConnectAttempt::State::kPending:
      break;
  }
  return "pending";
}

ConnectAttempt::State StateOf(std::string_view name, Instant expires_at, Instant now) {
  if (name == "succeeded") return ConnectAttempt::State::kSucceeded;
  if (name == "failed") return ConnectAttempt::State::kFailed;
  return expires_at <= now ? ConnectAttempt::State::kExpired : ConnectAttempt::State::kPending;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

void WriteFinished(Transaction& transaction, const ConnectAttempt& attempt, ConnectAttempt::State state,
                   const ConnectedAccountId& account, std::string_view error_code, Instant now) {
  const events::NewEvent event{
      .type = "connect.finished",
      .user_id = attempt.user_id,
      .account_id = account,
      .payload = fmt::format(R"({{"attempt_id":"{}","state":"{}","error_code":{},"account_id":{}}})", attempt.id,
                             StateName(state), error_code.empty() ? "null" : JsonString(error_code),
                             account.empty() ? "null" : JsonString(account.text()))};
  WriteEvent(transaction, event, now);
}

std::string ScopesOf(const connected_accounts::Connection& connection) {
  return Joined(connection.account.granted_scopes);
}

void Reconnect(Transaction& transaction, const connected_accounts::Connection& connection, Instant now) {
  const auto& account = connection.account;
  transaction.Send(kReconnect, account.id, account.email, account.display_name, connection.tokens.access_token,
                   connection.tokens.refresh_token, connection.tokens.expires_at, connection.tokens.refresh_expires_at,
                   ScopesOf(connection), CapabilitiesJson(account.requested), CapabilitiesJson(account.granted), now,
                   SecondsOrNull(connection.tokens.refresh_lifetime), account.provider_account_id);
  transaction.Send(kReconnectStatus, account.id, now + kScheduleSafety, now);
}

void InsertAccount(Transaction& transaction, const connected_accounts::Connection& connection, Instant now) {
  const auto& account = connection.account;
  transaction.Send(kInsertAccount, account.id, account.user_id, account.provider, account.provider_account_id,
                   account.email, account.display_name, connection.tokens.access_token, connection.tokens.refresh_token,
                   connection.tokens.expires_at, connection.tokens.refresh_expires_at, ScopesOf(connection),
                   CapabilitiesJson(account.requested), CapabilitiesJson(account.granted),
                   std::max<std::int64_t>(account.generation, 1), now,
                   SecondsOrNull(connection.tokens.refresh_lifetime));
  transaction.Send(kInsertStatus, NewUuid(now), account.id, now + kScheduleSafety, now);
}

ConnectAttempt ReadAttempt(const Rows& rows, Instant now) {
  return {.id = rows.IdOf<ConnectAttemptId>(0),
          .user_id = rows.IdOf<UserId>(1),
          .session_id = rows.IdOf<SessionId>(2),
          .provider = rows.String(3),
          .capabilities = ParseCapabilities(rows.Text(4)),
          .mode = rows.String(5),
          .account_id = rows.IdOf<ConnectedAccountId>(6),
          .state = StateOf(rows.Text(7), rows.Time(11), now),
          .error_code = rows.String(8),
          .params = ParseTextMap(rows.Text(14)),
          .result_account_id = rows.IdOf<ConnectedAccountId>(9),
          .created_at = rows.Time(10),
          .expires_at = rows.Time(11),
          .ticket_hash = rows.String(12),
          .ticket_expires_at = rows.MaybeTime(13)};
}

/// The attempt, while it may still succeed: pending, and the session that began it alive.
Result<ConnectAttempt> ReadLiveAttempt(Transaction& transaction, const connected_accounts::Connection& connection,
                                       Instant now) {
  Rows rows = transaction.Query(kReadAttemptOfUser, connection.attempt_id, connection.account.user_id);
  if (!rows.Step()) return Fail(ErrorCode::kConflict, "no such attempt");
  ConnectAttempt attempt = ReadAttempt(rows, now);
  if (attempt.state != ConnectAttempt::State::kPending) return Fail(ErrorCode::kConflict, "the attempt has ended");
  if (!transaction.Query(kSessionLives, attempt.session_id, attempt.user_id, now).Step()) {
    return Fail(ErrorCode::kUnauthenticated, "the session that began the attempt has ended");
  }
  return attempt;
}

/// Inserts or updates the account's rows.
Result<void> StoreAccount(Transaction& transaction, const connected_accounts::Connection& connection, Instant now) {
  const auto& account = connection.account;
  {
    Rows same = transaction.Query(kFindIdentity, account.user_id, account.provider, account.provider_account_id);
    // The tokens are sealed for one id: when another row won the race, the caller seals again for that one.
    if (same.Step() && same.Text(0) != account.id.text()) {
      return Fail(ErrorCode::kAlreadyExists, "this mailbox was connected meanwhile");
    }
  }
  bool exists = false;
  {
    Rows row = transaction.Query(kFindAccount, account.id, account.user_id);
    exists = row.Step();
    if (exists && row.Bool(0)) return Fail(ErrorCode::kFenced, "the account is being erased");
  }
  if (exists) {
    Reconnect(transaction, connection, now);
  } else {
    InsertAccount(transaction, connection, now);
  }
  if (std::ranges::find(account.granted, connected_accounts::Capability::kReadCalendar) != account.granted.end()) {
    transaction.Send(kScheduleCalendars, account.id, now + kScheduleSafety);
  }
  return {};
}

}  // namespace

Task<Result<void>> AccountStore::InsertAttempt(const ConnectAttempt& attempt) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kInsertAttempt, attempt.id, attempt.user_id, attempt.session_id, attempt.provider,
                     CapabilitiesJson(attempt.capabilities), attempt.mode, OrNull(attempt.account_id),
                     attempt.created_at, attempt.expires_at, OrNull(attempt.ticket_hash), attempt.ticket_expires_at);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<ConnectAttempt>> AccountStore::GetAttempt(const UserId& user, const ConnectAttemptId& id) {
  const Instant now = clock_.Now();
  auto read = [&](Connection& connection) -> Result<ConnectAttempt> {
    Rows rows = connection.Query(kReadAttemptOfUser, id, user);
    if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such attempt");
    return ReadAttempt(rows, now);
  };
  co_return co_await engine_.Read(read);
}

Task<Result<ConnectAttempt>> AccountStore::ConsumeTicket(std::string_view ticket_hash) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<ConnectAttempt> {
    Rows rows = transaction.Query(kReadByTicket, ticket_hash, now);
    if (ticket_hash.empty() || !rows.Step()) return Fail(ErrorCode::kNotFound, "no such ticket");
    ConnectAttempt attempt = ReadAttempt(rows, now);
    attempt.ticket_hash.clear();
    transaction.Send(kClearTicket, attempt.id);
    return attempt;
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> AccountStore::FailAttempt(const ConnectAttemptId& id, std::string_view error_code,
                                             const std::map<std::string, std::string>& params) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    Rows rows = transaction.Query(kReadAttempt, id);
    if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such attempt");
    const ConnectAttempt attempt = ReadAttempt(rows, now);
    if (transaction.Execute(kFailAttempt, id, error_code, ToJsonObject(params)) == 0) return {};
    WriteFinished(transaction, attempt, ConnectAttempt::State::kFailed, {}, error_code, now);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<ConnectedAccountId>> AccountStore::StoreConnection(const connected_accounts::Connection& connection) {
  const Instant now = clock_.Now();
  const auto& account = connection.account;
  auto write = [&](Transaction& transaction) -> Result<ConnectedAccountId> {
    const auto attempt = ReadLiveAttempt(transaction, connection, now);
    if (!attempt) return Fail(attempt.error());
    if (auto stored = StoreAccount(transaction, connection, now); !stored) return Fail(std::move(stored.error()));
    transaction.Send(kSucceedAttempt, attempt->id, account.user_id, account.id, OrNull(connection.note));
    Rows generation = transaction.Query(kGeneration, account.id);
    generation.Step();
    for (jobs::NewJob job : connection.first_jobs) {
      job.account_id = account.id;
      job.generation = generation.Int(0);
      if (auto inserted = InsertJob(transaction, job, now); !inserted) return Fail(std::move(inserted.error()));
    }
    WriteFinished(transaction, *attempt, ConnectAttempt::State::kSucceeded, account.id, connection.note, now);
    WriteAccountUpdated(transaction, account.user_id, account.id, now);
    return account.id;
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

}  // namespace latchkey::storage
