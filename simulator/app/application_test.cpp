#include "simulator/app/application.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "simulator/testing/curl.hpp"
#include "simulator/testing/fake_mail.hpp"
#include "simulator/testing/google_flow.hpp"
#include "simulator/testing/running_server.hpp"

namespace latchkey::simulator {
namespace {

using testing::FakeMail;
using ::testing::HasSubstr;
using testing::kRead;
using testing::Pairs;
using testing::Text;

/// The simulator without sockets, around a mail service that only remembers.
class Simulator : public ::testing::Test {
 protected:
  Simulator()
      : application_(Settings{}, [this](const auto&, const auto&, auto) {
          auto mail = std::make_unique<FakeMail>();
          mail_ = mail.get();
          return mail;
        }) {
    application_.accounts().Add("ada@example.com", "Ada Example");
  }

  Response Send(std::string method, std::string target, std::string body = {}, Headers headers = {},
                std::string host = "127.0.0.1:8025") {
    Request request;
    request.method = std::move(method);
    request.SetTarget(std::move(target));
    request.scheme = "http";
    request.host = std::move(host);
    request.headers = std::move(headers);
    request.body = std::move(body);
    return application_.Handle(request);
  }
  boost::json::object Control(std::string method, std::string target, std::string body = {}) {
    const Response response = Send(std::move(method), "/control/" + target, std::move(body));
    EXPECT_EQ(response.status, 200) << response.body;
    return testing::Json(response);
  }
  std::string Location(std::string_view scope, std::string_view decision = "approve") {
    boost::json::object body;
    body["url"] = "http://127.0.0.1:8025/google/o/oauth2/v2/auth?" + testing::Encode(flow_.AuthorizeQuery(scope));
    body["account"] = "ada@example.com";
    body["decision"] = decision;
    return Text(Control("POST", "google/authorize", boost::json::serialize(body)), "location");
  }
  boost::json::object Tokens(std::string_view scope = kRead) {
    return testing::Json(TokenRequest(flow_.CodeForm(testing::Parameter(Location(scope), "code"))));
  }
  Response TokenRequest(const Pairs& form) { return Send("POST", "/google/token", testing::Encode(form)); }
  Response Gmail(std::string_view token, std::string target = "/gmail/v1/users/me/profile") {
    return Send("GET", std::move(target), "", {{"Authorization", "Bearer " + std::string(token)}});
  }

