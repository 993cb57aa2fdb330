#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/secret.hpp"
#include "connected_accounts/account.hpp"
#include "jobs/job.hpp"

namespace latchkey::connected_accounts {

/// The token columns as stored: sealed text, never clear (the vault in crypto/ seals and opens them).
struct SealedTokens {
  std::string access_token;
  std::string refresh_token;  ///< Empty when the provider gave none.
  std::optional<Instant> expires_at;
  /// When the refresh token itself ends, where the provider said so (Google: projects in testing mode).
  std::optional<Instant> refresh_expires_at;
  /// How long the refresh token was given for, where the provider said so; Google's projects in testing give seven
  /// days.
  std::optional<std::chrono::seconds> refresh_lifetime;
  /// Rises with every stored token set; a refresh stores only over the version it started from.
  std::int64_t version = 0;
};

/// One try to connect a mailbox: the server's record is the truth of how it ended.
struct ConnectAttempt {
  ConnectAttemptId id;
  UserId user_id;
  SessionId session_id;
  std::string provider;
  std::vector<Capability> capabilities;
  std::string mode;               ///< "popup" or "page"
  ConnectedAccountId account_id;  ///< Set when reconnecting or granting more to this account.
  enum class State { kPending, kSucceeded, kFailed, kExpired };
  State state = State::kPending;
  std::string error_code;
  /// Values for the words about the failure, such as the two addresses of `wrong_account`.
  std::map<std::string, std::string> params;
  ConnectedAccountId result_account_id;
  Instant created_at{}, expires_at{};
  /// Of API clients' attempts: SHA-256 in hex of the single-use ticket, and until when it opens the attempt.
  std::string ticket_hash;
  std::optional<Instant> ticket_expires_at;
};

/// A connection that succeeded at the provider, to be stored as new account or onto the existing one, in one
/// transaction with its first sync job, the attempt's outcome and the event.
struct Connection {
  ConnectAttemptId attempt_id;
  ConnectedAccount account;  ///< id is set by the caller for a new account
  /// Sealed for account.id. The store sets the version (one above the row's).
  SealedTokens tokens;
  std::vector<jobs::NewJob> first_jobs;
  /// Kept as the attempt's error_code although it succeeded: "partial_consent", or empty.
  std::string note;
};

struct ErasureReceipt {
  std::string id;
  UserId user_id;
  ConnectedAccountId account_id;
  std::string email, provider;
  bool complete = false;
  std::map<std::string, std::int64_t> deleted;  ///< Rows gone, per table.
  std::int64_t total = 0;                       ///< Rows there were when the erase began.
  bool revoked_at_provider = false;
  Instant requested_at{};
  std::optional<Instant> completed_at;
};

class AccountStore {
 public:
  virtual ~AccountStore() = default;

  virtual Task<Result<void>> InsertAttempt(const ConnectAttempt& attempt) = 0;
  virtual Task<Result<ConnectAttempt>> GetAttempt(const UserId& user, const ConnectAttemptId& id) = 0;
  /// Clears the ticket of the pending attempt that has it, and returns the attempt; kNotFound when there is none or the
  /// ticket is older than its expiry. One of several simultaneous callers wins.
  virtual Task<Result<ConnectAttempt>> ConsumeTicket(std::string_view ticket_hash) = 0;
  /// Moves pending to failed; anything else stays. Writes the connect.finished event.
  virtual Task<Result<void>> FailAttempt(const ConnectAttemptId& id, std::string_view error_code,
                                         const std::map<std::string, std::string>& params = {}) = 0;

  /// kNotFound when this user has no account of that provider identity.
  virtual Task<Result<ConnectedAccount>> FindByProviderAccount(const UserId& user, std::string_view provider,
                                                               std::string_view provider_account_id) = 0;
  /// Inserts, or, when account.id is a row already, updates its tokens, scopes, requested capabilities, email and
  /// display name (generation, paused, history and cursors kept; fault cleared); first jobs, attempt outcome
  /// (kPending -> kSucceeded) and the connect.finished and account.updated events in the same transaction.
  /// kAlreadyExists when another row has this (user, provider, provider_account_id) (a race); kUnauthenticated when the
  /// attempt's session is no longer alive; kConflict when the attempt is no longer pending; kFenced when the row is
  /// disconnecting. A job's generation is set by the store to the row's.
  virtual Task<Result<ConnectedAccountId>> StoreConnection(const Connection& connection) = 0;

  virtual Task<Result<std::vector<ConnectedAccount>>> List(const UserId& user) = 0;
  virtual Task<Result<ConnectedAccount>> Get(const UserId& user, const ConnectedAccountId& id) = 0;
  /// For jobs: without an owner check.
  virtual Task<Result<ConnectedAccount>> GetForWork(const ConnectedAccountId& id) = 0;
  virtual Task<Result<void>> Rename(const UserId& user, const ConnectedAccountId& id,
                                    std::string_view display_name) = 0;
  virtual Task<Result<void>> SetPaused(const UserId& user, const ConnectedAccountId& id, bool paused) = 0;

  /// Puts the provider's own id, and its address unless that is empty, in the place of what an imported account was
  /// known by (imported.hpp). Nothing happens when it has its id already, or when the same user has connected that
  /// mailbox beside it.
  virtual Task<Result<void>> Identify(const ConnectedAccountId& id, std::string_view provider_account_id,
                                      std::string_view email) = 0;

  virtual Task<Result<SealedTokens>> GetTokens(const ConnectedAccountId& id) = 0;
  /// Compare-and-set on version: kConflict when somebody stored newer ones meanwhile (then read again). Ends a fault
  /// that ends with new tokens.
  virtual Task<Result<void>> ReplaceTokens(const ConnectedAccountId& id, std::int64_t generation,
                                           const SealedTokens& tokens, std::int64_t expected_version) = 0;
  /// One refresher at a time over all processes: true when the lease was taken until `until`.
  virtual Task<Result<bool>> TryLeaseRefresh(const ConnectedAccountId& id, std::string_view holder, Instant until) = 0;

