// What every provider must do, through the same ports. Each test runs once per provider.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <future>
#include <set>

#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::HasSubstr;

/// What differs from one provider to another, and nothing else.
struct Provider {
  std::string name;
  std::string mailbox, other_mailbox;
  std::string read_scope, send_scope;
  std::string secret_setting;  ///< Of the simulator.
  std::string right_secret;
  std::string counters;       ///< Where the simulator counts its tokens.
  std::string api;            ///< Glob over the paths of its mail API.
  std::string token_path;     ///< Glob.
  std::string expire_cursor;  ///< The simulator's control call that makes every cursor so far too old.
  bool revokes = false;
  std::string grants_page;
};

std::ostream& operator<<(std::ostream& out, const Provider& provider) { return out << provider.name; }

const Provider kGoogle{.name = "google",
                       .mailbox = kAda,
                       .other_mailbox = kGrace,
                       .read_scope = "https://www.googleapis.com/auth/gmail.readonly",
                       .send_scope = "https://www.googleapis.com/auth/gmail.compose",
                       .secret_setting = "client_secret",
                       .right_secret = kClientSecret,
                       .counters = "tokens",
                       .api = "/gmail/**",
                       .token_path = "/google/token",
                       .expire_cursor = "/expire-history",
                       .revokes = true,
                       .grants_page = "https://myaccount.google.com/connections"};
const Provider kMicrosoftWork{.name = "microsoft",
                              .mailbox = "walter@firm.example",
                              .other_mailbox = "wilma@firm.example",
                              .read_scope = "Mail.Read",
                              .send_scope = "Mail.Send",
                              .secret_setting = "microsoft_client_secret",
                              .right_secret = kMicrosoftClientSecret,
                              .counters = "microsoft_tokens",
                              .api = "/v1.0/**",
                              .token_path = "/*/oauth2/v2.0/token",
                              .expire_cursor = "/expire-delta",
                              .revokes = false,
                              .grants_page = "https://myapps.microsoft.com"};
Provider Personal() {
  Provider provider = kMicrosoftWork;
  provider.mailbox = "mia@outlook.example";
  provider.other_mailbox = "max@outlook.example";
  provider.grants_page = "https://account.live.com/consent/Manage";
  return provider;
}

class ProviderConformance : public IntegrationTest, public ::testing::WithParamInterface<Provider> {
 protected:
  ProviderConformance() { start_server_ = false; }

  void SetUp() override {
    auto& environment = server_.environment();
    environment["AUTH_MICROSOFT_CLIENT_ID"] = kMicrosoftClientId;
    environment["AUTH_MICROSOFT_CLIENT_SECRET"] = kMicrosoftClientSecret;
    environment["MICROSOFT_DISCOVERY_URL"] = simulator_.microsoft_discovery_url();
    environment["MICROSOFT_GRAPH_URL"] = simulator_.url();
    environment["GOOGLE_CALENDAR_URL"] = simulator_.url();
    if (it_.name == "microsoft") {
      for (const auto& email : {it_.mailbox, it_.other_mailbox})
        simulator_.Post("/accounts",
                        bj::object{{"email", email}, {"provider", "microsoft"}, {"name", "Sample Person"}});
    }
    IntegrationTest::SetUp();
    server_.Start();
    person_ = std::make_unique<Person>(server_, simulator_, it_.mailbox, it_.name);
  }