  testing::GoogleFlow flow_;
  FakeMail* mail_ = nullptr;
  Application application_;
};

TEST_F(Simulator, MailIsReachedWithAValidTokenOnly) {
  const std::string token = Text(Tokens(), "access_token");
  EXPECT_THAT(Gmail(token).body, HasSubstr("\"who\":\"ada@example.com\""));
  const Response refused = Gmail("ya29.stolen");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr("\"reason\":\"authError\""));
  EXPECT_THAT(refused.body, HasSubstr("UNAUTHENTICATED"));
  EXPECT_THAT(refused.headers.Get("WWW-Authenticate"), HasSubstr("invalid_token"));
  EXPECT_EQ(Send("GET", "/gmail/v1/users/me/profile").status, 401);
  EXPECT_EQ(mail_->handled, 1);
}

TEST_F(Simulator, EveryMailPathIsRouted) {
  const std::string token = Text(Tokens(), "access_token");
  for (const char* path : {"/gmail/v1/users/me/messages", "/upload/gmail/v1/users/me/messages/send",
                           "/resumable/upload/gmail/v1/users/me/messages", "/batch/gmail/v1"}) {
    EXPECT_EQ(Gmail(token, path).status, 200) << path;
  }
  EXPECT_EQ(Gmail(token, "/calendar/v3").status, 404);
}

TEST_F(Simulator, AdvancedClockExpiresTokens) {
  const std::string token = Text(Tokens(), "access_token");
  EXPECT_EQ(Control("POST", "clock/advance", R"({"seconds": 3600})").at("offset_seconds"), 3600.0);
  EXPECT_EQ(Gmail(token).status, 401);
}

TEST_F(Simulator, ExpiredAccessTokensAreRefreshedAndRevokedGrantsAreNot) {
  const auto tokens = Tokens();
  EXPECT_EQ(Control("POST", "tokens/expire").at("expired"), 1u);
  EXPECT_EQ(Gmail(Text(tokens, "access_token")).status, 401);
  const Pairs form = flow_.RefreshForm(Text(tokens, "refresh_token"));
  const auto fresh = testing::Json(TokenRequest(form));
  EXPECT_EQ(Gmail(Text(fresh, "access_token")).status, 200);
  EXPECT_EQ(Control("GET", "grants").at("grants").at(0).at("refresh_tokens"), 1);
  EXPECT_EQ(Control("POST", "grants/revoke", R"({"account": "ada@example.com"})").at("revoked"), 2u);
  EXPECT_EQ(Gmail(Text(fresh, "access_token")).status, 401);
  EXPECT_THAT(TokenRequest(form).body, HasSubstr("Token has been expired or revoked."));
}

TEST_F(Simulator, DeniedConsentComesBackAsAccessDenied) {
  EXPECT_EQ(testing::Parameter(Location(kRead, "deny"), "error"), "access_denied");
}

TEST_F(Simulator, FaultAnswersInsteadAndIsCounted) {
  const std::string token = Text(Tokens(), "access_token");
  Control("POST", "faults", R"({"kind": "respond", "path": "/gmail/**", "account": "ada@example.com", "count": 1,
                                "payload": "gmail.too-many-concurrent.429"})");
  EXPECT_EQ(Gmail(token).status, 429);
  EXPECT_EQ(mail_->handled, 0);
  EXPECT_EQ(Gmail(token).status, 200);
  const auto counters = Control("GET", "counters");
  EXPECT_EQ(counters.at("faults").at("f1").at("fired"), 1);
  const auto& profile = counters.at("requests").at("GET /gmail/v1/users/{userId}/profile");
  EXPECT_EQ(profile.at("statuses").at("429"), 1);
  EXPECT_EQ(profile.at("statuses").at("200"), 1);
  EXPECT_EQ(counters.at("accounts").at("ada@example.com").at("requests"), 2);
  EXPECT_EQ(counters.at("accounts").at("ada@example.com").at("units"), 20);
}

TEST_F(Simulator, TokenFaultFindsTheAccountByItsRefreshToken) {
  const auto tokens = Tokens();
  Control("POST", "faults", R"({"kind": "respond", "path": "/google/token", "account": "ada@example.com",
                                "payload": "google.invalid_grant.rapt.400"})");
  EXPECT_THAT(TokenRequest(flow_.RefreshForm(Text(tokens, "refresh_token"))).body, HasSubstr("invalid_rapt"));
  EXPECT_THAT(TokenRequest(flow_.RefreshForm("1//unknown")).body, HasSubstr("expired or revoked"));
}

TEST_F(Simulator, LostAnswerWasCarriedOut) {
  const std::string token = Text(Tokens(), "access_token");
  Control("POST", "faults", R"({"kind": "lose_answer", "path": "/gmail/**"})");
  EXPECT_EQ(Gmail(token).delivery.reset, Delivery::Reset::kConnection);
  EXPECT_EQ(mail_->handled, 1);
}

TEST_F(Simulator, GrantRevokedInMidSyncRefusesTheVeryRequest) {
  const std::string token = Text(Tokens(), "access_token");
  Control("POST", "faults", R"({"kind": "revoke_grant", "path": "/gmail/**", "skip": 1})");
  EXPECT_EQ(Gmail(token).status, 200);
  EXPECT_EQ(Gmail(token).status, 401);
}

TEST_F(Simulator, PartsOfABatchMeetFaultsToo) {
  const std::string token = Text(Tokens(), "access_token");
  Control("POST", "faults", R"({"kind": "respond", "path": "/gmail/v1/users/*/messages/*", "status": 429})");
  const Response batch =
      Send("POST", "/batch/gmail/v1", "/gmail/v1/users/me/messages/1", {{"Authorization", "Bearer " + token}});
  EXPECT_THAT(batch.body, HasSubstr("\"part_status\":429"));
}

TEST_F(Simulator, ConcurrencyLimitCountsAnswersStillOnTheirWay) {
  const std::string token = Text(Tokens(), "access_token");
  Control("PATCH", "settings", R"({"concurrency_limit": 1})");
  {
    const Response held = Gmail(token);
    EXPECT_EQ(held.status, 200);
    EXPECT_THAT(Gmail(token).body, HasSubstr("Too many concurrent requests for user"));
  }
  EXPECT_EQ(Gmail(token).status, 200);
}

TEST_F(Simulator, IdTokenFaultBendsTheNextToken) {
  Control("POST", "faults", R"({"kind": "id_token", "variant": "wrong_nonce", "count": 1})");
  EXPECT_EQ(Text(testing::Claims(Text(Tokens("openid"), "id_token")), "nonce"), "of-another-browser");
  EXPECT_EQ(Text(testing::Claims(Text(Tokens("openid"), "id_token")), "nonce"), "N1");
}

TEST_F(Simulator, MicrosoftIsBesideGoogleInOneAddressSpace) {
  const auto added = Control("POST", "accounts", R"({"email": "grace@example.org", "provider": "microsoft"})");
  EXPECT_EQ(Text(added, "kind"), "work");
  EXPECT_EQ(Send("POST", "/control/accounts", R"({"email": "grace@example.org"})").status, 400);
  EXPECT_EQ(Send("POST", "/control/accounts", R"({"email": "ada@example.com", "provider": "microsoft"})").status, 400);
  EXPECT_EQ(Send("PATCH", "/control/accounts/ada@example.com", R"({"disabled": true})").status, 400);
  EXPECT_EQ(Text(Control("PATCH", "accounts/grace@example.org", R"({"kind": "personal", "edov": true})"), "tid"),
            kPersonalTenant);
  const std::string query =
      "client_id=5b1a6e0c-7d3f-4c52-9a41-1e7c4a6b0d29&response_type=code&redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2F"
      "callback&scope=openid%20offline_access%20Mail.Read&state=S";
  boost::json::object walk;
  walk["url"] = "http://127.0.0.1:8025/common/oauth2/v2.0/authorize?" + query;
  walk["account"] = "grace@example.org";
  const std::string code = testing::Parameter(
      Text(Control("POST", "microsoft/authorize", boost::json::serialize(walk)), "location"), "code");
  const Pairs form = {{"grant_type", "authorization_code"},
                      {"code", code},
                      {"redirect_uri", "http://127.0.0.1:8000/callback"},
                      {"client_id", "5b1a6e0c-7d3f-4c52-9a41-1e7c4a6b0d29"},
                      {"client_secret", "microsoft-secret-of-the-simulator"}};
  const auto tokens = testing::Json(Send("POST", "/common/oauth2/v2.0/token", testing::Encode(form)));
  EXPECT_EQ(Control("GET", "counters").at("microsoft_tokens").at("codes_redeemed"), 1);
  const Pairs refresh = testing::With(
      form, {{"grant_type", "refresh_token"}, {"refresh_token", Text(tokens, "refresh_token")}, {"code", "-"}});
  Control("POST", "faults", R"({"kind": "respond", "path": "/*/oauth2/v2.0/token", "account": "grace@example.org",
                                "payload": "microsoft.token.error.50076.mfa.400", "count": 1})");
  EXPECT_THAT(Send("POST", "/common/oauth2/v2.0/token", testing::Encode(refresh)).body, HasSubstr("AADSTS50076"));
  EXPECT_EQ(Send("POST", "/common/oauth2/v2.0/token", testing::Encode(refresh)).status, 200);
  Control("POST", "grants/revoke", R"({"account": "grace@example.org"})");
  EXPECT_THAT(Send("POST", "/common/oauth2/v2.0/token", testing::Encode(refresh)).body, HasSubstr("AADSTS70000"));
  const auto counters = Control("GET", "counters").at("requests").as_object();
  EXPECT_TRUE(counters.contains("POST /{tenant}/oauth2/v2.0/token"));
}

