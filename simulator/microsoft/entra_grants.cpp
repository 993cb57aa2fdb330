#include "simulator/microsoft/entra_grants.hpp"

#include <algorithm>

#include "base/random.hpp"

namespace latchkey::simulator::entra {
namespace {

using std::chrono::days;

constexpr std::chrono::minutes kCodeLife{10};
constexpr days kRefreshLife{90};
constexpr std::chrono::hours kSpaLife{24};
/// Expired access tokens stay known for a while, so that Graph can say "expired".
constexpr std::chrono::hours kRememberAccess{24};
constexpr std::size_t kSweepAt = 10'000;
/// Refresh tokens are never used up, so a busy client leaves many behind.
constexpr std::size_t kMaxRefreshTokens = 100'000;

boost::json::array ToArray(const ScopeSet& scopes) { return boost::json::array(scopes.begin(), scopes.end()); }
ScopeSet ToScopes(const boost::json::value& list) {
  ScopeSet scopes;
  for (const boost::json::value& scope : list.as_array()) scopes.emplace(std::string_view(scope.as_string()));
  return scopes;
}
std::string TextOf(const boost::json::value& value) { return std::string(value.as_string()); }

}  // namespace

ScopeSet EntraGrants::Consented(const Account& account, std::string_view client_id) const {
  ScopeSet scopes;
  const std::string client(client_id);
  if (const auto own = consents_.find(Key(&account, client)); own != consents_.end()) scopes = own->second;
  const auto tenant = tenant_consents_.find({account.microsoft.tid, client});
  if (tenant != tenant_consents_.end()) scopes.insert(tenant->second.begin(), tenant->second.end());
  return scopes;
}

void EntraGrants::Consent(const Account& account, std::string_view client_id, const ScopeSet& scopes) {
  consents_[Key(&account, client_id)].insert(scopes.begin(), scopes.end());
  changed_();
}

void EntraGrants::ConsentForTenant(std::string_view tid, std::string_view client_id, const ScopeSet& scopes) {
  tenant_consents_[{std::string(tid), std::string(client_id)}].insert(scopes.begin(), scopes.end());
  changed_();
}

void EntraGrants::RevokeTenantConsent(std::string_view tid) {
  std::erase_if(tenant_consents_, [&](const auto& entry) { return entry.first.first == tid; });
  changed_();
}

std::string EntraGrants::IssueCode(Code code) {
  Sweep();
  ++counters_.codes_issued;
  std::string text =
      code.grant.account->IsPersonal() ? "M.C507_BAY.2.U." + RandomToken(24) : "1.AVYA" + RandomToken(420);
  codes_.emplace(text, PendingCode{std::move(code), clock_.Now() + kCodeLife});
  return text;
}

std::optional<Code> EntraGrants::TakeCode(std::string_view text, Failure& failure) {
  const auto found = codes_.find(text);
  if (found == codes_.end()) {
    failure = Failure::kUnknown;
    return std::nullopt;
  }
  PendingCode& pending = found->second;
  if (pending.used || pending.expires <= clock_.Now()) {
    failure = pending.used ? Failure::kUsed : Failure::kExpired;
    return std::nullopt;
  }
  pending.used = true;
  failure = Failure::kNone;
  return pending.code;
}

std::chrono::seconds EntraGrants::NextLife() {
  if (settings_.microsoft_token_life.count() > 0) return settings_.microsoft_token_life;
  // Entra picks a life between 60 and 90 minutes for each token.
  return std::chrono::seconds(3600 + dice_() % 1800);
}

Tokens EntraGrants::Issue(const Grant& grant, const Grant& refresh_grant, bool with_refresh) {
  Sweep();
  ++counters_.access_issued;
  Tokens tokens;
  tokens.grant = grant;
  tokens.expires_in = NextLife();
  const bool personal = grant.account->IsPersonal();
  // Work accounts get something that looks like a JWT, personal ones an opaque text; clients may read neither.
  tokens.access_token = personal ? "EwB" + RandomToken(900)
                                 : "eyJ0eXAiOiJKV1QiLCJub25jZSI6IiJ9." + RandomToken(900) + "." + RandomToken(192);
  // Grants name scopes of other APIs in their long form.
  const bool for_graph =
      std::ranges::none_of(grant.scopes, [](const std::string& name) { return name.contains("://"); });
  access_.emplace(tokens.access_token, Access{grant, clock_.Now() + tokens.expires_in, for_graph});
  if (with_refresh) {
    ++counters_.refresh_issued;
    std::string refresh = personal ? "M.C507_BAY.0.U.-" + RandomToken(300) : "1.AVYA" + RandomToken(720);
    refresh_.emplace(refresh, RefreshToken{refresh_grant, clock_.Now(), settings_.microsoft_spa});
    tokens.refresh_token = std::move(refresh);
    changed_();
  }
  return tokens;
}

EntraGrants::RefreshState EntraGrants::FindRefresh(std::string_view text, std::string_view client_id) const {
  const auto found = refresh_.find(text);
  if (found == refresh_.end()) return {Failure::kUnknown, {}, {}};
  const RefreshToken& token = found->second;
  RefreshState result{token.ended, token.grant, token.issued};
  if (token.grant.client_id != client_id) result.failure = Failure::kForeign;
  if (result.failure != Failure::kNone) return result;
  const auto age = clock_.Now() - token.issued;
  if (token.spa && age >= kSpaLife) result.failure = Failure::kSpaAge;
  if (!token.spa && age >= kRefreshLife) result.failure = Failure::kInactive;
  return result;
}

const EntraGrants::Access* EntraGrants::FindAccess(std::string_view token) const {
  const auto found = access_.find(token);
  return found == access_.end() || found->second.expires <= clock_.Now() ? nullptr : &found->second;
}

const Account* EntraGrants::AccountOf(std::string_view text) const {
  if (const auto code = codes_.find(text); code != codes_.end()) return code->second.code.grant.account;
  if (const auto token = refresh_.find(text); token != refresh_.end()) return token->second.grant.account;
  return nullptr;
}

std::size_t EntraGrants::Revoke(const Account& account, bool sessions_only) {
  std::size_t count = 0;
  for (auto& [text, token] : refresh_) {
    if (token.grant.account != &account || token.ended != Failure::kNone) continue;
    token.ended = sessions_only ? Failure::kRevoked : Failure::kConsentRemoved;
    ++count;
  }
  std::erase_if(codes_, [&](const auto& entry) { return entry.second.code.grant.account == &account; });
  count += ExpireAccess(&account);
  if (!sessions_only) std::erase_if(consents_, [&](const auto& entry) { return entry.first.first == &account; });
  counters_.revoked += count;
  changed_();
  return count;
}

std::size_t EntraGrants::ExpireAccess(const Account* account) {
  std::size_t count = 0;
  const Instant now = clock_.Now();
  for (auto& [text, access] : access_) {
    if ((account && access.grant.account != account) || access.expires <= now) continue;
    access.expires = now;
    ++count;
  }
  return count;
}

void EntraGrants::Sweep() {
  const Instant now = clock_.Now();
  if (codes_.size() >= kSweepAt) std::erase_if(codes_, [&](const auto& entry) { return entry.second.expires <= now; });
  if (access_.size() >= kSweepAt) {
    std::erase_if(access_, [&](const auto& entry) { return entry.second.expires + kRememberAccess <= now; });
    if (access_.size() >= kSweepAt) {
      std::erase_if(access_, [&](const auto& entry) { return entry.second.expires <= now; });
    }
  }
  if (refresh_.size() >= kMaxRefreshTokens) {
    std::erase_if(refresh_, [&](const auto& entry) { return entry.second.issued + kRefreshLife <= now; });
  }
}

boost::json::array EntraGrants::Describe() const {
  boost::json::array list;
  const Instant now = clock_.Now();
  for (const auto& [key, scopes] : consents_) {
    const auto live = [&](const Grant& grant) { return grant.account == key.first && grant.client_id == key.second; };
    boost::json::object grant;
    grant["account"] = key.first->email;
    grant["client_id"] = key.second;
    grant["scopes"] = ToArray(scopes);
    grant["refresh_tokens"] = std::ranges::count_if(refresh_, [&](const auto& entry) {
      return live(entry.second.grant) && FindRefresh(entry.first, key.second).failure == Failure::kNone;
    });
    grant["access_tokens"] = std::ranges::count_if(
        access_, [&](const auto& entry) { return live(entry.second.grant) && entry.second.expires > now; });
    list.push_back(std::move(grant));
  }
  return list;
}

boost::json::object EntraGrants::Save() const {
  boost::json::array consents;
  for (const auto& [key, scopes] : consents_) {
    consents.push_back({{"sub", key.first->sub}, {"client_id", key.second}, {"scopes", ToArray(scopes)}});
  }
  boost::json::array tenants;
  for (const auto& [key, scopes] : tenant_consents_) {
    tenants.push_back({{"tid", key.first}, {"client_id", key.second}, {"scopes", ToArray(scopes)}});
  }
  boost::json::array tokens;
  for (const auto& [text, token] : refresh_) {
    if (token.ended != Failure::kNone) continue;
    tokens.push_back({{"token", text},
                      {"sub", token.grant.account->sub},
                      {"client_id", token.grant.client_id},
                      {"scopes", ToArray(token.grant.scopes)},
                      {"issued", FormatInstant(token.issued)},
                      {"spa", token.spa}});
  }
  boost::json::object saved;
  saved["version"] = 1;
  saved["consents"] = std::move(consents);
  saved["tenants"] = std::move(tenants);
  saved["refresh_tokens"] = std::move(tokens);
  return saved;
}

bool EntraGrants::Load(const boost::json::object& saved, const AccountRegistry& accounts) {
  try {
    if (saved.at("version") != 1) return false;
    for (const boost::json::value& entry : saved.at("consents").as_array()) {
      const Account* account = accounts.FindBySub(TextOf(entry.at("sub")));
      if (account) consents_[Key(account, TextOf(entry.at("client_id")))] = ToScopes(entry.at("scopes"));
    }
    for (const boost::json::value& entry : saved.at("tenants").as_array()) {
      tenant_consents_[{TextOf(entry.at("tid")), TextOf(entry.at("client_id"))}] = ToScopes(entry.at("scopes"));
    }
    for (const boost::json::value& entry : saved.at("refresh_tokens").as_array()) {
      const Account* account = accounts.FindBySub(TextOf(entry.at("sub")));
      if (!account) continue;
      const Grant grant{account, TextOf(entry.at("client_id")), ToScopes(entry.at("scopes"))};
      refresh_.insert_or_assign(
          TextOf(entry.at("token")),
          RefreshToken{grant, ParseInstant(TextOf(entry.at("issued"))).value(), entry.at("spa").as_bool()});
    }
    return true;
  } catch (const std::exception&) {  // Boost.JSON's accessors and a bad date: the file is not ours.
    return false;
  }
}

}  // namespace latchkey::simulator::entra
