#include "push/pub_sub_token.hpp"

#include "crypto/hash.hpp"
#include "crypto/jws.hpp"
#include "crypto/strict_json.hpp"
#include "oauth/id_token.hpp"

namespace latchkey::push {
namespace {

constexpr std::string_view kBearer = "Bearer ";

std::unexpected<Error> Refused(std::string_view why) {
  return Fail(ErrorCode::kUnauthenticated, "push token: " + std::string(why));
}

}  // namespace

PubSubToken::PubSubToken(PubSubRules rules, http_client::HttpClient& http, const Clock& clock, const Executor& executor)
    : rules_(std::move(rules)),
      clock_(clock),
      discovery_(rules_.discovery_url, rules_.issuer, nullptr, http, clock, executor),
      keys_(http, clock, executor) {}

Task<Result<void>> PubSubToken::Check(std::string_view authorization) {
  if (!authorization.starts_with(kBearer)) co_return Refused("no bearer token");
  const std::vector<crypto::JwsAlgorithm> algorithms{crypto::JwsAlgorithm::kRs256};
  const auto token = crypto::UnverifiedJws::Parse(authorization.substr(kBearer.size()), algorithms);
  if (!token) co_return Refused(crypto::ToString(token.error()));
  const auto discovery = co_await discovery_.Get();
  if (!discovery) co_return Fail(discovery.error());
  const auto key = co_await keys_.Find((*discovery)->jwks_uri(), token->kid());
  if (!key) co_return Fail(key.error());
  if (!*key) co_return Refused(crypto::ToString(crypto::TokenFault::kUnknownKey));
  auto claims = token->Verify(**key);
  if (!claims) co_return Refused(crypto::ToString(claims.error()));
  // Names the service account by number; its address is what we compare.
  claims->erase("azp");
  const oauth::IdTokenRules rules{
      .issuers = {rules_.issuer}, .client_id = rules_.audience, .algorithms = algorithms, .organisation_claim = {}};
  const SecretString no_access_token;
  const auto sender = oauth::CheckIdTokenClaims(*claims, rules, std::nullopt, no_access_token, clock_.Now());
  if (!sender) co_return Refused(crypto::ToString(sender.error()));
  const auto address = crypto::StringMember(*claims, "email").value_or("");
  if (rules_.service_account.empty() || !crypto::EqualConstantTime(address, rules_.service_account)) {
    co_return Refused("another service account");
  }
  if (!sender->email_verified) co_return Refused("address not verified");
  co_return Result<void>();
}

}  // namespace latchkey::push
