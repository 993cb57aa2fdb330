#include "simulator/microsoft/entra_id_token.hpp"

#include <ctime>

#include <openssl/sha.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "base/random.hpp"

namespace latchkey::simulator::entra {
namespace {

constexpr std::string_view kOtherTenant = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb";

void Bend(boost::json::object& claims, const std::string& base, IdTokenVariant variant) {
  switch (variant) {
    case IdTokenVariant::kExpired:
      for (const char* name : {"iat", "nbf"}) claims[name] = claims[name].as_int64() - 7200;
      // Whatever its life: that of a personal account's token is a day.
      claims["exp"] = claims["iat"].as_int64() + 3600;
      break;
    case IdTokenVariant::kWrongAudience:
      claims["aud"] = "00000000-0000-4000-8000-00000000abcd";
      break;
    case IdTokenVariant::kWrongIssuer:
      claims["iss"] = "https://issuer.example/" + std::string(claims["tid"].as_string()) + "/v2.0";
      break;
    case IdTokenVariant::kWrongTenant:
      claims["tid"] = kOtherTenant;
      break;
    case IdTokenVariant::kTemplateIssuer:
      claims["iss"] = base + "/{tenantid}/v2.0";
      break;
    case IdTokenVariant::kWrongNonce:
      claims["nonce"] = "of-another-browser";
      break;
    case IdTokenVariant::kNoNonce:
      claims.erase("nonce");
      break;
    case IdTokenVariant::kWrongSubject:
      claims["sub"] = "AAAAAAAAAAAAAAAAAAAAAOfSomebodyElse";
      claims["oid"] = "00000000-0000-4000-8000-000000000001";
      break;
    case IdTokenVariant::kUnverifiedEmail:
      claims["xms_edov"] = false;
      break;
    default:
      break;
  }
}

}  // namespace

std::string PairwiseSubject(const Account& account, std::string_view client_id) {
  const std::string text = account.microsoft.oid + "|" + std::string(client_id);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return Base64UrlEncode(digest);
}

std::string MakeEntraIdToken(const EntraKeys& keys, const Grant& grant, const std::string& base,
                             const std::string& nonce, IdTokenVariant variant) {
  const Account& account = *grant.account;
  const bool personal = account.IsPersonal();
  const std::int64_t now = std::time(nullptr);
  boost::json::object claims;
  claims["ver"] = "2.0";
  claims["iss"] = base + "/" + account.microsoft.tid + "/v2.0";
  claims["sub"] = PairwiseSubject(account, grant.client_id);
  claims["aud"] = grant.client_id;
  claims["exp"] = now + (personal ? 86400 : 3600);
  claims["iat"] = now;
  claims["nbf"] = now;
  if (grant.Has("profile")) {
    claims["name"] = account.name;
    claims["preferred_username"] = account.email;
    claims["oid"] = account.microsoft.oid;
  }
  if (grant.Has("email") && !account.microsoft.email_claim.empty()) {
    claims["email"] = account.microsoft.email_claim;
    if (!account.microsoft.edov.empty()) claims["xms_edov"] = boost::json::parse(account.microsoft.edov);
  }
  claims["tid"] = account.microsoft.tid;
  if (!nonce.empty()) claims["nonce"] = nonce;
  if (!personal) {
    claims["aio"] = RandomToken(60);
    claims["rh"] = "1.AVYA" + RandomToken(30);
    claims["uti"] = RandomToken(16);
  }
  Bend(claims, base, variant);

  if (variant == IdTokenVariant::kAlgNone) {
    return Base64UrlEncode(R"({"alg":"none","typ":"JWT"})") + "." + Base64UrlEncode(boost::json::serialize(claims)) +
           ".";
  }
  const SigningKeys& side = keys.Side(personal != (variant == IdTokenVariant::kForeignKey));
  std::string token = side.Sign(
      claims, variant == IdTokenVariant::kUnknownKid ? "0000000000000000000000000000000000000000" : std::string_view());
  if (variant == IdTokenVariant::kBadSignature) {
    char& digit = token[token.rfind('.') + 10];
    digit = digit == 'A' ? 'B' : 'A';
  }
  return token;
}

}  // namespace latchkey::simulator::entra
