#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kMetricsToken = "canary-metrics-token-4cJb1nT8sXw2QzLr";

class Operations : public IntegrationTest {
 protected:
  Operations() {
    server_.environment()["LATCHKEY_METRICS_TOKEN"] = kMetricsToken;
    AddCanary(kMetricsToken);
  }
};

TEST_F(Operations, HealthAndReadinessAnswerWithoutASession) {
  auto anybody = NewPerson();
  for (const auto* path : {"/health", "/livez", "/readyz"}) {
    const auto reply = anybody->Get(path);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_EQ(reply.Json().at("status").as_string(), "ok");
  }
  EXPECT_EQ(anybody->Get("/openapi.json").Json().at("openapi").as_string(), "3.1.0");
  EXPECT_EQ(anybody->Get("/.well-known/jwks.json").status, 200);
}

TEST_F(Operations, MetricsNeedTheirTokenOrAnAdministrator) {
  auto anybody = NewPerson(kGrace);
  EXPECT_EQ(anybody->Get("/metrics").status, 401);
  anybody->SignIn();
  EXPECT_EQ(anybody->Get("/metrics").status, 401);
  HttpCall call;
  call.url = anybody->Url("/metrics");
  call.headers = {std::string("Authorization: Bearer ") + kMetricsToken};
  const auto reply = Fetch(call);
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("# TYPE"));
  EXPECT_THAT(reply.body, Not(HasSubstr("example.com")));
  call.headers = {"Authorization: Bearer wrong"};
  EXPECT_EQ(Fetch(call).status, 401);
  auto admin = NewPerson();
  admin->SignInAsAdministrator();
  EXPECT_EQ(admin->Get("/metrics").status, 200);
}

TEST_F(Operations, AdministratorsSeeJobsRetryAndCancelThem) {
  auto admin = NewPerson();
  admin->SignInAsAdministrator();
  const auto account = admin->Connect(kAda);
  admin->WaitUntilImported(account);
  const auto page = admin->Get("/api/v1/jobs?limit=100");
  ASSERT_EQ(page.status, 200) << page.body;
  const auto jobs = page.Json().at("items").as_array();
  ASSERT_FALSE(jobs.empty());
  EXPECT_EQ(admin->Get("/api/v1/jobs?kind=backfill_emails&account=" + account).status, 200);
  EXPECT_EQ(admin->Get("/api/v1/jobs?state=flying").Code(), "invalid_argument");
  const auto completed = admin->Get("/api/v1/jobs?state=completed&kind=backfill_emails").Json().at("items").as_array();
  ASSERT_FALSE(completed.empty());
  const auto path = "/api/v1/jobs/" + std::string(completed[0].at("id").as_string());
  for (const auto* verb : {"/retry", "/cancel"}) {
    const auto reply = admin->Post(path + verb);
    EXPECT_TRUE(reply.status == 409 || reply.status == 200) << reply.status << reply.body;
  }
  EXPECT_EQ(admin->Post("/api/v1/jobs/01931f30-1111-7000-8000-000000000001/retry").status, 404);
}

TEST_F(Operations, EveryAnswerCarriesItsSecurityHeaders) {
  auto person = NewPerson();
  person->SignIn();
  std::vector<HttpReply> replies;
  for (const auto* path : {"/health", "/auth/session", "/api/v1/messages", "/api/v1/nothing", "/api/v1/messages/x"})
    replies.push_back(person->Get(path));
  for (const auto* path : {"/", "/login", "/auth/error?error=internal", "/auth/login/google"})
    replies.push_back(person->Navigate(path));
  for (const auto& reply : replies) {
    const auto policy = reply.Header("Content-Security-Policy");
    for (const auto* rule : {"object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"})
      EXPECT_THAT(policy, HasSubstr(rule)) << reply.status << reply.body.substr(0, 80);
    EXPECT_EQ(reply.Header("X-Content-Type-Options"), "nosniff");
    EXPECT_FALSE(reply.Header("Referrer-Policy").empty());
    EXPECT_FALSE(reply.Header("X-Request-Id").empty());
    EXPECT_TRUE(reply.All("Access-Control-Allow-Origin").empty());
  }
  EXPECT_THAT(person->Get("/api/v1/messages").Header("Cache-Control"), HasSubstr("no-store"));
  EXPECT_EQ(person->Navigate("/login").Header("Cross-Origin-Opener-Policy"), "same-origin-allow-popups");
}

TEST_F(Operations, AddressesComeFromTheSettingsAndNeverFromTheRequest) {
  HttpCall call;
  call.url = server_.url() + "/auth/login/google";
  call.headers = {"X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "Forwarded: host=evil.example"};
  const auto reply = Fetch(call);
  EXPECT_EQ(QueryOf(reply.Location(), "redirect_uri"), server_.url() + "/auth/login/google/callback");
  call.headers = {"Host: evil.example"};
  EXPECT_THAT(Fetch(call).Location(), Not(HasSubstr("evil.example")));
}

TEST_F(Operations, TheWebAppIsServedWithValidatorsAndUnknownApiPathsAreProblems) {
  auto person = NewPerson();
  const auto page = person->Navigate("/inbox");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.Header("Content-Type"), HasSubstr("text/html"));
  HttpCall call;
  call.url = person->Url("/");
  call.headers = {"If-None-Match: " + page.Header("ETag"), "Accept: text/html"};
  EXPECT_EQ(Fetch(call).status, 304);
  const auto missing = person->Get("/api/v1/nothing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.Code(), "not_found");
  HttpCall wrong_method;
  wrong_method.method = "PUT";
  wrong_method.url = person->Url("/api/v1/messages");
  EXPECT_EQ(Fetch(wrong_method).status, 405);
}

TEST_F(Operations, AnImageTokenThatWeDidNotMakeIsNotFound) {
  EXPECT_EQ(NewPerson()->Get("/api/v1/images/abc").status, 404);
}

}  // namespace
}  // namespace latchkey::integration