  std::string Connected(const std::vector<std::string>& capabilities = {"read_mail"}) {
    person_->SignIn();
    const auto id = person_->Connect(it_.mailbox, capabilities);
    EXPECT_FALSE(id.empty());
    return id;
  }
  std::string Text(const bj::value& object, std::string_view name) {
    const auto* member = object.is_object() ? object.as_object().if_contains(name) : nullptr;
    return member != nullptr && member->is_string() ? std::string(member->as_string()) : std::string();
  }
  std::string StatusOf(const std::string& account) { return Text(person_->Account(account), "status"); }
  bool BecomesStatus(const std::string& account, const std::string& status) {
    return WaitUntil([&] { return StatusOf(account) == status; });
  }
  std::int64_t TokensCounted(std::string_view name) {
    return simulator_.Get("/counters").at(it_.counters).at(name).to_number<std::int64_t>();
  }
  void ExpireAccessTokens() { simulator_.Post("/tokens/expire", bj::object{{"account", it_.mailbox}}); }
  /// The provider ends the grant, and the next refresh meets it.
  void EndGrant() { simulator_.Post("/grants/revoke", bj::object{{"account", it_.mailbox}}); }
  std::int64_t Fired(const std::string& fault) {
    return simulator_.Get("/counters").at("faults").at(fault).at("fired").to_number<std::int64_t>();
  }
  std::string AddFault(bj::object fault) {
    return bj::value_to<std::string>(simulator_.Post("/faults", std::move(fault)).at("id"));
  }

  const Provider it_ = GetParam();
  std::unique_ptr<Person> person_;
};

std::string CaseName(const ::testing::TestParamInfo<Provider>& info) {
  if (info.param.name == "google") return "Google";
  return info.param.mailbox.ends_with("outlook.example") ? "MicrosoftPersonal" : "MicrosoftWork";
}
INSTANTIATE_TEST_SUITE_P(Providers, ProviderConformance, ::testing::Values(kGoogle, kMicrosoftWork, Personal()),
                         CaseName);

TEST_P(ProviderConformance, APersonSignsInAndComesBackAsTheSamePerson) {
  const auto start = person_->StartSignIn();
  EXPECT_EQ(QueryOf(start.Location(), "scope"), "openid email profile");
  EXPECT_EQ(QueryOf(start.Location(), "code_challenge_method"), "S256");
  EXPECT_THAT(QueryOf(start.Location(), "prompt"), ::testing::Not(HasSubstr("consent")));
  person_->SignIn();
  const auto user = person_->Session().at("user");
  Person again(server_, simulator_, it_.mailbox, it_.name);
  again.SignIn();
  EXPECT_EQ(again.Session().at("user").at("id"), user.at("id"));
  Person other(server_, simulator_, it_.other_mailbox, it_.name);
  other.SignIn();
  EXPECT_NE(other.Session().at("user").at("id"), user.at("id"));
}

TEST_P(ProviderConformance, ARenamedPersonIsStillTheSameOne) {
  person_->SignIn();
  const auto user = person_->Session().at("user");
  const std::string renamed = "renamed." + it_.mailbox;
  simulator_.Patch("/accounts/" + it_.mailbox, bj::object{{"email", renamed}});
  Person again(server_, simulator_, renamed, it_.name);
  again.SignIn();
  EXPECT_EQ(again.Session().at("user").at("id"), user.at("id"));
}

TEST_P(ProviderConformance, AForgedIdTokenSignsNobodyIn) {
  std::vector<std::string> variants{"expired",       "wrong_audience", "wrong_issuer", "wrong_nonce",
                                    "bad_signature", "unknown_kid",    "alg_none"};
  if (it_.name == "microsoft") variants.insert(variants.end(), {"foreign_key", "wrong_tenant", "template_issuer"});
  for (const auto& variant : variants) {
    const auto fault = AddFault({{"kind", "id_token"}, {"variant", variant}, {"path", it_.token_path}});
    const auto back = simulator_.Authorize(person_->StartSignIn().Location(),
                                           {.account = it_.mailbox, .approve = true, .untick = {}});
    const auto end = person_->Navigate(back);
    EXPECT_EQ(QueryOf(end.Location(), "error"), "sign_in_failed") << variant;
    EXPECT_TRUE(person_->Session().at("user").is_null()) << variant;
    EXPECT_EQ(Fired(fault), 1) << variant;
    simulator_.Delete("/faults/" + fault);
  }
  person_->SignIn();
}

