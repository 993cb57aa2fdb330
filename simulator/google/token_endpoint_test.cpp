#include "simulator/google/token_endpoint.hpp"

#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/testing/google_flow.hpp"

namespace latchkey::simulator {
namespace {

using testing::Claims;
using testing::GoogleFlow;
using ::testing::HasSubstr;
using testing::Json;
using testing::kRead;
using testing::kRedirect;
using testing::kSend;
using ::testing::Not;
using testing::Pairs;
using testing::Parameter;
using testing::Text;
using testing::With;

const std::string kAll = "openid email profile " + std::string(kRead);

class Tokens : public ::testing::Test {
 protected:
  std::string Code(const Pairs& changes = {}) {
    return Parameter(flow_.Walk(With(flow_.AuthorizeQuery(kAll), changes)), "code");
  }
  /// error and error_description, or "ok".
  std::string Redeem(const Pairs& form) { return Verdict(flow_.PostForm("/google/token", form)); }
  static std::string Verdict(const Response& response) {
    const boost::json::object body = Json(response);
    if (response.status == 200) return "ok";
    return std::to_string(response.status) + " " + Text(body, "error") + ": " + Text(body, "error_description");
  }

  GoogleFlow flow_;
};

TEST_F(Tokens, CodeGivesTokensAndScopesInGooglesOwnForm) {
  const auto tokens = flow_.Tokens(kAll);
  EXPECT_EQ(tokens.at("expires_in"), 3599);
  EXPECT_EQ(Text(tokens, "token_type"), "Bearer");
  EXPECT_TRUE(Text(tokens, "refresh_token").starts_with("1//"));
  EXPECT_EQ(Text(tokens, "scope"),
            "openid https://www.googleapis.com/auth/userinfo.profile https://www.googleapis.com/auth/userinfo.email " +
                std::string(kRead));
  EXPECT_FALSE(tokens.contains("refresh_token_expires_in"));
}

TEST_F(Tokens, IdTokenSaysWhoForWhomAndWhen) {
  const auto claims = Claims(Text(flow_.Tokens(kAll), "id_token"));
  EXPECT_EQ(Text(claims, "iss"), "http://127.0.0.1:8025/google");
  EXPECT_EQ(Text(claims, "aud"), flow_.settings.client_id);
  EXPECT_EQ(Text(claims, "azp"), flow_.settings.client_id);
  EXPECT_EQ(Text(claims, "sub"), flow_.ada.sub);
  EXPECT_EQ(Text(claims, "nonce"), "N1");
  EXPECT_EQ(Text(claims, "hd"), "example.com");
  EXPECT_EQ(Text(claims, "name"), "Ada Example");
  EXPECT_EQ(claims.at("email_verified"), true);
  EXPECT_EQ(claims.at("exp").as_int64() - claims.at("iat").as_int64(), 3600);
  EXPECT_LE(std::abs(claims.at("iat").as_int64() - std::time(nullptr)), 5);
}

TEST_F(Tokens, CodeWorksOnceAndTenMinutes) {
  const std::string code = Code();
  EXPECT_EQ(Redeem(flow_.CodeForm(code)), "ok");
  EXPECT_EQ(Redeem(flow_.CodeForm(code)), "400 invalid_grant: Bad Request");
  const std::string late = Code();
  flow_.clock.Advance(std::chrono::minutes(10));
  EXPECT_EQ(Redeem(flow_.CodeForm(late)), "400 invalid_grant: Bad Request");
}

TEST_F(Tokens, RefusalsAreWordedAsGoogleWordsThem) {
  EXPECT_EQ(Redeem(flow_.CodeForm("nonsense")), "400 invalid_grant: Malformed auth code.");
  EXPECT_EQ(Redeem(With(flow_.CodeForm(Code()), {{"code_verifier", "-"}})),
            "400 invalid_grant: Missing code verifier.");
  EXPECT_EQ(Redeem(With(flow_.CodeForm(Code()), {{"code_verifier", std::string(50, 'a')}})),
            "400 invalid_grant: Invalid code verifier.");
  EXPECT_EQ(Redeem(With(flow_.CodeForm(Code()), {{"redirect_uri", "http://127.0.0.1:8000/"}})),
            "400 redirect_uri_mismatch: Bad Request");
  EXPECT_EQ(Redeem(With(flow_.CodeForm(Code()), {{"client_id", "other"}})),
            "401 invalid_client: The OAuth client was not found.");
  EXPECT_EQ(Redeem(With(flow_.CodeForm(Code()), {{"client_secret", "guess"}})), "401 invalid_client: Unauthorized");
  EXPECT_EQ(Redeem(With(flow_.CodeForm(Code()), {{"grant_type", "password"}})),
            "400 unsupported_grant_type: Invalid grant_type: password");
  flow_.settings.client_deleted = true;
  EXPECT_EQ(Redeem(flow_.RefreshForm("1//x")), "401 deleted_client: The OAuth client was deleted.");
}

TEST_F(Tokens, PlainChallengeIsCompared) {
  const std::string verifier(43, 'v');
  const Pairs plain = {{"code_challenge", verifier}, {"code_challenge_method", "plain"}};
  EXPECT_EQ(Redeem(With(flow_.CodeForm(Code(plain)), {{"code_verifier", verifier}})), "ok");
}

TEST_F(Tokens, ClientMayAuthenticateByBasic) {
  const Pairs form = With(flow_.CodeForm(Code()), {{"client_id", "-"}, {"client_secret", "-"}});
  const std::string credentials = Base64Encode(flow_.settings.client_id + ":" + flow_.settings.client_secret);
  EXPECT_EQ(Verdict(flow_.PostForm("/google/token", form, {{"Authorization", "Basic " + credentials}})), "ok");
}

TEST_F(Tokens, RefreshTokenComesOfflineAndOnceUnlessConsentIsPrompted) {
  EXPECT_FALSE(flow_.Tokens(kAll, {{"access_type", "online"}}).contains("refresh_token"));
  EXPECT_TRUE(flow_.Tokens(kAll).contains("refresh_token"));
  EXPECT_FALSE(flow_.Tokens(kAll).contains("refresh_token"));
  EXPECT_TRUE(flow_.Tokens(kAll, {{"prompt", "consent"}}).contains("refresh_token"));
}

TEST_F(Tokens, RefreshKeepsTheRefreshTokenAndItsScopes) {
  const auto first = flow_.Tokens(kAll);
  const auto second = Json(flow_.Refresh(Text(first, "refresh_token")));
  EXPECT_FALSE(second.contains("refresh_token"));
  EXPECT_EQ(Text(second, "scope"), Text(first, "scope"));
  EXPECT_NE(Text(second, "access_token"), Text(first, "access_token"));
  EXPECT_FALSE(Claims(Text(second, "id_token")).contains("nonce"));
  EXPECT_EQ(Verdict(flow_.Refresh(Text(first, "refresh_token"))), "ok");
}

TEST_F(Tokens, IncludeGrantedScopesAddsWhatWasAllowedBefore) {
  flow_.Tokens("openid " + std::string(kRead));
  EXPECT_THAT(Text(flow_.Tokens(kSend), "scope"), Not(HasSubstr(kRead)));
  EXPECT_THAT(Text(flow_.Tokens(kSend, {{"include_granted_scopes", "true"}}), "scope"), HasSubstr(kRead));
}

TEST_F(Tokens, UntickedScopeIsMissingWithoutAnError) {
  const auto tokens = flow_.Tokens(kAll + " " + std::string(kSend), {}, {std::string(kRead)});
  EXPECT_THAT(Text(tokens, "scope"), HasSubstr(kSend));
  EXPECT_THAT(Text(tokens, "scope"), Not(HasSubstr(kRead)));
}

TEST_F(Tokens, TestingModeEndsRefreshTokensOfMoreThanSignInAfterSevenDays) {
  flow_.settings.testing_mode = true;
  const auto tokens = flow_.Tokens(kAll);
  EXPECT_EQ(tokens.at("refresh_token_expires_in"), 604799);
  const auto sign_in = flow_.Tokens("openid email", {{"prompt", "consent"}});
  EXPECT_FALSE(sign_in.contains("refresh_token_expires_in"));
  flow_.clock.Advance(std::chrono::days(7));
  EXPECT_EQ(Verdict(flow_.Refresh(Text(tokens, "refresh_token"))),
            "400 invalid_grant: Token has been expired or revoked.");
  EXPECT_EQ(Verdict(flow_.Refresh(Text(sign_in, "refresh_token"))), "ok");
}

TEST_F(Tokens, IdleRefreshTokenDiesAfterSixMonths) {
  const std::string token = Text(flow_.Tokens(kAll), "refresh_token");
  flow_.clock.Advance(std::chrono::days(182));
  EXPECT_EQ(Verdict(flow_.Refresh(token)), "ok");
  flow_.clock.Advance(std::chrono::days(182));
  EXPECT_EQ(Verdict(flow_.Refresh(token)), "ok");
  flow_.clock.Advance(std::chrono::days(183));
  EXPECT_EQ(Verdict(flow_.Refresh(token)), "400 invalid_grant: Token has been expired or revoked.");
}

TEST_F(Tokens, HundredAndFirstRefreshTokenKillsTheOldest) {
  std::vector<std::string> tokens;
  for (int i = 0; i < 101; ++i)
    tokens.push_back(Text(flow_.Tokens("openid", {{"prompt", "consent"}}), "refresh_token"));
  EXPECT_EQ(Verdict(flow_.Refresh(tokens[0])), "400 invalid_grant: Token has been expired or revoked.");
  EXPECT_EQ(Verdict(flow_.Refresh(tokens[1])), "ok");
  EXPECT_EQ(Verdict(flow_.Refresh(tokens[100])), "ok");
}

TEST_F(Tokens, RevokingEitherTokenEndsTheWholeGrant) {
  for (const char* which : {"access_token", "refresh_token"}) {
    const auto first = flow_.Tokens(kAll, {{"prompt", "consent"}});
    const auto second = flow_.Tokens("openid", {{"prompt", "consent"}});
    EXPECT_EQ(flow_.PostForm("/google/revoke", {{"token", Text(second, which)}}).status, 200);
    EXPECT_EQ(Verdict(flow_.Refresh(Text(first, "refresh_token"))),
              "400 invalid_grant: Token has been expired or revoked.");
    EXPECT_EQ(flow_.google.grants().FindAccess(Text(first, "access_token")), nullptr);
    EXPECT_TRUE(flow_.google.grants().Consented(flow_.ada, flow_.settings.client_id).empty());
    EXPECT_EQ(Verdict(flow_.Send("POST", "/google/revoke?token=" + Text(second, which))),
              "400 invalid_token: Token expired or revoked");
  }
}

TEST_F(Tokens, UserInfoFollowsTheScopes) {
  const auto info = [&](std::string_view scope) {
    const std::string token = Text(flow_.Tokens(scope), "access_token");
    return flow_.Send("GET", "/google/userinfo", "", {{"Authorization", "Bearer " + token}});
  };
  EXPECT_EQ(Text(Json(info("openid")), "sub"), flow_.ada.sub);
  EXPECT_FALSE(Json(info("openid")).contains("email"));
  EXPECT_EQ(Text(Json(info("openid email")), "email"), "ada@example.com");
  EXPECT_EQ(Text(Json(info("openid profile")), "family_name"), "Example");
  EXPECT_EQ(info(kRead).status, 401);
  EXPECT_EQ(flow_.Send("GET", "/google/userinfo").status, 401);
}

TEST_F(Tokens, AccessTokenExpiresWithTheClock) {
  const std::string token = Text(flow_.Tokens(kAll), "access_token");
  EXPECT_NE(flow_.google.grants().FindAccess(token), nullptr);
  flow_.clock.Advance(std::chrono::seconds(3599));
  EXPECT_EQ(flow_.google.grants().FindAccess(token), nullptr);
}

TEST_F(Tokens, RotatedKeySignsAtOnceAndThePreviousStaysPublished) {
  const auto kid_of = [](const std::string& token) {
    return Text(boost::json::parse(*Base64UrlDecode(token.substr(0, token.find('.')))).as_object(), "kid");
  };
  const std::string before = kid_of(Text(flow_.Tokens(kAll), "id_token"));
  flow_.google.keys().Rotate();
  const std::string after = kid_of(Text(flow_.Tokens(kAll), "id_token"));
  EXPECT_NE(before, after);
  const Response certs = flow_.Send("GET", "/google/certs");
  EXPECT_THAT(certs.body, HasSubstr(before));
  EXPECT_THAT(certs.body, HasSubstr(after));
  EXPECT_THAT(certs.headers.Get("Cache-Control"), HasSubstr("max-age="));
  EXPECT_EQ(Json(certs).at("keys").as_array().size(), 2u);
}

TEST_F(Tokens, SavedGrantsGoOnInAnotherRun) {
  int changes = 0;
  flow_.google.grants().OnChange([&] { ++changes; });
  flow_.settings.testing_mode = true;
  const auto tokens = flow_.Tokens(kAll);
  EXPECT_GT(changes, 0);
  const auto saved = flow_.google.grants().Save();

  GoogleFlow next;
  ASSERT_TRUE(next.google.grants().Load(saved, next.accounts));
  EXPECT_EQ(Verdict(next.Refresh(Text(tokens, "refresh_token"))), "ok");
  EXPECT_EQ(next.google.grants().FindAccess(Text(tokens, "access_token")), nullptr);
  EXPECT_FALSE(next.Tokens(kAll).contains("refresh_token"));
  EXPECT_EQ(next.google.grants().Save().at("grants").as_array().size(), 1u);
  next.clock.Advance(std::chrono::days(7));
  EXPECT_NE(Verdict(next.Refresh(Text(tokens, "refresh_token"))), "ok");
}

TEST_F(Tokens, ForeignStateIsRefused) {
  EXPECT_FALSE(flow_.google.grants().Load({}, flow_.accounts));
  EXPECT_FALSE(flow_.google.grants().Load({{"version", 1}, {"grants", {{{"sub", 5}}}}}, flow_.accounts));
}

TEST_F(Tokens, VariantsBendExactlyOneThing) {
  const auto bent = [&](IdTokenVariant variant) {
    const Response response = flow_.Send("POST", "/google/token", testing::Encode(flow_.CodeForm(Code())), {}, variant);
    return Text(Json(response), "id_token");
  };
  EXPECT_EQ(Text(Claims(bent(IdTokenVariant::kShortIssuer)), "iss"), "127.0.0.1:8025/google");
  EXPECT_EQ(Text(Claims(bent(IdTokenVariant::kWrongNonce)), "nonce"), "of-another-browser");
  EXPECT_LT(Claims(bent(IdTokenVariant::kExpired)).at("exp").as_int64(), std::time(nullptr) - 600);
  EXPECT_EQ(Claims(bent(IdTokenVariant::kStringVerified)).at("email_verified"), "true");
  EXPECT_TRUE(bent(IdTokenVariant::kAlgNone).ends_with('.'));
}

}  // namespace
}  // namespace latchkey::simulator
