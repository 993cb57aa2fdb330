#include "providers/microsoft/microsoft_oauth.hpp"

#include <gtest/gtest.h>

#include <map>

#include <fmt/format.h>

#include "async/testing.hpp"
#include "oauth/testing/fake_provider.hpp"
#include "providers/microsoft/entra_issuer.hpp"

namespace latchkey::microsoft {
namespace {

using connected_accounts::Capability;
using oauth::testing::ForgeKey;
using oauth::testing::FormField;

constexpr std::string_view kOrigin = "https://login.example.test";
constexpr std::string_view kClient = "6cb04018-a3f5-46a7-b995-940c78f5aef3";
constexpr std::string_view kTenant = "9122040d-6c67-4c5b-b112-36a304b66dad";
constexpr std::string_view kOther = "aaaaaaaa-1111-2222-3333-bbbbbbbbbbbb";
constexpr std::string_view kOid = "00000000-0000-0000-66f3-3332eca7ea81";
constexpr std::string_view kPersonalOid = "00000000-0000-0000-4f62-a7105c03556e";

std::string IssuerFor(std::string_view tenant) { return fmt::format("{}/{}/v2.0", kOrigin, tenant); }

/// Entra behind the HTTP port: metadata per tenant, one key set with a key for each side.
class Entra final : public http_client::HttpClient {
 public:
  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    requests.push_back(request);
    http_client::HttpResponse response;
    response.status = 200;
    const std::string path = request.url.substr(kOrigin.size());
    if (path.ends_with("/openid-configuration")) {
      response.body = fmt::format(R"({{"issuer":"{0}","authorization_endpoint":"{1}/common/oauth2/v2.0/authorize",)"
                                  R"("token_endpoint":"{1}/common/oauth2/v2.0/token","jwks_uri":"{2}"}})",
                                  issuer, kOrigin, jwks_uri);
    } else if (path.ends_with("/keys")) {
      response.body = fmt::format(R"({{"keys":[{},{}]}})", WorkKey().PublicJwk(work_issuer),
                                  PersonalKey().PublicJwk(personal_issuer));
    } else {
      response.body = token_answer;
    }
    co_return response;
  }

  static const ForgeKey& WorkKey() {
    static const ForgeKey key = ForgeKey::Rsa("work");
    return key;
  }
  static const ForgeKey& PersonalKey() {
    static const ForgeKey key = ForgeKey::Rsa("personal");
    return key;
  }

  std::string issuer = IssuerFor("{tenantid}");
  std::string jwks_uri = std::string(kOrigin) + "/common/discovery/v2.0/keys";
  std::string work_issuer = R"(,"use":"sig","issuer":")" + IssuerFor("{tenantid}") + '"';
  std::string personal_issuer = R"(,"use":"sig","issuer":")" + IssuerFor(kPersonalTenant) + '"';
  std::string token_answer;
  std::vector<http_client::HttpRequest> requests;
};