TEST_P(ProviderConformance, TheProvidersKeysRotateWithoutAFailedSignIn) {
  person_->SignIn();
  simulator_.Post(it_.name == "google" ? "/keys/rotate" : "/microsoft/keys/rotate", bj::object());
  Person other(server_, simulator_, it_.other_mailbox, it_.name);
  other.SignIn();
}

TEST_P(ProviderConformance, DeniedConsentConnectsNothingAndSaysSo) {
  person_->SignIn();
  const auto started = person_->StartConnect();
  person_->Navigate(
      simulator_.Authorize(started.authorize_url, {.account = it_.mailbox, .approve = false, .untick = {}}));
  const auto attempt = person_->Attempt(started.attempt_id);
  EXPECT_EQ(Text(attempt, "status"), "failed");
  EXPECT_EQ(Text(attempt, "error_code"), "access_denied");
}

TEST_P(ProviderConformance, PartOfThePermissionsConnectsThatPart) {
  person_->SignIn();
  Simulator::Choice choice{.account = it_.mailbox, .approve = true, .untick = {}};
  if (it_.name == "google") {
    choice.untick = {it_.send_scope};
  } else {
    // Microsoft's consent knows no boxes; an administrator may have blocked a permission.
    simulator_.Patch("/accounts/" + it_.mailbox, bj::object{{"blocked_scopes", {it_.send_scope}}});
  }
  const auto started = person_->StartConnect({"read_mail", "send_mail"});
  person_->Navigate(simulator_.Authorize(started.authorize_url, choice));
  const auto attempt = person_->Attempt(started.attempt_id);
  ASSERT_EQ(Text(attempt, "status"), "succeeded") << bj::serialize(attempt);
  EXPECT_EQ(Text(attempt, "error_code"), "partial_consent");
  EXPECT_EQ(attempt.at("account").at("missing_capabilities"), bj::array({"send_mail"}));

  // One click grants the rest, on the same account.
  if (it_.name == "microsoft")
    simulator_.Patch("/accounts/" + it_.mailbox, bj::object{{"blocked_scopes", bj::array()}});
  const auto id = Text(attempt.at("account"), "id");
  const auto granted = person_->Reconnect(id, it_.mailbox);
  ASSERT_EQ(Text(granted, "status"), "succeeded") << bj::serialize(granted);
  EXPECT_EQ(Text(granted, "error_code"), "");
  EXPECT_EQ(Text(granted.at("account"), "id"), id);
}

TEST_P(ProviderConformance, ReconnectingRefusesAnotherMailboxByName) {
  const auto id = Connected();
  const auto attempt = person_->Reconnect(id, it_.other_mailbox);
  EXPECT_EQ(Text(attempt, "status"), "failed");
  EXPECT_EQ(Text(attempt, "error_code"), "wrong_account");
  EXPECT_EQ(Text(attempt.at("params"), "expected"), it_.mailbox);
  EXPECT_EQ(Text(attempt.at("params"), "actual"), it_.other_mailbox);
  EXPECT_EQ(Text(person_->Account(id), "email"), it_.mailbox);
}

TEST_P(ProviderConformance, DisconnectingRevokesWhereTheProviderHasAWayTo) {
  const auto id = Connected();
  const auto preview = person_->Get("/api/v1/connected-accounts/" + id + "/erasure-preview").Json();
  EXPECT_EQ(preview.at("revokes_grant").as_bool(), it_.revokes);
  EXPECT_EQ(Text(preview, "grants_page"), it_.grants_page);
  const auto begun = person_->Send("DELETE", "/api/v1/connected-accounts/" + id);
  ASSERT_EQ(begun.status, 202) << begun.body;
  const auto erasure = Text(begun.Json(), "id");
  ASSERT_TRUE(
      WaitUntil([&] { return Text(person_->Get("/api/v1/erasures/" + erasure).Json(), "status") == "completed"; }));
  const auto receipt = person_->Get("/api/v1/erasures/" + erasure).Json();
  EXPECT_EQ(Text(receipt, "revocation"), it_.revokes ? "done" : "not_needed");
  EXPECT_EQ(TokensCounted("revoked") > 0, it_.revokes);
}

