#include "legacy/import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sqlite3.h>

#include <filesystem>

#include "base/encoding.hpp"
#include "connected_accounts/imported.hpp"
#include "connected_accounts/token_seal.hpp"
#include "crypto/hash.hpp"
#include "legacy/sqlite_source.hpp"
#include "providers/google/google_oauth.hpp"
#include "providers/microsoft/microsoft_oauth.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::legacy {
namespace {

using connected_accounts::Capability;
using storage::testing::ScratchStore;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kFernetKey = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
constexpr const char* kSeedTable = R"sql(
CREATE TABLE oauth_connections (
  org_name TEXT, provider TEXT, state TEXT, state_created_at BIGINT, access_token TEXT, refresh_token TEXT,
  expires_at BIGINT, token_type TEXT, scope TEXT, last_login_at BIGINT, last_refresh_at BIGINT, updated_at BIGINT,
  PRIMARY KEY (org_name, provider)))sql";

/// What the older program's library makes of a token (github.com/fernet/spec).
std::string Fernet(std::string_view key, std::string_view clear) {
  const std::string bytes = Base64UrlDecode(key).value();
  std::string token = std::string("\x80\0\0\0\0\x65\x00\x00\x00", 9) + std::string(16, '\x07');
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  std::string sealed(clear.size() + 16, '\0');
  int written = 0;
  int last = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  EVP_EncryptInit_ex(context, EVP_aes_128_cbc(), nullptr, data + 16,
                     reinterpret_cast<const unsigned char*>(token.data()) + 9);
  EVP_EncryptUpdate(context, reinterpret_cast<unsigned char*>(sealed.data()), &written,
                    reinterpret_cast<const unsigned char*>(clear.data()), static_cast<int>(clear.size()));
  EVP_EncryptFinal_ex(context, reinterpret_cast<unsigned char*>(sealed.data()) + written, &last);
  EVP_CIPHER_CTX_free(context);
  sealed.resize(static_cast<std::size_t>(written + last));
  token += sealed;
  token += crypto::HmacSha256(std::string_view(bytes).substr(0, 16), token);
  // The library pads.
  std::string text = Base64UrlEncode(token);
  while (text.size() % 4 != 0) text += '=';
  return text;
}

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() : vault_(crypto::Vault::Make({SecretString(std::string(32, 'k'))}).value()) {
    scopes_.Add(google::MakeScopeCatalog());
    scopes_.Add(microsoft::MakeScopeCatalog());
    Run(kSeedTable);
  }
  ~ImportTest() override { sqlite3_close(source_); }

  std::string SourcePath() const { return store_.directory() + "/older.db"; }
  void Run(const std::string& sql) {
    if (source_ == nullptr) sqlite3_open(SourcePath().c_str(), &source_);
    char* message = nullptr;
    if (sqlite3_exec(source_, sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK) throw std::runtime_error(message);
  }
  void Add(const std::string& org, const std::string& provider, const std::string& access, const std::string& refresh,
           const std::string& scope = "https://www.googleapis.com/auth/gmail.send",
           std::int64_t expires = 1'767'225'600) {
    const auto text = [](const std::string& value) { return value.empty() ? "NULL" : "'" + value + "'"; };
    Run("INSERT INTO oauth_connections (org_name, provider, access_token, refresh_token, scope, expires_at, "
        "last_refresh_at) VALUES ('" +
        org + "', '" + provider + "', " + text(access) + ", " + text(refresh) + ", '" + scope + "', " +
        std::to_string(expires) + ", 1767220000)");
  }
  std::string One(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(source_, sql.c_str(), -1, &statement, nullptr);
    std::string value;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != nullptr)
      value = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return value;
  }

  ImportReport Take(const ImportOptions& options = {}) {
    auto source = OpenSource("sqlite:" + SourcePath());
    EXPECT_TRUE(source);
    const ImportParts parts{store_.database().legacy_imports(), vault_, scopes_, store_.clock()};
    return store_.Get(Import(**source, parts, options));
  }
  connected_accounts::ConnectedAccount AccountOf(const RowReport& row) {
    return store_.Get(store_.database().accounts().Get(UserId(row.user_id), ConnectedAccountId(row.account_id)));
  }
  std::string RefreshTokenOf(const connected_accounts::ConnectedAccount& account) {
    const auto sealed = store_.Get(store_.database().accounts().GetTokens(account.id));
    EXPECT_NE(sealed.refresh_token.find("lk1."), std::string::npos);
    return vault_.Open(connected_accounts::RefreshTokenContext(account), sealed.refresh_token).value().Reveal();
  }

  ScratchStore store_;
  crypto::Vault vault_;
  connected_accounts::ScopeCatalogs scopes_;
  sqlite3* source_ = nullptr;
};

