#include <cstdlib>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/microsoft/microsoft_identity.hpp"
#include "simulator/testing/google_flow.hpp"

namespace latchkey::simulator::entra {
namespace {

using testing::Claims;
using testing::Encode;
using ::testing::HasSubstr;
using testing::Json;
using ::testing::Not;
using testing::Pairs;
using testing::Parameter;
using ::testing::StartsWith;
using testing::Text;
using testing::With;

constexpr std::string_view kAsked = "openid profile email offline_access https://graph.microsoft.com/Mail.Read";

/// Entra with a person of an organisation, a personal account and a Google account, without sockets.
class Entra : public ::testing::Test {
 protected:
  Response Send(std::string method, std::string target, std::string body = {}, Headers headers = {},
                IdTokenVariant variant = IdTokenVariant::kCorrect) {
    Request request;
    request.method = std::move(method);
    request.SetTarget(std::move(target));
    request.scheme = "http";
    request.host = "127.0.0.1:8025";
    request.headers = std::move(headers);
    request.body = std::move(body);
    EXPECT_TRUE(MicrosoftIdentity::Owns(request));
    return entra_.Handle(request, variant);
  }
  Pairs Query(std::string_view scope = kAsked) const {
    return {{"client_id", settings_.microsoft_client_id},
            {"response_type", "code"},
            {"redirect_uri", std::string(testing::kRedirect)},
            {"scope", std::string(scope)},
            {"state", "S 1"},
            {"nonce", "N1"},
            {"code_challenge", std::string(testing::kChallenge)},
            {"code_challenge_method", "S256"}};
  }
  static std::string HiddenRequest(const std::string& page) {
    const std::size_t at = page.find("name=\"request\" value=\"") + 22;
    return page.substr(at, page.find('"', at) - at);
  }
  /// The code's redirect, or "error AADSTS…" of the page.
  std::string Walk(const Pairs& query, std::string account = "ada@example.com", bool approve = true,
                   std::string_view tenant = "common") {
    const auto walked = entra_.authorize().Walk("/" + std::string(tenant) + "/oauth2/v2.0/authorize",
                                                Parameters::Parse(Encode(query)), {std::move(account), approve});
    return walked ? walked->location : "error AADSTS" + std::to_string(walked.error().error->number);
  }
  Pairs CodeForm(const std::string& code) const {
    return {{"grant_type", "authorization_code"},
            {"code", code},
            {"client_id", settings_.microsoft_client_id},
            {"client_secret", settings_.microsoft_client_secret},
            {"redirect_uri", std::string(testing::kRedirect)},
            {"code_verifier", std::string(testing::kVerifier)}};
  }
  Pairs RefreshForm(const std::string& token) const {
    return {{"grant_type", "refresh_token"},
            {"refresh_token", token},
            {"client_id", settings_.microsoft_client_id},
            {"client_secret", settings_.microsoft_client_secret}};
  }
  Response PostToken(const Pairs& form, std::string_view tenant = "common",
                     IdTokenVariant variant = IdTokenVariant::kCorrect) {
    return Send("POST", "/" + std::string(tenant) + "/oauth2/v2.0/token", Encode(form), {}, variant);
  }
  boost::json::object Tokens(std::string_view scope = kAsked, std::string account = "ada@example.com") {
    return Json(PostToken(CodeForm(Parameter(Walk(Query(scope), std::move(account)), "code"))));
  }
  int ErrorNumber(const Response& response) {
    return static_cast<int>(Json(response).at("error_codes").at(0).to_number<int>());
  }

