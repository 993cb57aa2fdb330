#include "storage/identity_store.hpp"

#include <fmt/format.h>

#include <chrono>

namespace latchkey::storage {
namespace {

using identity::Session;
using identity::User;

const Statement kFinishState("UPDATE consumed_states SET outcome = 'ok' WHERE state_hash = $1 AND outcome IS NULL");

const std::string kUserColumns =
    "u.id, u.email, u.first_name, u.last_name, u.auth_provider, u.is_email_verified, u.is_admin, u.disabled, "
    "u.created_at";
const Statement kFindByIdentity("SELECT " + kUserColumns +
                                " FROM identities i JOIN users u ON u.id = i.user_id "
                                "WHERE i.issuer = $1 AND i.subject = $2");
const Statement kTouchIdentity(R"sql(
UPDATE identities SET email = $3, email_verified = $4, last_sign_in_at = $5 WHERE issuer = $1 AND subject = $2)sql");
const Statement kInsertUser(R"sql(
INSERT INTO users (id, email, first_name, last_name, auth_provider, is_email_verified, email_verified_at, created_at,
                   updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8))sql");
const Statement kInsertIdentity(R"sql(
INSERT INTO identities (issuer, subject, user_id, provider, email, email_verified, created_at, last_sign_in_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7))sql");
const Statement kMakeAdmin("UPDATE users SET is_admin = TRUE, updated_at = $2 WHERE id = $1");
const Statement kAnyAdmin("SELECT 1 FROM users WHERE is_admin = 1 LIMIT 1",
                          "SELECT 1 FROM users WHERE is_admin LIMIT 1");
const Statement kCloseSetup("DELETE FROM setup");

const Statement kInsertSession(R"sql(
INSERT INTO sessions (id, user_id, token_hash, csrf_hash, created_at, last_seen_at, expires_at, user_agent, address)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql");
const Statement kFindSession(R"sql(
SELECT id, user_id, token_hash, csrf_hash, created_at, last_seen_at, expires_at, user_agent, address
FROM sessions WHERE token_hash = $1)sql");
const Statement kListSessions(R"sql(
SELECT id, user_id, token_hash, csrf_hash, created_at, last_seen_at, expires_at, user_agent, address
FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY last_seen_at DESC)sql");
const Statement kReadUser("SELECT " + kUserColumns + " FROM users u WHERE u.id = $1");
const Statement kTouchSession("UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2");
const Statement kEndByToken("DELETE FROM sessions WHERE token_hash = $1 RETURNING id, user_id");
const Statement kEndById("DELETE FROM sessions WHERE id = $1 AND user_id = $2");
const Statement kEndAll("DELETE FROM sessions WHERE user_id = $1");

const Statement kStoreSetup(R"sql(
INSERT INTO setup (only_row, token_hash, created_at) VALUES (1, $1, $2)
ON CONFLICT (only_row) DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at)sql");
const Statement kCheckSetup("SELECT 1 FROM setup WHERE token_hash = $1");
const Statement kAudit("INSERT INTO audit_log (event, user_id, detail, created_at) VALUES ($1, $2, $3, $4)");

const Statement kPruneStates(R"sql(
DELETE FROM consumed_states WHERE state_hash IN
  (SELECT state_hash FROM consumed_states WHERE expires_at <= $1 LIMIT $2))sql");
const Statement kPruneSessions(R"sql(
DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= $1 LIMIT $2))sql");
const Statement kPruneAttempts(R"sql(
DELETE FROM connect_attempts WHERE id IN (SELECT id FROM connect_attempts WHERE expires_at <= $1 LIMIT $2))sql");

// A browser may still ask how its attempt ended.
constexpr std::chrono::hours kKeepAttempts{24};
constexpr std::chrono::minutes kSeenResolution{1};

User ReadUser(const Rows& rows) {
  return {.id = rows.IdOf<UserId>(0),
          .email = rows.String(1),
          .first_name = rows.String(2),
          .last_name = rows.String(3),
          .auth_provider = rows.String(4),
          .is_email_verified = rows.Bool(5),
          .is_admin = rows.Bool(6),
          .disabled = rows.Bool(7),
          .created_at = rows.Time(8)};
}

Session ReadSession(const Rows& rows) {
  return {.id = rows.IdOf<SessionId>(0),
          .user_id = rows.IdOf<UserId>(1),
          .token_hash = rows.String(2),
          .csrf_hash = rows.String(3),
          .created_at = rows.Time(4),
          .last_seen_at = rows.Time(5),
          .expires_at = rows.Time(6),
          .user_agent = rows.String(7),
          .address = rows.String(8)};
}

void WriteSessionEnded(Transaction& transaction, const UserId& user, std::string_view session, Instant now) {
  const events::NewEvent event{.type = "session.ended",
                               .user_id = user,
                               .payload = session.empty() ? std::string(R"({"all":true})")
                                                          : fmt::format(R"({{"session_id":{}}})", JsonString(session))};
  WriteEvent(transaction, event, now);
}

User FindOrCreateUser(Transaction& transaction, const identity::ExternalIdentity& person, Instant now) {
  {
    Rows rows = transaction.Query(kFindByIdentity, person.issuer, person.subject);
    if (rows.Step()) {
      transaction.Send(kTouchIdentity, person.issuer, person.subject, person.email, person.email_verified, now);
      return ReadUser(rows);
    }
  }
  const User user{.id = UserId::New(now),
                  .email = person.email,
                  .first_name = person.first_name,
                  .last_name = person.last_name,
                  .auth_provider = person.provider,
                  .is_email_verified = person.email_verified,
                  .created_at = now};
  const std::optional<Instant> verified_at = person.email_verified ? std::optional(now) : std::nullopt;
  transaction.Send(kInsertUser, user.id, user.email, user.first_name, user.last_name, user.auth_provider,
                   user.is_email_verified, verified_at, now);
  transaction.Send(kInsertIdentity, person.issuer, person.subject, user.id, person.provider, person.email,
                   person.email_verified, now);
  return user;
}

void EndReplaced(Transaction& transaction, std::string_view token_hash, Instant now) {
  UserId user;
  std::string session;
  {
    Rows rows = transaction.Query(kEndByToken, token_hash);
    while (rows.Step()) {
      session = rows.String(0);
      user = rows.IdOf<UserId>(1);
    }
  }
  if (!session.empty()) WriteSessionEnded(transaction, user, session, now);
}

}  // namespace

Task<Result<User>> IdentityStore::CompleteSignIn(const SignIn& sign_in) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<User> {
    // Sign-in by password has no state.
    if (!sign_in.state_hash.empty() && transaction.Execute(kFinishState, sign_in.state_hash) == 0) {
      return Fail(ErrorCode::kConflict, "the state has an outcome already");
    }
    User user = FindOrCreateUser(transaction, sign_in.identity, now);
    if (user.disabled) return Fail(ErrorCode::kForbidden, "the user is disabled");
    // Asked inside the transaction: of two who claim at once, one becomes administrator.
    if (sign_in.claims_setup && !transaction.Query(kAnyAdmin).Step()) {
      transaction.Send(kMakeAdmin, user.id, now);
      transaction.Send(kCloseSetup);
      user.is_admin = true;
    }
    if (!sign_in.replaces_token_hash.empty()) EndReplaced(transaction, sign_in.replaces_token_hash, now);
    const Session& session = sign_in.session;
    transaction.Send(kInsertSession, session.id, user.id, session.token_hash, session.csrf_hash, session.created_at,
                     session.last_seen_at, session.expires_at, session.user_agent, session.address);
    return user;
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<IdentityStore::Authenticated>> IdentityStore::FindSession(std::string_view token_hash, Instant seen_since) {
  const Instant now = clock_.Now();
  auto read = [&](Connection& connection) -> Result<Authenticated> {
    Rows rows = connection.Query(kFindSession, token_hash);
    if (!rows.Step()) return Fail(ErrorCode::kUnauthenticated, "no such session");
    Authenticated found{.session = ReadSession(rows)};
    if (found.session.expires_at <= now || found.session.last_seen_at < seen_since) {
      return Fail(ErrorCode::kUnauthenticated, "the session has expired");
    }
    Rows user = connection.Query(kReadUser, found.session.user_id);
    if (!user.Step()) return Fail(ErrorCode::kUnauthenticated, "no such user");
    found.user = ReadUser(user);
    if (found.user.disabled) return Fail(ErrorCode::kUnauthenticated, "the user is disabled");
    return found;
  };
  auto found = co_await engine_.Read(read);
  if (!found || found->session.last_seen_at + kSeenResolution > now) co_return found;
  auto touch = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kTouchSession, found->session.id, now);
    return {};
  };
  // When this fails the session is only a minute older than it was used.
  (void)co_await engine_.Write(touch);
  found->session.last_seen_at = now;
  co_return found;
}