TEST_F(Simulator, GraphIsReachedWithMicrosoftsTokensOnly) {
  Control("POST", "accounts", R"({"email": "grace@example.org", "provider": "microsoft"})");
  boost::json::object walk;
  walk["url"] =
      "http://127.0.0.1:8025/common/oauth2/v2.0/authorize?client_id=5b1a6e0c-7d3f-4c52-9a41-1e7c4a6b0d29&response_type="
      "code&redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Fcallback&scope=Mail.ReadWrite%20Mail.Send";
  walk["account"] = "grace@example.org";
  const std::string code = testing::Parameter(
      Text(Control("POST", "microsoft/authorize", boost::json::serialize(walk)), "location"), "code");
  const Pairs form = {{"grant_type", "authorization_code"},
                      {"code", code},
                      {"redirect_uri", "http://127.0.0.1:8000/callback"},
                      {"client_id", "5b1a6e0c-7d3f-4c52-9a41-1e7c4a6b0d29"},
                      {"client_secret", "microsoft-secret-of-the-simulator"}};
  const std::string token =
      Text(testing::Json(Send("POST", "/common/oauth2/v2.0/token", testing::Encode(form))), "access_token");
  const auto graph = [&](std::string method, std::string target, std::string body = {}) {
    return Send(std::move(method), "/v1.0" + std::move(target), std::move(body),
                {{"Authorization", "Bearer " + token}});
  };
  EXPECT_EQ(graph("GET", "/me/mailFolders('inbox')").status, 200);
  EXPECT_EQ(graph("GET", "/users/ada@example.com/messages").status, 403);
  EXPECT_THAT(Send("GET", "/v1.0/me/messages").body, HasSubstr("Access token is empty."));
  EXPECT_THAT(
      Send("GET", "/v1.0/me/messages", "", {{"Authorization", "Bearer " + Text(Tokens(), "access_token")}}).body,
      HasSubstr("CompactToken parsing failed"));
  // One form of a path is enough for faults and counters.
  Control("POST", "faults", R"({"kind": "respond", "path": "/v1.0/me/mailFolders/inbox", "count": 1,
                                "payload": "graph.error.serviceNotAvailable.503"})");
  EXPECT_EQ(graph("GET", "/me/mailFolders('inbox')").headers.Get("Retry-After"), "30");
  EXPECT_EQ(Control("GET", "counters").at("requests").at("GET /v1.0/me/mailFolders/{id}").at("count"), 2);
  // Mail to a person at Google arrives there, and the other way round the control verbs reach Outlook's folders.
  EXPECT_EQ(graph("POST", "/me/sendMail", R"({"message": {"subject": "hi", "body": {"content": "x"}, "toRecipients":
                  [{"emailAddress": {"address": "ada@example.com"}}]}})")
                .status,
            202);
  EXPECT_EQ(mail_->delivered.size(), 1u);
  const std::string id = Text(
      Control("POST", "mail/grace@example.org/messages", R"({"eml": "Subject: a\r\n\r\nb", "folder": "junkemail"})"),
      "id");
  EXPECT_EQ(
      Text(Control("POST", "mail/grace@example.org/messages/" + id + "/move", R"({"folder": "Archive"})"), "folder"),
      "Archive");
  Control("PATCH", "mail/grace@example.org/messages/" + id, R"({"is_read": true, "categories": ["Red"]})");
  const auto view = Control("GET", "mail/grace@example.org/messages").at("messages").as_array();
  // The other one is the copy of what was sent; the clock decides which of the two is newer.
  const auto changed = std::ranges::find_if(
      view, [&](const boost::json::value& message) { return message.at("id").as_string() == boost::json::string(id); });
  ASSERT_NE(changed, view.end());
  EXPECT_EQ(changed->at("categories").at(0), "Red");
  Control("POST", "mail/grace@example.org/folders", R"({"name": "Clients", "parent": "inbox"})");
  Control("POST", "mail/grace@example.org/expire-delta", R"({"status": 404, "code": "resyncRequired"})");
  Control("DELETE", "mail/grace@example.org/messages/" + id);
  EXPECT_TRUE(Control("GET", "subscriptions").at("subscriptions").as_array().empty());
  Control("POST", "tokens/expire", R"({"account": "grace@example.org"})");
  EXPECT_THAT(graph("GET", "/me/messages").body, HasSubstr("the token is expired"));
}

