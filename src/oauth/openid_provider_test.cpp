#include "oauth/openid_provider.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "async/testing.hpp"
#include "base/encoding.hpp"
#include "oauth/testing/fake_provider.hpp"

namespace latchkey::oauth {
namespace {

using http_client::HttpResponse;
using testing::FakeProvider;

class OpenIdProviderTest : public ::testing::Test {
 protected:
  OpenIdProviderTest() { provider_ = Make(); }

  std::shared_ptr<OpenIdProvider> Make() {
    OpenIdProfile profile;
    profile.name = "example";
    profile.discovery_url = FakeProvider::DiscoveryUrl();
    profile.client = {.client_id = std::string(FakeProvider::kClientId),
                      .client_secret = SecretString("client secret & more")};
    profile.sign_in_callback_url = "https://latchkey.example.test/in";
    profile.connect_callback_url = "https://latchkey.example.test/connect";
    profile.connect_parameters = {{"access_type", "offline"}, {"prompt", "consent select_account"}};
    profile.reconnect_parameters = {{"prompt", "consent"}};
    return OpenIdProvider::Make(std::move(profile), remote_, clock_, loop_.get_executor()).value();
  }
  template <class T>
  T Run(Task<T> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }
  AuthorizeRequest Request(Flow flow, std::string hint = {}) {
    return {.flow = flow,
            .scopes = {"mail.read"},
            .state = state_,
            .nonce = nonce_,
            .challenge = verifier_.Challenge(),
            .login_hint = std::move(hint)};
  }
  TokenAnswer Redeem() { return Run(provider_->RedeemCode(Flow::kSignIn, SecretString("code"), verifier_)); }
  ErrorCode RefreshError() { return Run(provider_->Refresh(refresh_)).error().code; }

  boost::asio::io_context loop_;
  ManualClock clock_{ParseInstant("2026-03-01T10:00:00Z").value()};
  FakeProvider remote_{clock_};
  std::shared_ptr<OpenIdProvider> provider_;
  const RefreshRequest refresh_{.refresh_token = SecretString("r"), .scopes = {"mail.read"}};
  const State state_ = State::Generate();
  const Nonce nonce_ = Nonce::Generate();
  const PkceVerifier verifier_ = PkceVerifier::Generate();
};

TEST_F(OpenIdProviderTest, SignInAsksForExactlyTheMinimalScopes) {
  const std::string url = Run(provider_->AuthorizeUrl(Request(Flow::kSignIn))).value();
  ASSERT_TRUE(url.starts_with("https://id.example.test/authorize?"));
  const std::string query = url.substr(url.find('?') + 1);
  EXPECT_EQ(testing::FormField(query, "scope"), "openid email profile");
  EXPECT_EQ(testing::FormField(query, "response_type"), "code");
  EXPECT_EQ(testing::FormField(query, "redirect_uri"), "https://latchkey.example.test/in");
  EXPECT_EQ(testing::FormField(query, "state"), state_.text());
  EXPECT_EQ(testing::FormField(query, "nonce"), nonce_.text());
  EXPECT_EQ(testing::FormField(query, "code_challenge"), verifier_.Challenge().text());
  EXPECT_EQ(testing::FormField(query, "code_challenge_method"), "S256");
  EXPECT_EQ(query.find("client secret"), std::string::npos);
  EXPECT_EQ(query.find(verifier_.secret().Reveal()), std::string::npos);
}

TEST_F(OpenIdProviderTest, ConnectAsksForMoreAtItsOwnCallback) {
  const std::string url = Run(provider_->AuthorizeUrl(Request(Flow::kConnect))).value();
  const std::string query = url.substr(url.find('?') + 1);
  EXPECT_EQ(testing::FormField(query, "scope"), "openid email profile mail.read");
  EXPECT_EQ(testing::FormField(query, "redirect_uri"), "https://latchkey.example.test/connect");
  EXPECT_EQ(testing::FormField(query, "access_type"), "offline");
  const std::string again = Run(provider_->AuthorizeUrl(Request(Flow::kConnect, "ada@example.com"))).value();
  EXPECT_EQ(testing::FormField(again, "prompt"), "consent");
  EXPECT_EQ(testing::FormField(again, "login_hint"), "ada@example.com");
}

TEST_F(OpenIdProviderTest, RedeemsWithVerifierAndSecretAndVerifiesWhoItIs) {
  remote_.nonce = nonce_.text();
  const auto tokens = Redeem();
  ASSERT_TRUE(tokens);
  EXPECT_EQ(remote_.Field("/token", "code_verifier"), verifier_.secret().Reveal());
  EXPECT_EQ(remote_.Field("/token", "client_secret"), "client secret & more");
  EXPECT_EQ(remote_.Field("/token", "redirect_uri"), "https://latchkey.example.test/in");
  EXPECT_EQ(tokens->expires_at, clock_.Now() + std::chrono::seconds(3599));
  const auto person = Run(provider_->VerifyIdentity(*tokens, nonce_));
  ASSERT_TRUE(person) << person.error().detail;
  EXPECT_EQ(person->subject, "subject-1");
  const auto wrong = Run(provider_->VerifyIdentity(*tokens, Nonce::Generate()));
  EXPECT_EQ(wrong.error().code, ErrorCode::kSignInFailed);
  EXPECT_EQ(wrong.error().detail, "id token: wrong_nonce");
}

TEST_F(OpenIdProviderTest, ProvesItselfByBasicWhereTheFormIsNotOffered) {
  remote_.discovery_members = R"(,"token_endpoint_auth_methods_supported":["client_secret_basic"])";
  ASSERT_TRUE(Redeem());
  EXPECT_EQ(remote_.Field("/token", "client_secret"), "");
  const auto& headers = remote_.requests.back().headers;
  const bool basic = std::ranges::any_of(headers, [](const auto& header) {
    return header.first == "Authorization" &&
           header.second == "Basic " + Base64Encode("client-1:client%20secret%20%26%20more");
  });
  EXPECT_TRUE(basic);
}

TEST_F(OpenIdProviderTest, DiscoveryAndKeysAreFetchedOnce) {
  remote_.nonce = nonce_.text();
  for (int i = 0; i < 3; ++i) {
    const auto tokens = Redeem();
    ASSERT_TRUE(Run(provider_->VerifyIdentity(*tokens, nonce_)));
  }
  EXPECT_EQ(remote_.Count("/.well-known/openid-configuration"), 1);
  EXPECT_EQ(remote_.Count("/keys"), 1);
}

TEST_F(OpenIdProviderTest, RotationOfTheProvidersKeysFailsNoSignIn) {
  remote_.nonce = nonce_.text();
  ASSERT_TRUE(Run(provider_->VerifyIdentity(*Redeem(), nonce_)));
  remote_.RotateKey("key-2");
  EXPECT_TRUE(Run(provider_->VerifyIdentity(*Redeem(), nonce_)));
  EXPECT_EQ(remote_.Count("/keys"), 2);
}

TEST_F(OpenIdProviderTest, UnknownKeysCauseOneFetchAMinute) {
  remote_.nonce = nonce_.text();
  ASSERT_TRUE(Run(provider_->VerifyIdentity(*Redeem(), nonce_)));
  const auto stray = testing::ForgeKey::Rsa("stray");
  remote_.id_token = stray.SignClaims("{}");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Run(provider_->VerifyIdentity(*Redeem(), nonce_)).error().detail, "id token: unknown_key");
  }
  EXPECT_EQ(remote_.Count("/keys"), 2);
  clock_.Advance(std::chrono::seconds(61));
  EXPECT_FALSE(Run(provider_->VerifyIdentity(*Redeem(), nonce_)));
  EXPECT_EQ(remote_.Count("/keys"), 3);
}

