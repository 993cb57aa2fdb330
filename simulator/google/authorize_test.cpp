#include "simulator/google/authorize.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/oauth_client.hpp"
#include "simulator/testing/google_flow.hpp"

namespace latchkey::simulator {
namespace {

using testing::Encode;
using testing::GoogleFlow;
using ::testing::HasSubstr;
using testing::kRead;
using testing::kRedirect;
using testing::kSend;
using ::testing::Not;
using testing::Pairs;
using testing::Parameter;
using testing::With;

class AuthorizePages : public ::testing::Test {
 protected:
  static std::string HiddenRequest(const std::string& page) {
    const std::size_t at = page.find("name=\"request\" value=\"") + 22;
    return page.substr(at, page.find('"', at) - at);
  }
  /// Chooses Ada on the chooser and returns where that leads.
  std::string ChooseAda(const Pairs& query) {
    const Response chooser = flow_.Begin(query);
    const Response chosen = flow_.PostForm("/google/o/oauth2/v2/auth/account",
                                           {{"request", HiddenRequest(chooser.body)}, {"account", flow_.ada.sub}});
    return std::string(chosen.headers.Get("Location"));
  }

  GoogleFlow flow_;
  const std::string both_ = "openid email " + std::string(kRead) + " " + std::string(kSend);
};

TEST_F(AuthorizePages, ChooserThenConsentThenCode) {
  const Response chooser = flow_.Begin(flow_.AuthorizeQuery(both_));
  EXPECT_EQ(chooser.status, 200);
  EXPECT_THAT(chooser.body, HasSubstr("Choose an account"));
  EXPECT_THAT(chooser.body, HasSubstr("ada@example.com"));
  EXPECT_THAT(chooser.body, HasSubstr("bob@gmail.com"));

  const std::string consent = ChooseAda(flow_.AuthorizeQuery(both_));
  const Response page = flow_.Send("GET", consent);
  EXPECT_THAT(page.body, HasSubstr("Latchkey wants access to your Google Account"));
  EXPECT_THAT(page.body, HasSubstr("View your email messages and settings"));
  EXPECT_THAT(page.body, HasSubstr("type=\"checkbox\""));

  const Response done =
      flow_.PostForm("/google/o/oauth2/v2/auth/consent",
                     {{"request", HiddenRequest(page.body)}, {"decision", "approve"}, {"scope", std::string(kSend)}});
  const std::string location(done.headers.Get("Location"));
  EXPECT_EQ(done.status, 302);
  EXPECT_THAT(location, ::testing::StartsWith(std::string(kRedirect) + "?state=S%201&"));
  EXPECT_THAT(Parameter(location, "scope"), HasSubstr(kSend));
  EXPECT_THAT(Parameter(location, "scope"), Not(HasSubstr(kRead)));
  EXPECT_EQ(Parameter(location, "hd"), "example.com");
  EXPECT_EQ(Parameter(location, "iss"), "");
}

TEST_F(AuthorizePages, OnePermissionHasNoBox) {
  const Response page = flow_.Send("GET", ChooseAda(flow_.AuthorizeQuery(kRead)));
  EXPECT_THAT(page.body, Not(HasSubstr("type=\"checkbox\"")));
  EXPECT_THAT(page.body, HasSubstr("Continue"));
}

TEST_F(AuthorizePages, CancelIsAccessDenied) {
  const Response page = flow_.Send("GET", ChooseAda(flow_.AuthorizeQuery(kRead)));
  const Response done =
      flow_.PostForm("/google/o/oauth2/v2/auth/consent", {{"request", HiddenRequest(page.body)}, {"decision", "deny"}});
  EXPECT_EQ(done.headers.Get("Location"), std::string(kRedirect) + "?state=S%201&error=access_denied");
}

TEST_F(AuthorizePages, PageIsUsedUpByItsDecision) {
  const Response page = flow_.Send("GET", ChooseAda(flow_.AuthorizeQuery(kRead)));
  const Pairs form = {{"request", HiddenRequest(page.body)}, {"decision", "approve"}};
  flow_.PostForm("/google/o/oauth2/v2/auth/consent", form);
  EXPECT_EQ(flow_.PostForm("/google/o/oauth2/v2/auth/consent", form).status, 400);
}

TEST_F(AuthorizePages, LoginHintSkipsTheChooserUnlessSelectAccountIsAsked) {
  const Pairs hinted = With(flow_.AuthorizeQuery("openid"), {{"login_hint", "Ada@example.com"}});
  EXPECT_EQ(flow_.Begin(hinted).status, 302);
  EXPECT_EQ(flow_.Begin(With(hinted, {{"login_hint", flow_.ada.sub}})).status, 302);
  EXPECT_EQ(flow_.Begin(With(hinted, {{"prompt", "select_account"}})).status, 200);
  EXPECT_EQ(flow_.Begin(With(hinted, {{"login_hint", "stranger@example.com"}})).status, 200);
}

TEST_F(AuthorizePages, KnownConsentIsNotAskedAgainUnlessPrompted) {
  const Pairs query = flow_.AuthorizeQuery(both_);
  flow_.Walk(query);
  EXPECT_THAT(ChooseAda(query), ::testing::StartsWith(kRedirect));
  EXPECT_THAT(ChooseAda(With(query, {{"prompt", "consent"}})), HasSubstr("/consent?request="));
}

TEST_F(AuthorizePages, UntickedScopeIsAskedForAgain) {
  flow_.Walk(flow_.AuthorizeQuery(both_), true, {std::string(kSend)});
  const Response page = flow_.Send("GET", ChooseAda(flow_.AuthorizeQuery(both_)));
  EXPECT_THAT(page.body, HasSubstr("Send email on your behalf"));
  EXPECT_THAT(page.body, Not(HasSubstr("View your email messages")));
}

TEST_F(AuthorizePages, PromptNoneNeedsTheCookieAndTheConsent) {
  const Pairs query = With(flow_.AuthorizeQuery("openid"), {{"prompt", "none"}});
  EXPECT_EQ(Parameter(flow_.Begin(query).headers.Get("Location"), "error"), "login_required");
  const Headers cookie = {{"Cookie", "a=b; latchkey_simulator_account=" + flow_.ada.sub}};
  EXPECT_EQ(Parameter(flow_.Begin(query, cookie).headers.Get("Location"), "error"), "consent_required");
  flow_.Walk(flow_.AuthorizeQuery("openid"));
  EXPECT_NE(Parameter(flow_.Begin(query, cookie).headers.Get("Location"), "code"), "");
}

TEST_F(AuthorizePages, HostedDomainNarrowsTheChooser) {
  const Response page = flow_.Begin(With(flow_.AuthorizeQuery("openid"), {{"hd", "example.com"}}));
  EXPECT_THAT(page.body, HasSubstr("ada@example.com"));
  EXPECT_THAT(page.body, Not(HasSubstr("bob@gmail.com")));
}

TEST_F(AuthorizePages, IssIsSentOnlyWhenSwitchedOn) {
  flow_.settings.send_iss = true;
  EXPECT_EQ(Parameter(flow_.Walk(flow_.AuthorizeQuery("openid")), "iss"), "http://127.0.0.1:8025/google");
}

struct BadRequest {
  const char* name;
  Pairs changes;
  int status;
  const char* code;
};
class RefusedAuthorization : public ::testing::TestWithParam<BadRequest> {};

TEST_P(RefusedAuthorization, EndsOnAPageAndNeverRedirects) {
  GoogleFlow flow;
  flow.settings.redirect_uris = {std::string(kRedirect)};
  const Response page = flow.Begin(With(flow.AuthorizeQuery("openid"), GetParam().changes));
  EXPECT_EQ(page.status, GetParam().status);
  EXPECT_EQ(page.headers.Find("Location"), nullptr);
  EXPECT_THAT(page.body, HasSubstr(GetParam().code));
}

INSTANTIATE_TEST_SUITE_P(
    Google, RefusedAuthorization,
    ::testing::Values(
        BadRequest{"UnknownClient", {{"client_id", "other"}}, 401, "invalid_client"},
        BadRequest{"MissingClient", {{"client_id", "-"}}, 400, "invalid_request"},
        BadRequest{"OtherPath", {{"redirect_uri", "http://127.0.0.1:8000/callback/"}}, 400, "redirect_uri_mismatch"},
        BadRequest{"OtherHost", {{"redirect_uri", "http://localhost:8000/callback"}}, 400, "redirect_uri_mismatch"},
        BadRequest{"NoScope", {{"scope", "-"}}, 400, "invalid_request"},
        BadRequest{"UnknownScope", {{"scope", "openid everything"}}, 400, "invalid_scope"},
        BadRequest{"ImplicitFlow", {{"response_type", "token"}}, 400, "unsupported_response_type"},
        BadRequest{"UnknownMethod", {{"code_challenge_method", "S512"}}, 400, "invalid_request"},
        BadRequest{"ShortChallenge", {{"code_challenge", "short"}}, 400, "invalid_request"},
        BadRequest{"UnknownPrompt", {{"prompt", "please"}}, 400, "invalid_request"},
        BadRequest{"NoneWithConsent", {{"prompt", "none consent"}}, 400, "invalid_request"}),
    [](const auto& info) { return info.param.name; });

TEST(RedirectUris, WithoutAListAnyLoopbackUriWill) {
  EXPECT_TRUE(IsLoopbackUri("http://127.0.0.1:8000/auth/login/google/callback"));
  EXPECT_TRUE(IsLoopbackUri("https://localhost/cb"));
  EXPECT_TRUE(IsLoopbackUri("http://[::1]:9/cb"));
  EXPECT_FALSE(IsLoopbackUri("http://localhost.example.com/cb"));
  EXPECT_FALSE(IsLoopbackUri("http://localhost@example.com/cb"));
  EXPECT_FALSE(IsLoopbackUri("http://127.0.0.1/cb#part"));
  EXPECT_FALSE(IsLoopbackUri("javascript:alert(1)"));
}

TEST(Pages, NamesAreEscaped) {
  GoogleFlow flow;
  flow.accounts.Add("eve@example.com", "<script>\"Eve\"</script>");
  const Response page = flow.Begin(flow.AuthorizeQuery("openid"));
  EXPECT_THAT(page.body, Not(HasSubstr("<script>")));
  EXPECT_THAT(page.body, HasSubstr("&lt;script&gt;&quot;Eve"));
}

}  // namespace
}  // namespace latchkey::simulator
