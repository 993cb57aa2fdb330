#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "identity/identity_store.hpp"
#include "identity/sessions.hpp"
#include "oauth/consumed_states.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/provider_records.hpp"
#include "oauth/transaction.hpp"

namespace latchkey::identity {

/// Flow 1: sign-in through an OpenID provider. All it is given must outlive it. Loop thread only.
class SignIn {
 public:
  struct Parts {
    const oauth::IdentityProviders& providers;
    const oauth::Transactions& transactions;
    oauth::ConsumedStates& states;
    oauth::ProviderRecords& records;
    IdentityStore& store;
    Sessions& sessions;
    const Clock& clock;
    Executor executor;
  };
  explicit SignIn(const Parts& parts) : parts_(parts) {}

  struct StartRequest {
    std::string provider;
    /// Where the person wanted to go: a local path, everything else becomes "/".
    std::string return_to;
    /// From the setup link; empty otherwise. A wrong one is kForbidden.
    SecretString setup_token;
  };
  /// Writes nothing. kProviderNotConfigured, kProviderUnavailable (discovery), kForbidden.
  Task<Result<oauth::StartedFlow>> Start(const StartRequest& request);

  struct Finished {
    /// Set on the first success: the browser gets it as its session cookie. Empty when this was a repeat of a callback
    /// that had succeeded (the first answer carried the cookie).
    std::optional<SecretString> session_cookie;
    std::string return_to = "/";
    /// Empty on success, else the fixed code for /auth/error?error=...
    std::string error;
    /// The transaction cookie to clear; empty when the state was unreadable.
    std::string clear_cookie;
    std::optional<User> user;
  };
  /// Never fails: every way of being wrong is an error code that may be shown.
  Task<Finished> Finish(const oauth::CallbackRequest& callback);

 private:
  struct Running;
  Task<Result<Finished>> Complete(const oauth::Transaction& transaction, const oauth::RedirectParameters& parameters,
                                  const oauth::CallbackRequest& callback, const std::string& state_hash);
  Task<Result<std::string>> WaitForOutcome(const std::string& state_hash, Instant expires_at);

  Parts parts_;
  /// Wakes repeats of a callback in this process when the first one ends.
  std::unordered_map<std::string, std::shared_ptr<Signal>> running_;
};

}  // namespace latchkey::identity