  ManualClock clock_{Instant(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20))};
  AccountRegistry accounts_;
  Account& google_ = accounts_.Add("guest@gmail.com", "Guest Sample");
  Account& ada_ = accounts_.AddMicrosoft("ada@example.com", "Ada Example");
  Account& noor_ = accounts_.AddMicrosoft("noor@outlook.example", "Noor Muster");
  Settings settings_;
  MicrosoftIdentity entra_{clock_, accounts_, settings_};
};

TEST_F(Entra, DiscoveryOfCommonHasATemplateAndATenantHasItsIssuer) {
  const std::string base = "http://127.0.0.1:8025";
  const auto common = Json(Send("GET", "/common/v2.0/.well-known/openid-configuration"));
  EXPECT_EQ(Text(common, "issuer"), base + "/{tenantid}/v2.0");
  EXPECT_EQ(Text(common, "token_endpoint"), base + "/common/oauth2/v2.0/token");
  for (const std::string& name : {std::string("example.com"), ada_.microsoft.tid}) {
    const auto own = Json(Send("GET", "/" + name + "/v2.0/.well-known/openid-configuration"));
    EXPECT_EQ(Text(own, "issuer"), base + "/" + ada_.microsoft.tid + "/v2.0");
  }
  EXPECT_EQ(Text(Json(Send("GET", "/consumers/v2.0/.well-known/openid-configuration")), "issuer"),
            base + "/" + std::string(kPersonalTenant) + "/v2.0");
  const Response unknown = Send("GET", "/nobody.example/v2.0/.well-known/openid-configuration");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(ErrorNumber(unknown), 90002);
}

TEST_F(Entra, DiscoveryHasTheMembersOfTheDocument) {
  const char* const given = std::getenv("LATCHKEY_PROVIDERS");
  const std::string folder = given ? given : LATCHKEY_SOURCE_DIR "/../shared/providers";
  std::ifstream in(folder + "/microsoft/openid-configuration.json");
  if (!in) GTEST_SKIP() << "the provider documents are not here";
  const auto document = boost::json::parse(std::string((std::istreambuf_iterator<char>(in)), {})).as_object();
  for (const auto& member : Json(Send("GET", "/common/v2.0/.well-known/openid-configuration"))) {
    EXPECT_TRUE(document.contains(member.key())) << member.key();
  }
}

TEST_F(Entra, KeysNameTheIssuerTheyMaySignFor) {
  const auto keys = Json(Send("GET", "/common/discovery/v2.0/keys")).at("keys").as_array();
  std::set<std::string> issuers;
  for (const auto& key : keys) issuers.emplace(key.at("issuer").as_string());
  EXPECT_THAT(issuers, ::testing::ElementsAre("http://127.0.0.1:8025/" + std::string(kPersonalTenant) + "/v2.0",
                                              "http://127.0.0.1:8025/{tenantid}/v2.0"));
}

TEST_F(Entra, PagesLeadFromChooserOverConsentToACode) {
  const Response chooser = Send("GET", "/common/oauth2/v2.0/authorize?" + Encode(Query()));
  EXPECT_THAT(chooser.body, HasSubstr("Pick an account"));
  EXPECT_THAT(chooser.body, HasSubstr("noor@outlook.example"));
  EXPECT_THAT(chooser.body, Not(HasSubstr("guest@gmail.com")));
  const Response chosen = Send("POST", "/common/oauth2/v2.0/authorize/account",
                               Encode({{"request", HiddenRequest(chooser.body)}, {"account", ada_.sub}}));
  const Response consent = Send("GET", std::string(chosen.headers.Get("Location")));
  EXPECT_THAT(consent.body, HasSubstr("Permissions requested"));
  EXPECT_THAT(consent.body, HasSubstr("Read your mail"));
  EXPECT_THAT(consent.body, Not(HasSubstr("type=\"checkbox\"")));
  const Response done = Send("POST", "/common/oauth2/v2.0/authorize/consent",
                             Encode({{"request", HiddenRequest(consent.body)}, {"decision", "approve"}}));
  EXPECT_EQ(Parameter(done.headers.Get("Location"), "state"), "S 1");
  EXPECT_FALSE(Parameter(done.headers.Get("Location"), "code").empty());
  // The second time nobody asks: a hint leads straight back.
  const Response again =
      Send("GET", "/common/oauth2/v2.0/authorize?" + Encode(With(Query(), {{"login_hint", "ada@example.com"}})));
  EXPECT_FALSE(Parameter(again.headers.Get("Location"), "code").empty());
  const std::string cookie = std::string(again.headers.Get("Set-Cookie"));
  const Headers browser{{"Cookie", cookie.substr(0, cookie.find(';'))}};
  const Pairs silent = With(Query(), {{"prompt", "none"}});
  EXPECT_FALSE(
      Parameter(Send("GET", "/common/oauth2/v2.0/authorize?" + Encode(silent), "", browser).headers.Get("Location"),
                "code")
          .empty());
  EXPECT_EQ(Parameter(Send("GET", "/common/oauth2/v2.0/authorize?" + Encode(silent)).headers.Get("Location"), "error"),
            "login_required");
}

TEST_F(Entra, ResponseModes) {
  EXPECT_THAT(Walk(With(Query(), {{"response_mode", "fragment"}})),
              StartsWith(std::string(testing::kRedirect) + "#code="));
  const auto posted = entra_.authorize().Walk(
      "/common/oauth2/v2.0/authorize", Parameters::Parse(Encode(With(Query(), {{"response_mode", "form_post"}}))),
      {"ada@example.com", true});
  EXPECT_EQ(posted->location, testing::kRedirect);
  EXPECT_EQ(posted->form.front().first, "code");
  const Response page =
      Send("GET", "/common/oauth2/v2.0/authorize?" +
                      Encode(With(Query(), {{"response_mode", "form_post"}, {"login_hint", "ada@example.com"}})));
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("method=\"post\" action=\"http://127.0.0.1:8000/callback\""));
}

