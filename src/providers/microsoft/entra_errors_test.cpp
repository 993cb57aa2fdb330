#include "providers/microsoft/entra_errors.hpp"

#include <gtest/gtest.h>

#include <string>

namespace latchkey::microsoft {
namespace {

using oauth::Grant;

oauth::TokenRefusal Classify(int status, std::string body, Grant grant = Grant::kRefreshToken) {
  http_client::HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return ClassifyEntraTokenError(response, grant);
}

struct Sample {
  std::string_view name;
  Grant grant;
  int status;
  ErrorCode code;
  std::string_view reason;
  bool has_challenge;
  std::string_view body;
};
// As recorded or documented, without trace ids.
// clang-format off
constexpr Sample kSamples[] = {
    {"50034.user-gone.400", Grant::kRefreshToken, 400, ErrorCode::kReauthInvalidGrant, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS50034: The user account {EmailHidden} does not exist in the contoso.com directory. To sign into this application, the account must be added to the directory.","error_codes":[50034]})x"},
    {"50057.user-disabled.400", Grant::kRefreshToken, 400, ErrorCode::kReauthInvalidGrant, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS50057: The user account is disabled.","error_codes":[50057]})x"},
    {"50076.mfa.400", Grant::kRefreshToken, 400, ErrorCode::kMfaRequired, "", true,
     R"x({"error":"invalid_grant","error_description":"AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.","error_codes":[50076],"suberror":"basic_action","claims":"{\"access_token\":{\"capolids\":{\"essential\":true,\"values\":[\"...\"]}}}"})x"},
    {"50078.mfa-expired.400", Grant::kRefreshToken, 400, ErrorCode::kMfaRequired, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS50078: Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.","error_codes":[50078]})x"},
    {"50079.mfa-enrol.400", Grant::kRefreshToken, 400, ErrorCode::kMfaRequired, "", true,
     R"x({"error":"interaction_required","error_description":"AADSTS50079: Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multifactor authentication to access 'bf8d80f9-9098-4972-b203-500f535113b1'.","error_codes":[50079],"suberror":"basic_action","claims":"{\"access_token\":{\"polids\":{\"essential\":true,\"values\":[\"ddda-...\"]}}}"})x"},
    {"501481.pkce.400", Grant::kAuthorizationCode, 400, ErrorCode::kSignInFailed, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS501481: The Code_Verifier does not match the code_challenge supplied in the authorization request.","error_codes":[501481]})x"},
    {"50173.revoked.400", Grant::kRefreshToken, 400, ErrorCode::kReauthInvalidGrant, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '2026-04-20T14:30:28.0990908Z' and the TokensValidFrom date (before which tokens are not valid) for this user is '2026-08-01T09:00:00.0000000Z'.","error_codes":[50173],"suberror":"bad_token"})x"},
    {"53003.conditional-access.400", Grant::kRefreshToken, 400, ErrorCode::kConditionalAccess, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.","error_codes":[53003],"suberror":"message_only"})x"},
    {"54005.code-redeemed.400", Grant::kAuthorizationCode, 400, ErrorCode::kSignInFailed, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS54005: OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.","error_codes":[54005]})x"},
    {"65001.consent.400", Grant::kRefreshToken, 400, ErrorCode::kReauthInvalidGrant, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS65001: The user or administrator has not consented to use the application with ID '11112222-bbbb-3333-cccc-4444dddd5555' named 'Acme'. Send an interactive authorization request for this user and resource.","error_codes":[65001],"suberror":"consent_required"})x"},
    {"70000.grant-expired.400", Grant::kRefreshToken, 400, ErrorCode::kReauthInvalidGrant, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS70000: The user could not be authenticated as the grant is expired. The user must sign in again.","error_codes":[70000]})x"},
    {"70000.refresh-invalid.400", Grant::kRefreshToken, 400, ErrorCode::kReauthInvalidGrant, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS70000: The provided value for the input parameter 'refresh_token' or 'assertion' is not valid.","error_codes":[70000]})x"},
    {"70000.scope-unauthorized.400", Grant::kRefreshToken, 400, ErrorCode::kReauthInvalidGrant, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS70000: The request was denied because one or more scopes requested are unauthorized or expired. The user must first sign in and grant the client application access to the requested scope.","error_codes":[70000]})x"},
    {"700016.app-not-found.400", Grant::kRefreshToken, 400, ErrorCode::kInvalidClient, "application_unknown", false,
     R"x({"error":"unauthorized_client","error_description":"AADSTS700016: Application with identifier '11112222-bbbb-3333-cccc-4444dddd5555' was not found in the directory 'Contoso'.","error_codes":[700016]})x"},
    {"7000215.bad-secret.401", Grant::kRefreshToken, 401, ErrorCode::kInvalidClient, "client_secret_wrong", false,
     R"x({"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '11112222-bbbb-3333-cccc-4444dddd5555'.","error_codes":[7000215]})x"},
    {"7000222.secret-expired.401", Grant::kRefreshToken, 401, ErrorCode::kInvalidClient, "client_secret_expired", false,
     R"x({"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys for app '11112222-bbbb-3333-cccc-4444dddd5555' are expired. Visit the Azure portal to create new keys for your app, or consider using certificate credentials for added security.","error_codes":[7000222]})x"},
    {"70008.code-expired.400", Grant::kAuthorizationCode, 400, ErrorCode::kSignInFailed, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS70008: The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.","error_codes":[70008]})x"},
    {"700082.inactive-90-days.400", Grant::kRefreshToken, 400, ErrorCode::kReauthInvalidGrant, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired due to inactivity. The token was issued on 2026-04-20T14:30:28.0990908Z and was inactive for 90.00:00:00.","error_codes":[700082]})x"},
    {"700084.spa-24h.400", Grant::kRefreshToken, 400, ErrorCode::kReauthInvalidGrant, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS700084: The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page. The token was issued on 2026-08-09T08:00:00.0000000Z.","error_codes":[700084]})x"},
    {"70011.invalid-scope.400", Grant::kRefreshToken, 400, ErrorCode::kInternal, "", false,
     R"x({"error":"invalid_scope","error_description":"AADSTS70011: The provided value for the input parameter 'scope' is not valid. The scope https://foo.microsoft.com/mail.read is not valid.","error_codes":[70011]})x"},
    {"70043.sign-in-frequency.400", Grant::kRefreshToken, 400, ErrorCode::kReauthInvalidGrant, "", false,
     R"x({"error":"invalid_grant","error_description":"AADSTS70043: The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was issued on 2026-08-01T08:00:00.0000000Z and the maximum allowed lifetime for this request is 86400.","error_codes":[70043],"suberror":"token_expired"})x"},
    {"9002313.malformed.400", Grant::kRefreshToken, 400, ErrorCode::kInternal, "", false,
     R"x({"error":"invalid_request","error_description":"AADSTS9002313: Invalid request. Request is malformed or invalid.","error_codes":[9002313]})x"},
    {"90033.transient.503", Grant::kRefreshToken, 503, ErrorCode::kProviderUnavailable, "", false,
     R"x({"error":"temporarily_unavailable","error_description":"AADSTS90033: A transient error has occurred. Please try again.","error_codes":[90033]})x"},
    {"throttled.429", Grant::kRefreshToken, 429, ErrorCode::kRateLimited, "", false,
     R"x({"error":"temporarily_unavailable","error_description":"AADSTS50196: The server terminated an operation because it encountered a client request loop. Please contact your app vendor.","error_codes":[50196]})x"},
};
// clang-format on

TEST(EntraErrors, EveryRecordedRefusalHasItsMeaning) {
  for (const Sample& sample : kSamples) {
    const auto refusal = Classify(sample.status, std::string(sample.body), sample.grant);
    EXPECT_EQ(ToString(refusal.code), ToString(sample.code)) << sample.name;
    EXPECT_EQ(refusal.reason, sample.reason) << sample.name;
    EXPECT_EQ(!refusal.claims_challenge.empty(), sample.has_challenge) << sample.name;
    EXPECT_EQ(refusal.detail.find("AADSTS"), std::string::npos) << "the description stays out: " << refusal.detail;
  }
}

TEST(EntraErrors, TheNumbersOfOneCauseMeanTheSame) {
  const auto code = [](int number, std::string_view error = "invalid_grant", Grant grant = Grant::kRefreshToken) {
    return Classify(400, R"({"error":")" + std::string(error) + R"(","error_codes":[)" + std::to_string(number) + "]}",
                    grant)
        .code;
  };
  for (const int number : {50072, 50074, 50076, 50078, 50079}) {
    EXPECT_EQ(code(number), ErrorCode::kMfaRequired) << number;
    EXPECT_EQ(code(number, "interaction_required"), ErrorCode::kMfaRequired) << number;
  }
  for (const int number : {53000, 53001, 53002, 53003, 530034}) {
    EXPECT_EQ(code(number), ErrorCode::kConditionalAccess) << number;
  }
  for (const int number : {70000, 70008, 700081, 700082, 700084, 50173, 70043, 50057, 50034, 51004, 50132, 50133}) {
    EXPECT_EQ(code(number), ErrorCode::kReauthInvalidGrant) << number;
  }
  for (const int number : {54005, 501481, 50147}) {
    EXPECT_EQ(code(number, "invalid_grant", Grant::kAuthorizationCode), ErrorCode::kSignInFailed) << number;
  }
  for (const int number : {7000215, 7000222, 700016, 70001, 7000218}) {
    EXPECT_EQ(code(number, "invalid_client"), ErrorCode::kInvalidClient) << number;
  }
  for (const int number : {90033, 50033}) EXPECT_EQ(code(number), ErrorCode::kProviderUnavailable) << number;
  EXPECT_EQ(code(50196), ErrorCode::kRateLimited);
  EXPECT_EQ(code(90094), ErrorCode::kAdminConsentRequired);
}

TEST(EntraErrors, AMissingConsentIsThePersonsToGiveAgainAndTheAdministratorsWhenTheyCannot) {
  const std::string body = R"({"error":"invalid_grant","suberror":"consent_required","error_codes":[65001]})";
  EXPECT_EQ(Classify(400, body).code, ErrorCode::kReauthInvalidGrant);
  EXPECT_EQ(Classify(400, body, Grant::kAuthorizationCode).code, ErrorCode::kAdminConsentRequired);
}

TEST(EntraErrors, ErrorAndSuberrorDecideBeforeTheNumbers) {
  const std::string unknown = R"({"error":"invalid_grant","suberror":"SUB","error_codes":[999999]})";
  const auto with = [&](std::string_view suberror) {
    std::string body = unknown;
    body.replace(body.find("SUB"), 3, suberror);
    return Classify(400, body).code;
  };
  EXPECT_EQ(with("basic_action"), ErrorCode::kMfaRequired);
  EXPECT_EQ(with("additional_action"), ErrorCode::kMfaRequired);
  EXPECT_EQ(with("message_only"), ErrorCode::kConditionalAccess);
  EXPECT_EQ(with("bad_token"), ErrorCode::kReauthInvalidGrant);
  EXPECT_EQ(with("token_expired"), ErrorCode::kReauthInvalidGrant);
  EXPECT_EQ(with("user_password_expired"), ErrorCode::kReauthInvalidGrant);
  // An operator's fault is never made the person's by a number.
  EXPECT_EQ(Classify(401, R"({"error":"invalid_client","error_codes":[50076]})").code, ErrorCode::kInvalidClient);
}

TEST(EntraErrors, RetryAfterIsPassedOn) {
  http_client::HttpResponse response;
  response.status = 429;
  response.headers = {{"Retry-After", "60"}};
  const auto refusal = ClassifyEntraTokenError(response, Grant::kRefreshToken);
  EXPECT_EQ(refusal.code, ErrorCode::kRateLimited);
  EXPECT_EQ(refusal.retry_after, std::chrono::seconds(60));
}

TEST(EntraErrors, BodiesOfAnyShapeAreFine) {
  const std::string large(5000, 'x');
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("[]"), std::string(R"({"error":7})"),
        std::string(R"({"error":"<b>","error_codes":"x"})"), std::string(R"({"error_codes":[65001]})")}) {
    EXPECT_EQ(Classify(400, body).code, ErrorCode::kMalformedReply) << body;
  }
  const auto odd =
      Classify(400, R"({"error":"invalid_grant","error_codes":[null,{},-1,1e99,50076],"claims":"no json"})");
  EXPECT_EQ(odd.code, ErrorCode::kMfaRequired);
  EXPECT_EQ(odd.claims_challenge, "");
  const auto huge = Classify(400, R"({"error":"invalid_grant","claims":"{\"a\":\")" + large + R"(\"}"})");
  EXPECT_EQ(huge.claims_challenge, "");
}

TEST(EntraErrors, RedirectsTellWhoHasToAct) {
  const auto code = [](std::string error, std::string description, std::string suberror = {}) {
    return MeaningOfEntraRedirect({std::move(error), std::move(description), std::move(suberror)});
  };
  EXPECT_EQ(code("access_denied", "the user canceled the authentication"), ErrorCode::kAccessDenied);
  EXPECT_EQ(code("access_denied", "AADSTS65004: User declined to consent to access the app."),
            ErrorCode::kAccessDenied);
  EXPECT_EQ(code("consent_required", "AADSTS65004: User declined"), ErrorCode::kAccessDenied);
  EXPECT_EQ(code("login_required", "AADSTS50058..."), ErrorCode::kAccessDenied);
  EXPECT_EQ(code("access_denied", "AADSTS90094: The grant requires admin permission."),
            ErrorCode::kAdminConsentRequired);
  EXPECT_EQ(code("consent_required", "AADSTS65001: not consented"), ErrorCode::kAdminConsentRequired);
  EXPECT_EQ(code("access_denied", "AADSTS53003: blocked"), ErrorCode::kConditionalAccess);
  EXPECT_EQ(code("interaction_required", "AADSTS50076: mfa"), ErrorCode::kMfaRequired);
  EXPECT_EQ(code("access_denied", "AADSTS50105: not assigned"), ErrorCode::kPolicyEnforced);
  EXPECT_EQ(code("unauthorized_client", "AADSTS700016: app not found"), ErrorCode::kInvalidClient);
  EXPECT_EQ(code("invalid_request", "AADSTS50011: reply address"), ErrorCode::kRedirectUriMismatch);
  EXPECT_EQ(code("invalid_request", "AADSTS50020: from another identity provider"), ErrorCode::kTenantNotAllowed);
  EXPECT_EQ(code("temporarily_unavailable", ""), ErrorCode::kProviderUnavailable);
  EXPECT_EQ(code("server_error", "AADSTS90033"), ErrorCode::kProviderUnavailable);
  EXPECT_EQ(code("invalid_request", "AADSTS"), ErrorCode::kSignInFailed);
  EXPECT_EQ(code("nonsense", "AADSTS99999999999999999999"), ErrorCode::kSignInFailed);
}

TEST(EntraErrors, AChallengeOfGraphIsReadFromItsHeader) {
  const std::string header =
      R"(Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", )"
      R"(error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzcyMDAwMDAwIn19fQ==")";
  EXPECT_EQ(ClaimsChallengeOf(header), R"({"access_token":{"nbf":{"essential":true,"value":"1772000000"}}})");
  EXPECT_EQ(ClaimsChallengeOf(""), "");
  EXPECT_EQ(ClaimsChallengeOf(R"(Bearer error="insufficient_claims", claims="%%%")"), "");
  EXPECT_EQ(ClaimsChallengeOf(R"(Bearer error="insufficient_claims", claims="bm8=")"), "") << "no JSON object";
  EXPECT_EQ(ClaimsChallengeOf(R"(Bearer error="invalid_token", claims="e30=")"), "");
  EXPECT_EQ(ClaimsChallengeOf(R"(Bearer error="insufficient_claims", claims="e30=)"), "");
}

}  // namespace
}  // namespace latchkey::microsoft
