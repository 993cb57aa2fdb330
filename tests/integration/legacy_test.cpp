// What the older program connected works on here without anybody signing in anew, and everything moves to another
// database without loss.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <cstdlib>

#include "base/encoding.hpp"
#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/scratch_database.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Legacy : public IntegrationTest {
 protected:
  void SetUp() override {
    IntegrationTest::SetUp();
    ada_ = NewPerson();
    ada_->SignIn();
    Run(R"sql(
CREATE TABLE oauth_connections (
  org_name TEXT, provider TEXT, state TEXT, state_created_at BIGINT, access_token TEXT, refresh_token TEXT,
  expires_at BIGINT, token_type TEXT, scope TEXT, last_login_at BIGINT, last_refresh_at BIGINT, updated_at BIGINT,
  PRIMARY KEY (org_name, provider)))sql");
  }

  std::string Older() const { return directory_.Sub("older.db"); }
  void Run(const std::string& sql) {
    sqlite3* database = nullptr;
    sqlite3_open(Older().c_str(), &database);
    char* message = nullptr;
    const int code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &message);
    const std::string why = message ? message : "";
    sqlite3_free(message);
    sqlite3_close(database);
    if (code != SQLITE_OK) throw std::runtime_error(why);
  }
  FailedStart Import(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"import-legacy", "--from", "sqlite:" + Older(), "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunServer(server_.environment(), arguments);
  }
  static bj::value ReportOf(const FailedStart& run) { return bj::parse(run.output.substr(run.output.find('{'))); }

  /// What the older program got when `mailbox` was connected there.
  std::string RefreshToken(const std::string& mailbox, const std::string& scope) {
    const auto discovery = bj::parse(Fetch({.url = simulator_.discovery_url()}).body);
    const std::string redirect = "http://localhost:9/callback";
    const auto query = [](const std::string& name, const std::string& value) {
      return "&" + name + "=" + PercentEncode(value);
    };
    const std::string url = std::string(discovery.at("authorization_endpoint").as_string()) + "?response_type=code" +
                            query("client_id", kClientId) + query("redirect_uri", redirect) + query("scope", scope) +
                            query("state", "older") + query("access_type", "offline") + query("prompt", "consent");
    const auto back = simulator_.Authorize(url, {.account = mailbox});
    HttpCall call{.method = "POST", .url = std::string(discovery.at("token_endpoint").as_string())};
    call.headers = {"Content-Type: application/x-www-form-urlencoded"};
    call.body = "grant_type=authorization_code" + query("code", QueryOf(back, "code")) +
                query("redirect_uri", redirect) + query("client_id", kClientId) + query("client_secret", kClientSecret);
    const auto reply = Fetch(call);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return std::string(bj::parse(reply.body).at("refresh_token").as_string());
  }

  TempDirectory directory_;
  std::unique_ptr<Person> ada_;
};

TEST_F(Legacy, AnImportedMailboxSyncsAndIsReconnectedAsItself) {
  simulator_.Deliver(kAda, Mail("Before the move"));
  const std::string scope = "https://www.googleapis.com/auth/gmail.readonly https://www.googleapis.com/auth/gmail.send";
  const auto token = RefreshToken(kAda, "openid email " + scope);
  AddCanary(token);
  Run("INSERT INTO oauth_connections (org_name, provider, access_token, refresh_token, scope, expires_at) VALUES "
      "('Example Ltd', 'google', 'expired-token', '" +
      token + "', '" + scope + "', 1600000000), ('Unfinished', 'google', NULL, NULL, NULL, NULL)");
  const auto dry = Import({"--dry-run"});
  ASSERT_EQ(dry.exit_code, 0) << dry.output;
  EXPECT_EQ(ReportOf(dry).at("imported").to_number<int>(), 1);
  EXPECT_EQ(ReportOf(dry).at("skipped").to_number<int>(), 1);
  EXPECT_THAT(dry.output, Not(HasSubstr(token)));

  const auto run = Import({"--owner", std::string("Example Ltd=") + kAda});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const auto report = ReportOf(run);
  ASSERT_EQ(report.at("imported").to_number<int>(), 1) << run.output;
  const std::string id(report.at("rows").at(0).at("account_id").as_string());
  EXPECT_THAT(run.output, Not(HasSubstr(token)));
  EXPECT_THAT(DatabaseFile(server_.data_directory() + "/latchkey.db").FindEverywhere(token), IsEmpty());

  // The running server takes it up: the token is refreshed, the mailbox read.
  ASSERT_TRUE(WaitUntil([&] { return ada_->Messages().size() == 1; })) << ada_->Account(id);
  EXPECT_EQ(ada_->Account(id).at("display_name").as_string(), "Example Ltd");
  const auto again = ReportOf(Import());
  EXPECT_EQ(again.at("imported").to_number<int>(), 0);
  EXPECT_EQ(again.at("imported_before").to_number<int>(), 1);

  const auto attempt = ada_->Reconnect(id, kAda);
  EXPECT_EQ(attempt.at("state").as_string(), "succeeded") << attempt;
  EXPECT_EQ(ada_->Account(id).at("email").as_string(), kAda);
  EXPECT_EQ(ada_->Messages().size(), 1U) << "nothing was read anew";
  // From now on it is that mailbox and no other.
  EXPECT_EQ(ada_->Reconnect(id, kGrace).at("error_code").as_string(), "wrong_account");
}

