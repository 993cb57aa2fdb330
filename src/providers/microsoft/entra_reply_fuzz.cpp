#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/strict_json.hpp"
#include "oauth/discovery.hpp"
#include "providers/microsoft/entra_errors.hpp"
#include "providers/microsoft/entra_issuer.hpp"

using namespace latchkey;

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckRefusal(std::string_view input) {
  http_client::HttpResponse response;
  response.status = 400;
  response.body = input;
  for (const auto grant : {oauth::Grant::kRefreshToken, oauth::Grant::kAuthorizationCode}) {
    const auto refusal = microsoft::ClassifyEntraTokenError(response, grant);
    for (const char c : refusal.detail)
      Require(static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f);
    crypto::JsonFault fault{};
    Require(refusal.claims_challenge.empty() || crypto::ParseStrictObject(refusal.claims_challenge, 4096, fault));
  }
}

void CheckClaims(std::string_view input) {
  static const auto issuer =
      microsoft::EntraIssuer::Make("https://login.example.test/common/v2.0/.well-known/openid-configuration", {})
          .value();
  const std::string discovered = "https://login.example.test/{tenantid}/v2.0";
  if (const auto discovery = oauth::Discovery::Parse(input, issuer)) {
    Require(discovery->token_endpoint().starts_with("https://login.example.test/"));
    Require(discovery->jwks_uri().starts_with("https://login.example.test/"));
  }
  crypto::JsonFault fault{};
  const auto claims = crypto::ParseStrictObject(input, 64 * 1024, fault);
  if (!claims) return;
  const auto expected = issuer.Expect(*claims, {discovered}, discovered);
  if (!expected) return;
  // The key of the work tenants never makes a personal account.
  Require(microsoft::TenantOf(expected->subject) != microsoft::kPersonalTenant);
  Require(expected->issuer.find('{') == std::string::npos);
  Require(expected->subject.size() == 73);
}

}  // namespace

/// What Entra says: refusals, redirects, challenges, metadata and claims. What is accepted keeps its promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  CheckRefusal(input);
  CheckClaims(input);
  (void)microsoft::MeaningOfEntraRedirect({"access_denied", std::string(input), std::string(input.substr(0, 20))});
  const std::string challenge = microsoft::ClaimsChallengeOf(input);
  crypto::JsonFault fault{};
  Require(challenge.empty() || crypto::ParseStrictObject(challenge, 4096, fault));
  return 0;
}
