#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "http_client/http_client.hpp"
#include "oauth/discovery.hpp"
#include "oauth/identity_provider.hpp"

namespace latchkey::oauth {

/// What is asked of the token endpoint; decides what an `invalid_grant` means.
enum class Grant { kAuthorizationCode, kRefreshToken };

struct ClientCredentials {
  std::string client_id;
  SecretString client_secret;
};

/// A successful answer (RFC 6749 section 5.1): token_type in any case, optional members absent. kMalformedReply.
Result<TokenSet> ParseTokenResponse(std::string_view body, Instant now);

/// What a failed answer means, by whose fault it is:
///   person    invalid_grant of a refresh -> kReauthInvalidGrant; admin_policy_enforced, org_internal ->
///   kPolicyEnforced operator  invalid_client, unauthorized_client, deleted_client, disabled_client -> kInvalidClient;
///             redirect_uri_mismatch -> kRedirectUriMismatch
///   provider  429 -> kRateLimited; 5xx, temporarily_unavailable -> kProviderUnavailable; no OAuth error in the body ->
///             kMalformedReply
///   flow      invalid_grant of a code -> kSignInFailed
/// The detail holds the provider's error code and subtype, never its description.
TokenRefusal ClassifyTokenError(const http_client::HttpResponse& response, Grant grant);

/// Retry-After in seconds, whole or with decimals, at most an hour; nullopt for absent or other forms.
std::optional<std::chrono::milliseconds> RetryAfterOf(const http_client::HttpResponse& response);

/// Reads a failed answer of one provider's token endpoint.
using TokenErrorReader = TokenRefusal (*)(const http_client::HttpResponse& response, Grant grant);

/// Redeems and refreshes at a provider's token endpoint, and revokes. Stateless; loop thread only.
class TokenEndpoint {
 public:
  TokenEndpoint(ClientCredentials client, TokenErrorReader read_error, http_client::HttpClient& http,
                const Clock& clock)
      : client_(std::move(client)), read_error_(read_error), http_(http), clock_(clock) {}

  using Form = std::vector<std::pair<std::string_view, std::string_view>>;
  /// One attempt within kProviderDeadline.
  Task<TokenAnswer> Ask(const Discovery& discovery, Grant grant, const Form& form);
  /// RFC 7009. kDone also for a token that the provider no longer knows.
  Task<Result<Revocation>> Revoke(const Discovery& discovery, const SecretString& token);

  const ClientCredentials& client() const { return client_; }

 private:
  http_client::HttpRequest MakeRequest(const Discovery& discovery, const std::string& url, const Form& form) const;

  ClientCredentials client_;
  TokenErrorReader read_error_;
  http_client::HttpClient& http_;
  const Clock& clock_;
};

/// An OAuth error code fit for the log; empty for text that is none.
std::string SafeErrorCode(std::optional<std::string_view> text);

/// name=value&... in application/x-www-form-urlencoded.
std::string EncodeForm(const TokenEndpoint::Form& form);

}  // namespace latchkey::oauth