/// The same, for what needs a mailbox that is read.
class MailboxConformance : public ProviderConformance {
 protected:
  std::string Imported() {
    const auto id = Connected();
    person_->WaitUntilImported(id);
    return id;
  }
  void Deliver(const std::string& subject) {
    auto mail = Mail(subject);
    mail["to"] = it_.mailbox;
    mail["attachments"] = bj::array{bj::object{{"filename", "plan.txt"}, {"text", "the plan"}}};
    simulator_.Deliver(it_.mailbox, mail);
  }
  bool Arrives(const std::string& subject) {
    return WaitUntil([&] {
      const auto messages = person_->Messages();
      return std::ranges::any_of(messages, [&](const bj::value& item) { return Text(item, "subject") == subject; });
    });
  }
};
INSTANTIATE_TEST_SUITE_P(Providers, MailboxConformance, ::testing::Values(kGoogle, kMicrosoftWork, Personal()),
                         CaseName);

TEST_P(MailboxConformance, WhatIsThereComesFirstAndWhatArrivesComesSoon) {
  for (const auto* subject : {"one", "two", "three"}) Deliver(subject);
  const auto id = Imported();
  EXPECT_EQ(person_->Messages().size(), 3U);
  EXPECT_EQ(person_->Account(id).at("message_count").to_number<int>(), 3);
  Deliver("four");
  EXPECT_TRUE(Arrives("four"));
}

TEST_P(MailboxConformance, AMailIsSentOnceAndItsCopyAppearsOnce) {
  const auto id = Connected({"read_mail", "send_mail"});
  person_->WaitUntilImported(id);
  const bj::object mail{{"account", id},
                        {"to", bj::array{bj::object{{"address", it_.other_mailbox}}}},
                        {"subject", "The plan for Tuesday"},
                        {"text", "Bring boots."},
                        {"send_after_seconds", 0}};
  HttpCall call{.method = "POST", .url = person_->Url("/api/v1/messages"), .headers = {}, .body = bj::serialize(mail)};
  call.headers = {"Origin: " + server_.url(), "X-CSRF-Token: " + person_->csrf(), "Content-Type: application/json",
                  "Idempotency-Key: plan-for-tuesday"};
  const auto first = person_->SendRaw(call);
  ASSERT_EQ(first.status, 202) << first.body;
  const auto again = person_->SendRaw(call);
  ASSERT_EQ(again.status, 202) << again.body;
  const auto outgoing = Text(first.Json(), "id");
  EXPECT_EQ(Text(again.Json(), "id"), outgoing);
  ASSERT_TRUE(WaitUntil([&] { return Text(person_->Get("/api/v1/outbox/" + outgoing).Json(), "state") == "sent"; }))
      << person_->Get("/api/v1/outbox/" + outgoing).body;
  EXPECT_TRUE(Arrives("The plan for Tuesday"));
  const auto copies = person_->Messages();
  EXPECT_EQ(std::ranges::count_if(
                copies, [&](const bj::value& item) { return Text(item, "subject") == "The plan for Tuesday"; }),
            1);
  EXPECT_EQ(simulator_.Get("/sent/" + it_.mailbox).at("total").to_number<int>(), 1);
}

TEST_P(MailboxConformance, ACursorThatTheProviderForgotHealsAndNothingVanishes) {
  for (const auto* subject : {"one", "two", "three"}) Deliver(subject);
  Imported();
  const auto ids = [&] {
    std::set<std::string> ids;
    for (const auto& item : person_->Messages()) ids.insert(Text(item, "id"));
    return ids;
  };
  const auto before = ids();
  simulator_.Post("/mail/" + it_.mailbox + it_.expire_cursor, bj::object());
  Deliver("four");
  EXPECT_TRUE(Arrives("four"));
  const auto after = ids();
  EXPECT_EQ(after.size(), 4U);
  EXPECT_TRUE(std::ranges::includes(after, before)) << "the same rows as before";
}

