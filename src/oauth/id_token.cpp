#include "oauth/id_token.hpp"

#include <algorithm>
#include <cmath>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/strict_json.hpp"
#include "oauth/email_address.hpp"

namespace latchkey::oauth {
namespace {

namespace bj = boost::json;
using crypto::TokenFault;
using crypto::TokenResult;

constexpr std::size_t kMaxSubject = 255;
constexpr std::size_t kMaxName = 200;

std::unexpected<TokenFault> Wrong(TokenFault fault) { return std::unexpected(fault); }

TokenResult<std::string> RequiredText(const bj::object& claims, std::string_view name) {
  if (!claims.contains(name)) return Wrong(TokenFault::kClaimMissing);
  const auto text = crypto::StringMember(claims, name);
  if (!text) return Wrong(TokenFault::kClaimType);
  return std::string(*text);
}

/// NumericDate (RFC 7519 section 2): seconds, perhaps with a fraction; nullopt when absent.
TokenResult<std::optional<Instant>> Date(const bj::object& claims, std::string_view name) {
  const bj::value* claim = claims.if_contains(name);
  if (claim == nullptr) return std::nullopt;
  double seconds = 0;
  if (claim->is_int64()) {
    seconds = static_cast<double>(claim->get_int64());
  } else if (claim->is_uint64()) {
    seconds = static_cast<double>(claim->get_uint64());
  } else if (claim->is_double()) {
    seconds = claim->get_double();
  } else {
    return Wrong(TokenFault::kClaimType);
  }
  constexpr double kYear9999 = 253402300799.0;
  if (!std::isfinite(seconds) || seconds < 0 || seconds > kYear9999) return Wrong(TokenFault::kClaimType);
  return FromMicros(static_cast<std::int64_t>(seconds * 1e6));
}

TokenResult<void> CheckAudience(const bj::object& claims, const std::string& client_id) {
  const bj::value* audience = claims.if_contains("aud");
  if (audience == nullptr) return Wrong(TokenFault::kClaimMissing);
  bool ours = false;
  bool others = false;
  const auto look = [&](const bj::string& name) {
    const bool match = std::string_view(name.data(), name.size()) == client_id;
    ours = ours || match;
    others = others || !match;
  };
  if (audience->is_string()) {
    look(audience->get_string());
  } else if (audience->is_array()) {
    for (const bj::value& name : audience->get_array()) {
      if (!name.is_string()) return Wrong(TokenFault::kClaimType);
      look(name.get_string());
    }
  } else {
    return Wrong(TokenFault::kClaimType);
  }
  if (!ours) return Wrong(TokenFault::kWrongAudience);
  if (others) return Wrong(TokenFault::kUntrustedAudience);
  if (claims.contains("azp")) {
    const auto party = crypto::StringMember(claims, "azp");
    if (!party) return Wrong(TokenFault::kClaimType);
    if (*party != client_id) return Wrong(TokenFault::kWrongAuthorizedParty);
  }
  return {};
}

TokenResult<void> CheckTimes(const bj::object& claims, Instant now) {
  const auto expires = Date(claims, "exp");
  const auto issued = Date(claims, "iat");
  const auto not_before = Date(claims, "nbf");
  if (!expires || !issued || !not_before) return Wrong(TokenFault::kClaimType);
  if (!*expires || !*issued) return Wrong(TokenFault::kClaimMissing);
  if (now >= **expires + kClockTolerance) return Wrong(TokenFault::kExpired);
  if (**issued > now + kClockTolerance) return Wrong(TokenFault::kIssuedInFuture);
  if (**issued + kMaxTokenAge < now) return Wrong(TokenFault::kIssuedTooLongAgo);
  if (*not_before && **not_before > now + kClockTolerance) return Wrong(TokenFault::kNotYetValid);
  return {};
}

/// OIDC Core 3.1.3.6: the left half of the hash that the token's algorithm uses; SHA-256 for all we allow.
TokenResult<void> CheckAccessTokenHash(const bj::object& claims, const SecretString& access_token) {
  if (!claims.contains("at_hash")) return {};
  const auto hash = crypto::StringMember(claims, "at_hash");
  if (!hash) return Wrong(TokenFault::kClaimType);
  const std::string expected = Base64UrlEncode(crypto::Sha256(access_token.Reveal()).substr(0, 16));
  if (!crypto::EqualConstantTime(*hash, expected)) return Wrong(TokenFault::kWrongAccessTokenHash);
  return {};
}

bool IsTrue(const bj::object& claims, std::string_view name) {
  const bj::value* claim = claims.if_contains(name);
  // Some tokens carry the boolean as text.
  return claim != nullptr &&
         ((claim->is_bool() && claim->get_bool()) || (claim->is_string() && claim->get_string() == "true"));
}

std::string DisplayText(const bj::object& claims, std::string_view name) {
  return CleanDisplayText(crypto::StringMember(claims, name).value_or(""), kMaxName);
}

}  // namespace

TokenResult<IdentityClaims> CheckIdTokenClaims(const bj::object& claims, const IdTokenRules& rules,
                                               const std::optional<Nonce>& nonce, const SecretString& access_token,
                                               Instant now) {
  const auto issuer = RequiredText(claims, "iss");
  if (!issuer) return Wrong(issuer.error());
  if (std::ranges::find(rules.issuers, *issuer) == rules.issuers.end()) return Wrong(TokenFault::kWrongIssuer);
  if (const auto audience = CheckAudience(claims, rules.client_id); !audience) return Wrong(audience.error());
  if (const auto times = CheckTimes(claims, now); !times) return Wrong(times.error());
  if (nonce) {
    const auto sent = RequiredText(claims, "nonce");
    if (!sent) return Wrong(sent.error());
    if (!crypto::EqualConstantTime(*sent, nonce->text())) return Wrong(TokenFault::kWrongNonce);
  }
  if (const auto hash = CheckAccessTokenHash(claims, access_token); !hash) return Wrong(hash.error());
  auto subject = RequiredText(claims, "sub");
  if (!subject) return Wrong(subject.error());
  const bool printable = std::ranges::all_of(*subject, [](char c) { return c > 0x20 && c < 0x7f; });
  if (subject->empty() || subject->size() > kMaxSubject || !printable) return Wrong(TokenFault::kBadSubject);

  IdentityClaims person{.issuer = rules.issuers.front(), .subject = std::move(*subject)};
  if (auto email = EmailAddress::Parse(crypto::StringMember(claims, "email").value_or(""))) {
    person.email = email->text();
    person.email_verified = IsTrue(claims, "email_verified");
    person.email_is_own = person.email_verified;
  }
  person.name = DisplayText(claims, "name");
  person.given_name = DisplayText(claims, "given_name");
  person.family_name = DisplayText(claims, "family_name");
  if (!rules.organisation_claim.empty()) person.organisation = DisplayText(claims, rules.organisation_claim);
  return person;
}

}  // namespace latchkey::oauth
