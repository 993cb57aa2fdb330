#include "storage/legacy_store.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "storage/account_store.hpp"
#include "storage/statement.hpp"

namespace latchkey::storage {
namespace {

using connected_accounts::ConnectedAccount;
using connected_accounts::SealedTokens;
using legacy::AdoptedAccount;
using legacy::ImportedConnection;

// An imported row is an identity that nobody can sign in with: no provider has this issuer. It says whose the
// organisation's accounts are, and that a row was taken over, whatever becomes of the account.
constexpr std::string_view kIssuer = "urn:latchkey:legacy";
std::string SubjectOf(std::string_view provider, std::string_view org_name) {
  return fmt::format("{}:{}", provider, org_name);
}

const Statement kOrganisation(
    "SELECT user_id FROM identities WHERE issuer = $1 AND subject IN ($2, $3) ORDER BY subject LIMIT 1");
const Statement kByEmail(R"sql(
SELECT id FROM users
WHERE email = $1 AND is_email_verified = TRUE AND disabled = FALSE
  AND EXISTS (SELECT 1 FROM identities i WHERE i.user_id = users.id AND i.issuer <> $2)
ORDER BY id LIMIT 2)sql");
const Statement kImported("SELECT 1 FROM identities WHERE issuer = $1 AND subject = $2");

const Statement kUserExists("SELECT 1 FROM users WHERE id = $1");
const Statement kInsertUser(R"sql(
INSERT INTO users (id, email, first_name, auth_provider, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5))sql");
const Statement kInsertIdentity(R"sql(
INSERT INTO identities (issuer, subject, user_id, provider, email, created_at, last_sign_in_at)
VALUES ($1, $2, $3, $4, $5, $6, $6))sql");
const Statement kInsertAccount(R"sql(
INSERT INTO connected_accounts (id, user_id, provider, provider_account_id, email, display_name, access_token,
  refresh_token, token_expires_at, scope, requested_capabilities, granted_capabilities, generation, last_refresh_at,
  created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14, $14))sql");
const Statement kInsertStatus(R"sql(
INSERT INTO email_sync_status (id, connected_account_id, next_sync_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $4))sql");
const Statement kInsertCalendars(
    "INSERT INTO calendar_sync_status (connected_account_id, next_sync_at) VALUES ($1, $2)");
const Statement kMarkRow(R"sql(
UPDATE oauth_connections SET migrated_at = $3 WHERE org_name = $1 AND provider = $2 AND migrated_at IS NULL)sql");

// Nobody can sign in as a user without an identity.
const Statement kAdoptedUser("", R"sql(
SELECT id FROM users WHERE lower(email) = lower($1) AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.user_id = users.id)
ORDER BY id LIMIT 1)sql");
const Statement kGiveAdopted("", R"sql(
UPDATE connected_accounts a SET user_id = $2, updated_at = $3
WHERE a.user_id = $1 AND a.access_token = '' AND a.refresh_token = '' AND NOT a.disconnecting
  AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.user_id = $1)
  AND NOT EXISTS (SELECT 1 FROM connected_accounts o WHERE o.user_id = $2 AND o.provider = a.provider
                  AND o.provider_account_id = a.provider_account_id AND NOT o.disconnecting)
RETURNING a.id)sql");
const Statement kListAdopted("", R"sql(
SELECT id, user_id, provider, provider_account_id, email, granted_capabilities, generation,
       adopted_access_token, adopted_refresh_token
FROM connected_accounts
WHERE id > $1 AND NOT disconnecting AND (adopted_access_token IS NOT NULL OR adopted_refresh_token IS NOT NULL)
ORDER BY id LIMIT $2)sql");
// Only while nobody has signed in again: then the tokens that are there are newer.
const Statement kStoreAdopted("", R"sql(
UPDATE connected_accounts
SET access_token = $2, refresh_token = $3, token_version = token_version + 1, adopted_access_token = NULL,
    adopted_refresh_token = NULL, fault_code = NULL, fault_since = NULL, next_attempt_at = NULL,
    reauth_notified_at = NULL, updated_at = $4
WHERE id = $1 AND access_token = '' AND refresh_token = '' AND NOT disconnecting)sql");
const Statement kWakeMail(R"sql(
UPDATE email_sync_status SET sync_status = 'PENDING', error_message = NULL, next_sync_at = $2, updated_at = $3
WHERE connected_account_id = $1 AND sync_status <> 'PAUSED')sql");

// The first job is queued beside the account; the scheduler looks again later in case that job found nothing to set.
constexpr std::chrono::minutes kScheduleSafety{5};

bool ReadsCalendars(const ConnectedAccount& account) {
  return std::ranges::find(account.granted, connected_accounts::Capability::kReadCalendar) != account.granted.end();
}

Result<void> QueueFirst(Transaction& transaction, const std::vector<jobs::NewJob>& first_jobs, Instant now) {
  for (const jobs::NewJob& job : first_jobs) {
    if (auto inserted = InsertJob(transaction, job, now); !inserted) return Fail(std::move(inserted.error()));
  }
  return {};
}

std::string Joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

}  // namespace

Task<Result<std::optional<UserId>>> LegacyStore::FindOrganisation(std::string_view org_name) {
  const auto google = SubjectOf("google", org_name);
  const auto microsoft = SubjectOf("microsoft", org_name);
  auto read = [&](Connection& connection) -> Result<std::optional<UserId>> {
    Rows rows = connection.Query(kOrganisation, kIssuer, google, microsoft);
    if (!rows.Step()) return std::optional<UserId>();
    return std::optional(rows.IdOf<UserId>(0));
  };
  co_return co_await engine_.Read(read);
}

