#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

class Sessions : public IntegrationTest {};

TEST_F(Sessions, AStateChangeNeedsSameOriginProofAndTheSessionsToken) {
  auto person = NewPerson();
  person->SignIn();
  const auto try_with = [&](std::vector<std::string> headers) {
    HttpCall call;
    call.method = "POST";
    call.url = person->Url("/auth/logout");
    call.headers = std::move(headers);
    return person->SendRaw(call);
  };
  const auto origin = "Origin: " + server_.url();
  const auto token = "X-CSRF-Token: " + person->csrf();
  EXPECT_EQ(try_with({}).status, 403);
  EXPECT_EQ(try_with({token}).status, 403);
  EXPECT_EQ(try_with({origin}).Code(), "csrf_mismatch");
  EXPECT_EQ(try_with({origin, "X-CSRF-Token: wrong"}).status, 403);
  EXPECT_EQ(try_with({"Origin: https://evil.example", token}).status, 403);
  EXPECT_EQ(try_with({origin, "Sec-Fetch-Site: cross-site", token}).status, 403);
  EXPECT_EQ(try_with({"Sec-Fetch-Site: same-site", token}).status, 403);
  EXPECT_EQ(person->Get("/auth/sessions").status, 200);
  EXPECT_EQ(try_with({origin, token}).status, 204);
  EXPECT_EQ(person->Get("/auth/sessions").status, 401);
}

TEST_F(Sessions, TheTokenOfAnotherSessionIsNoProof) {
  auto one = NewPerson();
  one->SignIn();
  auto two = NewPerson(kGrace);
  two->SignIn();
  HttpCall call;
  call.method = "POST";
  call.url = one->Url("/auth/logout");
  call.headers = {"Origin: " + server_.url(), "X-CSRF-Token: " + two->csrf()};
  EXPECT_EQ(one->SendRaw(call).status, 403);
}

TEST_F(Sessions, BodiesAreJsonAndNothingElse) {
  auto person = NewPerson();
  person->SignIn();
  HttpCall call;
  call.method = "POST";
  call.url = person->Url("/api/v1/connect-attempts");
  call.body = "provider=google";
  const std::vector<std::string> proof{"Origin: " + server_.url(), "X-CSRF-Token: " + person->csrf()};
  call.headers = proof;
  call.headers.push_back("Content-Type: application/x-www-form-urlencoded");
  EXPECT_EQ(person->SendRaw(call).status, 415);
  for (const auto* body : {"{", "[]", "{\"provider\":\"google\",\"provider\":\"google\"}", "{\"provider\":1}", "null",
                           "{\"provider\":\"google\",\"capabilities\":[\"read_mail\"],\"more\":1}",
                           "{\"provider\":\"google\",\"capabilities\":[]}",
                           "{\"provider\":\"google\",\"capabilities\":[\"fly\"]}", "\"\xff\""}) {
    const auto reply = person->Post("/api/v1/connect-attempts", body);
    EXPECT_EQ(reply.status, 400) << body << " " << reply.body;
  }
  const auto deep = std::string(5000, '[') + std::string(5000, ']');
  EXPECT_EQ(person->Post("/api/v1/connect-attempts", deep).status, 400);
}

TEST_F(Sessions, UnknownQueryParametersAreRefused) {
  auto person = NewPerson();
  person->SignIn();
  EXPECT_EQ(person->Get("/api/v1/messages?colour=red").Code(), "invalid_argument");
  EXPECT_EQ(person->Get("/api/v1/messages?limit=1&limit=2").Code(), "invalid_argument");
  EXPECT_EQ(person->Get("/api/v1/messages?limit=0").status, 400);
  EXPECT_EQ(person->Get("/api/v1/messages?limit=101").status, 400);
  EXPECT_EQ(person->Get("/api/v1/messages?cursor=nonsense").status, 400);
}

TEST_F(Sessions, SigningInAgainEndsTheSessionThatThisBrowserHad) {
  auto person = NewPerson();
  person->SignIn();
  const auto old = person->browser().CookieValue("localhost", "latchkey_session");
  person->SignIn();
  const auto fresh = person->browser().CookieValue("localhost", "latchkey_session");
  EXPECT_NE(old, fresh);
  HttpCall call;
  call.url = person->Url("/auth/sessions");
  call.headers = {"Cookie: latchkey_session=" + old};
  EXPECT_TRUE(WaitUntil([&] { return Fetch(call).status == 401; }));
  EXPECT_EQ(person->Get("/auth/sessions").status, 200);
}

TEST_F(Sessions, AnAmbiguousCookieAuthenticatesNobody) {
  auto person = NewPerson();
  person->SignIn();
  const auto value = person->browser().CookieValue("localhost", "latchkey_session");
  for (const auto& header : {"latchkey_session=" + value + "; latchkey_session=other", "Latchkey_Session=" + value,
                             "__Host-latchkey_session=" + value}) {
    HttpCall call;
    call.url = person->Url("/auth/sessions");
    call.headers = {"Cookie: " + header};
    EXPECT_EQ(Fetch(call).status, 401) << header;
  }
}

TEST_F(Sessions, EachIsListedAndCanBeEndedByItsOwnerOnly) {
  auto here = NewPerson();
  here->SignIn();
  auto there = NewPerson();
  there->SignIn();
  auto other = NewPerson(kGrace);
  other->SignIn();
  const auto listed = here->Get("/auth/sessions").Json().at("items").as_array();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_TRUE(listed[0].at("current").as_bool());
  const std::string second(listed[1].at("id").as_string());
  EXPECT_EQ(other->Send("DELETE", "/auth/sessions/" + second).status, 404);
  EXPECT_EQ(there->Get("/auth/sessions").status, 200);
  EXPECT_EQ(here->Send("DELETE", "/auth/sessions/" + second).status, 204);
  EXPECT_EQ(there->Get("/auth/sessions").status, 401);
}

TEST_F(Sessions, LoggingOutEndsTheSessionAndItsOpenStream) {
  auto person = NewPerson();
  person->SignIn();
  auto events = person->OpenEvents();
  ASSERT_EQ(events->WaitForStatus(kPatience), 200);
  EXPECT_EQ(person->Post("/auth/logout").status, 204);
  EXPECT_TRUE(events->WaitFor([](const StreamedEvent& event) { return event.type == "session.ended"; }, kPatience));
  EXPECT_TRUE(events->WaitForEnd(kPatience));
  EXPECT_EQ(person->Get("/api/v1/messages").status, 401);
}

TEST_F(Sessions, LoggingOutEverywhereEndsTheOthersToo) {
  auto here = NewPerson();
  here->SignIn();
  auto there = NewPerson();
  there->SignIn();
  auto events = there->OpenEvents();
  ASSERT_EQ(events->WaitForStatus(kPatience), 200);
  EXPECT_EQ(here->Post("/auth/logout", R"({"everywhere":true})").status, 204);
  EXPECT_TRUE(events->WaitForEnd(kPatience));
  EXPECT_EQ(there->Get("/auth/sessions").status, 401);
}

TEST_F(Sessions, StreamsNeedASession) {
  EventReader events(server_.url() + "/api/v1/events", {});
  EXPECT_EQ(events.WaitForStatus(kPatience), 401);
}

TEST_F(Sessions, SurviveARestart) {
  auto person = NewPerson();
  person->SignIn();
  EXPECT_EQ(server_.Stop(), 0);
  server_.Start();
  EXPECT_EQ(person->Get("/auth/sessions").status, 200);
}

}  // namespace
}  // namespace latchkey::integration