class MicrosoftOAuth : public ::testing::Test {
 protected:
  OAuthSettings Settings(std::string_view tenant = "common") const {
    OAuthSettings settings;
    settings.discovery_url = fmt::format("{}/{}/v2.0/.well-known/openid-configuration", kOrigin, tenant);
    settings.client_id = kClient;
    settings.client_secret = SecretString("s");
    settings.sign_in_callback_url = "https://latchkey.example.test/auth/login/microsoft/callback";
    settings.connect_callback_url = "https://latchkey.example.test/auth/apis/connect/microsoft/callback";
    return settings;
  }
  std::shared_ptr<oauth::IdentityProvider> Make(const OAuthSettings& settings) {
    return MakeIdentityProvider(settings, http_, clock_, loop_.get_executor()).value();
  }
  template <class T>
  T Run(Task<T> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }
  std::map<std::string, std::string> WorkClaims() const {
    return {{"ver", R"("2.0")"},
            {"iss", '"' + IssuerFor(kTenant) + '"'},
            {"sub", R"("AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ")"},
            {"aud", '"' + std::string(kClient) + '"'},
            {"exp", std::to_string(Seconds() + 3600)},
            {"iat", std::to_string(Seconds())},
            {"nbf", std::to_string(Seconds())},
            {"name", R"("Abe Lincoln")"},
            {"preferred_username", R"("abeli@example.com")"},
            {"oid", '"' + std::string(kOid) + '"'},
            {"tid", '"' + std::string(kTenant) + '"'},
            {"nonce", '"' + nonce_.text() + '"'}};
  }
  std::map<std::string, std::string> PersonalClaims() const {
    auto claims = WorkClaims();
    claims["iss"] = '"' + IssuerFor(kPersonalTenant) + '"';
    claims["tid"] = '"' + std::string(kPersonalTenant) + '"';
    claims["oid"] = '"' + std::string(kPersonalOid) + '"';
    claims["email"] = claims["preferred_username"] = R"("ada.example@outlook.example")";
    return claims;
  }
  static std::string Json(const std::map<std::string, std::string>& claims) {
    std::string text = "{";
    for (const auto& [name, value] : claims) text += (text.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
    return text + '}';
  }
  Result<oauth::IdentityClaims> VerifyText(const std::string& id_token,
                                           const std::shared_ptr<oauth::IdentityProvider>& provider) {
    const oauth::TokenSet tokens{
        .access_token = SecretString("a"), .refresh_token = {}, .id_token = SecretString(id_token)};
    return Run(provider->VerifyIdentity(tokens, nonce_));
  }
  Result<oauth::IdentityClaims> Verify(const std::map<std::string, std::string>& claims,
                                       const ForgeKey& key = Entra::WorkKey()) {
    return VerifyText(key.SignClaims(Json(claims)), Make(Settings()));
  }
  std::string Refusal(const std::map<std::string, std::string>& claims, const ForgeKey& key = Entra::WorkKey()) {
    const auto person = Verify(claims, key);
    return person ? "accepted" : person.error().detail;
  }
  long Seconds() const { return std::chrono::floor<std::chrono::seconds>(clock_.Now()).time_since_epoch().count(); }
  std::string AuthorizeQuery(oauth::Flow flow, std::string hint = {}, std::string challenge = {}) {
    const oauth::AuthorizeRequest request{.flow = flow,
                                          .scopes = MakeScopeCatalog()->ScopesFor({Capability::kReadMail}).value(),
                                          .state = oauth::State::Generate(),
                                          .nonce = nonce_,
                                          .challenge = oauth::PkceVerifier::Generate().Challenge(),
                                          .login_hint = std::move(hint),
                                          .claims_challenge = std::move(challenge)};
    const std::string url = Run(Make(Settings())->AuthorizeUrl(request)).value();
    EXPECT_TRUE(url.starts_with(std::string(kOrigin) + "/common/oauth2/v2.0/authorize?")) << url;
    return url.substr(url.find('?') + 1);
  }

  boost::asio::io_context loop_;
  ManualClock clock_{ParseInstant("2026-03-01T10:00:00Z").value()};
  Entra http_;
  const oauth::Nonce nonce_ = oauth::Nonce::Generate();
};

TEST_F(MicrosoftOAuth, SignInAsksForExactlyTheMinimum) {
  const std::string query = AuthorizeQuery(oauth::Flow::kSignIn);
  EXPECT_EQ(FormField(query, "scope"), "openid email profile");
  EXPECT_EQ(FormField(query, "prompt"), "select_account");
  EXPECT_EQ(FormField(query, "code_challenge_method"), "S256");
}

TEST_F(MicrosoftOAuth, ConnectAsksForLastingAccessAndNeverForcesConsent) {
  const std::string query = AuthorizeQuery(oauth::Flow::kConnect);
  EXPECT_EQ(FormField(query, "scope"),
            "openid email profile offline_access https://graph.microsoft.com/User.Read "
            "https://graph.microsoft.com/Mail.Read");
  EXPECT_EQ(FormField(query, "prompt"), "select_account");
  EXPECT_EQ(FormField(query, "claims"), "");
}

TEST_F(MicrosoftOAuth, AReconnectNamesTheAccountAndHandsTheChallengeBack) {
  const std::string challenge = R"({"access_token":{"nbf":{"essential":true,"value":"1772000000"}}})";
  const std::string query = AuthorizeQuery(oauth::Flow::kConnect, "ada@example.com", challenge);
  EXPECT_EQ(FormField(query, "login_hint"), "ada@example.com");
  EXPECT_EQ(FormField(query, "prompt"), "") << "excludes a preselected account";
  EXPECT_EQ(FormField(query, "claims"), challenge);
}

TEST_F(MicrosoftOAuth, AWorkAccountIsItsTenantAndItsObject) {
  const auto person = Verify(WorkClaims());
  ASSERT_TRUE(person) << person.error().detail;
  EXPECT_EQ(person->issuer, IssuerFor(kTenant));
  EXPECT_EQ(person->subject, std::string(kOid) + "." + std::string(kTenant));
  EXPECT_EQ(person->organisation, kTenant);
  EXPECT_EQ(person->email, "abeli@example.com");
  EXPECT_FALSE(person->email_verified);
  EXPECT_TRUE(person->email_is_own) << "the name they sign in with";
}

TEST_F(MicrosoftOAuth, APersonalAccountIsOneToo) {
  const auto person = Verify(PersonalClaims(), Entra::PersonalKey());
  ASSERT_TRUE(person) << person.error().detail;
  EXPECT_EQ(person->issuer, IssuerFor(kPersonalTenant));
  EXPECT_EQ(person->subject, std::string(kPersonalOid) + "." + std::string(kPersonalTenant));
  EXPECT_TRUE(person->email_verified);
}

TEST_F(MicrosoftOAuth, AnAddressThatAnAdministratorWroteProvesNothing) {
  auto claims = WorkClaims();
  claims["email"] = R"("ceo@victim.example")";
  for (const std::string& edov : {std::string(), std::string("false"), std::string(R"("0")"), std::string("0"),
                                  std::string("null"), std::string("[true]"), std::string(R"("yes")")}) {
    if (!edov.empty()) claims["xms_edov"] = edov;
    const auto person = Verify(claims);
    ASSERT_TRUE(person);
    EXPECT_FALSE(person->email_verified) << edov;
    EXPECT_EQ(person->email, "abeli@example.com") << "not even shown";
  }
  for (const std::string& edov :
       {std::string("true"), std::string(R"("1")"), std::string(R"("true")"), std::string("1")}) {
    claims["xms_edov"] = edov;
    const auto person = Verify(claims);
    ASSERT_TRUE(person);
    EXPECT_TRUE(person->email_verified) << edov;
    EXPECT_EQ(person->email, "ceo@victim.example");
  }
  claims.erase("xms_edov");
  claims.erase("preferred_username");
  EXPECT_EQ(Verify(claims)->email, "ceo@victim.example");
  EXPECT_FALSE(Verify(claims)->email_is_own);
  // It is no claim of Entra's, so it says nothing.
  claims.erase("xms_edov");
  claims["email_verified"] = "true";
  EXPECT_FALSE(Verify(claims)->email_verified);
}

TEST_F(MicrosoftOAuth, TheIssuerIsTheTokensOwnTenant) {
  auto claims = WorkClaims();
  claims["iss"] = '"' + IssuerFor(kOther) + '"';
  EXPECT_EQ(Refusal(claims), "id token: wrong_issuer");
  claims["iss"] = '"' + IssuerFor("{tenantid}") + '"';
  EXPECT_EQ(Refusal(claims), "id token: wrong_issuer") << "the template itself";
  claims["iss"] = R"("https://login.evil.example/9122040d-6c67-4c5b-b112-36a304b66dad/v2.0")";
  EXPECT_EQ(Refusal(claims), "id token: wrong_issuer");
  claims["tid"] = R"("{tenantid}")";
  claims["iss"] = '"' + IssuerFor("{tenantid}") + '"';
  EXPECT_EQ(Refusal(claims), "id token: claim_type");
}

TEST_F(MicrosoftOAuth, TenantAndObjectMustBeThere) {
  for (const std::string name : {"tid", "oid", "ver"}) {
    auto claims = WorkClaims();
    claims.erase(name);
    EXPECT_EQ(Refusal(claims), "id token: claim_missing") << name;
    for (const std::string& value :
         {std::string("7"), std::string("\"\""), std::string("\"../x\""), std::string("null")}) {
      claims[name] = value;
      EXPECT_EQ(Refusal(claims), "id token: claim_type") << name << value;
    }
  }
}

TEST_F(MicrosoftOAuth, AKeyOfOneSideDoesNotSignForTheOther) {
  EXPECT_EQ(Refusal(WorkClaims(), Entra::PersonalKey()), "id token: wrong_key_issuer");
  EXPECT_EQ(Refusal(PersonalClaims(), Entra::WorkKey()), "id token: wrong_key_issuer");
}

TEST_F(MicrosoftOAuth, AKeyThatDoesNotSayWhoseItIsSignsForNobody) {
  http_.work_issuer = R"(,"use":"sig")";
  EXPECT_EQ(Refusal(WorkClaims()), "id token: wrong_key_issuer");
  http_.work_issuer = R"(,"use":"sig","issuer":7)";
  EXPECT_EQ(Refusal(WorkClaims()), "id token: unknown_key");
}

TEST_F(MicrosoftOAuth, AKeyListedForBothSidesSignsForBoth) {
  http_.personal_issuer = R"(,"use":"sig","issuer":")" + IssuerFor(kPersonalTenant) + R"("},)" +
                          Entra::PersonalKey().PublicJwk(http_.work_issuer);
  http_.personal_issuer.pop_back();
  EXPECT_EQ(Refusal(PersonalClaims(), Entra::PersonalKey()), "accepted");
  EXPECT_EQ(Refusal(WorkClaims(), Entra::PersonalKey()), "accepted");
}

TEST_F(MicrosoftOAuth, OtherWaysOfForgingAreRefused) {
  const auto provider = Make(Settings());
  const auto refusal = [&](const std::string& token) {
    const auto person = VerifyText(token, provider);
    return person ? std::string("accepted") : person.error().detail;
  };
  const std::string claims = Json(WorkClaims());
  EXPECT_EQ(refusal(ForgeKey::Rsa("work").SignClaims(claims)), "id token: bad_signature");
  EXPECT_EQ(refusal(ForgeKey::Rsa("nobody's").SignClaims(claims)), "id token: unknown_key");
  EXPECT_EQ(refusal(oauth::testing::SignHs256(R"({"alg":"HS256","kid":"work"})", claims, Entra::WorkKey().PublicPem())),
            "id token: algorithm_not_allowed");
  EXPECT_EQ(refusal(Entra::WorkKey().Sign(R"({"alg":"none","kid":"work"})", claims)),
            "id token: algorithm_not_allowed");
  auto twice = claims;
  twice.insert(1, R"("tid":"aaaaaaaa-1111-2222-3333-bbbbbbbbbbbb",)");
  EXPECT_EQ(refusal(Entra::WorkKey().SignClaims(twice)), "id token: duplicate_member");
  auto expired = WorkClaims();
  expired["exp"] = std::to_string(Seconds() - 61);
  EXPECT_EQ(refusal(Entra::WorkKey().SignClaims(Json(expired))), "id token: expired");
  auto audience = WorkClaims();
  audience["aud"] = R"("another-client")";
  EXPECT_EQ(refusal(Entra::WorkKey().SignClaims(Json(audience))), "id token: wrong_audience");
  auto nonce = WorkClaims();
  nonce["nonce"] = R"("x")";
  EXPECT_EQ(refusal(Entra::WorkKey().SignClaims(Json(nonce))), "id token: wrong_nonce");
}

TEST_F(MicrosoftOAuth, OnlyListedTenantsAreAdmitted) {
  auto settings = Settings();
  settings.allowed_tenants = {std::string(kOther)};
  const std::string token = Entra::WorkKey().SignClaims(Json(WorkClaims()));
  EXPECT_EQ(VerifyText(token, Make(settings)).error().code, ErrorCode::kTenantNotAllowed);
  settings.allowed_tenants.emplace_back(kTenant);
  EXPECT_TRUE(VerifyText(token, Make(settings)));
  EXPECT_EQ(VerifyText(Entra::PersonalKey().SignClaims(Json(PersonalClaims())), Make(settings)).error().code,
            ErrorCode::kTenantNotAllowed);
}

TEST_F(MicrosoftOAuth, OneTenantsMetadataAdmitsThatTenant) {
  const std::string work = Entra::WorkKey().SignClaims(Json(WorkClaims()));
  http_.issuer = IssuerFor(kTenant);
  EXPECT_TRUE(VerifyText(work, Make(Settings(kTenant))));
  EXPECT_TRUE(VerifyText(work, Make(Settings("example.com"))));
  http_.issuer = IssuerFor(kOther);
  EXPECT_EQ(VerifyText(work, Make(Settings("example.com"))).error().detail, "id token: wrong_issuer");
  EXPECT_EQ(VerifyText(work, Make(Settings(kTenant))).error().code, ErrorCode::kMalformedReply) << "metadata";
  http_.issuer = IssuerFor("{tenantid}");
  EXPECT_FALSE(VerifyText(work, Make(Settings(kTenant)))) << "the template is for all tenants only";
  EXPECT_FALSE(VerifyText(Entra::PersonalKey().SignClaims(Json(PersonalClaims())), Make(Settings("organizations"))));
}

TEST_F(MicrosoftOAuth, MetadataStaysOnItsHost) {
  const std::string work = Entra::WorkKey().SignClaims(Json(WorkClaims()));
  http_.jwks_uri = "https://keys.evil.example/common/discovery/v2.0/keys";
  EXPECT_EQ(VerifyText(work, Make(Settings())).error().code, ErrorCode::kMalformedReply);
  http_.jwks_uri = "https://login.example.test.evil.example/keys";
  EXPECT_EQ(VerifyText(work, Make(Settings())).error().code, ErrorCode::kMalformedReply);
}

TEST_F(MicrosoftOAuth, RefreshNamesTheScopesAndTakesTheNewToken) {
  http_.token_answer = R"({"token_type":"Bearer","scope":"https://graph.microsoft.com/Mail.Read","expires_in":4242,)"
                       R"("ext_expires_in":4242,"access_token":"EwAoA","refresh_token":"0.AVYAnew"})";
  const oauth::RefreshRequest request{.refresh_token = SecretString("old"),
                                      .scopes = {"openid", "https://graph.microsoft.com/Mail.Read", "offline_access"}};
  const auto tokens = Run(Make(Settings())->Refresh(request));
  ASSERT_TRUE(tokens);
  EXPECT_EQ(tokens->refresh_token.Reveal(), "0.AVYAnew");
  const std::string& form = http_.requests.back().body;
  EXPECT_EQ(FormField(form, "scope"), "openid https://graph.microsoft.com/Mail.Read offline_access");
  EXPECT_EQ(FormField(form, "client_secret"), "s");
}

TEST_F(MicrosoftOAuth, AGrantIsTakenBackByThePersonAlone) {
  const auto provider = Make(Settings());
  EXPECT_FALSE(provider->OffersRevocation());
  EXPECT_EQ(Run(provider->Revoke(SecretString("t"))).value(), oauth::Revocation::kNotOffered);
  EXPECT_EQ(http_.requests.size(), 1u) << "the metadata, nothing else";
  EXPECT_EQ(provider->GrantsPage(std::string(kOid) + "." + std::string(kTenant)), "https://myapps.microsoft.com");
  EXPECT_EQ(provider->GrantsPage(std::string(kPersonalOid) + "." + std::string(kPersonalTenant)),
            "https://account.live.com/consent/Manage");
}

TEST_F(MicrosoftOAuth, AdministratorsConsentForTheirOrganisation) {
  const auto provider = Make(Settings());
  const std::string url = provider->AdminConsentUrl(std::string(kOid) + "." + std::string(kTenant));
  EXPECT_TRUE(url.starts_with(fmt::format("{}/{}/v2.0/adminconsent?", kOrigin, kTenant))) << url;
  const std::string query = url.substr(url.find('?') + 1);
  EXPECT_EQ(FormField(query, "client_id"), kClient);
  EXPECT_EQ(FormField(query, "redirect_uri"), "https://latchkey.example.test/auth/apis/connect/microsoft/callback");
  EXPECT_TRUE(FormField(query, "scope").contains("https://graph.microsoft.com/Mail.ReadWrite"));
  EXPECT_TRUE(provider->AdminConsentUrl("").starts_with(fmt::format("{}/organizations/v2.0/adminconsent?", kOrigin)));
  EXPECT_EQ(provider->AdminConsentUrl(std::string(kPersonalOid) + "." + std::string(kPersonalTenant)), "");
}

TEST(EntraIssuerTest, DiscoveryAddressesHaveOneForm) {
  for (const std::string_view url :
       {"https://h.example/common/.well-known/openid-configuration",
        "https://h.example/v2.0/.well-known/openid-configuration",
        "https://h.example/a/common/v2.0/.well-known/openid-configuration",
        "http://h.example/common/v2.0/.well-known/openid-configuration", "https://h.example/common/v2.0",
        "https://h.example/{tenantid}/v2.0/.well-known/openid-configuration"}) {
    EXPECT_FALSE(EntraIssuer::Make(url, {})) << url;
  }
  EXPECT_TRUE(EntraIssuer::Make(DiscoveryUrlOf("common"), {}));
  EXPECT_TRUE(EntraIssuer::Make("http://127.0.0.1:9/common/v2.0/.well-known/openid-configuration", {}));
  EXPECT_FALSE(EntraIssuer::Make(DiscoveryUrlOf("common"), {"example.com"}));
}

TEST(GraphScopes, AreAskedPerCapability) {
  const auto catalog = MakeScopeCatalog();
  EXPECT_EQ(catalog->ScopesFor({Capability::kReadMail}).value(),
            std::vector<std::string>{"https://graph.microsoft.com/Mail.Read"});
  EXPECT_EQ(catalog->ScopesFor({Capability::kSendMail}).value(),
            (std::vector<std::string>{"https://graph.microsoft.com/Mail.Send",
                                      "https://graph.microsoft.com/Mail.ReadWrite"}));
  EXPECT_EQ(catalog->ScopesFor({Capability::kReadCalendar}).value(),
            std::vector<std::string>{"https://graph.microsoft.com/Calendars.Read"});
}

TEST(GraphScopes, AreReadInAnySpelling) {
  const auto able = [](std::vector<std::string> scopes) { return MakeScopeCatalog()->CapabilitiesOf(scopes); };
  EXPECT_EQ(able({"mail.read"}), std::vector<Capability>{Capability::kReadMail});
  EXPECT_EQ(able({"HTTPS://GRAPH.microsoft.com/MAIL.READ", "openid"}), std::vector<Capability>{Capability::kReadMail});
  EXPECT_EQ(able({"Mail.ReadWrite"}), std::vector<Capability>{Capability::kReadMail});
  EXPECT_EQ(able({"Mail.Send"}), std::vector<Capability>{}) << "the draft cannot be made";
  EXPECT_EQ(able({"Mail.Send", "https://graph.microsoft.com/Mail.ReadWrite", "Calendars.ReadWrite"}),
            (std::vector<Capability>{Capability::kReadMail, Capability::kSendMail, Capability::kReadCalendar}));
  EXPECT_EQ(able({"Mail.ReadBasic", "Calendars.ReadBasic", "User.Read", "https://outlook.office.com/Mail.Read"}),
            std::vector<Capability>{});
}

}  // namespace
}  // namespace latchkey::microsoft