TEST_P(MailboxConformance, AnAuditProvesTheAccountComplete) {
  for (const auto* subject : {"one", "two", "three"}) Deliver(subject);
  const auto id = Imported();
  const auto path = "/api/v1/connected-accounts/" + id + "/audit";
  EXPECT_EQ(person_->Post(path).status, 202);
  bj::value audit;
  ASSERT_TRUE(WaitUntil([&] {
    audit = person_->Get(path).Json();
    const auto state = Text(audit, "state");
    return state != "never" && state != "running";
  }));
  EXPECT_EQ(Text(audit, "state"), "complete") << bj::serialize(audit);
  EXPECT_EQ(audit.at("mail").at("provider_count").to_number<int>(), 3);
  EXPECT_EQ(audit.at("mail").at("stored_count").to_number<int>(), 3);
}

TEST_P(MailboxConformance, FiftyRequestsWithAnExpiredTokenCauseOneRefresh) {
  Deliver("with a plan");
  Imported();
  const auto message = Text(person_->Messages().at(0), "id");
  const auto whole = person_->Get("/api/v1/messages/" + message).Json();
  const auto path = "/api/v1/messages/" + message + "/attachments/" + Text(whole.at("attachments").at(0), "id");
  HttpCall call;
  call.url = person_->Url(path);
  call.headers = {"Cookie: " + person_->browser().CookieHeader(call.url), "Sec-Fetch-Site: same-origin"};
  const auto before = TokensCounted("refreshed");
  ExpireAccessTokens();
  std::vector<std::future<HttpReply>> replies;
  for (int i = 0; i < 50; ++i) replies.push_back(std::async(std::launch::async, [&] { return Fetch(call); }));
  for (auto& reply : replies) EXPECT_EQ(reply.get().status, 200);
  EXPECT_EQ(TokensCounted("refreshed"), before + 1);
}

TEST_P(MailboxConformance, NoCallIsMadeWhileTheProviderAskedToWaitNotEvenAfterAKill) {
  Imported();
  // Answers, and so counts, whatever is called during the five seconds.
  const auto fault = AddFault({{"kind", "respond"},
                               {"status", 429},
                               {"retry_after_seconds", 6},
                               {"path", it_.api},
                               {"account", it_.mailbox},
                               {"for_seconds", 5}});
  DatabaseFile database(server_.database());
  ASSERT_TRUE(WaitUntil([&] { return !database.Query("SELECT until FROM provider_pauses").empty(); }));
  server_.Kill();
  server_.Start();
  Deliver("after the wait");
  EXPECT_TRUE(Arrives("after the wait"));
  EXPECT_EQ(Fired(fault), 1);
}

TEST_P(MailboxConformance, ATokenThatExpiredIsRefreshedWithoutAnybodyNoticing) {
  const auto id = Connected();
  const auto before = TokensCounted("refreshed");
  ExpireAccessTokens();
  EXPECT_TRUE(WaitUntil([&] { return TokensCounted("refreshed") > before; }));
  EXPECT_NE(StatusOf(id), "needs_reauth");
}