TEST_F(Legacy, WhatCannotBeReadIsToldInWords) {
  Run("INSERT INTO oauth_connections (org_name, provider, refresh_token) VALUES "
      "('Example Ltd', 'google', 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR"
      "64jVmpU4IwqDA==')");
  const auto closed = ReportOf(Import());
  EXPECT_EQ(closed.at("rows").at(0).at("reason").as_string(), "fernet_key_missing");
  WriteFile(directory_.Sub("key"), "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=\n");
  const auto open = ReportOf(Import({"--fernet-key-file", directory_.Sub("key")}));
  EXPECT_EQ(open.at("imported").to_number<int>(), 1);
  WriteFile(directory_.Sub("key"), "no key\n");
  EXPECT_EQ(Import({"--fernet-key-file", directory_.Sub("key")}).exit_code, 2);
  EXPECT_EQ(Import({"--owner", "nobody"}).exit_code, 2);
  EXPECT_EQ(RunServer(server_.environment(), {"import-legacy", "--from", "sqlite:/nonexistent"}).exit_code, 3);
  EXPECT_EQ(RunServer(server_.environment(), {"import-legacy", "--from", "mysql://x"}).exit_code, 2);
}

class Moving : public Legacy {
 protected:
  /// From the server's file to `to`, and the server after it.
  void MoveTo(const std::string& to) {
    bj::array messages;
    for (int i = 0; i < 60; ++i) messages.push_back(Mail("Mail " + std::to_string(i)));
    simulator_.Post(std::string("/mail/") + kAda + "/messages", bj::object{{"messages", messages}});
    const auto id = ada_->Connect(kAda, {"read_mail"});
    ada_->WaitUntilImported(id);
    const std::string from = "sqlite:" + server_.data_directory() + "/latchkey.db";
    const std::vector<std::string> copy = {"copy-database", "--from", from, "--to", to};
    const auto busy = RunServer(server_.environment(), copy);
    EXPECT_EQ(busy.exit_code, 3) << busy.output;
    EXPECT_THAT(busy.output, HasSubstr("stop it"));
    ASSERT_EQ(server_.Stop(), 0);
    const auto copied = RunServer(server_.environment(), copy);
    ASSERT_EQ(copied.exit_code, 0) << copied.output;
    EXPECT_THAT(copied.output, HasSubstr("the same on both sides"));
    const auto again = RunServer(server_.environment(), copy);
    EXPECT_EQ(again.exit_code, 3) << again.output;
    EXPECT_THAT(again.output, HasSubstr("not empty"));

    server_.environment()["DATABASE_URL"] = to;
    server_.Start();
    EXPECT_EQ(ada_->Get("/auth/session").status, 200) << "nobody has to sign in again";
    EXPECT_EQ(ada_->Messages().size(), 60U);
    simulator_.Deliver(kAda, Mail("After the move"));
    ASSERT_TRUE(WaitUntil([&] { return ada_->Messages().size() == 61; }));
    // The search index was built anew.
    EXPECT_TRUE(WaitUntil([&] { return ada_->Messages("&q=after").size() == 1; }));
  }
};

TEST_F(Moving, EverythingMovesToAnotherFileAndGoesOnThere) {
  MoveTo("sqlite:" + server_.data_directory() + "/moved.db");
}

TEST_F(Moving, EverythingMovesToPostgresAndGoesOnThere) {
  if (std::getenv("LATCHKEY_TEST_POSTGRES") == nullptr) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
  const ScratchDatabase postgres;
  MoveTo(postgres.url());
  EXPECT_EQ(server_.Stop(), 0);
  // Put back to an earlier state by PostgreSQL's own means, it is marked like a restored file.
  const auto marked = RunServer(server_.environment(), {"restored"});
  EXPECT_EQ(marked.exit_code, 0) << marked.output;
  EXPECT_THAT(marked.output, HasSubstr("1 session ended"));
  server_.Start();
  EXPECT_EQ(ada_->Get("/auth/session").status, 401);
  ada_->SignIn();
  EXPECT_EQ(ada_->Messages().size(), 61U);
  EXPECT_EQ(server_.Stop(), 0);
}

}  // namespace
}  // namespace latchkey::integration
