#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/secret.hpp"
#include "identity/identity_store.hpp"

namespace latchkey::identity {

struct SessionLimits {
  std::chrono::seconds absolute = std::chrono::days(30);
  std::chrono::seconds idle = std::chrono::days(7);
};

/// Browser sessions: 256 random bits in a cookie, their hash in the database. Loop thread only.
class Sessions {
 public:
  /// `session_secret`: SESSION_SECRET; the CSRF key is derived from it.
  Sessions(IdentityStore& store, const Clock& clock, const SecretString& session_secret, SessionLimits limits = {});

  /// "__Host-latchkey_session", or "latchkey_session" on plain-http loopback.
  static std::string CookieName(bool secure);

  struct Current {
    Session session;
    User user;
    std::string csrf_token;
  };
  /// kUnauthenticated for anything but a living session of an enabled user.
  Task<Result<Current>> Authenticate(const SecretString& cookie_value);

  /// The token that proves same-origin intent: HMAC of the session's cookie value.
  std::string CsrfToken(const SecretString& cookie_value) const;
  bool CsrfMatches(const SecretString& cookie_value, std::string_view presented) const;

  /// A session that is not stored yet: the store writes it together with the sign-in.
  struct Issued {
    SecretString cookie_value;
    Session session;
  };
  Issued Issue(std::string_view user_agent, std::string_view address) const;

  Task<Result<std::vector<Session>>> List(const UserId& user);
  /// kNotFound for a session of somebody else.
  Task<Result<void>> End(const UserId& user, const SessionId& id);
  Task<Result<void>> EndAll(const UserId& user);

 private:
  IdentityStore& store_;
  const Clock& clock_;
  SecretString csrf_key_;
  SessionLimits limits_;
};

}  // namespace latchkey::identity