TEST_F(Entra, TokensOfAWorkAccount) {
  const auto tokens = Tokens("openid profile email offline_access Mail.Read User.Read");
  EXPECT_EQ(Text(tokens, "scope"),
            "openid profile email https://graph.microsoft.com/User.Read https://graph.microsoft.com/Mail.Read");
  const auto life = tokens.at("expires_in").as_int64();
  EXPECT_GE(life, 3600);
  EXPECT_LT(life, 5400);
  const auto claims = Claims(Text(tokens, "id_token"));
  EXPECT_EQ(Text(claims, "iss"), "http://127.0.0.1:8025/" + ada_.microsoft.tid + "/v2.0");
  EXPECT_EQ(Text(claims, "oid"), ada_.microsoft.oid);
  EXPECT_EQ(Text(claims, "nonce"), "N1");
  EXPECT_EQ(Text(claims, "preferred_username"), "ada@example.com");
  EXPECT_FALSE(claims.contains("email_verified"));
  EXPECT_FALSE(claims.contains("xms_edov"));
}

TEST_F(Entra, TokensOfAPersonalAccountAreOpaque) {
  const auto tokens = Tokens(kAsked, "noor@outlook.example");
  EXPECT_THAT(Text(tokens, "access_token"), StartsWith("Ew"));
  const auto claims = Claims(Text(tokens, "id_token"));
  EXPECT_EQ(Text(claims, "tid"), kPersonalTenant);
  EXPECT_THAT(Text(claims, "oid"), StartsWith("00000000-0000-0000-"));
}

TEST_F(Entra, ClaimsAnAttackerCanGet) {
  ada_.microsoft.email_claim = "ceo@victim.example";
  ada_.microsoft.edov = "\"1\"";
  const auto claims = Claims(Text(Tokens(), "id_token"));
  EXPECT_EQ(Text(claims, "email"), "ceo@victim.example");
  EXPECT_EQ(Text(claims, "xms_edov"), "1");
  EXPECT_EQ(Text(claims, "preferred_username"), "ada@example.com");
}

TEST_F(Entra, WrongIdTokens) {
  const auto token = [&](IdTokenVariant variant) {
    return Text(Json(PostToken(CodeForm(Parameter(Walk(Query()), "code")), "common", variant)), "id_token");
  };
  EXPECT_THAT(Text(Claims(token(IdTokenVariant::kTemplateIssuer)), "iss"), HasSubstr("{tenantid}"));
  EXPECT_NE(Text(Claims(token(IdTokenVariant::kWrongTenant)), "tid"), ada_.microsoft.tid);
  const auto header = [](const std::string& jws) {
    return boost::json::parse(*Base64UrlDecode(jws.substr(0, jws.find('.')))).as_object();
  };
  EXPECT_NE(Text(header(token(IdTokenVariant::kForeignKey)), "kid"),
            Text(header(token(IdTokenVariant::kCorrect)), "kid"));
}

TEST_F(Entra, RefreshRotatesAndTheOldTokenLives) {
  const std::string first = Text(Tokens(), "refresh_token");
  clock_.Advance(std::chrono::days(60));
  const auto second = Json(PostToken(RefreshForm(first)));
  EXPECT_NE(Text(second, "refresh_token"), first);
  EXPECT_EQ(PostToken(RefreshForm(first)).status, 200);
  clock_.Advance(std::chrono::days(31));
  const Response dead = PostToken(RefreshForm(first));
  EXPECT_EQ(ErrorNumber(dead), 700082);
  EXPECT_THAT(Text(Json(dead), "error_description"), HasSubstr("inactive for 90.00:00:00"));
  EXPECT_EQ(PostToken(RefreshForm(Text(second, "refresh_token"))).status, 200);
}

