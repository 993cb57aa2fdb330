// What Entra's sign-in and token endpoints say.
#include <boost/json/array.hpp>

#include "oauth/token_endpoint.hpp"
#include "providers/microsoft/entra_errors.hpp"
#include "providers/microsoft/entra_issuer.hpp"
#include "tests/examples/example.hpp"

namespace latchkey::examples {
namespace {

using oauth::Grant;

const Instant kNow = FromMicros(1'772'000'000'000'000);
constexpr std::string_view kTemplate = "https://login.microsoftonline.com/{tenantid}/v2.0";
constexpr std::string_view kPersonalIssuer =
    "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";

microsoft::EntraIssuer Common() {
  auto issuer = microsoft::EntraIssuer::Make(
      "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration", {});
  EXPECT_TRUE(issuer.has_value());
  return std::move(*issuer);
}

void ClaimTokens(Claims& claims) {
  claims.Add("microsoft.token.code.200", [](const Example& example) {
    const auto tokens = oauth::ParseTokenResponse(example.Body(), kNow);
    ASSERT_TRUE(tokens);
    EXPECT_EQ(tokens->expires_at, kNow + std::chrono::seconds(3599));
    EXPECT_EQ(tokens->refresh_token.Reveal(), "0.AVYAy8...");
    EXPECT_FALSE(tokens->id_token.empty());
    EXPECT_THAT(*tokens->scopes, ::testing::Contains("https://graph.microsoft.com/Mail.Read"));
  });
  claims.Add("microsoft.token.refresh.200", [](const Example& example) {
    const auto tokens = oauth::ParseTokenResponse(example.Body(), kNow);
    ASSERT_TRUE(tokens);
    EXPECT_EQ(tokens->expires_at, kNow + std::chrono::seconds(4242)) << "lives are drawn by lot";
    EXPECT_EQ(tokens->refresh_token.Reveal(), "0.AVYAnew...") << "a new one each time";
  });
  claims.Add("microsoft.userinfo.200", [](const Example& example) {
    // Not asked: the ID token says who it is, and its address proves nothing.
    EXPECT_EQ(example.Response().status, 200);
    EXPECT_FALSE(example.Text("response/body/sub").empty());
  });
}

void ClaimRefusals(Claims& claims) {
  struct Case {
    const char* name;
    Grant grant;
    ErrorCode code;
    FaultOwner owner;
    const char* reason = "";
    bool challenge = false;
  };
  using enum ErrorCode;
  constexpr auto kRefresh = Grant::kRefreshToken;
  constexpr auto kCode = Grant::kAuthorizationCode;
  constexpr auto kAccount = FaultOwner::kAccount;
  for (const Case& each : {
           Case{"50034.user-gone.400", kRefresh, kReauthInvalidGrant, kAccount},
           Case{"50057.user-disabled.400", kRefresh, kReauthInvalidGrant, kAccount},
           Case{"50076.mfa.400", kRefresh, kMfaRequired, kAccount, "", true},
           Case{"50078.mfa-expired.400", kRefresh, kMfaRequired, kAccount},
           Case{"50079.mfa-enrol.400", kRefresh, kMfaRequired, kAccount, "", true},
           Case{"501481.pkce.400", kCode, kSignInFailed, FaultOwner::kCaller},
           Case{"50173.revoked.400", kRefresh, kReauthInvalidGrant, kAccount},
           Case{"53003.conditional-access.400", kRefresh, kConditionalAccess, kAccount},
           Case{"54005.code-redeemed.400", kCode, kSignInFailed, FaultOwner::kCaller},
           Case{"65001.consent.400", kRefresh, kReauthInvalidGrant, kAccount},
           Case{"70000.grant-expired.400", kRefresh, kReauthInvalidGrant, kAccount},
           Case{"70000.refresh-invalid.400", kRefresh, kReauthInvalidGrant, kAccount},
           Case{"70000.scope-unauthorized.400", kRefresh, kReauthInvalidGrant, kAccount},
           Case{"700016.app-not-found.400", kRefresh, kInvalidClient, FaultOwner::kOperator, "application_unknown"},
           Case{"7000215.bad-secret.401", kRefresh, kInvalidClient, FaultOwner::kOperator, "client_secret_wrong"},
           Case{"7000222.secret-expired.401", kRefresh, kInvalidClient, FaultOwner::kOperator, "client_secret_expired"},
           Case{"70008.code-expired.400", kCode, kSignInFailed, FaultOwner::kCaller},
           Case{"700082.inactive-90-days.400", kRefresh, kReauthInvalidGrant, kAccount},
           Case{"700084.spa-24h.400", kRefresh, kReauthInvalidGrant, kAccount},
           Case{"70011.invalid-scope.400", kRefresh, kInternal, FaultOwner::kOurselves},
           Case{"70043.sign-in-frequency.400", kRefresh, kReauthInvalidGrant, kAccount},
           Case{"9002313.malformed.400", kRefresh, kInternal, FaultOwner::kOurselves},
           Case{"90033.transient.503", kRefresh, kProviderUnavailable, FaultOwner::kProvider},
       }) {
    claims.Add(std::string("microsoft.token.error.") + each.name, [each](const Example& example) {
      const auto refusal = microsoft::ClassifyEntraTokenError(example.Response(), each.grant);
      ExpectError(refusal, each.code, each.owner);
      EXPECT_EQ(refusal.reason, each.reason);
      EXPECT_EQ(!refusal.claims_challenge.empty(), each.challenge);
    });
  }
  claims.Add("microsoft.token.error.throttled.429", [](const Example& example) {
    const auto refusal = microsoft::ClassifyEntraTokenError(example.Response(), kRefresh);
    ExpectError(refusal, kRateLimited, FaultOwner::kProvider,
                std::chrono::seconds(std::stoi(example.Text("response/headers/Retry-After"))));
  });
}

void ClaimIdTokens(Claims& claims) {
  claims.Add("microsoft.id_token.work", [](const Example& example) {
    const auto person = Common().Expect(example.At("claims").as_object(), {std::string(kTemplate)}, kTemplate);
    ASSERT_TRUE(person);
    EXPECT_EQ(person->issuer, example.Text("claims/iss"));
    EXPECT_TRUE(person->subject.contains("00000000-0000-0000-66f3-3332eca7ea81")) << "object id and tenant";
    EXPECT_TRUE(person->subject.contains("9122040d-6c67-4c5b-b112-36a304b66dad"));
    EXPECT_FALSE(person->email_verified);
    const auto forged = Common().Expect(example.At("claims").as_object(), {std::string(kPersonalIssuer)}, kTemplate);
    EXPECT_FALSE(forged) << "a key of personal accounts signs for no work tenant";
  });
  claims.Add("microsoft.id_token.personal", [](const Example& example) {
    const auto person = Common().Expect(example.At("claims").as_object(), {std::string(kPersonalIssuer)}, kTemplate);
    ASSERT_TRUE(person);
    EXPECT_EQ(person->issuer, kPersonalIssuer);
    EXPECT_TRUE(person->subject.contains("00000000-0000-0000-4f62-a7105c03556e"));
    EXPECT_EQ(person->email, "ada.example@outlook.com");
  });
  claims.Add("microsoft.id_token.edov", [](const Example& example) {
    // Even where the tenant vouches for the domain, the address is for display: a person is tenant and object id.
    const auto& token = example.At("claims").as_object();
    const auto& variants = example.At("variants").as_array();
    ASSERT_EQ(variants.size(), 4u);
    std::string subject;
    for (const auto& variant : variants) {
      auto other = token;
      for (const auto& [name, value] : variant.as_object()) {
        if (name == "xms_edov absent") {
          other.erase("xms_edov");
        } else {
          other[name] = value;
        }
      }
      const auto person = Common().Expect(other, {std::string(kTemplate)}, kTemplate);
      ASSERT_TRUE(person);
      if (subject.empty()) subject = person->subject;
      EXPECT_EQ(person->subject, subject) << "the same person, whatever the claim says";
    }
    for (const char* part : {"tid", "oid"}) {
      EXPECT_NE(subject.find(std::string(token.at(part).as_string())), std::string::npos) << subject;
    }
  });
  claims.Add("microsoft.id_token.noauth-attack", [](const Example& example) {
    const auto person = Common().Expect(example.At("claims").as_object(), {std::string(kTemplate)}, kTemplate);
    ASSERT_TRUE(person);
    EXPECT_FALSE(person->email_verified) << "the address of somebody else proves nothing";
    EXPECT_TRUE(person->subject.contains("aaaaaaaa-1111-2222-3333-bbbbbbbbbbbb"));
    EXPECT_FALSE(person->subject.contains("victim"));
  });
}

}  // namespace

void ClaimMicrosoftIdentity(Claims& claims) {
  ClaimTokens(claims);
  ClaimRefusals(claims);
  ClaimIdTokens(claims);
  claims.Add("microsoft.authorize.redirects", [](const Example& example) {
    const auto meaning = [](std::string error, std::string description = {}) {
      const oauth::RedirectError redirect{.error = std::move(error), .description = std::move(description)};
      return microsoft::MeaningOfEntraRedirect(redirect);
    };
    EXPECT_TRUE(example.Text("redirects/0/location").contains("code=M.C507_BAY"));
    EXPECT_TRUE(example.Text("redirects/1/location").contains("error=access_denied"));
    EXPECT_EQ(meaning("access_denied", "the user canceled the authentication"), ErrorCode::kAccessDenied);
    EXPECT_EQ(meaning("consent_required", "AADSTS65004: User declined to consent to access the app."),
              ErrorCode::kAccessDenied);
    EXPECT_EQ(meaning("login_required", "AADSTS50058..."), ErrorCode::kAccessDenied);
    EXPECT_TRUE(example.Text("redirects/4/note").contains("AADSTS90094"));
    EXPECT_EQ(meaning("access_denied", "AADSTS90094: The grant requires admin permission."),
              ErrorCode::kAdminConsentRequired);
  });
}

}  // namespace latchkey::examples
