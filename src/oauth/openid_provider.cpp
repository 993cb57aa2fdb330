#include "oauth/openid_provider.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "crypto/hash.hpp"
#include "oauth/provider_url.hpp"

namespace latchkey::oauth {
namespace {

constexpr std::string_view kOfflineAccess = "offline_access";

std::unexpected<Error> Refused(crypto::TokenFault fault) {
  return Fail(ErrorCode::kSignInFailed, fmt::format("id token: {}", ToString(fault)));
}

}  // namespace

Result<std::shared_ptr<IdentityProvider>> IdentityProviders::Find(std::string_view name) const {
  const auto it = std::ranges::find_if(providers_, [&](const auto& provider) { return provider->name() == name; });
  if (it == providers_.end()) return Fail(ErrorCode::kProviderNotConfigured, "no such provider");
  return *it;
}

Result<std::shared_ptr<OpenIdProvider>> OpenIdProvider::Make(OpenIdProfile profile, http_client::HttpClient& http,
                                                             const Clock& clock, const Executor& executor) {
  auto issuer = IssuerOf(profile.discovery_url);
  if (!issuer) return Fail(issuer.error());
  if (profile.client.client_id.empty()) return Fail(ErrorCode::kInvalidArgument, "no client id");
  if (!IsSecureUrl(profile.sign_in_callback_url) || !IsSecureUrl(profile.connect_callback_url)) {
    return Fail(ErrorCode::kInvalidArgument, "callback addresses must be https (plain http only on loopback)");
  }
  return std::shared_ptr<OpenIdProvider>(
      new OpenIdProvider(std::move(profile), std::move(*issuer), http, clock, executor));
}

OpenIdProvider::OpenIdProvider(OpenIdProfile profile, std::string issuer, http_client::HttpClient& http,
                               const Clock& clock, const Executor& executor)
    : profile_(std::move(profile)),
      issuer_(std::move(issuer)),
      rules_{.issuers = {issuer_},
             .client_id = profile_.client.client_id,
             .algorithms = profile_.algorithms,
             .organisation_claim = profile_.organisation_claim},
      clock_(clock),
      discovery_(profile_.discovery_url, issuer_, profile_.issuer_rules.get(), http, clock, executor),
      keys_(http, clock, executor),
      endpoint_(profile_.client, profile_.read_token_error, http, clock) {
  rules_.issuers.insert(rules_.issuers.end(), profile_.issuer_aliases.begin(), profile_.issuer_aliases.end());
}

const std::string& OpenIdProvider::CallbackUrl(Flow flow) const {
  return flow == Flow::kSignIn ? profile_.sign_in_callback_url : profile_.connect_callback_url;
}

Task<Result<std::string>> OpenIdProvider::AuthorizeUrl(const AuthorizeRequest& request) {
  const auto discovery = co_await discovery_.Get();
  if (!discovery) co_return Fail(discovery.error());
  std::string scope = "openid email profile";
  const OpenIdProfile::Parameters* extra = &profile_.sign_in_parameters;
  if (request.flow == Flow::kConnect) {
    for (const std::string& name : profile_.connect_scopes) scope += ' ' + name;
    for (const std::string& name : request.scopes) {
      if (std::ranges::find(profile_.connect_scopes, name) == profile_.connect_scopes.end()) scope += ' ' + name;
    }
    extra = request.login_hint.empty() ? &profile_.connect_parameters : &profile_.reconnect_parameters;
  }
  TokenEndpoint::Form form{{"response_type", "code"},
                           {"client_id", profile_.client.client_id},
                           {"redirect_uri", CallbackUrl(request.flow)},
                           {"scope", scope},
                           {"state", request.state.text()},
                           {"nonce", request.nonce.text()},
                           {"code_challenge", request.challenge.text()},
                           {"code_challenge_method", "S256"}};
  for (const auto& [name, value] : *extra) form.emplace_back(name, value);
  if (request.flow == Flow::kConnect && !request.login_hint.empty())
    form.emplace_back("login_hint", request.login_hint);
  if (!request.claims_challenge.empty()) form.emplace_back("claims", request.claims_challenge);
  const std::string& endpoint = (*discovery)->authorization_endpoint();
  co_return endpoint + (endpoint.contains('?') ? '&' : '?') + EncodeForm(form);
}

Task<Result<void>> OpenIdProvider::CheckResponseIssuer(std::optional<std::string_view> iss) {
  if (iss && profile_.issuer_rules) {
    const auto discovery = co_await discovery_.Get();
    if (!discovery) co_return Fail(discovery.error());
    if (profile_.issuer_rules->MayAnswer(*iss, (*discovery)->issuer())) co_return Result<void>();
    co_return Fail(ErrorCode::kStateMismatch, "iss of the response is another issuer's");
  }
  if (iss) {
    if (*iss != issuer_) co_return Fail(ErrorCode::kStateMismatch, "iss of the response is another issuer's");
    co_return Result<void>();
  }
  const auto discovery = co_await discovery_.Get();
  if (!discovery) co_return Fail(discovery.error());
  if ((*discovery)->sends_issuer()) {
    co_return Fail(ErrorCode::kStateMismatch, "response lacks the iss that the provider advertises");
  }
  co_return Result<void>();
}

Task<TokenAnswer> OpenIdProvider::RedeemCode(Flow flow, const SecretString& code, const PkceVerifier& verifier) {
  const auto discovery = co_await discovery_.Get();
  if (!discovery) co_return Fail(discovery.error());
  const TokenEndpoint::Form form{{"grant_type", "authorization_code"},
                                 {"code", code.Reveal()},
                                 {"redirect_uri", CallbackUrl(flow)},
                                 {"code_verifier", verifier.secret().Reveal()}};
  co_return co_await endpoint_.Ask(**discovery, Grant::kAuthorizationCode, form);
}

crypto::TokenResult<IdentityClaims> OpenIdProvider::CheckClaims(const boost::json::object& claims,
                                                                const crypto::VerificationKey& key,
                                                                const Discovery& discovery,
                                                                const std::optional<Nonce>& nonce,
                                                                const SecretString& access_token) const {
  if (!profile_.issuer_rules) return CheckIdTokenClaims(claims, rules_, nonce, access_token, clock_.Now());
  auto expected = profile_.issuer_rules->Expect(claims, key.issuers(), discovery.issuer());
  if (!expected) return std::unexpected(expected.error());
  IdTokenRules rules = rules_;
  rules.issuers = {expected->issuer};
  auto person = CheckIdTokenClaims(claims, rules, nonce, access_token, clock_.Now());
  if (!person) return person;
  person->subject = std::move(expected->subject);
  person->email = std::move(expected->email);
  person->email_verified = expected->email_verified;
  person->email_is_own = expected->email_is_own;
  return person;
}

Task<Result<IdentityClaims>> OpenIdProvider::VerifyIdToken(const TokenSet& tokens, std::optional<Nonce> nonce) {
  const auto token = crypto::UnverifiedJws::Parse(tokens.id_token.Reveal(), rules_.algorithms);
  if (!token) co_return Refused(token.error());
  const auto discovery = co_await discovery_.Get();
  if (!discovery) co_return Fail(discovery.error());
  const auto key = co_await keys_.Find((*discovery)->jwks_uri(), token->kid());
  if (!key) co_return Fail(key.error());
  if (!*key) co_return Refused(crypto::TokenFault::kUnknownKey);
  const auto claims = token->Verify(**key);
  if (!claims) co_return Refused(claims.error());
  auto person = CheckClaims(*claims, **key, **discovery, nonce, tokens.access_token);
  if (!person) co_return Refused(person.error());
  co_return std::move(*person);
}

Task<Result<IdentityClaims>> OpenIdProvider::VerifyIdentity(const TokenSet& tokens, const Nonce& nonce) {
  if (tokens.id_token.empty()) co_return Fail(ErrorCode::kSignInFailed, "id token: absent");
  std::optional<Nonce> expected = nonce;
  auto person = co_await VerifyIdToken(tokens, std::move(expected));
  if (!person || !profile_.issuer_rules) co_return person;
  const auto admitted = profile_.issuer_rules->Admit(*person);
  if (!admitted) co_return Fail(admitted.error());
  co_return person;
}

Task<TokenAnswer> OpenIdProvider::Refresh(const RefreshRequest& request) {
  const auto discovery = co_await discovery_.Get();
  if (!discovery) co_return Fail(discovery.error());
  TokenEndpoint::Form form{{"grant_type", "refresh_token"}, {"refresh_token", request.refresh_token.Reveal()}};
  std::string scope;
  if (profile_.scopes_at_refresh && !request.scopes.empty()) {
    for (const std::string& name : request.scopes) {
      if (name != kOfflineAccess) scope += name + ' ';
    }
    // Not among what a grant lists, and the reason for the next refresh token.
    scope += kOfflineAccess;
    form.emplace_back("scope", scope);
  }
  co_return co_await endpoint_.Ask(**discovery, Grant::kRefreshToken, form);
}

Task<Result<std::optional<IdentityClaims>>> OpenIdProvider::VerifyRefreshed(const TokenSet& tokens,
                                                                            std::string_view subject) {
  if (tokens.id_token.empty()) co_return std::optional<IdentityClaims>();
  std::optional<Nonce> none;
  const auto person = co_await VerifyIdToken(tokens, std::move(none));
  if (!person) co_return Fail(person.error());
  if (!subject.empty() && person->subject != subject) {
    co_return Fail(ErrorCode::kMalformedReply, "the refreshed tokens are about somebody else");
  }
  co_return std::optional(*person);
}

Task<Result<Revocation>> OpenIdProvider::Revoke(const SecretString& token) {
  const auto discovery = co_await discovery_.Get();
  if (!discovery) co_return Fail(discovery.error());
  co_return co_await endpoint_.Revoke(**discovery, token);
}

std::string OpenIdProvider::AdminConsentUrl(std::string_view subject) const {
  return profile_.admin_consent_url ? profile_.admin_consent_url(subject) : std::string();
}

std::string OpenIdProvider::GrantsPage(std::string_view subject) const {
  return profile_.grants_page ? profile_.grants_page(subject) : std::string();
}

}  // namespace latchkey::oauth