TEST_F(Entra, RefreshNarrowsToOneResource) {
  const auto tokens = Tokens("openid offline_access Mail.Read https://outlook.office.com/SMTP.Send");
  EXPECT_EQ(Text(tokens, "scope"), "openid https://graph.microsoft.com/Mail.Read");
  const auto outlook = Json(PostToken(With(RefreshForm(Text(tokens, "refresh_token")),
                                           {{"scope", "https://outlook.office.com/SMTP.Send offline_access"}})));
  EXPECT_EQ(Text(outlook, "scope"), "https://outlook.office.com/SMTP.Send");
  EXPECT_FALSE(outlook.contains("id_token"));
}

TEST_F(Entra, BlockedScopesAreMissingFromTheAnswer) {
  ada_.microsoft.blocked_scopes = {"Calendars.Read"};
  EXPECT_THAT(Text(Tokens("openid offline_access Mail.Read Calendars.Read"), "scope"), Not(HasSubstr("Calendars")));
}

TEST_F(Entra, EachWayForAGrantToEnd) {
  const std::string work = Text(Tokens(), "refresh_token");
  const std::string personal = Text(Tokens(kAsked, "noor@outlook.example"), "refresh_token");
  entra_.grants().Revoke(ada_, true);
  EXPECT_EQ(ErrorNumber(PostToken(RefreshForm(work))), 50173);
  const std::string fresh = Text(Tokens(), "refresh_token");
  ada_.microsoft.disabled = true;
  EXPECT_EQ(ErrorNumber(PostToken(RefreshForm(fresh))), 50057);
  ada_.microsoft.disabled = false;
  ada_.microsoft.deleted = true;
  EXPECT_EQ(ErrorNumber(PostToken(RefreshForm(fresh))), 50034);
  ada_.microsoft.deleted = false;
  entra_.grants().Revoke(ada_, false);
  EXPECT_EQ(ErrorNumber(PostToken(RefreshForm(fresh))), 65001);
  entra_.grants().Revoke(noor_, false);
  EXPECT_EQ(ErrorNumber(PostToken(RefreshForm(personal))), 70000);
  EXPECT_EQ(ErrorNumber(PostToken(RefreshForm("1.AVYAstolen"))), 70000);
}

TEST_F(Entra, ClientFaults) {
  const std::string token = Text(Tokens(), "refresh_token");
  const Response wrong = PostToken(With(RefreshForm(token), {{"client_secret", "old"}}));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(ErrorNumber(wrong), 7000215);
  EXPECT_EQ(ErrorNumber(PostToken(With(RefreshForm(token), {{"client_secret", "-"}}))), 7000218);
  settings_.microsoft_secret_expired = true;
  EXPECT_EQ(ErrorNumber(PostToken(RefreshForm(token))), 7000222);
  settings_.microsoft_secret_expired = false;
  settings_.microsoft_client_disabled = true;
  EXPECT_EQ(ErrorNumber(PostToken(RefreshForm(token))), 7000112);
  settings_.microsoft_client_disabled = false;
  EXPECT_EQ(PostToken(RefreshForm(token)).status, 200);
}

TEST_F(Entra, CodesAreForOneUseOneVerifierAndOneAddress) {
  const std::string code = Parameter(Walk(Query()), "code");
  EXPECT_EQ(PostToken(CodeForm(code)).status, 200);
  EXPECT_EQ(ErrorNumber(PostToken(CodeForm(code))), 54005);
  const auto with = [&](const Pairs& changes) {
    return ErrorNumber(PostToken(With(CodeForm(Parameter(Walk(Query()), "code")), changes)));
  };
  EXPECT_EQ(with({{"code_verifier", "-"}}), 501481);
  EXPECT_EQ(with({{"redirect_uri", "http://127.0.0.1:8000/other"}}), 500112);
  const std::string late = Parameter(Walk(Query()), "code");
  clock_.Advance(std::chrono::minutes(11));
  EXPECT_EQ(ErrorNumber(PostToken(CodeForm(late))), 70008);
}

