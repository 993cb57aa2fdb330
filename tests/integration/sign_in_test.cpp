#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <future>

#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

class SignIn : public IntegrationTest {
 protected:
  // Starts signing in and lets the person agree: the callback address, not yet followed.
  std::string Callback(Person& person,
                       const Simulator::Choice& choice = {.account = kAda, .approve = true, .untick = {}}) {
    const auto start = person.StartSignIn();
    EXPECT_EQ(start.status, 307);
    return simulator_.Authorize(start.Location(), choice);
  }

  static std::string ErrorOf(const HttpReply& reply) {
    EXPECT_EQ(reply.status, 303) << reply.body;
    EXPECT_EQ(PathOf(reply.Location()), "/auth/error") << reply.Location();
    return QueryOf(reply.Location(), "error");
  }

  static bool SignedIn(Person& person) { return person.Session().at("user").is_object(); }

  std::int64_t CodesRedeemed() { return simulator_.Get("/counters").at("tokens").at("codes_redeemed").as_int64(); }
};

TEST_F(SignIn, AsksForNameAndAddressOnlyWithStateNonceAndPkce) {
  auto person = NewPerson();
  const auto start = person->StartSignIn();
  ASSERT_EQ(start.status, 307);
  const auto url = start.Location();
  EXPECT_EQ(QueryOf(url, "scope"), "openid email profile");
  EXPECT_EQ(QueryOf(url, "response_type"), "code");
  EXPECT_EQ(QueryOf(url, "code_challenge_method"), "S256");
  EXPECT_GE(QueryOf(url, "state").size(), 22U);
  EXPECT_GE(QueryOf(url, "nonce").size(), 22U);
  EXPECT_EQ(QueryOf(url, "redirect_uri"), server_.url() + "/auth/login/google/callback");
  const auto again = person->StartSignIn();
  EXPECT_NE(QueryOf(url, "state"), QueryOf(again.Location(), "state"));
  EXPECT_NE(QueryOf(url, "nonce"), QueryOf(again.Location(), "nonce"));
}

TEST_F(SignIn, OpensASessionWhoseCookieScriptsCannotReadAndNoTokenIsInAnyAddress) {
  auto person = NewPerson();
  const auto callback = Callback(*person);
  const auto end = person->Navigate(callback);
  ASSERT_EQ(end.status, 303);
  EXPECT_EQ(PathOf(end.Location()), "/auth/callback");
  const auto& jar = person->browser().cookies()["localhost"];
  const auto cookie = jar.find("latchkey_session");
  ASSERT_NE(cookie, jar.end());
  EXPECT_THAT(cookie->second.attributes, HasSubstr("HttpOnly"));
  EXPECT_THAT(cookie->second.attributes, HasSubstr("SameSite=Strict"));
  EXPECT_THAT(cookie->second.attributes, HasSubstr("Path=/"));
  EXPECT_THAT(cookie->second.attributes, Not(HasSubstr("Domain")));
  EXPECT_GE(cookie->second.value.size(), 43U);
  EXPECT_THAT(end.Location(), Not(HasSubstr(cookie->second.value)));
  AddCanary(cookie->second.value);
  const auto session = person->Session();
  EXPECT_EQ(session.at("user").at("email").as_string(), kAda);
  AddCanary(person->csrf());
  EXPECT_THAT(bj::serialize(session), Not(HasSubstr("ya29.")));
}

TEST_F(SignIn, ReturnsToALocalPathAndToNothingElse) {
  for (const auto& [wanted, expected] :
       std::vector<std::pair<std::string, std::string>>{{"/accounts", "/accounts"},
                                                        {"https%3A%2F%2Fevil.example%2F", "/"},
                                                        {"%2F%2Fevil.example", "/"},
                                                        {"%2F%5Cevil.example", "/"}}) {
    auto person = NewPerson();
    const auto start = person->StartSignIn("?return_to=" + wanted);
    ASSERT_EQ(start.status, 307);
    const auto end =
        person->Navigate(simulator_.Authorize(start.Location(), {.account = kAda, .approve = true, .untick = {}}));
    EXPECT_TRUE(end.Location().starts_with(server_.url() + "/")) << end.Location();
    EXPECT_EQ(QueryOf(end.Location(), "return_to"), expected);
  }
}