Task<Result<std::vector<UserId>>> LegacyStore::FindUsersByEmail(std::string_view email) {
  auto read = [&](Connection& connection) -> Result<std::vector<UserId>> {
    std::vector<UserId> users;
    Rows rows = connection.Query(kByEmail, email, kIssuer);
    while (rows.Step()) users.push_back(rows.IdOf<UserId>(0));
    return users;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<bool>> LegacyStore::WasImported(std::string_view org_name, std::string_view provider) {
  const auto subject = SubjectOf(provider, org_name);
  auto read = [&](Connection& connection) -> Result<bool> {
    return connection.Query(kImported, kIssuer, subject).Step();
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> LegacyStore::StoreImported(const ImportedConnection& connection) {
  const Instant now = clock_.Now();
  const auto& account = connection.account;
  const auto subject = SubjectOf(account.provider, connection.org_name);
  const auto google = SubjectOf("google", connection.org_name);
  const auto microsoft = SubjectOf("microsoft", connection.org_name);
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (transaction.Query(kImported, kIssuer, subject).Step())
      return Fail(ErrorCode::kAlreadyExists, "the row was taken over before");
    {
      Rows organisation = transaction.Query(kOrganisation, kIssuer, google, microsoft);
      if (organisation.Step() && organisation.Text(0) != connection.user_id.text())
        return Fail(ErrorCode::kConflict, "another user stands for the organisation");
    }
    if (!transaction.Query(kUserExists, connection.user_id).Step()) {
      transaction.Execute(kInsertUser, connection.user_id, account.email, connection.org_name, account.provider, now);
    }
    transaction.Execute(kInsertIdentity, kIssuer, subject, connection.user_id, account.provider, account.email, now);
    transaction.Execute(kInsertAccount, account.id, connection.user_id, account.provider, account.provider_account_id,
                        account.email, account.display_name, connection.tokens.access_token,
                        connection.tokens.refresh_token, connection.tokens.expires_at, Joined(account.granted_scopes),
                        CapabilitiesJson(account.requested), CapabilitiesJson(account.granted),
                        connection.last_refresh_at, now);
    transaction.Execute(kInsertStatus, NewUuid(now), account.id, now + kScheduleSafety, now);
    if (ReadsCalendars(account)) transaction.Execute(kInsertCalendars, account.id, now + kScheduleSafety);
    if (connection.marks_own_row) transaction.Execute(kMarkRow, connection.org_name, account.provider, now);
    if (auto queued = QueueFirst(transaction, connection.first_jobs, now); !queued) return queued;
    WriteAccountUpdated(transaction, connection.user_id, account.id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<std::optional<UserId>>> LegacyStore::FindAdoptedUser(std::string_view email) {
  auto read = [&](Connection& connection) -> Result<std::optional<UserId>> {
    if (connection.dialect() == Dialect::kSqlite) return std::optional<UserId>();
    Rows rows = connection.Query(kAdoptedUser, email);
    if (!rows.Step()) return std::optional<UserId>();
    return std::optional(rows.IdOf<UserId>(0));
  };
  co_return co_await engine_.Read(read);
}

Task<Result<int>> LegacyStore::GiveAdopted(const UserId& from, const UserId& to) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<int> {
    if (transaction.dialect() == Dialect::kSqlite) return 0;
    std::vector<ConnectedAccountId> given;
    {
      Rows rows = transaction.Query(kGiveAdopted, from, to, now);
      while (rows.Step()) given.push_back(rows.IdOf<ConnectedAccountId>(0));
    }
    for (const auto& account : given) WriteAccountUpdated(transaction, to, account, now);
    return static_cast<int>(given.size());
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<std::vector<AdoptedAccount>>> LegacyStore::ListAdopted(const ConnectedAccountId& after, int limit) {
  // Ids are uuids there, and all of them are above this one.
  const auto from = after.empty() ? ConnectedAccountId("00000000-0000-0000-0000-000000000000") : after;
  auto read = [&](Connection& connection) -> Result<std::vector<AdoptedAccount>> {
    std::vector<AdoptedAccount> adopted;
    // Only PostgreSQL databases of the older program are adopted where they are.
    if (connection.dialect() == Dialect::kSqlite) return adopted;
    Rows rows = connection.Query(kListAdopted, from, limit);
    while (rows.Step()) {
      AdoptedAccount& one = adopted.emplace_back();
      one.account.id = rows.IdOf<ConnectedAccountId>(0);
      one.account.user_id = rows.IdOf<UserId>(1);
      one.account.provider = rows.String(2);
      one.account.provider_account_id = rows.String(3);
      one.account.email = rows.String(4);
      one.account.granted = ParseCapabilities(rows.Text(5));
      one.account.generation = rows.Int(6);
      one.access_token = SecretString(rows.String(7));
      one.refresh_token = SecretString(rows.String(8));
    }
    return adopted;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> LegacyStore::StoreAdopted(const ConnectedAccount& account, const SealedTokens& tokens,
                                             const std::vector<jobs::NewJob>& first_jobs) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (transaction.dialect() == Dialect::kSqlite) return Fail(ErrorCode::kNotFound, "nothing is adopted in SQLite");
    if (transaction.Execute(kStoreAdopted, account.id, tokens.access_token, tokens.refresh_token, now) == 0)
      return Fail(ErrorCode::kConflict, "the account has newer tokens");
    transaction.Execute(kWakeMail, account.id, now + kScheduleSafety, now);
    if (auto queued = QueueFirst(transaction, first_jobs, now); !queued) return queued;
    WriteAccountUpdated(transaction, account.user_id, account.id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

}  // namespace latchkey::storage
