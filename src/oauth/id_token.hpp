#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "crypto/jws.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/values.hpp"

namespace latchkey::oauth {

/// How far the provider's clock and ours may differ.
inline constexpr std::chrono::seconds kClockTolerance{60};
/// An ID token is answered to a sign-in that just happened.
inline constexpr std::chrono::hours kMaxTokenAge{24};

/// What an ID token must say to be meant for us.
struct IdTokenRules {
  /// The first is the issuer as configured; the others are spellings of it that the provider also uses.
  std::vector<std::string> issuers;
  std::string client_id;
  std::vector<crypto::JwsAlgorithm> algorithms{crypto::JwsAlgorithm::kRs256};
  /// The claim that names the person's organisation; empty when the provider has none.
  std::string organisation_claim;
};

/// The claims of a token whose signature was verified, checked as OIDC Core 3.1.3.7 says. `nonce`: nullopt only for
/// tokens of a refresh, which need none (12.2). `access_token`: compared with at_hash when the token has one.
crypto::TokenResult<IdentityClaims> CheckIdTokenClaims(const boost::json::object& claims, const IdTokenRules& rules,
                                                       const std::optional<Nonce>& nonce,
                                                       const SecretString& access_token, Instant now);

}  // namespace latchkey::oauth
