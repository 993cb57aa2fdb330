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

constexpr const char* kSendScope = "https://www.googleapis.com/auth/gmail.compose";
constexpr const char* kReadScope = "https://www.googleapis.com/auth/gmail.readonly";

class ConnectMailbox : public IntegrationTest {
 protected:
  void SetUp() override {
    IntegrationTest::SetUp();
    ada_ = NewPerson();
    ada_->SignIn();
  }

  std::string Agree(const Person::Started& started, const Simulator::Choice& choice) {
    return simulator_.Authorize(started.authorize_url, choice);
  }
  std::string Agree(const Person::Started& started) {
    return Agree(started, {.account = kAda, .approve = true, .untick = {}});
  }

  std::size_t AccountsOf(Person& person) {
    return person.Get("/api/v1/connected-accounts").Json().at("items").as_array().size();
  }

  std::string Status(Person& person, const std::string& attempt) {
    return std::string(person.Attempt(attempt).at("status").as_string());
  }

  // Tokens that the provider still honours beyond those of signing in.
  bool MailGrantLives() {
    for (const auto& grant : simulator_.Get("/grants").at("grants").as_array()) {
      for (const auto& scope : grant.at("scopes").as_array()) {
        if (scope.as_string() == kReadScope && grant.at("refresh_tokens").to_number<int>() > 0) return true;
      }
    }
    return false;
  }

  std::unique_ptr<Person> ada_;
};

TEST_F(ConnectMailbox, EndsOnTheDonePageAndTheAttemptTellsHowItWent) {
  const auto started = ada_->StartConnect();
  EXPECT_THAT(QueryOf(started.authorize_url, "scope"), HasSubstr("gmail.readonly"));
  EXPECT_THAT(QueryOf(started.authorize_url, "scope"), Not(HasSubstr("gmail.compose")));
  EXPECT_EQ(QueryOf(started.authorize_url, "redirect_uri"), server_.url() + "/auth/apis/connect/google/callback");
  EXPECT_EQ(Status(*ada_, started.attempt_id), "pending");
  const auto end = ada_->Navigate(Agree(started));
  EXPECT_EQ(end.status, 303);
  EXPECT_EQ(PathOf(end.Location()), "/connect/done");
  EXPECT_EQ(QueryOf(end.Location(), "attempt"), started.attempt_id);
  const auto attempt = ada_->Attempt(started.attempt_id);
  EXPECT_EQ(attempt.at("status").as_string(), "succeeded");
  EXPECT_EQ(attempt.at("account").at("email").as_string(), kAda);
  EXPECT_EQ(AccountsOf(*ada_), 1U);
}

TEST_F(ConnectMailbox, TheStreamTellsOfTheEndOfTheAttempt) {
  auto events = ada_->OpenEvents();
  ASSERT_EQ(events->WaitForStatus(kPatience), 200);
  ada_->Connect(kAda);
  EXPECT_TRUE(events->WaitFor([](const StreamedEvent& event) { return event.type == "connect.finished"; }, kPatience));
}

TEST_F(ConnectMailbox, NeedsASession) {
  auto stranger = NewPerson(kGrace);
  const auto reply = stranger->Navigate("/auth/apis/connect/google");
  EXPECT_EQ(reply.status, 307);
  EXPECT_EQ(PathOf(reply.Location()), "/login");
  EXPECT_EQ(stranger->Post("/api/v1/connect-attempts", R"({"provider":"google","capabilities":["read_mail"]})").status,
            401);
}

TEST_F(ConnectMailbox, ASessionThatEndedMeanwhileGetsNothingAndTheGrantIsRevoked) {
  const auto started = ada_->StartConnect();
  const auto callback = Agree(started);
  EXPECT_EQ(ada_->Post("/auth/logout").status, 204);
  const auto end = ada_->Navigate(callback);
  EXPECT_EQ(end.status, 303);
  auto again = NewPerson();
  again->SignIn();
  EXPECT_EQ(AccountsOf(*again), 0U);
  EXPECT_TRUE(WaitUntil([&] { return !MailGrantLives(); }));
}

TEST_F(ConnectMailbox, AnotherBrowserCannotFinishIt) {
  auto thief = NewPerson(kGrace);
  thief->SignIn();
  const auto started = ada_->StartConnect();
  const auto callback = Agree(started);
  const auto end = thief->Navigate(callback);
  EXPECT_EQ(QueryOf(end.Location(), "error"), "state_mismatch") << end.Location();
  EXPECT_EQ(AccountsOf(*thief), 0U);
  EXPECT_EQ(Status(*ada_, started.attempt_id), "pending");
}