TEST_F(OpenIdProviderTest, KeysStayUsableForADayWhileTheirEndpointIsDown) {
  remote_.nonce = nonce_.text();
  ASSERT_TRUE(Run(provider_->VerifyIdentity(*Redeem(), nonce_)));
  const auto down = [&] {
    for (const char* path : {"/keys", "/.well-known/openid-configuration"}) {
      remote_.replaced[path].assign(50, FakeProvider::Answer(503, "<html>"));
    }
  };
  down();
  clock_.Advance(std::chrono::hours(23));
  EXPECT_TRUE(Run(provider_->VerifyIdentity(*Redeem(), nonce_)));
  // Not asked again at once.
  const int asked = remote_.Count("/keys");
  EXPECT_TRUE(Run(provider_->VerifyIdentity(*Redeem(), nonce_)));
  EXPECT_EQ(remote_.Count("/keys"), asked);
  clock_.Advance(std::chrono::hours(2));
  EXPECT_EQ(Redeem().error().code, ErrorCode::kProviderUnavailable);
  remote_.replaced.clear();
  clock_.Advance(std::chrono::minutes(2));
  EXPECT_TRUE(Run(provider_->VerifyIdentity(*Redeem(), nonce_)));
}

TEST_F(OpenIdProviderTest, DiscoveryMustBeTheConfiguredIssuersAndHttps) {
  const auto refuse = [&](std::string body) {
    provider_ = Make();
    remote_.replaced["/.well-known/openid-configuration"] = {FakeProvider::Answer(200, std::move(body))};
    return Redeem().error();
  };
  const std::string endpoints =
      R"("authorization_endpoint":"https://id.example.test/a","token_endpoint":"https://id.example.test/t",)";
  EXPECT_EQ(
      refuse(R"({"issuer":"https://id.example.test/",)" + endpoints + R"("jwks_uri":"https://id.example.test/k"})")
          .detail,
      "discovery: issuer differs from the configured one");
  EXPECT_EQ(
      refuse(R"({"issuer":"https://id.example.test",)" + endpoints + R"("jwks_uri":"http://127.0.0.1/k"})").detail,
      "discovery: jwks_uri is not https");
  EXPECT_EQ(refuse(R"({"issuer":"https://id.example.test","token_endpoint":"https://x.example/t"})").detail,
            "discovery: no authorization_endpoint");
  EXPECT_EQ(refuse(R"({"issuer":"https://id.example.test","issuer":"https://id.example.test"})").code,
            ErrorCode::kMalformedReply);
  EXPECT_EQ(refuse("<html>").code, ErrorCode::kMalformedReply);
  EXPECT_EQ(refuse(std::string(300'000, ' ')).code, ErrorCode::kMalformedReply);
}

TEST_F(OpenIdProviderTest, TheIssuerOfAResponseMustBeOursAndThereWhenAdvertised) {
  EXPECT_TRUE(Run(provider_->CheckResponseIssuer("https://id.example.test")));
  EXPECT_EQ(Run(provider_->CheckResponseIssuer("https://evil.example")).error().code, ErrorCode::kStateMismatch);
  EXPECT_TRUE(Run(provider_->CheckResponseIssuer(std::nullopt)));
  remote_.discovery_members = R"(,"authorization_response_iss_parameter_supported":true)";
  provider_ = Make();
  EXPECT_EQ(Run(provider_->CheckResponseIssuer(std::nullopt)).error().code, ErrorCode::kStateMismatch);
}

TEST_F(OpenIdProviderTest, ARefreshAboutSomebodyElseIsNotAccepted) {
  const auto tokens = Run(provider_->Refresh(refresh_));
  ASSERT_TRUE(tokens);
  EXPECT_TRUE(tokens->refresh_token.empty());
  EXPECT_TRUE(Run(provider_->VerifyRefreshed(*tokens, "subject-1")));
  EXPECT_FALSE(Run(provider_->VerifyRefreshed(*tokens, "subject-2")));
  TokenSet without;
  EXPECT_TRUE(Run(provider_->VerifyRefreshed(without, "subject-1")));
}

TEST_F(OpenIdProviderTest, RevokingADeadTokenIsASuccess) {
  EXPECT_TRUE(Run(provider_->Revoke(SecretString("t"))));
  EXPECT_EQ(remote_.revoked, std::vector<std::string>{"t"});
  remote_.replaced["/revoke"] = {FakeProvider::Answer(400, R"({"error":"invalid_token"})"),
                                 FakeProvider::Answer(503, "")};
  EXPECT_TRUE(Run(provider_->Revoke(SecretString("t"))));
  EXPECT_EQ(Run(provider_->Revoke(SecretString("t"))).error().code, ErrorCode::kProviderUnavailable);
}

TEST_F(OpenIdProviderTest, ErrorsSayWhoseFaultTheyAre) {
  const auto answer = [&](int status, std::string body) {
    remote_.replaced["/token"] = {FakeProvider::Answer(status, std::move(body))};
    return RefreshError();
  };
  EXPECT_EQ(answer(400, R"({"error":"invalid_grant"})"), ErrorCode::kReauthInvalidGrant);
  EXPECT_EQ(answer(401, R"({"error":"invalid_client"})"), ErrorCode::kInvalidClient);
  EXPECT_EQ(answer(401, R"({"error":"unauthorized_client"})"), ErrorCode::kInvalidClient);
  EXPECT_EQ(answer(400, R"({"error":"admin_policy_enforced"})"), ErrorCode::kPolicyEnforced);
  EXPECT_EQ(answer(500, R"({"error":"invalid_grant"})"), ErrorCode::kProviderUnavailable);
  EXPECT_EQ(answer(429, ""), ErrorCode::kRateLimited);
  EXPECT_EQ(answer(502, "<html>"), ErrorCode::kProviderUnavailable);
  EXPECT_EQ(answer(400, "<html>"), ErrorCode::kMalformedReply);
  EXPECT_EQ(answer(400, R"({"error":"<script>"})"), ErrorCode::kMalformedReply);
  EXPECT_EQ(answer(200, "{}"), ErrorCode::kMalformedReply);
  remote_.replaced["/token"] = {Fail(ErrorCode::kTimeout)};
  EXPECT_EQ(RefreshError(), ErrorCode::kTimeout);
  remote_.replaced["/token"] = {FakeProvider::Answer(400, R"({"error":"invalid_grant"})")};
  EXPECT_EQ(Redeem().error().code, ErrorCode::kSignInFailed);
  remote_.replaced["/token"] = {FakeProvider::Answer(400, R"({"error":"redirect_uri_mismatch"})")};
  EXPECT_EQ(Redeem().error().code, ErrorCode::kRedirectUriMismatch);
}

}  // namespace
}  // namespace latchkey::oauth
