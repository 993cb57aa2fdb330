#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "identity/identity_store.hpp"
#include "identity/sessions.hpp"
#include "oauth/consumed_states.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/provider_records.hpp"
#include "oauth/single_consumption.hpp"
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
  explicit SignIn(const Parts& parts) : parts_(parts), consumption_(parts.states, parts.clock, parts.executor) {}

  struct StartRequest {
    std::string provider;
    /// Where the person wanted to go: a local path, everything else becomes "/".
    std::string return_to;
    /// From the setup link; empty otherwise. A wrong one is kForbidden.
    SecretString setup_token;
    /// The value of the session cookie, when the browser sent one: that session ends with the new one's birth.
    SecretString previous_session;
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
    /// The transaction cookie to clear. Empty when it has to stay until it expires, so that a reload of the callback
    /// shows this same outcome.
    std::string clear_cookie;
    std::optional<User> user;
  };
  /// Never fails: every way of being wrong is an error code that may be shown.
  Task<Finished> Finish(const oauth::CallbackRequest& callback);

 private:
  Task<Result<Finished>> Complete(const oauth::Transaction& transaction, const oauth::RedirectParameters& parameters,
                                  const oauth::CallbackRequest& callback, const std::string& state_hash);
  Task<Result<User>> Open(oauth::IdentityProvider& provider, const oauth::TokenSet& tokens,
                          const oauth::Transaction& transaction, const Session& session, const std::string& state_hash);

  Parts parts_;
  oauth::SingleConsumption consumption_;
};

}  // namespace latchkey::identity
