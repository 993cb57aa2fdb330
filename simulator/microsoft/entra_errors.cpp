#include "simulator/microsoft/entra_errors.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "base/random.hpp"

namespace latchkey::simulator::entra {
namespace {

#define LATCHKEY_GRAPH_APP "'00000003-0000-0000-c000-000000000000'"
constexpr std::string_view kCapolids = R"({"access_token":{"capolids":{"essential":true,"values":["c7a1"]}}})";
constexpr std::string_view kPolids = R"({"access_token":{"polids":{"essential":true,"values":["ddda"]}}})";

constexpr EntraError kErrors[] = {
    {"user-gone", 50034, 400, "invalid_grant", "",
     "The user account {EmailHidden} does not exist in the directory. To sign into this application, the account must "
     "be added to the directory."},
    {"user-disabled", 50057, 400, "invalid_grant", "", "The user account is disabled."},
    {"not-in-directory", 51004, 400, "invalid_grant", "",
     "The user account does not exist in the directory. To sign into this application, the account must be added to "
     "the directory."},
    {"mfa", 50076, 400, "invalid_grant", "basic_action",
     "Due to a configuration change made by your administrator, or because you moved to a new location, you must use "
     "multi-factor authentication to access " LATCHKEY_GRAPH_APP ".",
     kCapolids},
    {"mfa-interaction", 50076, 400, "interaction_required", "basic_action",
     "Due to a configuration change made by your administrator, or because you moved to a new location, you must use "
     "multi-factor authentication to access " LATCHKEY_GRAPH_APP ".",
     kCapolids},
    {"mfa-expired", 50078, 400, "invalid_grant", "",
     "Presented multi-factor authentication has expired due to policies configured by your administrator, you must "
     "refresh your multi-factor authentication to access " LATCHKEY_GRAPH_APP "."},
    {"mfa-strong", 50074, 400, "interaction_required", "basic_action", "Strong Authentication is required."},
    {"mfa-proofup", 50072, 400, "interaction_required", "basic_action",
     "User needs to enroll for second factor authentication (interactive).", kPolids},
    {"mfa-enrol", 50079, 400, "interaction_required", "basic_action",
     "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
     "enroll in multifactor authentication to access " LATCHKEY_GRAPH_APP ".",
     kPolids},
    {"revoked", 50173, 400, "invalid_grant", "bad_token",
     "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have "
     "changed or reset their password."},
    {"session-password", 50132, 400, "invalid_grant", "bad_token",
     "The session is not valid: password expiration or a recent password change."},
    {"session-revoked", 50133, 400, "invalid_grant", "bad_token",
     "The session is not valid due to password expiration or recent password change."},
    {"device", 53000, 400, "invalid_grant", "additional_action",
     "Device is not in required device state: not compliant. Conditional Access policy requires a compliant device."},
    {"conditional-access", 53003, 400, "invalid_grant", "message_only",
     "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."},
    {"block-policy", 530034, 400, "invalid_grant", "message_only",
     "A delegated administrator was blocked from accessing the tenant due to account risk in their home tenant."},
    {"code-redeemed", 54005, 400, "invalid_grant", "",
     "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh "
     "token."},
    {"pkce", 501481, 400, "invalid_grant", "",
     "The Code_Verifier does not match the code_challenge supplied in the authorization request."},
    {"challenge-size", 50147, 400, "invalid_grant", "", "The size of the code challenge parameter is not valid."},
    {"consent", 65001, 400, "invalid_grant", "consent_required",
     "The user or administrator has not consented to use the application with ID '{}'. Send an interactive "
     "authorization request for this user and resource."},
    {"grant-expired", 70000, 400, "invalid_grant", "",
     "The user could not be authenticated as the grant is expired. The user must sign in again."},
    {"refresh-invalid", 70000, 400, "invalid_grant", "",
     "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid."},
    {"code-invalid", 70000, 400, "invalid_grant", "",
     "The provided value for the input parameter 'code' is not valid."},
    {"scope-unauthorized", 70000, 400, "invalid_grant", "",
     "The request was denied because one or more scopes requested are unauthorized or expired. The user must first "
     "sign in and grant the client application access to the requested scope."},
    {"code-expired", 70008, 400, "invalid_grant", "",
     "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive "
     "authorization request for this user and resource."},
    {"spa-max-life", 700081, 400, "invalid_grant", "",
     "The refresh token has expired due to maximum lifetime. The maximum allowed lifetime is 1.00:00:00."},
    {"inactive-90-days", 700082, 400, "invalid_grant", "",
     "The refresh token has expired due to inactivity. The token was issued on {} and was inactive for 90.00:00:00."},
    {"spa-24h", 700084, 400, "invalid_grant", "",
     "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of "
     "1.00:00:00, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the "
     "sign in page. The token was issued on {}."},
    {"sign-in-frequency", 70043, 400, "invalid_grant", "token_expired",
     "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was "
     "issued on {} and the maximum allowed lifetime for this request is 86400."},
    {"app-not-found", 700016, 400, "unauthorized_client", "",
     "Application with identifier '{}' was not found in the directory. This can happen if the application has not been "
     "installed by the administrator of the tenant or consented to by any user in the tenant."},
    {"app-unknown", 70001, 400, "unauthorized_client", "", "The application named '{}' was not found in the tenant."},
    {"app-disabled", 7000112, 400, "unauthorized_client", "", "Application '{}' is disabled."},
    {"bad-secret", 7000215, 401, "invalid_client", "",
     "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the "
     "client secret ID, for a secret added to app '{}'."},
    {"secret-expired", 7000222, 401, "invalid_client", "",
     "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for your "
     "app, or consider using certificate credentials for added security."},
    {"secret-missing", 7000218, 401, "invalid_client", "",
     "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."},
    {"reply-address", 500112, 400, "invalid_client", "",
     "The reply address '{}' does not match the reply address provided when requesting Authorization code."},
    {"invalid-scope", 70011, 400, "invalid_scope", "",
     "The provided value for the input parameter 'scope' is not valid. The scope {} is not valid."},
    {"scope-unknown", 650053, 400, "invalid_client", "",
     "The application asked for scope '{}' that doesn't exist on the resource "
     "'00000003-0000-0000-c000-000000000000'. Contact the app vendor."},
    {"malformed", 9002313, 400, "invalid_request", "", "Invalid request. Request is malformed or invalid."},
    {"missing-parameter", 900144, 400, "invalid_request", "",
     "The request body must contain the following parameter: '{}'."},
    {"grant-type", 70003, 400, "unsupported_grant_type", "", "The app requested an unsupported grant type '{}'."},
    {"response-type", 700054, 400, "unsupported_response_type", "",
     "response_type '{}' is not enabled for the application."},
    {"tenant-unknown", 90002, 400, "invalid_tenant", "",
     "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct "
     "cloud."},
    {"reply-unregistered", 50011, 400, "invalid_request", "",
     "The redirect URI '{}' specified in the request does not match the redirect URIs configured for the application. "
     "If you're the app developer, register it with the simulator (--redirect-uri); it is compared exactly."},
    {"wrong-tenant", 50020, 400, "invalid_request", "",
     "User account from identity provider does not exist in tenant '{}' and cannot access the application in that "
     "tenant."},
    {"login-required", 50058, 400, "login_required", "", "A silent sign-in request was sent but no user is signed in."},
    {"consent-required", 65001, 400, "consent_required", "",
     "The user or administrator has not consented to use the application with ID '{}'. Send an interactive "
     "authorization request for this user and resource."},
    {"declined", 65004, 400, "access_denied", "", "User declined to consent to access the app."},
    {"admin-approval", 90094, 400, "access_denied", "",
     "An administrator of the organization has set a policy that prevents you from granting '{}' the permissions it is "
     "requesting. Contact an administrator, who can grant permissions to this app on your behalf."},
    {"transient", 90033, 503, "temporarily_unavailable", "", "A transient error has occurred. Please try again."},
    {"transient-sign-in", 50033, 503, "temporarily_unavailable", "",
     "RetryableError - Indicates a transient error not related to the database operations."},
    {"throttled", 50196, 429, "temporarily_unavailable", "",
     "The server terminated an operation because it encountered a client request loop. Please contact your app "
     "vendor."},
};
#undef LATCHKEY_GRAPH_APP

/// "2026-08-10 08:19:37Z"
std::string Timestamp(Instant now) {
  std::string text = FormatInstant(std::chrono::floor<std::chrono::seconds>(now)).substr(0, 19);
  text[10] = ' ';
  return text + "Z";
}

std::string NewGuid() {
  const std::string hex = HexEncode(RandomBytes(16));
  return fmt::format("{}-{}-4{}-8{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(13, 3), hex.substr(17, 3),
                     hex.substr(20));
}

std::string Text(const EntraError& error, std::string_view detail) {
  std::string text = fmt::format("AADSTS{}: {}", error.number, error.text);
  if (const std::size_t at = text.find("{}"); at != std::string::npos) text.replace(at, 2, detail);
  return text;
}

std::string PayloadName(const EntraError& error) {
  if (error.status == 429) return "microsoft.token.error.throttled.429";
  return fmt::format("microsoft.token.error.{}.{}.{}", error.number, error.slug, error.status);
}

/// Those the token endpoint really sends; the rest belongs to pages and redirects.
bool IsPayload(const EntraError& error) {
  constexpr std::string_view kPages[] = {"response-type",    "reply-unregistered", "wrong-tenant",  "login-required",
                                         "consent-required", "declined",           "admin-approval"};
  return std::ranges::find(kPages, error.slug) == std::end(kPages);
}

}  // namespace

const EntraError* FindError(std::string_view slug) {
  const auto* const found = std::ranges::find(kErrors, slug, &EntraError::slug);
  return found == std::end(kErrors) ? nullptr : found;
}

std::string Describe(const EntraError& error, std::string_view detail, Instant now) {
  return fmt::format("{} Trace ID: {} Correlation ID: {} Timestamp: {}", Text(error, detail), NewGuid(), NewGuid(),
                     Timestamp(now));
}

Response TokenError(const EntraError& error, std::string_view detail, Instant now) {
  const std::string trace = NewGuid();
  const std::string correlation = NewGuid();
  const std::string timestamp = Timestamp(now);
  boost::json::object body;
  body["error"] = error.error;
  body["error_description"] = fmt::format("{} Trace ID: {} Correlation ID: {} Timestamp: {}", Text(error, detail),
                                          trace, correlation, timestamp);
  body["error_codes"] = boost::json::array(1, error.number);
  body["timestamp"] = timestamp;
  body["trace_id"] = trace;
  body["correlation_id"] = correlation;
  body["error_uri"] = fmt::format("https://login.microsoftonline.com/error?code={}", error.number);
  if (!error.suberror.empty()) body["suberror"] = error.suberror;
  if (!error.claims.empty()) body["claims"] = error.claims;
  Response response = JsonResponse(error.status, boost::json::serialize(body));
  response.headers.Set("Content-Type", "application/json; charset=utf-8");
  response.headers.Add("Cache-Control", "no-store, no-cache");
  response.headers.Add("Pragma", "no-cache");
  response.headers.Add("x-ms-request-id", trace);
  if (error.status == 429) response.headers.Add("Retry-After", "60");
  return response;
}

std::vector<std::string> PayloadNames() {
  std::vector<std::string> names;
  for (const EntraError& error : kErrors) {
    if (IsPayload(error)) names.push_back(PayloadName(error));
  }
  return names;
}

std::optional<Response> MakePayload(std::string_view name, Instant now) {
  for (const EntraError& error : kErrors) {
    if (!IsPayload(error) || PayloadName(error) != name) continue;
    // Two texts name the day a token was issued.
    const bool dated = error.text.contains("issued on {}");
    return TokenError(error, dated ? FormatInstant(now - std::chrono::days(90)) : "the-application", now);
  }
  return std::nullopt;
}

}  // namespace latchkey::simulator::entra