TEST_F(ConnectMailbox, TheAddressOfAnAttemptGivesASecondBrowserNoMailbox) {
  const auto started = ada_->StartConnect();
  const auto path = "/auth/apis/connect/google?attempt=" + started.attempt_id;
  auto stranger = NewPerson(kGrace);
  stranger->SignIn();
  EXPECT_EQ(QueryOf(stranger->Navigate(path).Location(), "error"), "not_found");
  // The same person elsewhere is asked first.
  auto elsewhere = NewPerson();
  elsewhere->SignIn();
  EXPECT_EQ(PathOf(elsewhere->Navigate(path).Location()), "/connect/confirm");
}

TEST_F(ConnectMailbox, ATicketOpensOnceAndGivesNobodyElseTheMailbox) {
  const auto issue = [&] {
    const auto issued = ada_->Post("/auth/apis/connect/google", R"({"capabilities":["read_mail"],"mode":"page"})");
    EXPECT_EQ(issued.status, 201) << issued.body;
    return std::string(issued.Json().at("url").as_string());
  };
  const auto own = issue();
  AddCanary(QueryOf(server_.url() + own, "ticket"));
  const auto sent = ada_->Navigate(own);
  EXPECT_EQ(sent.status, 307);
  EXPECT_EQ(PathOf(sent.Location()), "/google/o/oauth2/v2/auth") << sent.Location();
  EXPECT_EQ(QueryOf(ada_->Navigate(own).Location(), "error"), "not_found") << "a second time";
  EXPECT_EQ(QueryOf(ada_->Navigate("/auth/apis/connect/google?ticket=short").Location(), "error"), "not_found");

  auto nobody = NewPerson(kGrace);
  EXPECT_EQ(PathOf(nobody->Navigate(issue()).Location()), "/login");
  auto elsewhere = NewPerson();
  elsewhere->SignIn();
  EXPECT_EQ(PathOf(elsewhere->Navigate(issue()).Location()), "/connect/confirm");
  EXPECT_EQ(nobody->Post("/auth/apis/connect/google").status, 401);
}

TEST_F(ConnectMailbox, ACallbackOfTheOtherFlowIsRefused) {
  const auto started = ada_->StartConnect();
  auto callback = Agree(started);
  const auto at = callback.find("/auth/apis/connect/google/callback");
  ASSERT_NE(at, std::string::npos);
  callback.replace(at, std::string("/auth/apis/connect/google/callback").size(), "/auth/login/google/callback");
  EXPECT_EQ(QueryOf(ada_->Navigate(callback).Location(), "error"), "state_mismatch");
}

TEST_F(ConnectMailbox, RepeatedAndSimultaneousCallbacksConnectOnce) {
  const auto started = ada_->StartConnect();
  const auto callback = Agree(started);
  HttpCall call;
  call.url = callback;
  call.headers = {"Cookie: " + ada_->browser().CookieHeader(callback), "Accept: text/html"};
  std::vector<std::future<HttpReply>> replies;
  for (int i = 0; i < 6; ++i) replies.push_back(std::async(std::launch::async, [&] { return Fetch(call); }));
  for (auto& future : replies) {
    const auto reply = future.get();
    EXPECT_EQ(PathOf(reply.Location()), "/connect/done") << reply.Location();
  }
  EXPECT_EQ(PathOf(Fetch(call).Location()), "/connect/done");
  EXPECT_EQ(AccountsOf(*ada_), 1U);
  EXPECT_EQ(simulator_.Get("/counters").at("tokens").at("codes_redeemed").as_int64(), 2);  // One was the sign-in.
}

TEST_F(ConnectMailbox, DeniedConsentFailsTheAttemptWithItsCode) {
  const auto started = ada_->StartConnect();
  const auto end = ada_->Navigate(Agree(started, {.account = kAda, .approve = false, .untick = {}}));
  EXPECT_EQ(PathOf(end.Location()), "/connect/done");
  const auto attempt = ada_->Attempt(started.attempt_id);
  EXPECT_EQ(attempt.at("status").as_string(), "failed");
  EXPECT_EQ(attempt.at("error_code").as_string(), "access_denied");
  EXPECT_EQ(AccountsOf(*ada_), 0U);
}

TEST_F(ConnectMailbox, PartialConsentConnectsWhatWasGrantedAndNamesTheRest) {
  const auto started = ada_->StartConnect({"read_mail", "send_mail"});
  ada_->Navigate(Agree(started, {.account = kAda, .approve = true, .untick = {kSendScope}}));
  const auto attempt = ada_->Attempt(started.attempt_id);
  EXPECT_EQ(attempt.at("status").as_string(), "succeeded");
  EXPECT_EQ(attempt.at("error_code").as_string(), "partial_consent");
  EXPECT_EQ(attempt.at("account").at("missing_capabilities"), bj::array({"send_mail"}));
  const auto account = ada_->Account(std::string(attempt.at("account").at("id").as_string()));
  EXPECT_EQ(account.at("capabilities").at("read_mail").at("status").as_string(), "ok");
  EXPECT_EQ(account.at("capabilities").at("send_mail").at("status").as_string(), "missing_scope");
}

