#include "connected_accounts/token_source.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <functional>
#include <vector>

#include "async/shield.hpp"
#include "base/random.hpp"
#include "connected_accounts/imported.hpp"
#include "connected_accounts/token_seal.hpp"
#include "crypto/hash.hpp"
#include "telemetry/log.hpp"

namespace latchkey::connected_accounts {
namespace {

constexpr std::chrono::minutes kAhead{5};
/// Spreads the refreshes of accounts that were connected together.
constexpr int kJitterSeconds = 60;
/// A token that ends within this is no use for a call that has yet to travel.
constexpr std::chrono::seconds kLastUse{30};
/// Longer than a refresh can take (two calls of ten seconds).
constexpr std::chrono::seconds kLongestRefresh{30};
constexpr std::chrono::milliseconds kLookAgain{250};
constexpr int kMaxLooks = 100;
constexpr std::chrono::seconds kRememberFor{20};
constexpr std::size_t kMaxRemembered = 4096;
/// Of a refusal that only the account's side can end, but not only the person.
constexpr std::chrono::seconds kRefusedFor{10};
/// Of a refusal of our client: one account asks for all of them.
constexpr std::chrono::seconds kClientRefusedFor{10};
/// Before an idle account is tried again; there are weeks to go.
constexpr std::chrono::hours kKeepAlivePause{1};
/// What Google gives a project in testing: 604,799 seconds of seven days, perhaps a little older when it arrives.
constexpr std::chrono::seconds kTestModeAtMost = std::chrono::days(7);
constexpr std::chrono::seconds kTestModeAtLeast = std::chrono::days(7) - std::chrono::minutes(10);

Instant RefreshAt(const ConnectedAccountId& account, Instant expires_at) {
  const auto jitter = static_cast<int>(std::hash<std::string>()(account.text()) % kJitterSeconds);
  return expires_at - kAhead - std::chrono::seconds(jitter);
}

bool IsSame(const SecretString& a, const SecretString& b) {
  return !a.empty() && crypto::EqualConstantTime(a.Reveal(), b.Reveal());
}

/// Faults of which a refresh knows beforehand that only the person can end them.
bool NeedsThePerson(const ConnectedAccount& account) { return account.fault && NeedsSignIn(*account.fault); }

/// The store cannot take anything at the moment; it has not said no.
bool IsStoreFault(ErrorCode code) {
  return code == ErrorCode::kDiskFull || code == ErrorCode::kStorageUnavailable || code == ErrorCode::kOverloaded ||
         code == ErrorCode::kTimeout;
}

bool IsTestMode(const SealedTokens& tokens, Instant now) {
  return tokens.refresh_lifetime && tokens.refresh_expires_at && *tokens.refresh_lifetime >= kTestModeAtLeast &&
         *tokens.refresh_lifetime <= kTestModeAtMost && now + std::chrono::hours(1) >= *tokens.refresh_expires_at;
}

}  // namespace

/// A refresh at work; those who come meanwhile share what it ends with.
struct RefreshingTokenSource::Flight {
  explicit Flight(const Executor& executor) : landed(executor) {}
  Signal landed;
  std::optional<Result<SecretString>> result;
  bool over = false;
};

RefreshingTokenSource::RefreshingTokenSource(const Parts& parts) : parts_(parts), holder_(RandomToken(16)) {}
RefreshingTokenSource::~RefreshingTokenSource() = default;

std::optional<SecretString> RefreshingTokenSource::Recall(const ConnectedAccountId& account,
                                                          const SecretString& rejected) {
  const auto it = remembered_.find(account);
  if (it == remembered_.end()) return std::nullopt;
  const Instant now = parts_.clock.Now();
  const Remembered& known = it->second;
  if (now < known.read_at || now >= known.read_at + kRememberFor || (known.refresh_at && now >= *known.refresh_at) ||
      IsSame(rejected, known.token)) {
    remembered_.erase(it);
    return std::nullopt;
  }
  return known.token;
}

SecretString RefreshingTokenSource::Remember(const Stored& stored) {
  if (remembered_.size() >= kMaxRemembered) remembered_.clear();
  Remembered known{.token = stored.access_token, .read_at = parts_.clock.Now()};
  if (stored.sealed.expires_at) known.refresh_at = RefreshAt(stored.account.id, *stored.sealed.expires_at);
  remembered_[stored.account.id] = std::move(known);
  return stored.access_token;
}

Task<Result<SecretString>> RefreshingTokenSource::AccessToken(const ConnectedAccountId& account,
                                                              const SecretString& rejected) {
  while (true) {
    if (auto known = Recall(account, rejected)) co_return std::move(*known);
    if (const auto it = flights_.find(account); it != flights_.end()) {
      const auto flight = it->second;
      while (!flight->over) co_await flight->landed.Wait(kLongestRefresh);
      // Without a result its owner was cancelled; and its token may be the very one that was refused here.
      if (flight->result && !(flight->result->has_value() && IsSame(rejected, **flight->result))) {
        co_return *flight->result;
      }
      continue;
    }
    const auto flight = std::make_shared<Flight>(parts_.executor);
    flights_[account] = flight;
    struct Land {
      RefreshingTokenSource* source;
      const ConnectedAccountId& account;
      Flight& flight;
      ~Land() {
        flight.over = true;
        source->flights_.erase(account);
        flight.landed.Raise();
      }
    };
    const Land land{this, account, *flight};
    flight->result = co_await Produce(account, rejected);
    co_return *flight->result;
  }
}

Task<Result<SecretString>> RefreshingTokenSource::Produce(const ConnectedAccountId& account,
                                                          const SecretString& rejected) {
  auto stored = co_await Read(account);
  if (!stored) co_return Fail(stored.error());
  if (IsGood(*stored, rejected)) co_return Remember(*stored);
  if (NeedsThePerson(stored->account)) co_return Fail(*stored->account.fault, "waits for the person");
  if (const auto it = refusals_.find(account); it != refusals_.end()) {
    if (parts_.clock.Now() < it->second.until) co_return Fail(it->second.error);
    refusals_.erase(it);
  }
  const bool still_works = stored->sealed.expires_at && !stored->access_token.empty() &&
                           !IsSame(rejected, stored->access_token) &&
                           parts_.clock.Now() < *stored->sealed.expires_at - kLastUse;
  const SecretString old = stored->access_token;
  auto refreshed = co_await RefreshUnderLease(std::move(*stored), rejected);
  if (!refreshed && still_works && OwnerOf(refreshed.error().code) != FaultOwner::kAccount) co_return old;
  co_return refreshed;
}

Task<Result<RefreshingTokenSource::Stored>> RefreshingTokenSource::Read(const ConnectedAccountId& id) {
  Stored stored;
  auto account = co_await parts_.store.GetForWork(id);
  if (!account) co_return Fail(account.error());
  if (account->disconnecting) co_return Fail(ErrorCode::kFenced, "the account is being erased");
  auto sealed = co_await parts_.store.GetTokens(id);
  if (!sealed) co_return Fail(sealed.error());
  stored.account = std::move(*account);
  stored.sealed = std::move(*sealed);
  if (!stored.sealed.access_token.empty()) {
    auto opened = parts_.vault.Open(AccessTokenContext(stored.account), stored.sealed.access_token);
    // An access token that cannot be opened is worth no more than one that has expired: the refresh token decides.
    if (opened) stored.access_token = std::move(*opened);
  }
  co_return stored;
}

bool RefreshingTokenSource::IsGood(const Stored& stored, const SecretString& rejected) const {
  if (stored.access_token.empty() || IsSame(rejected, stored.access_token)) return false;
  return !stored.sealed.expires_at || parts_.clock.Now() < RefreshAt(stored.account.id, *stored.sealed.expires_at);
}

Task<Result<SecretString>> RefreshingTokenSource::RefreshUnderLease(Stored stored, const SecretString& rejected) {
  if (const auto it = unsaved_.find(stored.account.id); it != unsaved_.end()) {
    // These are the account's tokens now: the provider may have ended the stored ones.
    const Unsaved fresh = it->second;
    auto saved = co_await Save(fresh);
    if (saved || IsStoreFault(saved.error().code)) co_return saved;
  }
  const auto wait = co_await parts_.pauses.Remaining(stored.account.id, sync::kTokenService);
  if (wait > std::chrono::milliseconds(0)) {
    co_return Fail(Error{
        .code = ErrorCode::kRateLimited, .detail = "the provider asked to wait with refreshing", .retry_after = wait});
  }
  for (int look = 0; look < kMaxLooks; ++look) {
    const Instant until = parts_.clock.Now() + parts_.lease.lasts;
    const auto leased = co_await parts_.store.TryLeaseRefresh(stored.account.id, holder_, until);
    if (!leased) co_return Fail(leased.error());
    // Another process may have refreshed before the lease was ours, or be at it now.
    const ConnectedAccountId id = stored.account.id;
    auto again = co_await Read(id);
    if (!again) co_return Fail(again.error());
    stored = std::move(*again);
    if (IsGood(stored, rejected)) co_return Remember(stored);
    if (NeedsThePerson(stored.account)) co_return Fail(*stored.account.fault, "waits for the person");
    if (*leased) {
      auto refreshed = co_await Refresh(stored);
      // Somebody stored newer tokens meanwhile: look at those.
      if (!refreshed && refreshed.error().code == ErrorCode::kConflict) continue;
      co_return refreshed;
    }
    co_await SleepFor(kLookAgain);
  }
  co_return Fail(ErrorCode::kProviderUnavailable, "another process is refreshing and does not end");
}

/// Once asked, the provider may have rotated: its answer is waited for and stored even when nobody wants it any more.
Task<Result<SecretString>> RefreshingTokenSource::Refresh(const Stored& stored) {
  if (const auto it = client_refusals_.find(stored.account.provider); it != client_refusals_.end()) {
    if (parts_.clock.Now() < it->second.until) co_return Fail(it->second.error);
    // This one asks; the others go on waiting until it knows.
    it->second.until = parts_.clock.Now() + kClientRefusedFor;
  }
  co_return co_await Shielded(AskProvider(stored));
}

/// Renews a lease while it lives: the provider may take longer than the lease lasts.
class RefreshingTokenSource::LeaseKeeper {
 public:
  LeaseKeeper(RefreshingTokenSource& source, const ConnectedAccountId& account)
      : progress_(std::make_shared<Progress>(source.parts_.executor)) {
    boost::asio::co_spawn(source.parts_.executor, Renew(source, account, progress_), boost::asio::detached);
  }
  ~LeaseKeeper() { Tell(); }
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  /// Once this has returned nothing is renewed any more: what ends the lease stays the last word.
  Task<void> End() {
    Tell();
    while (progress_->renewing) co_await progress_->renewed.Wait(kLongestRefresh);
  }