TEST_F(SignIn, AMissingAlteredOrUnknownStateIsRefusedWithoutRedeemingTheCode) {
  auto person = NewPerson();
  const auto callback = Callback(*person);
  const auto state = QueryOf(callback, "state");
  auto altered = state;
  altered[5] = altered[5] == 'A' ? 'B' : 'A';
  EXPECT_EQ(ErrorOf(person->Navigate(WithQuery(callback, "state", altered))), "state_mismatch");
  EXPECT_EQ(ErrorOf(person->Navigate(WithQuery(callback, "state", "x"))), "state_mismatch");
  auto without = callback;
  const auto at = without.find("state=");
  without.replace(at, 5, "other");
  EXPECT_EQ(ErrorOf(person->Navigate(without)), "state_mismatch");
  EXPECT_FALSE(SignedIn(*person));
  EXPECT_EQ(CodesRedeemed(), 0);
}

TEST_F(SignIn, AValidStateInAnotherBrowserIsRefused) {
  auto person = NewPerson();
  auto thief = NewPerson();
  const auto callback = Callback(*person);
  EXPECT_EQ(ErrorOf(thief->Navigate(callback)), "state_mismatch");
  EXPECT_FALSE(SignedIn(*thief));
  EXPECT_EQ(CodesRedeemed(), 0);
}

TEST_F(SignIn, RepeatedParametersAreRefused) {
  auto person = NewPerson();
  const auto callback = Callback(*person);
  for (const auto* name : {"code", "state"}) {
    const auto twice = callback + "&" + name + "=" + QueryOf(callback, name);
    const auto code = ErrorOf(person->Navigate(twice));
    EXPECT_TRUE(code == "invalid_argument" || code == "state_mismatch") << code;
  }
  EXPECT_EQ(CodesRedeemed(), 0);
}

TEST_F(SignIn, ARepeatedCallbackShowsTheFirstOutcomeAndNeverRedeemsAgain) {
  auto person = NewPerson();
  const auto callback = Callback(*person);
  const auto cookies = person->browser().cookies();
  ASSERT_EQ(PathOf(person->Navigate(callback).Location()), "/auth/callback");
  person->browser().cookies()["localhost"].insert(cookies.at("localhost").begin(), cookies.at("localhost").end());
  const auto repeat = person->Navigate(callback);
  EXPECT_EQ(repeat.status, 303);
  EXPECT_EQ(PathOf(repeat.Location()), "/auth/callback") << repeat.Location();
  EXPECT_TRUE(SignedIn(*person));
  EXPECT_EQ(CodesRedeemed(), 1);
}

TEST_F(SignIn, SimultaneousCallbacksRedeemTheCodeOnce) {
  auto person = NewPerson();
  const auto callback = Callback(*person);
  HttpCall call;
  call.url = callback;
  call.headers = {"Cookie: " + person->browser().CookieHeader(callback), "Accept: text/html"};
  std::vector<std::future<HttpReply>> replies;
  for (int i = 0; i < 8; ++i) replies.push_back(std::async(std::launch::async, [&] { return Fetch(call); }));
  int cookies = 0;
  for (auto& future : replies) {
    const auto reply = future.get();
    EXPECT_EQ(reply.status, 303);
    EXPECT_EQ(PathOf(reply.Location()), "/auth/callback") << reply.Location();
    for (const auto& line : reply.All("Set-Cookie"))
      cookies += line.starts_with("latchkey_session=") && !line.contains("Max-Age=0");
  }
  EXPECT_EQ(cookies, 1);
  EXPECT_EQ(CodesRedeemed(), 1);
}

TEST_F(SignIn, AnIssuerThatIsNotTheConfiguredOneIsRefused) {
  simulator_.Patch("/settings", bj::object{{"send_iss", true}});
  auto person = NewPerson();
  const auto callback = Callback(*person);
  ASSERT_FALSE(QueryOf(callback, "iss").empty());
  EXPECT_EQ(ErrorOf(person->Navigate(WithQuery(callback, "iss", "https://other.example"))), "state_mismatch");
  EXPECT_EQ(CodesRedeemed(), 0);
}

TEST_F(SignIn, TheConfiguredIssuerIsAccepted) {
  simulator_.Patch("/settings", bj::object{{"send_iss", true}});
  auto person = NewPerson();
  person->SignIn();
}

TEST_F(SignIn, DeniedConsentEndsOnTheErrorPageWithItsCode) {
  auto person = NewPerson();
  const auto callback = Callback(*person, {.account = kAda, .approve = false, .untick = {}});
  EXPECT_EQ(ErrorOf(person->Navigate(callback)), "access_denied");
  EXPECT_FALSE(SignedIn(*person));
}