TEST_F(ConnectMailbox, WithoutTheNeededPermissionNothingIsConnected) {
  const auto started = ada_->StartConnect({"read_mail", "send_mail"});
  ada_->Navigate(Agree(started, {.account = kAda, .approve = true, .untick = {kReadScope, kSendScope}}));
  const auto attempt = ada_->Attempt(started.attempt_id);
  EXPECT_EQ(attempt.at("status").as_string(), "failed");
  EXPECT_EQ(attempt.at("error_code").as_string(), "required_scope_missing");
  EXPECT_EQ(AccountsOf(*ada_), 0U);
}

TEST_F(ConnectMailbox, ReconnectingKeepsTheAccountAndRefusesAnotherMailbox) {
  const auto id = ada_->Connect(kAda);
  ASSERT_FALSE(id.empty());
  const auto reconnect = [&](const std::string& mailbox) {
    const auto created = ada_->Post("/api/v1/connected-accounts/" + id + "/reconnect", R"({"mode":"popup"})");
    EXPECT_EQ(created.status, 201) << created.body;
    const auto attempt = created.Json();
    const auto sent = ada_->Navigate(std::string(attempt.at("url").as_string()));
    ada_->Navigate(simulator_.Authorize(sent.Location(), {.account = mailbox, .approve = true, .untick = {}}));
    return ada_->Attempt(std::string(attempt.at("id").as_string()));
  };
  const auto same = reconnect(kAda);
  EXPECT_EQ(same.at("status").as_string(), "succeeded") << bj::serialize(same);
  EXPECT_EQ(same.at("account").at("id").as_string(), id);
  const auto other = reconnect(kGrace);
  EXPECT_EQ(other.at("status").as_string(), "failed") << bj::serialize(other);
  EXPECT_EQ(other.at("error_code").as_string(), "wrong_account");
  EXPECT_EQ(AccountsOf(*ada_), 1U);
}

TEST_F(ConnectMailbox, TwoPeopleMayConnectTheSameMailboxAndOnePersonSeveral) {
  auto grace = NewPerson(kGrace);
  grace->SignIn();
  const auto one = ada_->Connect(kAda);
  const auto two = ada_->Connect(kGrace);
  const auto shared = grace->Connect(kAda);
  EXPECT_NE(one, two);
  EXPECT_NE(one, shared);
  EXPECT_EQ(AccountsOf(*ada_), 2U);
  EXPECT_EQ(AccountsOf(*grace), 1U);
  const auto reply = ada_->Post("/auth/apis/disconnect/google");
  EXPECT_EQ(reply.Code(), "conflict");
  EXPECT_EQ(grace->Post("/auth/apis/disconnect/google").status, 202);
}

TEST_F(ConnectMailbox, AWrongClientSecretIsTheOperatorsFaultAndOneNoticeSaysSo) {
  EXPECT_EQ(server_.Stop(), 0);
  server_.Start();
  auto admin = NewPerson(kGrace);
  admin->SignInAsAdministrator();
  simulator_.Patch("/settings", bj::object{{"client_secret", "rotated-elsewhere"}});
  const auto started = ada_->StartConnect();
  ada_->Navigate(Agree(started));
  EXPECT_EQ(ada_->Attempt(started.attempt_id).at("error_code").as_string(), "invalid_client");
  const auto notices = admin->Get("/api/v1/admin/notices");
  ASSERT_EQ(notices.status, 200);
  const auto items = notices.Json().at("items").as_array();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].at("code").as_string(), "invalid_client");
  EXPECT_EQ(ada_->Get("/api/v1/admin/notices").status, 403);
}

TEST_F(ConnectMailbox, TheProvidersTokensAreSealedAtRest) {
  ada_->Connect(kAda);
  EXPECT_EQ(server_.Stop(), 0);
  for (const auto* file : {"/latchkey.db", "/latchkey.db-wal"}) {
    const auto bytes = ReadFile(server_.data_directory() + file);
    for (const auto* clear : {"ya29.", "1//0"}) EXPECT_FALSE(bytes.contains(clear)) << file;
    const auto cookie = ada_->browser().CookieValue("localhost", "latchkey_session");
    EXPECT_FALSE(bytes.contains(cookie)) << file;
  }
}

}  // namespace
}  // namespace latchkey::integration
