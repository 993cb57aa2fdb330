#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/grant.hpp"
#include "simulator/settings.hpp"

namespace latchkey::simulator {

/// What a person agreed to on the consent page, waiting to be redeemed.
struct AuthorizationCode {
  Grant grant;
  std::string redirect_uri;
  std::string challenge;  ///< Empty: no PKCE.
  std::string challenge_method;
  std::string nonce;
  bool offline = false;
  bool consent_prompted = false;  ///< prompt=consent: a refresh token comes in any case.
};

struct IssuedTokens {
  std::string access_token;
  std::chrono::seconds expires_in{0};
  Grant grant;
  std::optional<std::string> refresh_token;
  std::optional<std::chrono::seconds> refresh_expires_in;
};

/// Google's memory of who allowed what to which client: consents, codes and tokens, with Google's rules for how they
/// end. Loop thread only. Clock and settings outlive it.
class GrantStore {
 public:
  struct Counters {
    std::uint64_t codes_issued = 0;
    std::uint64_t codes_redeemed = 0;
    std::uint64_t access_issued = 0;
    std::uint64_t refresh_issued = 0;
    std::uint64_t refreshed = 0;
    std::uint64_t refused = 0;
    std::uint64_t revoked = 0;
  };

  GrantStore(const Clock& clock, const Settings& settings) : clock_(clock), settings_(settings) {}

  /// Everything this account has ever allowed to this client, since the last revocation.
  ScopeSet Consented(const Account& account, std::string_view client_id) const;
  /// Remembers the consent and gives a code: one use, ten minutes.
  std::string IssueCode(AuthorizationCode code);
  /// Takes the code out; nullopt when unknown, used or expired.
  std::optional<AuthorizationCode> TakeCode(std::string_view code);
  IssuedTokens Redeem(const AuthorizationCode& code);

  enum class RefreshFailure { kUnknown, kForeign, kDead, kScope };
  struct RefreshOutcome {
    std::optional<IssuedTokens> tokens;
    RefreshFailure failure = RefreshFailure::kUnknown;
  };
  /// `scopes` narrows the new access token; empty keeps the refresh token's own.
  RefreshOutcome Refresh(std::string_view refresh_token, std::string_view client_id, const ScopeSet& scopes);

  struct AccessToken {
    Grant grant;
    Instant expires;
    bool offline = false;
  };
  /// nullptr when the token is unknown, expired or revoked. Valid until the next call that changes the store.
  const AccessToken* FindAccess(std::string_view token) const;
  /// The account behind a live code or refresh token, for the selection of faults.
  const Account* AccountOf(std::string_view code_or_refresh_token) const;

  /// RFC 7009 as Google does it: either kind of token ends the whole grant. False: not a live token.
  bool RevokeToken(std::string_view token);
  /// Returns the number of tokens that died.
  std::size_t RevokeGrants(const Account& account);
  /// nullptr: of everybody.
  std::size_t ExpireAccess(const Account* account);

  boost::json::array Describe() const;

  /// Consents and refresh tokens, enough for clients to go on after a restart. Access tokens and codes are not in it.
  boost::json::object Save() const;
  /// Takes up what Save gave. Grants of people who are not in `accounts` are left out. False: not in Save's form.
  bool Load(const boost::json::object& saved, const AccountRegistry& accounts);
  /// Called after each change of what Save gives.
  void OnChange(std::function<void()> changed) { changed_ = std::move(changed); }

  Instant Now() const { return clock_.Now(); }
  const Counters& counters() const { return counters_; }
  void ResetCounters() { counters_ = {}; }
  void CountRefused() { ++counters_.refused; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  template <class T>
  using TokenMap = std::unordered_map<std::string, T, Hash, std::equal_to<>>;
  using ConsentKey = std::pair<const Account*, std::string>;

  struct Consent {
    ScopeSet scopes;
    bool gave_refresh_token = false;
    std::vector<std::string> refresh_tokens;  ///< Oldest first.
  };
  struct PendingCode {
    AuthorizationCode code;
    Instant expires;
  };
  struct RefreshToken {
    Grant grant;
    Instant last_used;
    std::optional<Instant> expires;
  };

  std::string IssueAccess(const Grant& grant, bool offline);
  std::string IssueRefresh(const Grant& grant, std::optional<Instant> expires);
  std::size_t Revoke(const ConsentKey& key);
  void DropExpired();

  const Clock& clock_;
  const Settings& settings_;
  std::map<ConsentKey, Consent> consents_;
  TokenMap<PendingCode> codes_;
  TokenMap<AccessToken> access_;
  TokenMap<RefreshToken> refresh_;
  Counters counters_;
  std::function<void()> changed_ = [] {};
};

}  // namespace latchkey::simulator
