#include "providers/google/google_oauth.hpp"

#include <gtest/gtest.h>

#include "async/testing.hpp"
#include "oauth/testing/fake_provider.hpp"

namespace latchkey::google {
namespace {

using connected_accounts::Capability;
using oauth::testing::FormField;

/// Answers with the discovery document of whoever is asked.
class Discovery final : public http_client::HttpClient {
 public:
  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    const std::string issuer = request.url.substr(0, request.url.find("/.well-known"));
    http_client::HttpResponse response;
    response.status = 200;
    response.body = R"({"issuer":")" + issuer + R"(","authorization_endpoint":")" + issuer +
                    R"(/o/oauth2/v2/auth","token_endpoint":")" + issuer + R"(/token","jwks_uri":")" + issuer +
                    R"(/certs"})";
    co_return response;
  }
};

class GoogleOAuth : public ::testing::Test {
 protected:
  std::string AuthorizeQuery(oauth::Flow flow, std::string hint = {}) {
    OAuthSettings settings;
    settings.client_id = "client.apps.googleusercontent.com";
    settings.sign_in_callback_url = "https://latchkey.example.test/auth/login/google/callback";
    settings.connect_callback_url = "https://latchkey.example.test/auth/apis/connect/google/callback";
    const auto provider = MakeIdentityProvider(settings, http_, clock_, loop_.get_executor()).value();
    const oauth::AuthorizeRequest request{.flow = flow,
                                          .scopes = {"https://www.googleapis.com/auth/gmail.readonly"},
                                          .state = oauth::State::Generate(),
                                          .nonce = oauth::Nonce::Generate(),
                                          .challenge = oauth::PkceVerifier::Generate().Challenge(),
                                          .login_hint = std::move(hint)};
    const std::string url = latchkey::testing::RunTask(loop_, provider->AuthorizeUrl(request)).value();
    EXPECT_TRUE(url.starts_with("https://accounts.google.com/o/oauth2/v2/auth?")) << url;
    return url.substr(url.find('?') + 1);
  }

  boost::asio::io_context loop_;
  ManualClock clock_{ParseInstant("2026-03-01T10:00:00Z").value()};
  Discovery http_;
};

TEST_F(GoogleOAuth, SignInAsksForExactlyTheMinimumAndNoLastingAccess) {
  const std::string query = AuthorizeQuery(oauth::Flow::kSignIn);
  EXPECT_EQ(FormField(query, "scope"), "openid email profile");
  EXPECT_EQ(FormField(query, "access_type"), "");
  EXPECT_EQ(FormField(query, "prompt"), "select_account");
  EXPECT_EQ(FormField(query, "include_granted_scopes"), "");
}

TEST_F(GoogleOAuth, ConnectAsksForLastingAccess) {
  const std::string query = AuthorizeQuery(oauth::Flow::kConnect);
  EXPECT_EQ(FormField(query, "scope"), "openid email profile https://www.googleapis.com/auth/gmail.readonly");
  EXPECT_EQ(FormField(query, "access_type"), "offline");
  EXPECT_EQ(FormField(query, "prompt"), "consent select_account");
  const std::string again = AuthorizeQuery(oauth::Flow::kConnect, "ada@example.com");
  EXPECT_EQ(FormField(again, "prompt"), "consent");
  EXPECT_EQ(FormField(again, "login_hint"), "ada@example.com");
}

TEST(GoogleScopes, AreAskedPerCapability) {
  const auto catalog = MakeScopeCatalog();
  EXPECT_EQ(catalog->ScopesFor({Capability::kReadMail}).value(),
            std::vector<std::string>{"https://www.googleapis.com/auth/gmail.readonly"});
  EXPECT_EQ(catalog->ScopesFor({Capability::kReadCalendar, Capability::kSendMail}).value(),
            (std::vector<std::string>{"https://www.googleapis.com/auth/gmail.compose",
                                      "https://www.googleapis.com/auth/calendar.readonly"}));
}

TEST(GoogleScopes, BroaderGrantsCoverNarrowerNeeds) {
  const auto catalog = MakeScopeCatalog();
  const auto able = [&](std::vector<std::string> scopes) { return catalog->CapabilitiesOf(scopes); };
  EXPECT_EQ(able({"openid", "https://www.googleapis.com/auth/userinfo.email"}), std::vector<Capability>{});
  EXPECT_EQ(able({"https://www.googleapis.com/auth/gmail.readonly", "openid"}),
            std::vector<Capability>{Capability::kReadMail});
  EXPECT_EQ(able({"https://www.googleapis.com/auth/gmail.send"}), std::vector<Capability>{Capability::kSendMail})
      << "what was asked for once still does";
  EXPECT_EQ(able({"https://mail.google.com/"}),
            (std::vector<Capability>{Capability::kReadMail, Capability::kSendMail}));
  EXPECT_EQ(able({"https://www.googleapis.com/auth/gmail.metadata"}), std::vector<Capability>{});
  EXPECT_EQ(able({"https://www.googleapis.com/auth/calendar.events"}), std::vector<Capability>{});
}

}  // namespace
}  // namespace latchkey::google