TEST_P(MailboxConformance, AGrantThatEndedNeedsThePersonOnceAndReconnectingKeepsTheAccount) {
  const auto id = Connected();
  auto events = person_->OpenEvents();
  ASSERT_EQ(events->WaitForStatus(kPatience), 200);
  EndGrant();
  ASSERT_TRUE(BecomesStatus(id, "needs_reauth")) << bj::serialize(person_->Account(id));
  const auto account = person_->Account(id);
  EXPECT_EQ(Text(account, "reason"), "reauth_invalid_grant");
  EXPECT_EQ(Text(account, "action"), "reconnect");
  const auto refused = TokensCounted("refused");
  EXPECT_EQ(person_->Post("/api/v1/connected-accounts/" + id + "/sync").Code(), "conflict");

  // The stream told of it once; nothing asks the provider again before the person has acted.
  EXPECT_TRUE(
      events->WaitFor([](const StreamedEvent& event) { return event.type == "account.needs_reauth"; }, kPatience));
  const auto again = person_->Reconnect(id, it_.mailbox);
  ASSERT_EQ(Text(again, "status"), "succeeded") << bj::serialize(again);
  EXPECT_EQ(Text(again.at("account"), "id"), id);
  EXPECT_EQ(TokensCounted("refused"), refused);
  EXPECT_TRUE(WaitUntil([&] { return StatusOf(id) != "needs_reauth"; }));
  EXPECT_EQ(std::ranges::count(events->events(), "account.needs_reauth", &StreamedEvent::type), 1);
}

TEST_P(MailboxConformance, AnOperatorsFaultIsOneNoticeAndEndsByItself) {
  // The first administrator is another person.
  Person admin(server_, simulator_, kGrace);
  admin.SignInAsAdministrator();
  const auto id = Imported();
  simulator_.Patch("/settings", bj::object{{it_.secret_setting, "rotated-elsewhere"}});
  ExpireAccessTokens();
  const auto notices = [&] { return admin.Get("/api/v1/admin/notices").Json().at("items").as_array(); };
  ASSERT_TRUE(WaitUntil([&] { return !notices().empty(); }));
  EXPECT_EQ(Text(notices()[0], "code"), "invalid_client");
  EXPECT_EQ(notices().size(), 1U);
  EXPECT_NE(StatusOf(id), "needs_reauth");
  EXPECT_NE(StatusOf(id), "error");

  simulator_.Patch("/settings", bj::object{{it_.secret_setting, it_.right_secret}});
  EXPECT_TRUE(WaitUntil([&] { return notices().empty(); })) << "nobody touched the account";
  EXPECT_NE(StatusOf(id), "needs_reauth");
}

TEST_P(MailboxConformance, AnOperatorsFaultBeforeTheFirstImportIsOverSoonAfterItIsMended) {
  Person admin(server_, simulator_, kGrace);
  admin.SignInAsAdministrator();
  person_->SignIn();
  const bool google = it_.name == "google";
  // The code is still redeemed; what follows meets a refused token and a refused client.
  const auto token =
      AddFault({{"kind", "respond"},
                {"path", it_.token_path},
                {"skip", 1},
                {"payload", google ? "google.invalid_client.401" : "microsoft.token.error.7000215.bad-secret.401"}});
  const auto api =
      AddFault({{"kind", "respond"},
                {"path", it_.api},
                {"payload", google ? "gmail.authError.401" : "graph.error.InvalidAuthenticationToken.expired.401"}});
  simulator_.Deliver(it_.mailbox, Mail("Waiting"));
  const auto id = person_->Connect(it_.mailbox);
  const auto notices = [&] { return admin.Get("/api/v1/admin/notices").Json().at("items").as_array(); };
  ASSERT_TRUE(WaitUntil([&] { return !notices().empty(); }));
  EXPECT_NE(StatusOf(id), "needs_reauth");
  simulator_.Delete("/faults/" + token);
  simulator_.Delete("/faults/" + api);
  EXPECT_TRUE(BecomesStatus(id, "healthy")) << bj::serialize(person_->Account(id));
  EXPECT_EQ(person_->Messages().size(), 1U);
  // The stored token works again; that the client does too, the next refresh proves.
  ExpireAccessTokens();
  EXPECT_TRUE(WaitUntil([&] { return notices().empty(); }));
}

}  // namespace
}  // namespace latchkey::integration
