// What the older program connected works on here without anybody signing in anew, and everything moves to another
// database without loss.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <sqlite3.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <cstdlib>
#include <optional>

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

  void ExpectAnotherMailboxIsRefused(const std::string& id) {
    const auto attempt = ada_->Reconnect(id, kGrace);
    ASSERT_EQ(attempt.at("status").as_string(), "failed") << attempt;
    EXPECT_EQ(attempt.at("error_code").as_string(), "wrong_account") << attempt;
  }

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

  // The grant itself says whose mailbox it is.
  EXPECT_EQ(ada_->Account(id).at("email").as_string(), kAda);
  ExpectAnotherMailboxIsRefused(id);
  const auto attempt = ada_->Reconnect(id, kAda);
  EXPECT_EQ(attempt.at("status").as_string(), "succeeded") << attempt;
  EXPECT_EQ(ada_->Account(id).at("email").as_string(), kAda);
  EXPECT_EQ(ada_->Messages().size(), 1U) << "nothing was read anew";
  // From now on it is that mailbox and no other.
  ExpectAnotherMailboxIsRefused(id);
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
  static constexpr std::size_t kMails = 60;

  /// Kills the copy once it has begun; nobody starts on what there is then.
  void ExpectToGoOnAfterKill(const std::vector<std::string>& copy, const std::string& to) {
    const std::string target = to.starts_with("sqlite:") ? to.substr(std::string("sqlite:").size()) : to;
    Process::Options options;
    options.arguments = {LATCHKEY_SERVER_PATH};
    options.arguments.insert(options.arguments.end(), copy.begin(), copy.end());
    options.environment = server_.environment();
    options.output_path = directory_.Sub("killed.log");
    options.working_directory = directory_.path();
    Process process(options);
    const auto begun = [&] {
      try {
        return !DatabaseFile(target).Query("SELECT 1 FROM copy_progress").empty();
      } catch (const std::runtime_error&) {
        return false;  // not even that far
      }
    };
    ASSERT_TRUE(WaitUntil([&] { return begun() || process.Poll(); }));
    process.Kill();
    ASSERT_EQ(process.Poll(), 128 + SIGKILL) << ReadFile(directory_.Sub("killed.log"));
    auto environment = server_.environment();
    environment["DATABASE_URL"] = to;
    const auto refused = RunServer(environment, {"serve"});
    EXPECT_EQ(refused.exit_code, 3) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("unfinished copy"));
  }

  /// From the server's file to `to`, and the server after it.
  void MoveTo(const std::string& to) {
    bj::array messages;
    for (std::size_t i = 0; i < kMails; ++i) messages.push_back(Mail("Mail " + std::to_string(i)));
    simulator_.Post(std::string("/mail/") + kAda + "/messages", bj::object{{"messages", messages}});
    const auto id = ada_->Connect(kAda, {"read_mail"});
    ada_->WaitUntilImported(id);
    const std::string from = "sqlite:" + server_.data_directory() + "/latchkey.db";
    const std::vector<std::string> copy = {"copy-database", "--from", from, "--to", to};
    const auto busy = RunServer(server_.environment(), copy);
    EXPECT_EQ(busy.exit_code, 3) << busy.output;
    EXPECT_THAT(busy.output, HasSubstr("stop it"));
    ASSERT_EQ(server_.Stop(), 0);
    ExpectToGoOnAfterKill(copy, to);
    const auto copied = RunServer(server_.environment(), copy);
    ASSERT_EQ(copied.exit_code, 0) << copied.output;
    EXPECT_THAT(copied.output, HasSubstr("the same on both sides"));
    const auto again = RunServer(server_.environment(), copy);
    EXPECT_EQ(again.exit_code, 3) << again.output;
    EXPECT_THAT(again.output, HasSubstr("not empty"));

    server_.environment()["DATABASE_URL"] = to;
    server_.Start();
    EXPECT_EQ(ada_->Get("/api/v1/connected-accounts").status, 200) << "nobody has to sign in again";
    EXPECT_EQ(ada_->Messages().size(), kMails);
    simulator_.Deliver(kAda, Mail("After the move"));
    ASSERT_TRUE(WaitUntil([&] { return ada_->Messages().size() == kMails + 1; }));
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
  EXPECT_EQ(DatabaseFile(postgres.url()).Query("SELECT count(*) FROM sessions").at(0).at(0), "0");
  server_.Start();
  EXPECT_EQ(ada_->Get("/api/v1/connected-accounts").status, 401);
  ada_->SignIn();
  EXPECT_EQ(ada_->Messages().size(), kMails + 1);
  EXPECT_EQ(server_.Stop(), 0);
}

constexpr std::string_view kFernetKey = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