TEST_F(Simulator, MailVerbsReachTheMailbox) {
  EXPECT_EQ(Text(Control("POST", "mail/ada@example.com/messages", R"({"eml": "Subject: a\r\n\r\nb"})"), "id"), "1");
  Control("POST", "mail/ada@example.com/messages", R"({"messages": [{"raw": "eA"}, {"raw": "eQ"}]})");
  EXPECT_EQ(mail_->delivered.size(), 3u);
  Control("PATCH", "mail/ada@example.com/messages/7", R"({"add_labels": ["STARRED"], "remove_labels": ["UNREAD"]})");
  EXPECT_EQ(mail_->modified, "7 +1 -1");
  Control("DELETE", "mail/ada@example.com/messages/8");
  EXPECT_EQ(mail_->deleted, "8");
  Control("POST", "mail/ada@example.com/expire-history");
  EXPECT_EQ(mail_->expired, "ada@example.com");
  const auto view = Control("GET", "mail/ada@example.com/messages?offset=5&limit=10&text=1");
  EXPECT_EQ(view.at("offset"), 5);
  EXPECT_EQ(view.at("text"), true);
  EXPECT_EQ(Send("PATCH", "/control/mail/ada@example.com/messages/none", "{}").status, 404);
  EXPECT_EQ(Send("POST", "/control/mail/nobody@example.com/messages", "{}").status, 404);
}

