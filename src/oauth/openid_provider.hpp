#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "http_client/http_client.hpp"
#include "oauth/discovery.hpp"
#include "oauth/flow_failure.hpp"
#include "oauth/id_token.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/issuer_rules.hpp"
#include "oauth/jwks_cache.hpp"
#include "oauth/token_endpoint.hpp"

namespace latchkey::oauth {

/// In what one OpenID provider differs from another.
struct OpenIdProfile {
  std::string name;
  std::string discovery_url;
  ClientCredentials client;
  std::string sign_in_callback_url;
  std::string connect_callback_url;
  /// Other spellings of the issuer that the provider's tokens use.
  std::vector<std::string> issuer_aliases;
  std::vector<crypto::JwsAlgorithm> algorithms{crypto::JwsAlgorithm::kRs256};
  std::string organisation_claim;
  /// Set for a provider with an issuer per tenant.
  std::shared_ptr<const IssuerRules> issuer_rules;
  TokenErrorReader read_token_error = &ClassifyTokenError;
  ErrorCode (*read_redirect_error)(const RedirectError& error) = &MeaningOfRedirectError;
  /// Scopes that connecting asks for besides those of the capabilities.
  std::vector<std::string> connect_scopes;
  /// The scopes are named again at each refresh.
  bool scopes_at_refresh = false;
  bool offers_revocation = true;
  std::function<std::string(std::string_view subject)> admin_consent_url;
  std::function<std::string(std::string_view subject)> grants_page;
  using Parameters = std::vector<std::pair<std::string, std::string>>;
  /// Added to the authorize address of each flow.
  Parameters sign_in_parameters;
  Parameters connect_parameters;
  /// In place of connect_parameters when an account is preselected.
  Parameters reconnect_parameters;
};

/// The authorization code flow with PKCE against any OpenID provider. What it is given must outlive it. Loop thread
/// only.
class OpenIdProvider final : public IdentityProvider {
 public:
  /// kInvalidArgument for a discovery address that is not secure or lacks the well-known suffix, an empty client id or
  /// callback address.
  static Result<std::shared_ptr<OpenIdProvider>> Make(OpenIdProfile profile, http_client::HttpClient& http,
                                                      const Clock& clock, const Executor& executor);

  std::string_view name() const override { return profile_.name; }
  Task<Result<std::string>> AuthorizeUrl(const AuthorizeRequest& request) override;
  Task<Result<void>> CheckResponseIssuer(std::optional<std::string_view> iss) override;
  ErrorCode MeaningOf(const RedirectError& error) const override { return profile_.read_redirect_error(error); }
  Task<TokenAnswer> RedeemCode(Flow flow, const SecretString& code, const PkceVerifier& verifier) override;
  Task<Result<IdentityClaims>> VerifyIdentity(const TokenSet& tokens, const Nonce& nonce) override;
  Task<TokenAnswer> Refresh(const RefreshRequest& request) override;
  Task<Result<std::optional<IdentityClaims>>> VerifyRefreshed(const TokenSet& tokens,
                                                              std::string_view subject) override;
  Task<Result<Revocation>> Revoke(const SecretString& token) override;
  bool OffersRevocation() const override { return profile_.offers_revocation; }
  std::string AdminConsentUrl(std::string_view subject) const override;
  std::string GrantsPage(std::string_view subject) const override;

 private:
  OpenIdProvider(OpenIdProfile profile, std::string issuer, http_client::HttpClient& http, const Clock& clock,
                 const Executor& executor);
  const std::string& CallbackUrl(Flow flow) const;
  crypto::TokenResult<IdentityClaims> CheckClaims(const boost::json::object& claims, const crypto::VerificationKey& key,
                                                  const Discovery& discovery, const std::optional<Nonce>& nonce,
                                                  const SecretString& access_token) const;
  Task<Result<IdentityClaims>> VerifyIdToken(const TokenSet& tokens, std::optional<Nonce> nonce);

  OpenIdProfile profile_;
  std::string issuer_;
  IdTokenRules rules_;
  const Clock& clock_;
  DiscoveryCache discovery_;
  JwksCache keys_;
  TokenEndpoint endpoint_;
};

}  // namespace latchkey::oauth
