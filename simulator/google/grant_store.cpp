#include "simulator/google/grant_store.hpp"

#include <algorithm>

#include "base/random.hpp"
#include "simulator/google/scopes.hpp"

namespace latchkey::simulator {
namespace {

using std::chrono::days;

constexpr std::chrono::minutes kCodeLife{10};
constexpr days kTestingLife{7};
/// "Not used for six months".
constexpr days kIdleLife{183};
constexpr std::size_t kMaxRefreshTokens = 100;
/// Above this many, expired codes and access tokens are swept before new ones are kept.
constexpr std::size_t kSweepAt = 10'000;

}  // namespace

ScopeSet GrantStore::Consented(const Account& account, std::string_view client_id) const {
  const auto found = consents_.find(ConsentKey(&account, client_id));
  return found == consents_.end() ? ScopeSet() : found->second.scopes;
}

std::string GrantStore::IssueCode(AuthorizationCode code) {
  DropExpired();
  Consent& consent = consents_[ConsentKey(code.grant.account, code.grant.client_id)];
  consent.scopes.insert(code.grant.scopes.begin(), code.grant.scopes.end());
  ++counters_.codes_issued;
  std::string text = "4/0A" + RandomToken(48);
  codes_.emplace(text, PendingCode{std::move(code), clock_.Now() + kCodeLife});
  changed_();
  return text;
}

std::optional<AuthorizationCode> GrantStore::TakeCode(std::string_view code) {
  const auto found = codes_.find(code);
  if (found == codes_.end()) return std::nullopt;
  PendingCode pending = std::move(found->second);
  codes_.erase(found);
  if (pending.expires <= clock_.Now()) return std::nullopt;
  return std::move(pending.code);
}

IssuedTokens GrantStore::Redeem(const AuthorizationCode& code) {
  ++counters_.codes_redeemed;
  IssuedTokens tokens;
  tokens.grant = code.grant;
  tokens.expires_in = settings_.access_token_life;
  tokens.access_token = IssueAccess(code.grant, code.offline);
  Consent& consent = consents_[ConsentKey(code.grant.account, code.grant.client_id)];
  if (code.offline && (code.consent_prompted || !consent.gave_refresh_token)) {
    std::optional<Instant> expires;
    if (settings_.testing_mode && !OnlySignIn(code.grant.scopes)) {
      expires = clock_.Now() + kTestingLife;
      tokens.refresh_expires_in = std::chrono::seconds(kTestingLife) - std::chrono::seconds(1);
    }
    tokens.refresh_token = IssueRefresh(code.grant, expires);
  }
  return tokens;
}

GrantStore::RefreshOutcome GrantStore::Refresh(std::string_view refresh_token, std::string_view client_id,
                                               const ScopeSet& scopes) {
  if (!refresh_token.starts_with("1//")) return {std::nullopt, RefreshFailure::kUnknown};
  const auto found = refresh_.find(refresh_token);
  if (found == refresh_.end()) return {std::nullopt, RefreshFailure::kDead};
  RefreshToken& token = found->second;
  if (token.grant.client_id != client_id) return {std::nullopt, RefreshFailure::kForeign};
  const Instant now = clock_.Now();
  if ((token.expires && *token.expires <= now) || token.last_used + kIdleLife <= now) {
    std::erase(consents_[ConsentKey(token.grant.account, token.grant.client_id)].refresh_tokens, found->first);
    refresh_.erase(found);
    changed_();
    return {std::nullopt, RefreshFailure::kDead};
  }
  if (!std::ranges::includes(token.grant.scopes, scopes)) return {std::nullopt, RefreshFailure::kScope};
  token.last_used = now;
  changed_();
  ++counters_.refreshed;
  IssuedTokens tokens;
  tokens.grant = token.grant;
  if (!scopes.empty()) tokens.grant.scopes = scopes;
  tokens.expires_in = settings_.access_token_life;
  if (token.expires) tokens.refresh_expires_in = std::chrono::floor<std::chrono::seconds>(*token.expires - now);
  tokens.access_token = IssueAccess(tokens.grant, true);
  return {std::move(tokens), {}};
}

const GrantStore::AccessToken* GrantStore::FindAccess(std::string_view token) const {
  const auto found = access_.find(token);
  return found == access_.end() || found->second.expires <= clock_.Now() ? nullptr : &found->second;
}

const Account* GrantStore::AccountOf(std::string_view text) const {
  if (const auto code = codes_.find(text); code != codes_.end()) return code->second.code.grant.account;
  if (const auto token = refresh_.find(text); token != refresh_.end()) return token->second.grant.account;
  return nullptr;
}

bool GrantStore::RevokeToken(std::string_view token) {
  const Grant* grant = nullptr;
  if (const auto found = refresh_.find(token); found != refresh_.end()) grant = &found->second.grant;
  if (const AccessToken* access = FindAccess(token)) grant = &access->grant;
  if (!grant) return false;
  Revoke(ConsentKey(grant->account, grant->client_id));
  return true;
}

std::size_t GrantStore::RevokeGrants(const Account& account) {
  std::vector<ConsentKey> keys;
  for (const auto& [key, consent] : consents_) {
    if (key.first == &account) keys.push_back(key);
  }
  std::size_t count = 0;
  for (const ConsentKey& key : keys) count += Revoke(key);
  return count;
}

std::size_t GrantStore::Revoke(const ConsentKey& key) {
  consents_.erase(key);
  const auto of_grant = [&](const auto& entry) {
    return entry.second.grant.account == key.first && entry.second.grant.client_id == key.second;
  };
  const std::size_t count = std::erase_if(access_, of_grant) + std::erase_if(refresh_, of_grant);
  std::erase_if(codes_, [&](const auto& entry) {
    const Grant& grant = entry.second.code.grant;
    return grant.account == key.first && grant.client_id == key.second;
  });
  counters_.revoked += count;
  changed_();
  return count;
}

std::size_t GrantStore::ExpireAccess(const Account* account) {
  return std::erase_if(access_, [&](const auto& entry) { return !account || entry.second.grant.account == account; });
}

std::string GrantStore::IssueAccess(const Grant& grant, bool offline) {
  DropExpired();
  ++counters_.access_issued;
  std::string text = "ya29.a0" + RandomToken(120);
  access_.emplace(text, AccessToken{grant, clock_.Now() + settings_.access_token_life, offline});
  return text;
}

std::string GrantStore::IssueRefresh(const Grant& grant, std::optional<Instant> expires) {
  ++counters_.refresh_issued;
  Consent& consent = consents_[ConsentKey(grant.account, grant.client_id)];
  consent.gave_refresh_token = true;
  std::string text = "1//0" + RandomToken(72);
  refresh_.emplace(text, RefreshToken{grant, clock_.Now(), expires});
  consent.refresh_tokens.push_back(text);
  if (consent.refresh_tokens.size() > kMaxRefreshTokens) {
    refresh_.erase(consent.refresh_tokens.front());
    consent.refresh_tokens.erase(consent.refresh_tokens.begin());
  }
  changed_();
  return text;
}

void GrantStore::DropExpired() {
  const auto expired = [now = clock_.Now()](const auto& entry) { return entry.second.expires <= now; };
  if (codes_.size() >= kSweepAt) std::erase_if(codes_, expired);
  if (access_.size() >= kSweepAt) std::erase_if(access_, expired);
}

boost::json::array GrantStore::Describe() const {
  boost::json::array grants;
  for (const auto& [key, consent] : consents_) {
    boost::json::object grant;
    grant["account"] = key.first->email;
    grant["client_id"] = key.second;
    grant["scopes"] = boost::json::array(consent.scopes.begin(), consent.scopes.end());
    grant["refresh_tokens"] = consent.refresh_tokens.size();
    grant["access_tokens"] = std::ranges::count_if(access_, [&](const auto& entry) {
      return entry.second.grant.account == key.first && entry.second.grant.client_id == key.second &&
             entry.second.expires > clock_.Now();
    });
    grants.push_back(std::move(grant));
  }
  return grants;
}

}  // namespace latchkey::simulator
