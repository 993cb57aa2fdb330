#include "simulator/google/id_token.hpp"

#include <algorithm>
#include <ctime>

#include <openssl/sha.h>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"

namespace latchkey::simulator {
namespace {

struct Named {
  std::string_view name;
  IdTokenVariant variant;
};
constexpr Named kVariants[] = {
    {"correct", IdTokenVariant::kCorrect},
    {"expired", IdTokenVariant::kExpired},
    {"wrong_audience", IdTokenVariant::kWrongAudience},
    {"wrong_issuer", IdTokenVariant::kWrongIssuer},
    {"short_issuer", IdTokenVariant::kShortIssuer},
    {"wrong_nonce", IdTokenVariant::kWrongNonce},
    {"no_nonce", IdTokenVariant::kNoNonce},
    {"bad_signature", IdTokenVariant::kBadSignature},
    {"unknown_kid", IdTokenVariant::kUnknownKid},
    {"alg_none", IdTokenVariant::kAlgNone},
    {"unverified_email", IdTokenVariant::kUnverifiedEmail},
    {"string_verified", IdTokenVariant::kStringVerified},
    {"wrong_subject", IdTokenVariant::kWrongSubject},
    {"foreign_key", IdTokenVariant::kForeignKey},
    {"wrong_tenant", IdTokenVariant::kWrongTenant},
    {"template_issuer", IdTokenVariant::kTemplateIssuer},
};

/// OpenID Connect Core section 3.1.3.6: the left half of the hash of the access token.
std::string AccessTokenHash(std::string_view token) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return Base64UrlEncode(std::string_view(digest).substr(0, digest.size() / 2));
}

void Bend(boost::json::object& claims, IdTokenVariant variant) {
  switch (variant) {
    case IdTokenVariant::kExpired:
      claims["iat"] = claims["iat"].as_int64() - 7200;
      claims["exp"] = claims["exp"].as_int64() - 7200;
      break;
    case IdTokenVariant::kWrongAudience:
      claims["aud"] = "somebody-else.apps.googleusercontent.com";
      claims["azp"] = claims["aud"];
      break;
    case IdTokenVariant::kWrongIssuer:
      claims["iss"] = "https://issuer.example";
      break;
    case IdTokenVariant::kShortIssuer: {
      const std::string issuer(claims["iss"].as_string());
      claims["iss"] = issuer.substr(issuer.find("://") + 3);
      break;
    }
    case IdTokenVariant::kWrongNonce:
      claims["nonce"] = "of-another-browser";
      break;
    case IdTokenVariant::kNoNonce:
      claims.erase("nonce");
      break;
    case IdTokenVariant::kUnverifiedEmail:
      claims["email_verified"] = false;
      break;
    case IdTokenVariant::kStringVerified:
      claims["email_verified"] = "true";
      break;
    case IdTokenVariant::kWrongSubject:
      claims["sub"] = "100000000000000000001";
      break;
    default:
      break;
  }
}

}  // namespace

std::optional<IdTokenVariant> ParseIdTokenVariant(std::string_view name) {
  const auto* const found = std::ranges::find(kVariants, name, &Named::name);
  if (found == std::end(kVariants)) return std::nullopt;
  return found->variant;
}

std::string MakeIdToken(const SigningKeys& keys, const Grant& grant, const IdTokenFacts& facts) {
  const Account& account = *grant.account;
  const std::int64_t now = std::time(nullptr);
  boost::json::object claims;
  claims["iss"] = facts.issuer;
  claims["azp"] = grant.client_id;
  claims["aud"] = grant.client_id;
  claims["sub"] = account.sub;
  if (!account.hd.empty()) claims["hd"] = account.hd;
  if (grant.Has("https://www.googleapis.com/auth/userinfo.email")) {
    claims["email"] = account.email;
    claims["email_verified"] = account.email_verified;
  }
  claims["at_hash"] = AccessTokenHash(facts.access_token);
  if (!facts.nonce.empty()) claims["nonce"] = facts.nonce;
  if (grant.Has("https://www.googleapis.com/auth/userinfo.profile")) {
    claims["name"] = account.name;
    if (!account.picture.empty()) claims["picture"] = account.picture;
    claims["given_name"] = account.given_name;
    if (!account.family_name.empty()) claims["family_name"] = account.family_name;
  }
  claims["iat"] = now;
  claims["exp"] = now + 3600;
  Bend(claims, facts.variant);

  if (facts.variant == IdTokenVariant::kAlgNone) {
    return Base64UrlEncode(R"({"alg":"none","typ":"JWT"})") + "." + Base64UrlEncode(boost::json::serialize(claims)) +
           ".";
  }
  std::string token =
      keys.Sign(claims, facts.variant == IdTokenVariant::kUnknownKid ? "0000000000000000000000000000000000000000"
                                                                     : std::string_view());
  if (facts.variant == IdTokenVariant::kBadSignature) {
    char& digit = token[token.rfind('.') + 10];
    digit = digit == 'A' ? 'B' : 'A';
  }
  return token;
}

}  // namespace latchkey::simulator