TEST_F(Entra, TenantsKeepStrangersOut) {
  EXPECT_EQ(Walk(Query(), "noor@outlook.example", true, "organizations"), "error AADSTS50020");
  EXPECT_EQ(Walk(Query(), "ada@example.com", true, "consumers"), "error AADSTS50020");
  EXPECT_EQ(Walk(Query(), "guest@gmail.com"), "error AADSTS50020");
  EXPECT_THAT(Walk(Query(), "ada@example.com", true, "example.com"), HasSubstr("code="));
  const std::string token = Text(Tokens(kAsked, "noor@outlook.example"), "refresh_token");
  EXPECT_EQ(ErrorNumber(PostToken(RefreshForm(token), "organizations")), 50020);
}

TEST_F(Entra, AdminApprovalEndsOnThePageUntilAnAdministratorConsents) {
  ada_.microsoft.user_consent_allowed = false;
  EXPECT_EQ(Walk(Query()), "error AADSTS90094");
  EXPECT_EQ(Parameter(Walk(Query(), "ada@example.com", false), "error"), "access_denied");
  const Pairs admin = {{"client_id", settings_.microsoft_client_id},
                       {"redirect_uri", std::string(testing::kRedirect)},
                       {"state", "A"},
                       {"scope", std::string(kAsked)}};
  const auto walked = entra_.authorize().Walk("/organizations/v2.0/adminconsent", Parameters::Parse(Encode(admin)),
                                              {"ada@example.com", true});
  EXPECT_EQ(Parameter(walked->location, "admin_consent"), "True");
  EXPECT_EQ(Parameter(walked->location, "tenant"), ada_.microsoft.tid);
  EXPECT_THAT(Walk(Query()), HasSubstr("code="));
}

TEST_F(Entra, WrongRequestsAreRefusedOnThePageOrToTheClient) {
  EXPECT_EQ(Walk(With(Query(), {{"redirect_uri", "https://evil.example/cb"}})), "error AADSTS50011");
  EXPECT_EQ(Walk(With(Query(), {{"client_id", "00000000-0000-0000-0000-000000000000"}})), "error AADSTS700016");
  EXPECT_THAT(Parameter(Walk(With(Query(), {{"scope", "openid Mail.Reed"}})), "error_description"),
              StartsWith("AADSTS650053"));
  EXPECT_EQ(Parameter(Walk(With(Query(), {{"response_type", "token"}})), "error"), "unsupported_response_type");
  EXPECT_EQ(Parameter(Walk(With(Query(), {{"prompt", "select_account"}, {"login_hint", "ada@example.com"}})), "error"),
            "invalid_request");
}

TEST_F(Entra, UserInfoAndClientInfo) {
  const auto tokens = Json(PostToken(With(CodeForm(Parameter(Walk(Query()), "code")), {{"client_info", "1"}})));
  const auto info = boost::json::parse(*Base64UrlDecode(Text(tokens, "client_info"))).as_object();
  EXPECT_EQ(Text(info, "utid"), ada_.microsoft.tid);
  const Headers bearer{{"Authorization", "Bearer " + Text(tokens, "access_token")}};
  EXPECT_EQ(Text(Json(Send("GET", "/oidc/userinfo", "", bearer)), "sub"),
            Text(Claims(Text(tokens, "id_token")), "sub"));
  EXPECT_EQ(Send("GET", "/oidc/userinfo").status, 401);
}

TEST_F(Entra, ErrorsHaveTheShapeOfTheRecordedOnes) {
  const auto body = Json(*MakePayload("microsoft.token.error.50076.mfa.400", clock_.Now()));
  EXPECT_EQ(Text(body, "error"), "invalid_grant");
  EXPECT_EQ(Text(body, "suberror"), "basic_action");
  EXPECT_THAT(Text(body, "claims"), HasSubstr("capolids"));
  EXPECT_THAT(Text(body, "error_description"), HasSubstr(" Trace ID: "));
  EXPECT_EQ(Text(body, "timestamp"), "2026-11-20 00:00:00Z");
  EXPECT_EQ(MakePayload("microsoft.token.error.throttled.429", clock_.Now())->headers.Get("Retry-After"), "60");
}

}  // namespace
}  // namespace latchkey::simulator::entra