  /// Records what holds the account (with event account.updated on change), or clears it after a success. A fault that
  /// needs the person's sign-in is recorded for a paused account too, gives way to no other fault, and writes the event
  /// account.needs_reauth once until new tokens come; ClearFault leaves what ends with new tokens alone.
  /// A job's word counts while it holds its `lease`: kLeaseLost. An empty lease is not looked at.
  virtual Task<Result<void>> SetFault(const ConnectedAccountId& id, std::int64_t generation, ErrorCode code,
                                      std::optional<Instant> next_attempt_at, const jobs::Lease& lease) = 0;
  virtual Task<Result<void>> ClearFault(const ConnectedAccountId& id, std::int64_t generation,
                                        const jobs::Lease& lease) = 0;

  /// Keeps what the provider demanded of the person's next sign-in, until new tokens come.
  virtual Task<Result<void>> KeepClaimsChallenge(const ConnectedAccountId& id, std::int64_t generation,
                                                 std::string_view challenge) = 0;

  /// Accounts whose next sync is due, by index; at most `limit`.
  struct Due {
    ConnectedAccountId id;
    std::int64_t generation = 0;
  };
  /// Takes what is due and moves each next_sync_at on to `next`, inserting `kind` jobs, in one transaction. Cost
  /// follows the number due. Returns how many.
  virtual Task<Result<int>> ScheduleDue(Instant now, Instant next, int limit, std::string_view kind) = 0;
  /// Inserts a `kind` job for each account, paused ones too, whose refresh token was not used since `used_before` and
  /// that waits for nobody's sign-in; at most `limit`, those unused for longest first. Returns how many such there are.
  virtual Task<Result<int>> ScheduleUnused(Instant used_before, int limit, std::string_view kind) = 0;
  virtual Task<Result<void>> RequestSync(const UserId& user, const ConnectedAccountId& id) = 0;

  /// Erase, first half: raises the generation (from here on no write of older work can succeed), clears nothing yet,
  /// inserts the delete job and the receipt, returns the receipt. Idempotent.
  virtual Task<Result<ErasureReceipt>> BeginErase(const UserId& user, const ConnectedAccountId& id) = 0;
  /// Second half, by the job: deletes up to `limit` rows; true when none is left and the account row itself is gone.
  virtual Task<Result<bool>> EraseSome(const ConnectedAccountId& id, int limit) = 0;
  virtual Task<Result<void>> MarkRevoked(const ConnectedAccountId& id) = 0;
  virtual Task<Result<ErasureReceipt>> GetErasure(const UserId& user, std::string_view id) = 0;
  virtual Task<Result<std::map<std::string, std::int64_t>>> PreviewErase(const UserId& user,
                                                                         const ConnectedAccountId& id) = 0;
  /// Other live connections (of any user) with the same provider identity: revoking would break them.
  virtual Task<Result<int>> CountSharingGrant(std::string_view provider, std::string_view provider_account_id,
                                              const ConnectedAccountId& except) = 0;

  struct ActivityRow {
    std::string id, job_type, status, error_code;
    std::optional<Instant> started_at, completed_at;
    Instant created_at{};
  };
  struct ActivityPage {
    std::vector<ActivityRow> rows;  ///< Newest first.
    std::string next_cursor;        ///< Empty at the end.
  };
  /// `cursor`: empty for the newest. kInvalidArgument for a cursor that is not ours.
  virtual Task<Result<ActivityPage>> ListActivity(const UserId& user, const ConnectedAccountId& id,
                                                  const std::string& cursor, int limit) = 0;

  /// An operator's fault: one notice however many accounts meet it; resolved when a call of that kind succeeds again.
  struct Notice {
    std::string code, provider;
    std::string reason;  ///< Which of several causes, as in oauth::TokenRefusal; the latest. May be empty.
    Instant since{};
    Instant last_seen{};
    std::int64_t count = 0;
  };
  virtual Task<Result<void>> RaiseNotice(std::string_view provider, ErrorCode code, std::string_view reason = {}) = 0;
  /// Work of this provider went through that cannot while any of `faults` lasts: their notices end, and the jobs and
  /// mails that wait for one of them are due at once. Costs one read when there is no notice.
  virtual Task<Result<void>> ResolveNotices(std::string_view provider, std::vector<ErrorCode> faults) = 0;
  virtual Task<Result<std::vector<Notice>>> ListNotices() = 0;
};

/// Hands out access tokens that work, refreshing ahead of expiry with one refresh per expiry (law five). Implemented in
/// this folder over AccountStore, the vault and the provider's token endpoint.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  /// `rejected`: the token the provider just refused with 401; when it is still the stored one, a refresh is forced.
  virtual Task<Result<SecretString>> AccessToken(const ConnectedAccountId& account, const SecretString& rejected) = 0;
  /// The account's tokens were replaced, or may have been by another process (a call lacked a permission that the
  /// person may have granted since): the next AccessToken looks at what is stored. Causes no refresh.
  virtual void Forget(const ConnectedAccountId& account) { (void)account; }
  /// The provider refused a call until the person signs in again, and demands `claims_challenge` (may be empty) of that
  /// sign-in: recorded as `fault`, which is one that needs the person. By default nothing is.
  virtual Task<void> RequireSignIn(const ConnectedAccountId& account, ErrorCode fault,
                                   std::string_view claims_challenge) {
    (void)account, (void)fault, (void)claims_challenge;
    co_return;
  }
};

}  // namespace latchkey::connected_accounts
