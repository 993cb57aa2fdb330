#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>

#include "async/task.hpp"
#include "base/secret.hpp"
#include "identity/sessions.hpp"

namespace latchkey::api {

/// Remembers for a few seconds who a session cookie belongs to, so that a burst of requests asks the database once.
/// Sessions must end everywhere within five seconds, also those ended by another process: so an entry lives two, and
/// what ends in this process is forgotten at once. Keyed by the cookie's hash. Loop thread only.
class SessionCache {
 public:
  SessionCache(identity::Sessions& sessions, const Clock& clock) : sessions_(sessions), clock_(clock) {}

  using Current = std::shared_ptr<const identity::Sessions::Current>;
  Task<Result<Current>> Authenticate(const SecretString& cookie_value);

  void Forget(const SessionId& session);
  void ForgetUser(const UserId& user);

 private:
  struct Entry {
    Current current;
    Instant until;
  };
  identity::Sessions& sessions_;
  const Clock& clock_;
  std::unordered_map<std::string, Entry> entries_;
  /// Raised by every Forget: a lookup that was under way meanwhile must not store what it found.
  std::uint64_t epoch_ = 0;
};

}  // namespace latchkey::api