Task<Result<std::vector<Session>>> IdentityStore::ListSessions(const UserId& user) {
  const Instant now = clock_.Now();
  auto read = [&](Connection& connection) -> Result<std::vector<Session>> {
    std::vector<Session> sessions;
    Rows rows = connection.Query(kListSessions, user, now);
    while (rows.Step()) sessions.push_back(ReadSession(rows));
    return sessions;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> IdentityStore::EndSession(const UserId& user, const SessionId& id) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (transaction.Execute(kEndById, id, user) == 0) return Fail(ErrorCode::kNotFound, "no such session");
    WriteSessionEnded(transaction, user, id.text(), now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> IdentityStore::EndAllSessions(const UserId& user) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (transaction.Execute(kEndAll, user) > 0) WriteSessionEnded(transaction, user, {}, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<bool>> IdentityStore::SetupOpen() {
  auto read = [](Connection& connection) -> Result<bool> { return !connection.Query(kAnyAdmin).Step(); };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> IdentityStore::StoreSetupToken(std::string_view token_hash) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (transaction.Query(kAnyAdmin).Step()) return Fail(ErrorCode::kConflict, "there is an administrator");
    transaction.Send(kStoreSetup, token_hash, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<bool>> IdentityStore::CheckSetupToken(std::string_view token_hash) {
  auto read = [&](Connection& connection) -> Result<bool> {
    return !connection.Query(kAnyAdmin).Step() && connection.Query(kCheckSetup, token_hash).Step();
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> IdentityStore::Audit(std::string_view event, const UserId& user, std::string_view detail_json) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kAudit, event, OrNull(user), detail_json.empty() ? "{}" : detail_json, now);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<int>> IdentityStore::PruneExpired(int limit) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<int> {
    auto deleted = transaction.Execute(kPruneStates, now, limit);
    deleted += transaction.Execute(kPruneSessions, now, limit);

    deleted += transaction.Execute(kPruneAttempts, now - kKeepAttempts, limit);
    return static_cast<int>(deleted);
  };
  co_return co_await engine_.Write(write);
}

}  // namespace latchkey::storage
