#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http_client/http_client.hpp"
#include "oauth/identity_provider.hpp"
#include "oauth/token_endpoint.hpp"

namespace latchkey::microsoft {

/// The one place where a refusal of Entra becomes an ErrorCode. `error` and `suberror` decide where they can, then the
/// numbers of `error_codes`; texts never do.
///
///   the person's    kReauthInvalidGrant (revoked, expired, unused for 90 days, disabled), kMfaRequired,
///                   kConditionalAccess, kAdminConsentRequired (an administrator must consent; a consent that is
///                   missing behind a refresh was taken back, and is kReauthInvalidGrant), kPolicyEnforced (not
///                   assigned to the application), kTenantNotAllowed (account of another tenant)
///   the operator's  kInvalidClient with a reason: client_secret_expired, client_secret_wrong, client_secret_missing,
///                   application_unknown, application_disabled; kRedirectUriMismatch
///   the provider's  kRateLimited, kProviderUnavailable, kMalformedReply (no OAuth error in the body)
///   the flow's      kSignInFailed (a code that is used up, late or not ours)
/// The detail holds the error, the suberror and the first number, never the description. A `claims` member that is a
/// JSON object of at most 4 KiB is the challenge.
oauth::TokenRefusal ClassifyEntraTokenError(const http_client::HttpResponse& response, oauth::Grant grant);

/// What an error in the redirect means; the description's leading AADSTS number is read, nothing else of it.
ErrorCode MeaningOfEntraRedirect(const oauth::RedirectError& error);

/// The claims challenge in a WWW-Authenticate header of Graph (`error="insufficient_claims"`, `claims` in base64),
/// decoded; empty when there is none that is a JSON object of at most 4 KiB.
std::string ClaimsChallengeOf(std::string_view www_authenticate);

}  // namespace latchkey::microsoft
