#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "connected_accounts/account_store.hpp"
#include "connected_accounts/scope_catalog.hpp"
#include "crypto/sealed_box.hpp"
#include "crypto/vault.hpp"
#include "oauth/consumed_states.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/provider_records.hpp"
#include "oauth/single_consumption.hpp"
#include "oauth/transaction.hpp"

namespace latchkey::connected_accounts {

/// A ticket that is not followed by then opens nothing.
inline constexpr std::chrono::seconds kTicketLifetime{60};

/// Flow 2: connecting a mailbox. The server's attempt row is the truth of how it ended. All it is given must outlive
/// it. Loop thread only.
class Connect {
 public:
  struct Parts {
    const oauth::IdentityProviders& providers;
    const ScopeCatalogs& scopes;
    const oauth::Transactions& transactions;
    /// For the confirmation page behind a ticket; a box of its own purpose.
    const crypto::SealedBox& confirmations;
    oauth::ConsumedStates& states;
    oauth::ProviderRecords& records;
    AccountStore& store;
    const crypto::Vault& vault;
    const Clock& clock;
    Executor executor;
    /// Told of every account whose tokens are replaced.
    TokenSource& tokens;
    /// Called after each connection that was stored, new or renewed; may be empty.
    std::function<Task<void>(const ConnectedAccountId&)> on_stored = {};
  };
  explicit Connect(const Parts& parts) : parts_(parts), consumption_(parts.states, parts.clock, parts.executor) {}

  struct StartRequest {
    UserId user_id;
    SessionId session_id;
    std::string provider;
    /// Empty: read mail, or, for a reconnect, what the account was asked for before (anything given here is added).
    std::vector<Capability> capabilities;
    std::string mode = "popup";  ///< "popup" or "page"
    /// Reconnect, or grant more to, this account; empty connects a new one.
    ConnectedAccountId account_id;
    /// Set by IssueTicket alone.
    std::string ticket_hash;
  };
  /// Records a pending attempt. kProviderNotConfigured, kInvalidArgument, kNotFound (account of somebody else, or of
  /// another provider), kFenced (account is being erased).
  Task<Result<ConnectAttempt>> CreateAttempt(const StartRequest& request);
  /// The provider's address for a pending attempt of this user, and the cookie that binds it to the browser.
  /// kNotFound, kConflict (no longer pending), kStateExpired, kProviderUnavailable.
  Task<Result<oauth::StartedFlow>> BuildAuthorizeUrl(const UserId& user, const ConnectAttemptId& attempt,
                                                     std::string_view return_to);

  struct Finished {
    ConnectAttemptId attempt_id;    ///< Empty when the callback could not be tied to an attempt.
    ConnectedAccountId account_id;  ///< Set on success.
    std::string mode = "page";      ///< "popup": end on the page that closes itself.
    std::string return_to = "/accounts";
    /// Empty on success, else the fixed code.
    std::string error;
    /// "partial_consent" when it succeeded with fewer capabilities than asked for.
    std::string note;
    /// As in SignIn::Finished.
    std::string clear_cookie;
  };
  /// Never fails: every way of being wrong is an error code that may be shown.
  Task<Finished> Finish(const oauth::CallbackRequest& callback);

  /// For API clients: an attempt whose start address carries a single-use ticket (256 bits, 60 seconds, hashed).
  struct Ticket {
    ConnectAttempt attempt;
    SecretString ticket;
  };
  Task<Result<Ticket>> IssueTicket(const StartRequest& request);

  /// What a browser that follows a ticket gets: straight on to the provider when it holds the session that asked, else
  /// a page that names the receiving account and asks first.
  struct OpenedTicket {
    ConnectAttempt attempt;
    /// Set when `session` (of the browser's own cookie) is the one that the ticket is bound to.
    std::optional<oauth::StartedFlow> started;
    /// Else: to be set as cookie (HttpOnly, SameSite=Strict), and to be posted back with the form.
    oauth::TransactionCookie confirmation;
    std::string form_token;
  };
  /// Consumes the ticket. kNotFound for unknown, used and expired ones and for those of another provider.
  Task<Result<OpenedTicket>> OpenTicket(std::string_view provider, const SecretString& ticket,
                                        const SessionId& session);
  /// The person said yes on the page. kStateMismatch, kStateExpired.
  Task<Result<oauth::StartedFlow>> ConfirmTicket(std::string_view provider, std::string_view confirmation_cookie,
                                                 std::string_view form_token);
  /// The confirmation cookie's name.
  std::string ConfirmationCookieName() const;

 private:
  Task<Result<ConnectedAccountId>> Complete(const ConnectAttempt& attempt, const oauth::Transaction& transaction,
                                            const oauth::RedirectParameters& parameters,
                                            std::map<std::string, std::string>& params);
  Task<Result<ConnectedAccountId>> Attach(const ConnectAttempt& attempt, const oauth::TokenSet& tokens,
                                          const oauth::IdentityClaims& claims);
  Task<Result<Connection>> MakeConnection(const ConnectAttempt& attempt, const oauth::TokenSet& tokens,
                                          const oauth::IdentityClaims& claims);
  Task<Finished> OutcomeOf(const ConnectAttempt& attempt, Finished finished);
  Task<Result<oauth::StartedFlow>> StartFlow(const ConnectAttempt& attempt, std::string_view return_to);

  Parts parts_;
  oauth::SingleConsumption consumption_;
};

}  // namespace latchkey::connected_accounts
