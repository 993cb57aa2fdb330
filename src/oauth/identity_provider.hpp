#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "oauth/values.hpp"

namespace latchkey::oauth {

struct AuthorizeRequest {
  Flow flow = Flow::kSignIn;
  /// Beyond `openid email profile`, which are always asked for; ignored for sign-in.
  std::vector<std::string> scopes;
  State state;
  Nonce nonce;
  PkceChallenge challenge;
  /// Preselects an account at the provider; the person may still choose another one.
  std::string login_hint = {};
  /// What the provider demanded of the next sign-in of this person (TokenRefusal::claims_challenge), handed back as it
  /// came; empty when it demanded nothing.
  std::string claims_challenge = {};
};

/// What the provider's redirect says went wrong, as it arrived: never shown, never logged.
struct RedirectError {
  std::string error;
  std::string description;
  std::string suberror;
};

/// Why the token endpoint gave no tokens.
struct TokenRefusal : Error {
  TokenRefusal(Error error) : Error(std::move(error)) {}  // NOLINT(google-explicit-constructor): it is one.
  /// A claims request (OIDC Core 5.5) to be sent with the person's next sign-in; empty when there is none.
  std::string claims_challenge;
  /// Of an operator's fault with several causes: which one, such as "client_secret_expired"; else empty.
  std::string reason;
};

/// A successful answer of the token endpoint (RFC 6749 section 5.1).
struct TokenSet {
  SecretString access_token;
  SecretString refresh_token;  ///< Empty when none was given.
  SecretString id_token;       ///< Empty when none was given.
  std::optional<Instant> expires_at;
  /// When the refresh token itself ends, where the provider says so (Google: projects in testing, limited grants).
  std::optional<Instant> refresh_expires_at;
  /// nullopt when the answer had no `scope`: then what was asked for is granted.
  std::optional<std::vector<std::string>> scopes;
};

using TokenAnswer = std::expected<TokenSet, TokenRefusal>;

struct RefreshRequest {
  SecretString refresh_token;
  /// What the account holds; sent where the provider wants the scopes named again.
  std::vector<std::string> scopes;
};

/// What became of taking a grant back at the provider.
enum class Revocation {
  kDone,
  kNotOffered  ///< The provider has no way to; the person can, on GrantsPage().
};

/// The verified claims about a person.
struct IdentityClaims {
  /// As configured, whatever spelling the token used; of a provider with an issuer per tenant, the tenant's.
  std::string issuer;
  std::string subject;
  std::string email;
  bool email_verified = false;
  /// The address is this account's own and nobody else's: verified, or the name its person signs in with, in a domain
  /// that their organisation had to prove. Good for telling mailboxes of one user apart, never for finding a user.
  bool email_is_own = false;
  std::string name, given_name, family_name;
  /// The provider's claim of the organisation (Google: hd, Entra: tid); empty for Google's consumer accounts.
  std::string organisation;
};

/// One OpenID provider that this server is a client of. Calls carry deadlines of their own and translate every vendor
/// error into an ErrorCode. Loop thread only.
class IdentityProvider {
 public:
  virtual ~IdentityProvider() = default;
  virtual std::string_view name() const = 0;  ///< "google"
  virtual Task<Result<std::string>> AuthorizeUrl(const AuthorizeRequest& request) = 0;
  /// Checks an `iss` of the authorization response, nullopt when it had none (RFC 9207). kStateMismatch.
  virtual Task<Result<void>> CheckResponseIssuer(std::optional<std::string_view> iss) = 0;
  /// What an error in the redirect means.
  virtual ErrorCode MeaningOf(const RedirectError& error) const = 0;
  virtual Task<TokenAnswer> RedeemCode(Flow flow, const SecretString& code, const PkceVerifier& verifier) = 0;
  /// Verifies the ID token of a code exchange (OIDC Core 3.1.3.7). kSignInFailed with the exact fault in the detail;
  /// kTenantNotAllowed for a person of an organisation that this installation does not serve.
  virtual Task<Result<IdentityClaims>> VerifyIdentity(const TokenSet& tokens, const Nonce& nonce) = 0;
  /// Errors by owner: kReauthInvalidGrant (the person's), kInvalidClient and such (the operator's),
  /// kProviderUnavailable and kRateLimited (the provider's).
  virtual Task<TokenAnswer> Refresh(const RefreshRequest& request) = 0;
  /// The ID token that came with a refresh, if any, must be about the same person (OIDC Core 12.2). `subject` is the
  /// stored one; empty where none is known yet. Who the tokens are about, nullopt without an ID token.
  virtual Task<Result<std::optional<IdentityClaims>>> VerifyRefreshed(const TokenSet& tokens,
                                                                      std::string_view subject) = 0;
  /// Success also for a token that is already dead.
  virtual Task<Result<Revocation>> Revoke(const SecretString& token) = 0;

  /// Whether Revoke can do anything at all.
  virtual bool OffersRevocation() const = 0;
  /// Where an administrator approves this application for a whole organisation: that of `subject` (as in
  /// IdentityClaims), or, when empty, whichever the administrator belongs to. Empty where there is no such page.
  virtual std::string AdminConsentUrl(std::string_view subject) const = 0;
  /// Where the person sees and takes back what they granted to applications.
  virtual std::string GrantsPage(std::string_view subject) const = 0;
};

/// The configured providers by name. Filled at start, constant afterwards.
class IdentityProviders {
 public:
  void Add(std::shared_ptr<IdentityProvider> provider) { providers_.push_back(std::move(provider)); }
  /// kProviderNotConfigured for a name nobody set up.
  Result<std::shared_ptr<IdentityProvider>> Find(std::string_view name) const;
  const std::vector<std::shared_ptr<IdentityProvider>>& all() const { return providers_; }

 private:
  std::vector<std::shared_ptr<IdentityProvider>> providers_;
};

}  // namespace latchkey::oauth