TEST_F(ImportTest, ARowBecomesAUserAndAnAccountWithItsTokensSealed) {
  Add("Example Ltd", "google", "ya29.clear", "1//refresh-clear");
  Add("Example Ltd", "microsoft", "EwB.clear", "M.C5.refresh", "https://graph.microsoft.com/Mail.Send offline_access");
  const auto report = Take();
  EXPECT_EQ(report.imported, 2);
  ASSERT_THAT(report.rows, SizeIs(2));
  EXPECT_EQ(report.rows[0].user_id, report.rows[1].user_id) << "one user for the organisation";
  const auto account = AccountOf(report.rows[0]);
  EXPECT_EQ(account.display_name, "Example Ltd");
  EXPECT_EQ(account.provider_account_id, "org:Example Ltd");
  EXPECT_THAT(account.granted, ElementsAre(Capability::kSendMail));
  EXPECT_EQ(account.token_expires_at, FromMicros(1'767'225'600'000'000));
  EXPECT_EQ(RefreshTokenOf(account), "1//refresh-clear");
  EXPECT_EQ(RefreshTokenOf(AccountOf(report.rows[1])), "M.C5.refresh");
  EXPECT_EQ(One("SELECT count(*) FROM oauth_connections WHERE migrated_at IS NOT NULL"), "2");
  EXPECT_EQ(One("SELECT access_token FROM oauth_connections LIMIT 1"), "ya29.clear") << "nothing there is changed";
}

TEST_F(ImportTest, FernetTokensOpenWithTheOlderProgramsKey) {
  Add("Example Ltd", "google", Fernet(kFernetKey, "ya29.sealed"), Fernet(kFernetKey, "1//refresh-sealed"));
  auto report = Take();
  EXPECT_EQ(report.rows.at(0).reason, "fernet_key_missing");
  ImportOptions options;
  options.fernet_keys = {SecretString(std::string(32, 'x'))};
  report = Take(options);
  EXPECT_EQ(report.rows.at(0).reason, "fernet_unreadable");
  options.fernet_keys =
      ParseFernetKeys("# of production\n" + std::string(43, 'A') + "=" + "\n" + std::string(kFernetKey) + "\r\n")
          .value();
  ASSERT_THAT(options.fernet_keys, SizeIs(2));
  report = Take(options);
  ASSERT_EQ(report.imported, 1) << report.rows.at(0).reason;
  EXPECT_EQ(RefreshTokenOf(AccountOf(report.rows[0])), "1//refresh-sealed");
}

TEST_F(ImportTest, ADryRunChangesNothing) {
  Add("Example Ltd", "google", "a", "r");
  ImportOptions options;
  options.dry_run = true;
  const auto report = Take(options);
  EXPECT_EQ(report.imported, 1);
  EXPECT_THAT(report.rows.at(0).account_id, IsEmpty());
  EXPECT_EQ(One("SELECT count(*) FROM pragma_table_info('oauth_connections') WHERE name = 'migrated_at'"), "0");
  EXPECT_FALSE(store_.Get(store_.database().legacy_imports().FindOrganisation("Example Ltd")));
}

TEST_F(ImportTest, ASecondRunTakesOverOnlyWhatIsNewAndOverwritesNothing) {
  Add("Example Ltd", "google", "a", "first");
  const auto first = Take();
  Run("UPDATE oauth_connections SET refresh_token = 'second', migrated_at = NULL");
  Add("Other Ltd", "google", "a", "r");
  const auto second = Take();
  EXPECT_EQ(second.imported, 1);
  EXPECT_EQ(second.imported_before, 1);
  EXPECT_EQ(RefreshTokenOf(AccountOf(first.rows[0])), "first");
  EXPECT_EQ(One("SELECT count(*) FROM oauth_connections WHERE migrated_at IS NULL"), "0")
      << "a kill between the two databases is made good";
}

TEST_F(ImportTest, BadRowsAreToldAndSkipped) {
  Add("", "google", "a", "r");
  Add("begun", "google", "", "");
  Add("feed\nline", "google", "a", "r");
  Add("garbage", "google", "a", Fernet(kFernetKey, "line\nfeed"));
  Add("header", "google", "a\r\nX-Injected: 1", "r");
  Add("yahoo", "yahoo", "a", "r");
  Run("INSERT INTO oauth_connections (org_name, provider) VALUES (NULL, NULL)");
  Add("zuletzt", "google", "a", "r");
  ImportOptions options;
  options.fernet_keys = ParseFernetKeys(kFernetKey).value();
  const auto report = Take(options);
  EXPECT_EQ(report.skipped, 7);
  EXPECT_EQ(report.imported, 1) << "the good row behind them";
  std::map<std::string, std::string> reasons;
  for (const auto& row : report.rows) reasons[row.org_name] = row.reason;
  EXPECT_EQ(reasons[""], "bad_organisation");
  EXPECT_EQ(reasons["begun"], "no_tokens");
  EXPECT_EQ(reasons["feed\nline"], "bad_organisation");
  EXPECT_EQ(reasons["garbage"], "bad_token");
  EXPECT_EQ(reasons["header"], "bad_token");
  EXPECT_EQ(reasons["yahoo"], "unknown_provider");
}

TEST_F(ImportTest, AnOrganisationCanBeGivenToAUserWhoIsHere) {
  const auto user = store_.AddUser("ada");
  Add("Example Ltd", "google", "a", "r");
  ImportOptions options;
  options.owners = {{"Example Ltd", "nobody@example.com"}};
  EXPECT_EQ(Take(options).rows.at(0).reason, "owner_not_found");
  options.owners = {{"Example Ltd", "ada@example.com"}};
  const auto report = Take(options);
  ASSERT_EQ(report.imported, 1) << report.rows.at(0).reason;
  EXPECT_EQ(report.rows[0].user_id, user.id.text());
}

TEST_F(ImportTest, ExpiryInMillisecondsOrNonsenseIsRead) {
  Add("a", "google", "a", "r", "x", 1'767'225'600'000);
  Add("b", "google", "a", "r", "", -5);
  const auto report = Take();
  ASSERT_EQ(report.imported, 2);
  EXPECT_EQ(AccountOf(report.rows[0]).token_expires_at, FromMicros(1'767'225'600'000'000));
  EXPECT_THAT(AccountOf(report.rows[0]).granted, IsEmpty());
  EXPECT_EQ(AccountOf(report.rows[1]).token_expires_at, std::nullopt);
  EXPECT_THAT(AccountOf(report.rows[1]).granted, ElementsAre(Capability::kSendMail)) << "what the program asked for";
}

TEST_F(ImportTest, ADatabaseWithoutTheTableSaysSo) {
  Run("DROP TABLE oauth_connections");
  auto source = OpenSource("sqlite:" + SourcePath());
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->List(0, 10).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(OpenSource("sqlite:" + store_.directory() + "/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(OpenSource("mysql://x").error().code, ErrorCode::kInvalidArgument);
}

TEST(FernetKeys, AreOnePerLine) {
  EXPECT_EQ(ParseFernetKeys("").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ParseFernetKeys("# nothing\n\n").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ParseFernetKeys("short\n").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ParseFernetKeys(std::string(kFernetKey)).value().size(), 1u);
}

TEST(ImportedAccounts, AreReconnectedAsTheMailboxTheyAreKnownBy) {
  using connected_accounts::IsSameMailbox;
  const auto person = [](std::string subject, std::string email, bool own) {
    oauth::IdentityClaims claims;
    claims.subject = std::move(subject);
    claims.email = std::move(email);
    claims.email_is_own = own;
    return claims;
  };
  EXPECT_TRUE(IsSameMailbox("1234", person("1234", "other@example.com", false)));
  EXPECT_FALSE(IsSameMailbox("1234", person("5678", "ada@example.com", true)));
  EXPECT_TRUE(IsSameMailbox("email:ada@example.com", person("1234", "Ada@Example.com", true)));
  EXPECT_FALSE(IsSameMailbox("email:ada@example.com", person("1234", "ada@example.com", false)))
      << "an address that nobody vouches for";
  EXPECT_FALSE(IsSameMailbox("email:ada@example.com", person("1234", "grace@example.com", true)));
  EXPECT_FALSE(IsSameMailbox("email:", person("1234", "", true)));
  EXPECT_TRUE(IsSameMailbox("org:Example Ltd", person("1234", "ada@example.com", false)));
}

}  // namespace
}  // namespace latchkey::legacy