 private:
  struct Progress {
    explicit Progress(const Executor& executor) : answered(executor), renewed(executor) {}
    Signal answered, renewed;
    bool over = false, renewing = true;
  };

  void Tell() {
    progress_->over = true;
    progress_->answered.Raise();
  }
  /// The source is not touched once the keeper is gone.
  static Task<void> Renew(RefreshingTokenSource& source, ConnectedAccountId account,
                          std::shared_ptr<Progress> progress) {
    while (true) {
      co_await progress->answered.Wait(source.parts_.lease.renewed_every);
      if (progress->over) break;
      const Instant until = source.parts_.clock.Now() + source.parts_.lease.lasts;
      // A store that cannot take it cannot give the lease to anybody else either.
      (void)co_await source.parts_.store.TryLeaseRefresh(account, source.holder_, until);
      if (progress->over) break;
    }
    progress->renewing = false;
    progress->renewed.Raise();
  }

  std::shared_ptr<Progress> progress_;
};

Task<Result<SecretString>> RefreshingTokenSource::AskProvider(const Stored& stored) {
  const auto provider = parts_.providers.Find(stored.account.provider);
  if (!provider) co_return Fail(co_await Refused(stored, provider.error()));
  if (stored.sealed.refresh_token.empty()) {
    Error error{.code = ErrorCode::kNoRefreshToken, .detail = "no refresh token is stored"};
    co_return Fail(co_await Refused(stored, std::move(error)));
  }
  const auto refresh_token = parts_.vault.Open(RefreshTokenContext(stored.account), stored.sealed.refresh_token);
  if (!refresh_token) {
    Error error{.code = ErrorCode::kKeyUnavailable, .detail = refresh_token.error().detail};
    co_return Fail(co_await Refused(stored, std::move(error)));
  }
  const oauth::RefreshRequest request{.refresh_token = *refresh_token, .scopes = stored.account.granted_scopes};
  LeaseKeeper lease(*this, stored.account.id);
  const auto tokens = co_await (*provider)->Refresh(request);
  if (!tokens) {
    co_await lease.End();
    co_return Fail(co_await Refused(stored, tokens.error()));
  }
  const bool imported = IsImportedId(stored.account.provider_account_id);
  const std::string_view expected = imported ? std::string_view() : stored.account.provider_account_id;
  const auto person = co_await (*provider)->VerifyRefreshed(*tokens, expected);
  co_await lease.End();
  if (!person) {
    Error error{.code = ErrorCode::kProviderUnavailable, .detail = person.error().detail};
    co_return Fail(co_await Refused(stored, std::move(error)));
  }
  auto kept = co_await Store(stored, *tokens);
  if (imported && kept && *person) {
    // The grant that the account lives from says whose mailbox it is: from now on it is that one and no other. What
    // fails here is made good by the next refresh.
    const auto named = co_await parts_.store.Identify(stored.account.id, (*person)->subject, (*person)->email);
    if (!named)
      log::Warn("account.not_identified", {{"account_id", stored.account.id}, {"detail", named.error().detail}});
  }
  co_return kept;
}

Task<Result<SecretString>> RefreshingTokenSource::Store(const Stored& stored, const oauth::TokenSet& tokens) {
  SealedTokens sealed = stored.sealed;
  sealed.access_token = parts_.vault.Seal(AccessTokenContext(stored.account), tokens.access_token);
  sealed.expires_at = tokens.expires_at;
  const auto refresh_context = RefreshTokenContext(stored.account);
  if (!tokens.refresh_token.empty()) {
    sealed.refresh_token = parts_.vault.Seal(refresh_context, tokens.refresh_token);
  } else if (parts_.vault.IsLegacy(sealed.refresh_token)) {
    // Values of an older key or form are rewritten when they are used.
    if (const auto clear = parts_.vault.Open(refresh_context, sealed.refresh_token)) {
      sealed.refresh_token = parts_.vault.Seal(refresh_context, *clear);
    }
  }
  if (tokens.refresh_expires_at) {
    sealed.refresh_expires_at = tokens.refresh_expires_at;
    if (!tokens.refresh_token.empty()) {
      sealed.refresh_lifetime =
          std::chrono::floor<std::chrono::seconds>(*tokens.refresh_expires_at - parts_.clock.Now());
    }
  }
  const Unsaved fresh{.account = stored.account, .sealed = std::move(sealed), .access_token = tokens.access_token};
  auto saved = co_await Save(fresh);
  if (!saved && IsStoreFault(saved.error().code)) {
    unsaved_.insert_or_assign(stored.account.id, fresh);
    log::Failure("token.waits_for_store",
                 {{"account_id", stored.account.id}, {"error_code", ToString(saved.error().code)}});
  }
  co_return saved;
}

Task<Result<SecretString>> RefreshingTokenSource::Save(const Unsaved& fresh) {
  const ConnectedAccountId id = fresh.account.id;
  const auto replaced =
      co_await parts_.store.ReplaceTokens(id, fresh.account.generation, fresh.sealed, fresh.sealed.version);
  // Stored, or refused for good: erased, connected again, or newer ones are there.
  if (replaced || !IsStoreFault(replaced.error().code)) unsaved_.erase(id);
  if (!replaced) co_return Fail(replaced.error());
  log::Info("token.refreshed", {{"account_id", id}, {"provider", fresh.account.provider}});
  client_refusals_.erase(fresh.account.provider);
  co_await parts_.records.ResolveOperatorFaults(fresh.account.provider);
  const Stored stored{.account = fresh.account, .sealed = fresh.sealed, .access_token = fresh.access_token};
  co_return Remember(stored);
}

Task<bool> RefreshingTokenSource::StoreUnsaved() {
  std::vector<Unsaved> waiting;
  for (const auto& [id, fresh] : unsaved_) waiting.push_back(fresh);
  for (const Unsaved& fresh : waiting) {
    const auto saved = co_await Save(fresh);
    if (!saved && IsStoreFault(saved.error().code)) co_return false;
  }
  co_return unsaved_.empty();
}

/// Tells whoever has to act, and gives the error that the caller sees.
Task<Error> RefreshingTokenSource::Refused(const Stored& stored, oauth::TokenRefusal refusal) {
  Error error = refusal;
  const Instant now = parts_.clock.Now();
  if (error.code == ErrorCode::kReauthInvalidGrant && IsTestMode(stored.sealed, now)) {
    // The provider had told when the grant would end.
    error.code = ErrorCode::kReauthTestMode;
  }
  log::Warn("token.refresh_failed", {{"account_id", stored.account.id},
                                     {"provider", stored.account.provider},
                                     {"error_code", ToString(error.code)},
                                     {"detail", error.detail}});
  const FaultOwner owner = OwnerOf(error.code);
  if (owner == FaultOwner::kAccount || error.code == ErrorCode::kKeyUnavailable) {
    const auto set = co_await parts_.store.SetFault(stored.account.id, stored.account.generation, error.code,
                                                    std::nullopt, jobs::Lease{});
    if (!set) log::Warn("token.fault_not_recorded", {{"error_code", ToString(set.error().code)}});
    if (!refusal.claims_challenge.empty()) {
      const auto kept = co_await parts_.store.KeepClaimsChallenge(stored.account.id, stored.account.generation,
                                                                  refusal.claims_challenge);
      if (!kept) log::Warn("token.challenge_not_kept", {{"error_code", ToString(kept.error().code)}});
    }
    if (refusals_.size() >= kMaxRemembered) refusals_.clear();
    refusals_[stored.account.id] = {.error = error, .until = now + kRefusedFor};
  } else if (owner == FaultOwner::kOperator) {
    client_refusals_[stored.account.provider] = {.error = error, .until = now + kClientRefusedFor};
    co_await parts_.records.RaiseOperatorFault(stored.account.provider, error.code, refusal.reason);
  } else if (error.retry_after) {
    co_await parts_.pauses.Hold(stored.account.id, sync::kTokenService, *error.retry_after);
  } else if (error.code == ErrorCode::kTimeout || error.code == ErrorCode::kMalformedReply) {
    error.code = ErrorCode::kProviderUnavailable;
  }
  co_return error;
}

Task<void> RefreshingTokenSource::RequireSignIn(const ConnectedAccountId& id, ErrorCode fault,
                                                std::string_view claims_challenge) {
  remembered_.erase(id);
  const auto account = co_await parts_.store.GetForWork(id);
  if (!account) co_return;
  const auto set = co_await parts_.store.SetFault(id, account->generation, fault, std::nullopt, jobs::Lease{});
  if (!set) log::Warn("token.fault_not_recorded", {{"error_code", ToString(set.error().code)}});
  if (claims_challenge.empty()) co_return;
  const auto kept = co_await parts_.store.KeepClaimsChallenge(id, account->generation, claims_challenge);
  if (!kept) log::Warn("token.challenge_not_kept", {{"error_code", ToString(kept.error().code)}});
}

Task<jobs::Outcome> RefreshingTokenSource::KeepAlive(const jobs::Job& job) {
  const ConnectedAccountId id = job.account_id;
  const auto stored = co_await Read(id);
  if (!stored) {
    const ErrorCode code = stored.error().code;
    if (code == ErrorCode::kNotFound || code == ErrorCode::kFenced) co_return jobs::Outcome::Completed();
    co_return jobs::Outcome::Retry(stored.error());
  }
  const Instant used = stored->account.last_refresh_at.value_or(stored->account.created_at);
  if (NeedsThePerson(stored->account) || used >= parts_.clock.Now() - kUnusedFor) co_return jobs::Outcome::Completed();
  // A token that lived would be handed out: to call it rejected forces the refresh.
  const auto refreshed = co_await AccessToken(id, stored->access_token);
  if (refreshed) co_return jobs::Outcome::Completed();
  switch (OwnerOf(refreshed.error().code)) {
    case FaultOwner::kAccount:
      co_return jobs::Outcome::Completed();  // Recorded; the person is told.
    case FaultOwner::kOperator:
    case FaultOwner::kProvider:
      co_return jobs::Outcome::Snooze(std::max<std::chrono::milliseconds>(
          refreshed.error().retry_after.value_or(std::chrono::milliseconds(0)), kKeepAlivePause));
    default:
      co_return jobs::Outcome::Retry(refreshed.error());
  }
}

}  // namespace latchkey::connected_accounts
