#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "connected_accounts/account_store.hpp"
#include "crypto/vault.hpp"
#include "jobs/job.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/provider_records.hpp"
#include "sync/provider_pause.hpp"

namespace latchkey::connected_accounts {

/// The kind of the job that keeps an idle account's grant from dying of disuse: Microsoft ends a refresh token that is
/// 90 days old, Google one that was not used for six months.
inline constexpr std::string_view kRefreshGrant = "refresh_grant";
inline constexpr std::chrono::days kUnusedFor{30};

/// TokenSource over the account store, the vault and the provider's token endpoint. Law five: one refresh per expiry
/// over all callers (single flight), and over all processes (a lease in the database); the rotated token is stored
/// before anybody uses it. All it is given must outlive it. Loop thread only.
class RefreshingTokenSource final : public TokenSource {
 public:
  /// How long a refresh belongs to a process that gives no more sign of life, and how often one that is waiting for the
  /// provider's answer gives one: so that after a death the refresh is taken over in seconds, however slow providers
  /// are.
  struct LeaseTimes {
    std::chrono::milliseconds lasts = std::chrono::seconds(8);
    std::chrono::milliseconds renewed_every = std::chrono::seconds(2);
  };
  struct Parts {
    const oauth::IdentityProviders& providers;
    oauth::ProviderRecords& records;
    AccountStore& store;
    const crypto::Vault& vault;
    sync::ProviderPauses& pauses;
    const Clock& clock;
    Executor executor;
    LeaseTimes lease{};
  };
  explicit RefreshingTokenSource(const Parts& parts);
  ~RefreshingTokenSource() override;

  /// kReauthInvalidGrant, kReauthTestMode, kPolicyEnforced, kNoRefreshToken, kKeyUnavailable (recorded on the account:
  /// the person must act, and the provider is not asked again before), operator faults (a notice is raised, the account
  /// stays as it is), kProviderUnavailable and kRateLimited (wait), kNotFound, kFenced (being erased).
  Task<Result<SecretString>> AccessToken(const ConnectedAccountId& account, const SecretString& rejected) override;
  void Forget(const ConnectedAccountId& account) override { remembered_.erase(account); }
  Task<void> RequireSignIn(const ConnectedAccountId& account, ErrorCode fault,
                           std::string_view claims_challenge) override;

  /// Handler of `refresh_grant`: uses the refresh token, unless that happened since kUnusedFor or waits for the person.
  /// A paused account is kept alive as well: no data is asked for, and resuming after a long rest finds access.
  Task<jobs::Outcome> KeepAlive(const jobs::Job& job);

  /// Tokens that a provider gave out and the store could not take (the disk is full) wait here in memory, unused, until
  /// it can: tries again for each. True when none is left. Called every second or so, and before the process ends.
  Task<bool> StoreUnsaved();
  std::size_t unsaved() const { return unsaved_.size(); }

 private:
  struct Flight;
  class LeaseKeeper;
  /// A token that was read a moment ago: a sync asks for it with every request.
  struct Remembered {
    SecretString token;
    std::optional<Instant> refresh_at;
    Instant read_at{};
  };
  /// The stored tokens of an account, opened as far as needed.
  struct Stored {
    ConnectedAccount account;
    SealedTokens sealed;
    SecretString access_token;
  };
  /// What the provider rotated to and nobody else knows yet. Few: a refresh begins with a write, which fails as well.
  struct Unsaved {
    ConnectedAccount account;
    SealedTokens sealed;
    SecretString access_token;
  };
  /// A refusal that a person or an administrator may end at any time: not asked about again for a moment.
  struct RecentRefusal {
    Error error;
    Instant until{};
  };
  std::optional<SecretString> Recall(const ConnectedAccountId& account, const SecretString& rejected);
  Task<Result<SecretString>> Produce(const ConnectedAccountId& account, const SecretString& rejected);
  Task<Result<Stored>> Read(const ConnectedAccountId& account);
  bool IsGood(const Stored& stored, const SecretString& rejected) const;
  SecretString Remember(const Stored& stored);
  Task<Result<SecretString>> RefreshUnderLease(Stored stored, const SecretString& rejected);
  Task<Result<SecretString>> Refresh(const Stored& stored);
  Task<Result<SecretString>> AskProvider(const Stored& stored);
  Task<Result<SecretString>> Store(const Stored& stored, const oauth::TokenSet& tokens);
  /// kConflict when newer tokens are stored already.
  Task<Result<SecretString>> Save(const Unsaved& fresh);
  Task<Error> Refused(const Stored& stored, oauth::TokenRefusal refusal);

  Parts parts_;
  /// Names this process in refresh leases.
  std::string holder_;
  std::unordered_map<ConnectedAccountId, std::shared_ptr<Flight>> flights_;
  std::unordered_map<ConnectedAccountId, Remembered> remembered_;
  std::unordered_map<ConnectedAccountId, RecentRefusal> refusals_;
  /// By provider: refusals of our own client, which are the same for every account.
  std::map<std::string, RecentRefusal, std::less<>> client_refusals_;
  std::unordered_map<ConnectedAccountId, Unsaved> unsaved_;
};

}  // namespace latchkey::connected_accounts
