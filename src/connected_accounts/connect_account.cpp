// The part of Connect that turns a redeemed grant into a stored connection.

#include <algorithm>

#include "connected_accounts/connect.hpp"
#include "connected_accounts/imported.hpp"
#include "connected_accounts/token_seal.hpp"
#include "telemetry/log.hpp"

namespace latchkey::connected_accounts {
namespace {

/// Another connect of the same mailbox may win the race for its row; then ours goes onto that row.
constexpr int kMaxTries = 3;
/// A mailbox that is just being erased can be connected anew when its last row is gone.
constexpr int kMaxWaits = 20;
constexpr std::chrono::milliseconds kWaitForErase{250};

bool Has(const std::vector<Capability>& list, Capability capability) {
  return std::ranges::find(list, capability) != list.end();
}

/// The refresh token we have is of no more use.
bool HasLostItsGrant(const ConnectedAccount& account) { return account.fault && EndsWithNewTokens(*account.fault); }

}  // namespace

Task<Result<ConnectedAccountId>> Connect::Attach(const ConnectAttempt& attempt, const oauth::TokenSet& tokens,
                                                 const oauth::IdentityClaims& claims) {
  int waits = 0;
  for (int tries = 0; tries < kMaxTries;) {
    const auto connection = co_await MakeConnection(attempt, tokens, claims);
    if (!connection) co_return Fail(connection.error());
    auto stored = co_await parts_.store.StoreConnection(*connection);
    if (stored) {
      // What is remembered of this account is without the permissions that were just granted.
      parts_.tokens.Forget(*stored);
      if (parts_.on_stored) co_await parts_.on_stored(*stored);
      log::Info("connect.succeeded", {{"attempt_id", attempt.id},
                                      {"account_id", *stored},
                                      {"provider", attempt.provider},
                                      {"note", connection->note}});
      co_return stored;
    }
    if (stored.error().code == ErrorCode::kFenced) {
      if (++waits > kMaxWaits) co_return Fail(ErrorCode::kConflict, "the mailbox is still being erased");
      co_await SleepFor(kWaitForErase);
    } else if (stored.error().code == ErrorCode::kAlreadyExists) {
      ++tries;
    } else {
      co_return stored;
    }
  }
  co_return Fail(ErrorCode::kConflict, "another connect of this mailbox is at work");
}

Task<Result<Connection>> Connect::MakeConnection(const ConnectAttempt& attempt, const oauth::TokenSet& tokens,
                                                 const oauth::IdentityClaims& claims) {
  const auto catalog = parts_.scopes.Find(attempt.provider);
  if (!catalog) co_return Fail(catalog.error());
  std::vector<std::string> scopes;
  if (tokens.scopes) {
    scopes = *tokens.scopes;
  } else {
    // RFC 6749 section 5.1: left out means granted as asked.
    auto asked = (*catalog)->ScopesFor(attempt.capabilities);
    if (!asked) co_return Fail(asked.error());
    scopes = std::move(*asked);
  }
  const std::vector<Capability> able = (*catalog)->CapabilitiesOf(scopes);

  // An account that is there already keeps its id, its history and its cursors, asked for or not.
  std::optional<ConnectedAccount> existing;
  if (!attempt.account_id.empty()) {
    auto account = co_await parts_.store.Get(attempt.user_id, attempt.account_id);
    if (!account) co_return Fail(account.error());
    if (!IsSameMailbox(account->provider_account_id, claims)) {
      co_return Fail(ErrorCode::kWrongAccount, "another mailbox than the one to reconnect");
    }
    existing = std::move(*account);
  } else {
    // By the provider's id; or taken over from an older program, which knew the address alone.
    for (const std::string& id : {claims.subject, KnownByAddressOf(claims)}) {
      if (id.empty() || existing) continue;
      auto account = co_await parts_.store.FindByProviderAccount(attempt.user_id, attempt.provider, id);
      if (account) {
        existing = std::move(*account);
      } else if (account.error().code != ErrorCode::kNotFound) {
        co_return Fail(account.error());
      }
    }
  }

  Connection connection{.attempt_id = attempt.id};
  ConnectedAccount& account = connection.account;
  if (existing) {
    account = *existing;
    account.provider_account_id = claims.subject;
  } else {
    account.id = ConnectedAccountId::New(parts_.clock.Now());
    account.user_id = attempt.user_id;
    account.provider = attempt.provider;
    account.provider_account_id = claims.subject;
    account.display_name = claims.name.empty() ? claims.email : claims.name;
    account.created_at = parts_.clock.Now();
  }
  if (!claims.email.empty()) account.email = claims.email;
  for (const Capability capability : attempt.capabilities) {
    if (!Has(account.requested, capability)) account.requested.push_back(capability);
  }
  account.granted_scopes = std::move(scopes);
  account.granted.clear();
  for (const Capability capability : account.requested) {
    if (Has(able, capability)) account.granted.push_back(capability);
  }
  const bool all = std::ranges::all_of(attempt.capabilities, [&](Capability c) { return Has(able, c); });
  const bool any = std::ranges::any_of(attempt.capabilities, [&](Capability c) { return Has(able, c); });
  if (!any) co_return Fail(ErrorCode::kRequiredScopeMissing, "nothing of what was asked for was granted");
  if (!all) connection.note = "partial_consent";

  connection.tokens.access_token = parts_.vault.Seal(AccessTokenContext(account), tokens.access_token);
  connection.tokens.expires_at = tokens.expires_at;
  connection.tokens.refresh_expires_at = tokens.refresh_expires_at;
  if (tokens.refresh_expires_at) {
    connection.tokens.refresh_lifetime =
        std::chrono::floor<std::chrono::seconds>(*tokens.refresh_expires_at - parts_.clock.Now());
  }
  account.token_expires_at = tokens.expires_at;
  if (!tokens.refresh_token.empty()) {
    connection.tokens.refresh_token = parts_.vault.Seal(RefreshTokenContext(account), tokens.refresh_token);
  } else if (existing && !HasLostItsGrant(*existing)) {
    // Providers give a refresh token at the first grant only; the one we have is still good.
    auto kept = co_await parts_.store.GetTokens(existing->id);
    if (!kept) co_return Fail(kept.error());
    connection.tokens.refresh_token = std::move(kept->refresh_token);
    connection.tokens.refresh_expires_at = kept->refresh_expires_at;
    connection.tokens.refresh_lifetime = kept->refresh_lifetime;
  }
  if (connection.tokens.refresh_token.empty()) {
    co_return Fail(ErrorCode::kNoRefreshToken, "the provider gave no refresh token");
  }
  if (Has(account.granted, Capability::kReadMail)) {
    connection.first_jobs.push_back({.kind = std::string(jobs::kFetchEmails),
                                     .priority = jobs::Priority::kLive,
                                     .unique_key = jobs::AccountKey(jobs::kFetchEmails, account.id),
                                     .account_id = account.id});
  }
  if (Has(account.granted, Capability::kReadCalendar)) {
    connection.first_jobs.push_back({.kind = std::string(jobs::kFetchCalendar),
                                     .priority = jobs::Priority::kLive,
                                     .unique_key = jobs::AccountKey(jobs::kFetchCalendar, account.id),
                                     .account_id = account.id});
  }
  co_return connection;
}

}  // namespace latchkey::connected_accounts
