#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/grant.hpp"
#include "simulator/settings.hpp"

namespace latchkey::simulator::entra {

/// What a person agreed to, waiting to be redeemed.
struct Code {
  Grant grant;  ///< Scopes asked for, of every resource.
  std::string redirect_uri;
  std::string challenge;  ///< Empty: no PKCE.
  std::string challenge_method;
  std::string nonce;
};

struct Tokens {
  Grant grant;  ///< With the scopes of the access token and of sign-in.
  std::string access_token;
  std::chrono::seconds expires_in{0};
  std::optional<std::string> refresh_token;
};

/// Entra's memory of who allowed what: consents of people and of administrators, codes and tokens, with Entra's rules
/// for how they end. Loop thread only. Clock and settings outlive it.
class EntraGrants {
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

  EntraGrants(const Clock& clock, const Settings& settings)
      : clock_(clock), settings_(settings), dice_(settings.seed) {}

  /// What this account may use without being asked: its own consent and that of its tenant's administrator.
  ScopeSet Consented(const Account& account, std::string_view client_id) const;
  void Consent(const Account& account, std::string_view client_id, const ScopeSet& scopes);
  /// For everybody of the tenant.
  void ConsentForTenant(std::string_view tid, std::string_view client_id, const ScopeSet& scopes);

  std::string IssueCode(Code code);
  enum class Failure { kNone, kUnknown, kUsed, kExpired, kForeign, kRevoked, kConsentRemoved, kInactive, kSpaAge };
  /// Takes a code. `failure` says why there is none.
  std::optional<Code> TakeCode(std::string_view code, Failure& failure);
  /// An access token for `access` and, `with_refresh` (offline_access was granted), a refresh token that stands for
  /// `refresh`, the scopes of every resource.
  Tokens Issue(const Grant& access, const Grant& refresh, bool with_refresh);

  struct RefreshState {
    Failure failure = Failure::kNone;
    Grant grant;     ///< As granted: what the refresh token stands for.
    Instant issued;  ///< When the refresh token was.
  };
  /// Checks a refresh token; using it does not end it.
  RefreshState FindRefresh(std::string_view token, std::string_view client_id) const;
  void CountRefresh() { ++counters_.refreshed; }
  void CountRedeemed() { ++counters_.codes_redeemed; }

  struct Access {
    Grant grant;
    Instant expires;
    bool for_graph = true;  ///< False: its audience is another API.
  };
  /// nullptr when unknown, expired or revoked.
  const Access* FindAccess(std::string_view token) const;
  /// Whether such a token was issued and has expired or been revoked since (the two differ in Graph's text).
  bool WasIssued(std::string_view token) const { return access_.contains(token); }
  const Account* AccountOf(std::string_view code_or_refresh_token) const;

  /// Ends the account's consent and every token. `sessions_only` keeps the consent, as a password reset does.
  std::size_t Revoke(const Account& account, bool sessions_only);
  /// nullptr: of everybody.
  std::size_t ExpireAccess(const Account* account);
  /// Forgets what an administrator agreed to.
  void RevokeTenantConsent(std::string_view tid);

  boost::json::array Describe() const;
  boost::json::object Save() const;
  bool Load(const boost::json::object& saved, const AccountRegistry& accounts);
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
  using Key = std::pair<const Account*, std::string>;

  struct PendingCode {
    Code code;
    Instant expires;
    bool used = false;
  };
  struct RefreshToken {
    Grant grant;
    Instant issued;
    bool spa = false;
    Failure ended = Failure::kNone;
  };

  std::chrono::seconds NextLife();
  void Sweep();

  const Clock& clock_;
  const Settings& settings_;
  std::mt19937_64 dice_;
  std::map<Key, ScopeSet> consents_;
  std::map<std::pair<std::string, std::string>, ScopeSet> tenant_consents_;
  TokenMap<PendingCode> codes_;
  TokenMap<Access> access_;
  TokenMap<RefreshToken> refresh_;
  Counters counters_;
  std::function<void()> changed_ = [] {};
};

}  // namespace latchkey::simulator::entra
