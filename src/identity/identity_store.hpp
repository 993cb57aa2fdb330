#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"

namespace latchkey::identity {

struct User {
  UserId id;
  std::string email;  ///< Display and contact only; may occur twice (issuer + subject identify).
  std::string first_name, last_name;
  std::string auth_provider;  ///< 'password', 'google', 'microsoft', 'sso'
  bool is_email_verified = false;
  bool is_admin = false;
  bool disabled = false;
  Instant created_at{};
};

/// A person at an identity provider.
struct ExternalIdentity {
  std::string issuer, subject;
  std::string email;
  bool email_verified = false;
  std::string first_name, last_name;
  std::string provider;  ///< "google"
};

struct Session {
  SessionId id;
  UserId user_id;
  /// SHA-256 of the cookie value; the value itself is nowhere in the database.
  std::string token_hash;
  std::string csrf_hash;
  Instant created_at{}, last_seen_at{}, expires_at{};
  std::string user_agent;  ///< First 200 characters, for the list of devices.
  std::string address;
};

class IdentityStore {
 public:
  virtual ~IdentityStore() = default;
  /// Finds the user by issuer and subject, or creates user and identity; then opens the session; records "ok" as the
  /// outcome of the state (claimed before through oauth::ConsumedStates); and, when `claims_setup`, makes the user
  /// administrator if the setup is still open. One transaction. kConflict when the state has an outcome already (then
  /// nothing is written); kForbidden when the user is disabled.
  struct SignIn {
    ExternalIdentity identity;
    Session session;  ///< user_id is filled by the store
    std::string state_hash;
    bool claims_setup = false;
    /// The session that this browser had before: ended in the same transaction.
    std::string replaces_token_hash;
  };
  virtual Task<Result<User>> CompleteSignIn(const SignIn& sign_in) = 0;
  struct Authenticated {
    Session session;
    User user;
  };
  /// kUnauthenticated when unknown, past its expires_at, not seen since `seen_since` (idle too long), or the user is
  /// disabled. Moves last_seen_at at most once a minute.
  virtual Task<Result<Authenticated>> FindSession(std::string_view token_hash, Instant seen_since) = 0;
  virtual Task<Result<std::vector<Session>>> ListSessions(const UserId& user) = 0;
  /// kNotFound when this user has no such session.
  virtual Task<Result<void>> EndSession(const UserId& user, const SessionId& id) = 0;
  virtual Task<Result<void>> EndAllSessions(const UserId& user) = 0;

  /// The one-time setup link: open until an administrator exists.
  virtual Task<Result<bool>> SetupOpen() = 0;
  /// Replaces the token of an earlier start.
  virtual Task<Result<void>> StoreSetupToken(std::string_view token_hash) = 0;
  virtual Task<Result<bool>> CheckSetupToken(std::string_view token_hash) = 0;

  virtual Task<Result<void>> Audit(std::string_view event, const UserId& user, std::string_view detail_json) = 0;
  virtual Task<Result<int>> PruneExpired(int limit) = 0;
};

}  // namespace latchkey::identity
