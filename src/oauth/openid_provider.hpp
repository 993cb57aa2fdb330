#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "http_client/http_client.hpp"
#include "oauth/discovery.hpp"
#include "oauth/id_token.hpp"
#include "oauth/identity_provider.hpp"
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
  std::string_view issuer() const override { return issuer_; }
  Task<Result<std::string>> AuthorizeUrl(const AuthorizeRequest& request) override;
  Task<Result<void>> CheckResponseIssuer(std::optional<std::string_view> iss) override;
  Task<Result<TokenSet>> RedeemCode(Flow flow, const SecretString& code, const PkceVerifier& verifier) override;
  Task<Result<IdentityClaims>> VerifyIdentity(const TokenSet& tokens, const Nonce& nonce) override;
  Task<Result<TokenSet>> Refresh(const SecretString& refresh_token) override;
  Task<Result<void>> VerifyRefreshed(const TokenSet& tokens, std::string_view subject) override;
  Task<Result<void>> Revoke(const SecretString& token) override;

 private:
  OpenIdProvider(OpenIdProfile profile, std::string issuer, http_client::HttpClient& http, const Clock& clock,
                 const Executor& executor);
  const std::string& CallbackUrl(Flow flow) const;
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