/// A token as the older program kept it (github.com/fernet/spec).
std::string Fernet(std::string_view clear) {
  const std::string key = Base64UrlDecode(kFernetKey).value();
  const auto* key_bytes = reinterpret_cast<const unsigned char*>(key.data());
  std::string token = std::string("\x80\0\0\0\0\x65\x00\x00\x00", 9) + std::string(16, '\x07');
  std::string sealed(clear.size() + 16, '\0');
  auto* out = reinterpret_cast<unsigned char*>(sealed.data());
  int written = 0;
  int last = 0;
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(context, EVP_aes_128_cbc(), nullptr, key_bytes + 16,
                     reinterpret_cast<const unsigned char*>(token.data()) + 9);
  EVP_EncryptUpdate(context, out, &written, reinterpret_cast<const unsigned char*>(clear.data()),
                    static_cast<int>(clear.size()));
  EVP_EncryptFinal_ex(context, out + written, &last);
  EVP_CIPHER_CTX_free(context);
  token += sealed.substr(0, static_cast<std::size_t>(written + last));
  unsigned char mark[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key_bytes, 16, reinterpret_cast<const unsigned char*>(token.data()), token.size(), mark, &size);
  token.append(reinterpret_cast<const char*>(mark), size);
  std::string text = Base64UrlEncode(token);
  while (text.size() % 4 != 0) text += '=';
  return text;
}

// What the dual schema keeps of one person with one mailbox.
constexpr const char* kDualSchema = R"sql(
CREATE TABLE users (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(), email VARCHAR(255) UNIQUE NOT NULL, password_hash VARCHAR(255),
  first_name VARCHAR(100), last_name VARCHAR(100), auth_provider VARCHAR(50) NOT NULL,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  is_email_verified BOOLEAN DEFAULT FALSE, email_verified_at TIMESTAMP);
CREATE TABLE connected_accounts (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(), user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  provider VARCHAR(50) NOT NULL, email VARCHAR(255) NOT NULL, access_token TEXT NOT NULL, refresh_token TEXT,
  token_expires_at TIMESTAMP, scope TEXT, is_active BOOLEAN DEFAULT TRUE,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  last_refresh_at TIMESTAMP, UNIQUE(user_id, provider));
INSERT INTO users (email, auth_provider, is_email_verified) VALUES ('ada@example.com', 'google', TRUE);
)sql";

class Adopted : public Legacy {
 protected:
  void SetUp() override {
    if (std::getenv("LATCHKEY_TEST_POSTGRES") == nullptr) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
    start_server_ = false;
    IntegrationTest::SetUp();
    postgres_.emplace();
  }
  std::optional<ScratchDatabase> postgres_;
};

TEST_F(Adopted, ADatabaseOfTheOlderProgramServesItsPersonWithTheSameMailbox) {
  simulator_.Deliver(kAda, Mail("In the mailbox"));
  const std::string scope = "https://www.googleapis.com/auth/gmail.readonly";
  const auto token = RefreshToken(kAda, "openid email " + scope);
  AddCanary(token);
  DatabaseFile database(postgres_->url());
  database.Query(std::string(kDualSchema) +
                 "INSERT INTO connected_accounts (user_id, provider, email, access_token, refresh_token, scope) "
                 "SELECT id, 'google', 'Ada@Example.com', '" +
                 Fernet("expired-token") + "', '" + Fernet(token) + "', '" + scope + "' FROM users; SELECT 1");
  const auto id = database.Query("SELECT id FROM connected_accounts").at(0).at(0);
  server_.environment()["DATABASE_URL"] = postgres_->url();
  server_.Start();
  EXPECT_EQ(database.Query("SELECT provider_account_id FROM connected_accounts").at(0).at(0), "email:ada@example.com");
  ada_ = NewPerson();
  ada_->SignIn();
  EXPECT_EQ(ada_->Get("/api/v1/connected-accounts/" + id).status, 404)
      << "an address alone makes nobody the owner of what is there";

  // The operator says who its person is.
  WriteFile(directory_.Sub("key"), std::string(kFernetKey) + "\n");
  const std::vector<std::string> import = {"import-legacy",       "--json",  "--fernet-key-file",
                                           directory_.Sub("key"), "--owner", std::string(kAda) + "=" + kAda};
  auto dry = import;
  dry.emplace_back("--dry-run");
  EXPECT_EQ(RunServer(server_.environment(), dry).exit_code, 0);
  EXPECT_EQ(ada_->Get("/api/v1/connected-accounts/" + id).status, 404) << "a dry run changes nothing";
  const auto run = RunServer(server_.environment(), import);
  ASSERT_EQ(run.exit_code, 0) << run.output;
  EXPECT_EQ(ReportOf(run).at("imported").to_number<int>(), 1) << run.output;
  EXPECT_THAT(run.output, Not(HasSubstr(token)));

  // It works on with the token it had, and is reconnected as itself alone.
  ASSERT_TRUE(WaitUntil([&] { return ada_->Messages().size() == 1; })) << ada_->Account(id);
  ExpectAnotherMailboxIsRefused(id);
  const auto attempt = ada_->Reconnect(id, kAda);
  EXPECT_EQ(attempt.at("status").as_string(), "succeeded") << attempt;
  EXPECT_EQ(database.Query("SELECT count(*) FROM connected_accounts WHERE provider_account_id LIKE 'email:%'"),
            (std::vector<std::vector<std::string>>{{"0"}}));
  ExpectAnotherMailboxIsRefused(id);
  EXPECT_EQ(ReportOf(RunServer(server_.environment(), import)).at("imported").to_number<int>(), 0);
  EXPECT_EQ(server_.Stop(), 0);
}

}  // namespace
}  // namespace latchkey::integration