TEST_F(Simulator, AccountsAndSettingsChange) {
  const auto added =
      Control("POST", "accounts", R"({"email": "new@example.net", "name": "New Person", "sample": true})");
  Control("PATCH", "accounts/new@example.net", R"({"email": "renamed@example.net", "email_verified": false})");
  const auto all = Control("GET", "accounts").at("accounts").as_array();
  EXPECT_EQ(all.back().at("email"), "renamed@example.net");
  EXPECT_EQ(all.back().at("sub"), added.at("sub"));
  EXPECT_EQ(Send("POST", "/control/accounts", R"({"email": "x@example.net", "mailbox": "missing.mbox"})").status, 400);
  EXPECT_TRUE(mail_->enforces_quota);
  EXPECT_EQ(Control("PATCH", "settings", R"({"quota": false})").at("quota"), false);
  EXPECT_FALSE(mail_->enforces_quota);
  EXPECT_EQ(Send("PATCH", "/control/settings", R"({"qouta": false})").status, 400);
}

TEST_F(Simulator, AccountWithoutMailboxIsToldSo) {
  const std::string token = Text(Tokens(), "access_token");
  Control("PATCH", "accounts/ada@example.com", R"({"has_mailbox": false})");
  EXPECT_THAT(Gmail(token).body, HasSubstr("Mail service not enabled"));
}

TEST_F(Simulator, SurpriseInAHandlerEndsThatRequestOnly) {
  const std::string token = Text(Tokens(), "access_token");
  mail_->throws = true;
  EXPECT_EQ(Gmail(token).status, 500);
  mail_->throws = false;
  EXPECT_EQ(Gmail(token).status, 200);
  EXPECT_EQ(Control("GET", "counters").at("accounts").at("ada@example.com").at("in_progress"), 0);
}

TEST_F(Simulator, ChangedAddressMustBeOneAndNobodyElses) {
  Control("POST", "accounts", R"({"email": "bob@example.com"})");
  EXPECT_EQ(Send("PATCH", "/control/accounts/bob@example.com", R"({"email": "ADA@example.com"})").status, 400);
  EXPECT_EQ(Send("PATCH", "/control/accounts/bob@example.com", R"({"email": "bob"})").status, 400);
  EXPECT_EQ(Text(Control("PATCH", "accounts/bob@example.com", R"({"email": "Robert@example.com"})"), "email"),
            "robert@example.com");
}

TEST_F(Simulator, ControlApiIsClosedToWebPagesAndOtherNames) {
  EXPECT_EQ(Send("GET", "/control/health", "", {{"Origin", "https://evil.example"}}).status, 403);
  EXPECT_EQ(Send("GET", "/control/health", "", {{"Origin", "null"}}).status, 403);
  EXPECT_EQ(Send("GET", "/control/health", "", {}, "rebound.example:8025").status, 403);
  EXPECT_EQ(Send("GET", "/control/health", "", {{"Origin", "http://localhost:5173"}}).status, 200);
  EXPECT_EQ(Send("GET", "/control/health", "", {}, "[::1]:8025").status, 200);
  EXPECT_EQ(Send("GET", "/control/nonsense").status, 404);
  EXPECT_EQ(Send("POST", "/control/faults", "[]").status, 400);
}

TEST_F(Simulator, WholeFlowOverSockets) {
  testing::RunningServer server(application_);
  testing::Curl curl;
  const auto discovery =
      boost::json::parse(curl.Get(server.base() + "/google/.well-known/openid-configuration").body).as_object();
  EXPECT_EQ(Text(discovery, "issuer"), server.base() + "/google");
  const auto chooser = curl.Get(Text(discovery, "authorization_endpoint") + "?" +
                                testing::Encode(flow_.AuthorizeQuery("openid " + std::string(kRead))));
  const std::size_t at = chooser.body.find("name=\"request\" value=\"") + 22;
  const std::string pending = chooser.body.substr(at, chooser.body.find('"', at) - at);
  const std::string base = Text(discovery, "authorization_endpoint");
  const auto chosen = curl.Post(base + "/account", testing::Encode({{"request", pending}, {"account", flow_.ada.sub}}));
  EXPECT_THAT(curl.Get(chosen.location).body, HasSubstr("Continue"));
  const auto done = curl.Post(base + "/consent", testing::Encode({{"request", pending}, {"decision", "approve"}}));
  const auto tokens =
      boost::json::parse(curl.Post(Text(discovery, "token_endpoint"),
                                   testing::Encode(flow_.CodeForm(testing::Parameter(done.location, "code"))))
                             .body)
          .as_object();
  const auto profile =
      curl.Get(server.base() + "/gmail/v1/users/me/profile", {"Authorization: Bearer " + Text(tokens, "access_token")});
  EXPECT_THAT(profile.body, HasSubstr("ada@example.com"));
}

}  // namespace
}  // namespace latchkey::simulator