TEST_F(SignIn, TextsOfTheProviderNeverReachOurPages) {
  auto person = NewPerson();
  const auto start = person->StartSignIn();
  const auto url = server_.url() + "/auth/login/google/callback?error=evil_text&error_description=evil_text&state=" +
                   QueryOf(start.Location(), "state");
  const auto reply = person->Navigate(url);
  EXPECT_THAT(reply.Location(), Not(HasSubstr("evil_text")));
  EXPECT_THAT(reply.body, Not(HasSubstr("evil_text")));
}

TEST_F(SignIn, ForgedIdTokensOpenNoSession) {
  for (const auto* variant : {"expired", "wrong_audience", "wrong_issuer", "wrong_nonce", "no_nonce", "bad_signature",
                              "unknown_kid", "alg_none"}) {
    simulator_.Post("/faults", bj::object{{"kind", "id_token"}, {"variant", variant}, {"count", 1}});
    auto person = NewPerson();
    EXPECT_EQ(ErrorOf(person->Navigate(Callback(*person))), "sign_in_failed") << variant;
    EXPECT_FALSE(SignedIn(*person)) << variant;
  }
}

TEST_F(SignIn, KeyRotationAtTheProviderFailsNobody) {
  NewPerson()->SignIn();
  simulator_.Post("/keys/rotate", bj::object{});
  NewPerson()->SignIn();
}

TEST_F(SignIn, APersonIsKnownBySubjectNotByAddress) {
  auto first = NewPerson();
  first->SignIn();
  const auto id = first->Session().at("user").at("id");
  simulator_.Patch(std::string("/accounts/") + kAda, bj::object{{"email", "ada.new@example.com"}});
  auto later = std::make_unique<Person>(server_, simulator_, "ada.new@example.com");
  later->SignIn();
  EXPECT_EQ(later->Session().at("user").at("id"), id);
  // Somebody else who has the old address now is somebody else.
  simulator_.AddAccount("stranger@example.com", "Another Ada");
  simulator_.Patch("/accounts/stranger@example.com", bj::object{{"email", kAda}});
  auto stranger = NewPerson(kAda);
  stranger->SignIn();
  EXPECT_NE(stranger->Session().at("user").at("id"), id);
}

TEST_F(SignIn, TheSetupLinkMakesOneAdministratorOnce) {
  auto admin = NewPerson();
  admin->SignInAsAdministrator();
  auto late = NewPerson(kGrace);
  const auto reply = late->Navigate(server_.setup_url());
  EXPECT_EQ(QueryOf(reply.Location(), "error"), "state_expired") << reply.Location();
  late->SignIn();
  EXPECT_FALSE(late->Session().at("user").at("is_admin").as_bool());
}

TEST_F(SignIn, AWrongSetupLinkGivesNothing) {
  auto person = NewPerson();
  const auto reply = person->Navigate("/auth/setup?token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
  EXPECT_EQ(QueryOf(reply.Location(), "error"), "not_found");
  person->SignIn();
  EXPECT_FALSE(person->Session().at("user").at("is_admin").as_bool());
}

TEST_F(SignIn, AnUnreachableProviderEndsInWordsAndLaterWorks) {
  simulator_.Post("/faults", bj::object{{"kind", "reset"}, {"path", "/google/.well-known/openid-configuration"}});
  auto person = NewPerson();
  const auto start = person->StartSignIn();
  EXPECT_EQ(start.status, 307);
  EXPECT_EQ(QueryOf(start.Location(), "error"), "provider_unavailable") << start.Location();
  simulator_.Delete("/faults");
  EXPECT_TRUE(WaitUntil([&] { return !PathOf(person->StartSignIn().Location()).starts_with("/auth/error"); }));
}

TEST_F(SignIn, AProviderThatIsNotSetUpSaysSo) {
  auto person = NewPerson();
  const auto reply = person->Navigate("/auth/login/microsoft");
  EXPECT_EQ(reply.status, 307);
  EXPECT_EQ(QueryOf(reply.Location(), "error"), "provider_not_configured");
}

TEST_F(SignIn, TooManyTriesAreSlowedDown) {
  HttpCall call;
  call.url = server_.url() + "/auth/login/google";
  HttpReply reply;
  for (int i = 0; i < 400 && reply.status != 429; ++i) reply = Fetch(call);
  EXPECT_EQ(reply.status, 429);
  EXPECT_FALSE(reply.Header("Retry-After").empty());
}

TEST_F(SignIn, ManyAbandonedTriesDoNotFillTheBrowserWithCookies) {
  auto person = NewPerson();
  for (int i = 0; i < 60; ++i) ASSERT_EQ(person->StartSignIn().status, 307) << i;
  EXPECT_LT(person->browser().cookies()["localhost"].size(), 15U);
  person->SignIn();
}

}  // namespace
}  // namespace latchkey::integration
