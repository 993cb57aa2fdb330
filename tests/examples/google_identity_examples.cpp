// What Google's sign-in and token endpoints say.
#include <boost/json/array.hpp>

#include "oauth/flow_failure.hpp"
#include "oauth/id_token.hpp"
#include "oauth/token_endpoint.hpp"
#include "tests/examples/example.hpp"

namespace latchkey::examples {
namespace {

using oauth::Grant;

const Instant kNow = FromMicros(1'772'000'000'000'000);

oauth::TokenSet Tokens(const Example& example) {
  auto tokens = oauth::ParseTokenResponse(example.Body(), kNow);
  EXPECT_TRUE(tokens.has_value()) << example.name;
  return tokens ? std::move(*tokens) : oauth::TokenSet();
}

void ClaimTokens(Claims& claims) {
  claims.Add("google.token.code.200", [](const Example& example) {
    const auto tokens = Tokens(example);
    EXPECT_EQ(tokens.access_token.Reveal(), "ya29.a0AfB_by...");
    EXPECT_EQ(tokens.refresh_token.Reveal(), "1//0gXyz...");
    EXPECT_FALSE(tokens.id_token.empty());
    EXPECT_EQ(tokens.expires_at, kNow + std::chrono::seconds(3599));
    EXPECT_EQ(tokens.refresh_expires_at, std::nullopt);
    EXPECT_EQ(tokens.scopes->size(), 4u);
    EXPECT_EQ(example.Text("request/form/grant_type"), "authorization_code");
  });
  claims.Add("google.token.code.partial-grant.200", [](const Example& example) {
    // The mail box was left unticked: what was granted is what `scope` says, not what was asked for.
    const auto tokens = Tokens(example);
    EXPECT_THAT(*tokens.scopes, ::testing::ElementsAre("openid", "https://www.googleapis.com/auth/userinfo.email",
                                                       "https://www.googleapis.com/auth/calendar.readonly"));
  });
  claims.Add("google.token.code.testing-project.200", [](const Example& example) {
    const auto tokens = Tokens(example);
    EXPECT_EQ(tokens.refresh_expires_at, kNow + std::chrono::seconds(604'799)) << "a project in testing mode";
    EXPECT_TRUE(tokens.id_token.empty());
  });
  claims.Add("google.token.refresh.200", [](const Example& example) {
    const auto tokens = Tokens(example);
    EXPECT_EQ(tokens.access_token.Reveal(), "ya29.a0AfB_new...");
    EXPECT_TRUE(tokens.refresh_token.empty()) << "the stored one stays";
  });
}

void ClaimRefusals(Claims& claims) {
  const auto refused = [&](const char* name, Grant grant, ErrorCode code, FaultOwner owner) {
    claims.Add(std::string("google.token.error.") + name, [=](const Example& example) {
      const Error error = oauth::ClassifyTokenError(example.Response(), grant);
      ExpectError(error, code, owner);
      EXPECT_EQ(example.Text("request/form/grant_type") == "refresh_token", grant == Grant::kRefreshToken);
    });
  };
  for (const char* name : {"invalid_grant.revoked.400", "invalid_grant.bad-request.400", "invalid_grant.rapt.400"})
    refused(name, Grant::kRefreshToken, ErrorCode::kReauthInvalidGrant, FaultOwner::kAccount);
  for (const char* name :
       {"invalid_grant.malformed-code.400", "invalid_grant.missing-verifier.400", "recorded-2014.400"})
    refused(name, Grant::kAuthorizationCode, ErrorCode::kSignInFailed, FaultOwner::kCaller);
  for (const char* name : {"invalid_client.401", "deleted_client.401"})
    refused(name, Grant::kRefreshToken, ErrorCode::kInvalidClient, FaultOwner::kOperator);
  refused("redirect_uri_mismatch.400", Grant::kAuthorizationCode, ErrorCode::kRedirectUriMismatch,
          FaultOwner::kOperator);
  // A request that we never make: when it happens, the mistake is ours.
  refused("unsupported_grant_type.400", Grant::kAuthorizationCode, ErrorCode::kInternal, FaultOwner::kOurselves);
}

}  // namespace

void ClaimGoogleIdentity(Claims& claims) {
  ClaimTokens(claims);
  ClaimRefusals(claims);
  claims.Add("google.id_token", [](const Example& example) {
    const oauth::IdTokenRules rules{.issuers = {"https://accounts.google.com", "accounts.google.com"},
                                    .client_id = "123456789012-abc.apps.googleusercontent.com",
                                    .organisation_claim = "hd"};
    const SecretString no_token;
    auto token = example.At("claims").as_object();
    // Belongs to the access token, which the sample does not show.
    token.erase("at_hash");
    auto person = oauth::CheckIdTokenClaims(token, rules, std::nullopt, no_token, kNow);
    ASSERT_TRUE(person);
    EXPECT_EQ(person->issuer, "https://accounts.google.com");
    EXPECT_EQ(person->subject, "110169484474386276334");
    EXPECT_EQ(person->email, "ada@example.com");
    EXPECT_TRUE(person->email_verified);
    EXPECT_EQ(person->organisation, "example.com");
    EXPECT_EQ(person->name, "Ada Lovelace");
    for (const auto& variant : example.At("variants").as_array()) {
      auto other = token;
      for (const auto& [name, value] : variant.as_object()) {
        if (name == "hd absent") {
          other.erase("hd");
        } else {
          other[name] = value;
        }
      }
      person = oauth::CheckIdTokenClaims(other, rules, std::nullopt, no_token, kNow);
      ASSERT_TRUE(person);
      EXPECT_EQ(person->issuer, "https://accounts.google.com") << "one person, however the issuer is spelled";
      EXPECT_TRUE(person->email_verified);
      EXPECT_EQ(person->organisation.empty(), !other.contains("hd"));
    }
  });
  claims.Add("google.userinfo.200", [](const Example& example) {
    // Not asked: all of it is in the ID token, under the same names.
    EXPECT_EQ(example.Text("response/body/sub"), All().at("google.id_token").Text("claims/sub"));
    EXPECT_EQ(example.Text("response/body/hd"), All().at("google.id_token").Text("claims/hd"));
  });
  claims.Add("google.revoke", [](const Example& example) {
    EXPECT_EQ(example.Response().status, 200);
    // A token that is dead already: RFC 7009 calls that success, and so does TokenEndpoint::Revoke.
    EXPECT_EQ(example.Response("failure").status, 400);
    EXPECT_EQ(example.Text("failure/body/error"), "invalid_token");
  });
  claims.Add("google.authorize.redirects", [](const Example& example) {
    const auto meaning = [](std::string_view error) {
      return oauth::MeaningOfRedirectError(oauth::RedirectError{.error = std::string(error)});
    };
    int errors = 0;
    for (const auto& entry : example.At("redirects").as_array()) {
      const auto& redirect = entry.as_object();
      std::string error;
      if (const auto* named = redirect.if_contains("error")) error = std::string(named->as_string());
      if (const auto* location = redirect.if_contains("location")) {
        const std::string url(location->as_string());
        if (url.contains("error=access_denied")) error = "access_denied";
        EXPECT_EQ(error.empty(), url.contains("code=")) << url;
        EXPECT_TRUE(url.contains("state=S")) << url;
      }
      if (error.empty()) continue;
      ++errors;
      const ErrorCode expected = error == "access_denied"           ? ErrorCode::kAccessDenied
                                 : error == "redirect_uri_mismatch" ? ErrorCode::kRedirectUriMismatch
                                 : error == "disallowed_useragent"  ? ErrorCode::kSignInFailed
                                                                    : ErrorCode::kPolicyEnforced;
      EXPECT_EQ(ToString(meaning(error)), ToString(expected)) << error;
    }
    EXPECT_EQ(errors, 5);
  });
}

}  // namespace latchkey::examples
