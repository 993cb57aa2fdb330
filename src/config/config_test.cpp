#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "config/data_directory.hpp"
#include "config/load.hpp"

namespace latchkey::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr std::string_view kGoodSecret = "q3fV7+T9xM1kZ0bWc8yJr5uHdN2sLgPaEiKoQ4XvB6M=";

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = (fs::temp_directory_path() / "latchkey-config-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    sources_.config_path = folder_ + "/latchkey.toml";
  }
  ~ConfigTest() override {
    std::error_code error;
    fs::permissions(folder_, fs::perms::owner_all, error);
    fs::remove_all(folder_, error);
  }

  std::string WriteFile(const std::string& name, std::string_view text, mode_t mode = 0600) {
    const auto path = folder_ + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  void Env(std::string name, std::string value) {
    sources_.environment.emplace_back(std::move(name), std::move(value));
  }

  std::string Problems() const {
    const auto loaded = Load(sources_);
    return loaded ? "" : Describe(loaded.error());
  }

  std::string folder_;
  Sources sources_;
};

TEST_F(ConfigTest, NothingSetGivesWorkingDefaults) {
  const auto loaded = Load(sources_);
  ASSERT_TRUE(loaded) << Describe(loaded.error());
  EXPECT_EQ(loaded->settings.listen_port, 8000);
  EXPECT_EQ(loaded->settings.DatabasePath(), "data/latchkey.db");
}

TEST_F(ConfigTest, FlagsBeatEnvironmentBeatsFileBeatsDefaults) {
  WriteFile("latchkey.toml", "[server]\nlisten = \"127.0.0.1:1\"\ndata_dir = \"from-file\"\nlog_level = \"debug\"\n");
  Env("LATCHKEY_LISTEN", "127.0.0.1:2");
  Env("LATCHKEY_DATA_DIR", "from-environment");
  sources_.flags["LATCHKEY_LISTEN"] = "127.0.0.1:3";
  const auto loaded = Load(sources_);
  ASSERT_TRUE(loaded) << Describe(loaded.error());
  EXPECT_EQ(loaded->settings.listen_port, 3);
  EXPECT_EQ(loaded->settings.data_dir, "from-environment");
  EXPECT_EQ(loaded->settings.log_level, "debug");
  EXPECT_EQ(loaded->origins.at("LATCHKEY_LISTEN"), "flag --listen");
}

TEST_F(ConfigTest, EveryProblemIsReportedAtOnceWithItsRemedy) {
  Env("LATCHKEY_LISTEN", "nowhere");
  Env("LATCHKEY_PUBLIC_URL", "http://mail.example.com");
  Env("LATCHKEY_POL_SECONDS", "5");
  Env("SESSION_SECRET", "short");
  Env("JWT_SECRET", "your_jwt_secret_key_change_in_production");
  Env("AUTH_GOOGLE_CLIENT_ID", "abc.apps.googleusercontent.com");
  Env("DATABASE_URL", "mysql://u:p@h/db");
  const auto problems = Problems();
  EXPECT_THAT(problems, HasSubstr("LATCHKEY_LISTEN (environment) is not ADDRESS:PORT"));
  EXPECT_THAT(problems, HasSubstr("plain http on another machine"));
  EXPECT_THAT(problems, HasSubstr("Did you mean LATCHKEY_POLL_SECONDS?"));
  EXPECT_THAT(problems, HasSubstr("SESSION_SECRET (environment) is shorter than 32 bytes"));
  EXPECT_THAT(problems, HasSubstr("JWT_SECRET (environment) is a sample value"));
  EXPECT_THAT(problems, HasSubstr("AUTH_GOOGLE_CLIENT_SECRET is missing"));
  EXPECT_THAT(problems, HasSubstr("postgresql://USER:PASSWORD@HOST:PORT/DATABASE"));
}

TEST_F(ConfigTest, ThePasswordOfTheDatabaseIsNotShown) {
  for (const auto* url :
       {"postgresql://ada:hunter2@db.example.com:5432/latchkey?sslpassword=hunter3",
        "postgres://ada:hunter@2@db.example.com/latchkey", "postgresql:///latchkey?password=hunter2"}) {
    sources_.environment.clear();
    Env("DATABASE_URL", url);
    const auto loaded = Load(sources_);
    ASSERT_TRUE(loaded) << Describe(loaded.error());
    EXPECT_EQ(loaded->settings.DatabasePath(), url);
    EXPECT_THAT(Print(*loaded), Not(HasSubstr("hunter")));
    EXPECT_THAT(Print(*loaded), HasSubstr("latchkey"));
  }
}

TEST_F(ConfigTest, TheAddressOfTheDatabaseIsAUrlAndItsConnectionsAreANumber) {
  Env("DATABASE_URL", "host=db.example.com dbname=latchkey password=hunter2");
  Env("LATCHKEY_DATABASE_CONNECTIONS", "1");
  EXPECT_THAT(Problems(), AllOf(HasSubstr("DATABASE_URL"), HasSubstr("postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
                                HasSubstr("from 2 to 200"), Not(HasSubstr("hunter"))));
  sources_.environment.clear();
  Env("LATCHKEY_DATABASE_CONNECTIONS", "40");
  EXPECT_EQ(Load(sources_)->settings.database_connections, 40);
}

TEST_F(ConfigTest, HalfAServerNeedsASharedDatabaseAndSharedSecrets) {
  for (const auto* role : {"web", "worker"}) {
    sources_.environment.clear();
    Env("LATCHKEY_ROLE", role);
    EXPECT_THAT(Problems(), HasSubstr("SQLite"));
    Env("DATABASE_URL", "postgresql://ada@db.example.com/latchkey");
    for (const auto* name : {"SESSION_SECRET", "JWT_SECRET", "ENCRYPTION_KEY", "LATCHKEY_PUBLIC_URL"})
      EXPECT_THAT(Problems(), HasSubstr(name));
    for (const auto* name : {"SESSION_SECRET", "JWT_SECRET", "ENCRYPTION_KEYS"}) Env(name, std::string(kGoodSecret));
    Env("LATCHKEY_PUBLIC_URL", "https://mail.example.com");
    EXPECT_EQ(Problems(), "");
  }
}

TEST_F(ConfigTest, ProblemsNeverShowASecretsValue) {
  Env("SESSION_SECRET", "hunter2");
  Env("ENCRYPTION_KEY", "hunter3");
  EXPECT_THAT(Problems(), Not(HasSubstr("hunter")));
}

TEST_F(ConfigTest, PlainHttpIsAcceptedOnThisMachineOnly) {
  for (const auto* good :
       {"http://localhost:8000", "http://127.0.0.1:1", "http://[::1]:8000/", "https://example.com"}) {
    sources_.environment = {{"LATCHKEY_PUBLIC_URL", good}};
    EXPECT_EQ(Problems(), "") << good;
  }
  for (const auto* bad : {"http://example.com", "http://localhost.example.com", "ftp://localhost", "localhost:8000",
                          "https://user@example.com", "https://example.com/path", "http://127.0.0.1.example.com"}) {
    sources_.environment = {{"LATCHKEY_PUBLIC_URL", bad}};
    EXPECT_NE(Problems(), "") << bad;
  }
}

TEST_F(ConfigTest, ListeningBeyondThisMachineNeedsAPublicUrl) {
  Env("LATCHKEY_LISTEN", "0.0.0.0:8000");
  EXPECT_THAT(Problems(), HasSubstr("LATCHKEY_PUBLIC_URL is not set"));
}

TEST_F(ConfigTest, UnknownKeysOfTheFileAreRefused) {
  WriteFile("latchkey.toml", "[server]\nlisen = \"127.0.0.1:1\"\n[gogle]\nclient_id = \"x\"\n");
  const auto problems = Problems();
  EXPECT_THAT(problems, HasSubstr("server.lisen is not a setting.\n    Did you mean server.listen?"));
  EXPECT_THAT(problems, HasSubstr("Did you mean google.client_id?"));
}

TEST_F(ConfigTest, BrokenTomlNamesTheLine) {
  WriteFile("latchkey.toml", "[server]\nlisten = \n");
  EXPECT_THAT(Problems(), HasSubstr("line 2"));
}

TEST_F(ConfigTest, SecretsMayComeFromFilesAndOthersMayNot) {
  Env("SESSION_SECRET_FILE", WriteFile("session", std::string(kGoodSecret) + "\n"));
  const auto loaded = Load(sources_);
  ASSERT_TRUE(loaded) << Describe(loaded.error());
  EXPECT_EQ(loaded->settings.session_secret.Reveal(), kGoodSecret);
  Env("LATCHKEY_LISTEN_FILE", "x");
  EXPECT_THAT(Problems(), HasSubstr("LATCHKEY_LISTEN_FILE is not a setting"));
}

TEST_F(ConfigTest, ASecretSetDirectlyAndByFileIsAmbiguous) {
  Env("SESSION_SECRET", std::string(kGoodSecret));
  Env("SESSION_SECRET_FILE", WriteFile("session", kGoodSecret));
  EXPECT_THAT(Problems(), HasSubstr("is set twice"));
}

TEST_F(ConfigTest, OtherProgramsVariablesAreLeftAlone) {
  Env("GOOGLE_APPLICATION_CREDENTIALS", "/etc/x.json");
  Env("PATH", "/usr/bin");
  EXPECT_EQ(Problems(), "");
}

TEST_F(ConfigTest, PrintingRedactsSecretsAndNamesOrigins) {
  Env("SESSION_SECRET", std::string(kGoodSecret));
  Env("AUTH_GOOGLE_CLIENT_ID", "abc.apps.googleusercontent.com");
  Env("AUTH_GOOGLE_CLIENT_SECRET", "very-canary-value");
  const auto loaded = Load(sources_);
  ASSERT_TRUE(loaded) << Describe(loaded.error());
  const auto text = Print(*loaded);
  EXPECT_THAT(text, Not(HasSubstr(std::string(kGoodSecret))));
  EXPECT_THAT(text, Not(HasSubstr("canary")));
  EXPECT_THAT(text, HasSubstr("abc.apps.googleusercontent.com"));
  EXPECT_THAT(text, HasSubstr("environment"));
}

TEST_F(ConfigTest, TheRedisUrlIsASecretOfWhichOnlyThePlaceIsShown) {
  Env("REDIS_URL_FILE", WriteFile("redis", "rediss://ada:hunter2@redis.example.net/3\n"));
  const auto loaded = Load(sources_);
  ASSERT_TRUE(loaded) << Describe(loaded.error());
  ASSERT_TRUE(loaded->settings.redis);
  EXPECT_EQ(loaded->settings.redis->password.Reveal(), "hunter2");
  EXPECT_THAT(Print(*loaded), HasSubstr("rediss://redis.example.net:6379/3"));
  EXPECT_THAT(Print(*loaded), Not(HasSubstr("hunter2")));
}

TEST_F(ConfigTest, ARedisUrlThatCannotBeReadSaysHowToWriteIt) {
  Env("REDIS_URL", "localhost:6379:hunter2");
  EXPECT_THAT(Problems(), HasSubstr("REDIS_URL (environment) is not a Redis URL"));
  EXPECT_THAT(Problems(), HasSubstr("redis://HOST:6379/0"));
  EXPECT_THAT(Problems(), Not(HasSubstr("hunter2")));
}

TEST_F(ConfigTest, FirstStartGeneratesSecretsThatLaterStartsKeep) {
  Env("LATCHKEY_DATA_DIR", folder_ + "/data");
  auto first = Load(sources_);
  ASSERT_TRUE(first);
  EXPECT_EQ(Describe(PrepareDataDirectory(*first)), "");
  EXPECT_EQ(first->settings.encryption_keys.size(), 1U);
  EXPECT_EQ(first->settings.encryption_keys[0].Reveal().size(), 32U);
  auto second = Load(sources_);
  ASSERT_TRUE(second);
  EXPECT_EQ(Describe(PrepareDataDirectory(*second)), "");
  EXPECT_EQ(first->settings.encryption_keys, second->settings.encryption_keys);
  EXPECT_EQ(first->settings.session_secret, second->settings.session_secret);
  struct stat info{};
  ASSERT_EQ(::stat((folder_ + "/data/secrets/encryption_key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST_F(ConfigTest, AGeneratedSecretThatOthersMayReadIsRefused) {
  Env("LATCHKEY_DATA_DIR", folder_ + "/data");
  auto first = Load(sources_);
  ASSERT_TRUE(first);
  ASSERT_EQ(Describe(PrepareDataDirectory(*first)), "");
  ::chmod((folder_ + "/data/secrets/jwt_secret").c_str(), 0644);
  auto second = Load(sources_);
  ASSERT_TRUE(second);
  EXPECT_THAT(Describe(PrepareDataDirectory(*second)), HasSubstr("chmod 600"));
}

TEST_F(ConfigTest, ADataDirectoryThatCannotBeMadeSaysWhatToDo) {
  Env("LATCHKEY_DATA_DIR", WriteFile("a-file", "") + "/data");
  auto loaded = Load(sources_);
  ASSERT_TRUE(loaded);
  EXPECT_THAT(Describe(PrepareDataDirectory(*loaded)), HasSubstr("LATCHKEY_DATA_DIR"));
}

TEST_F(ConfigTest, UrlsFollowThePortReallyUsed) {
  Settings settings;
  CompleteUrls(settings, 4711);
  EXPECT_EQ(settings.public_url, "http://localhost:4711");
  EXPECT_EQ(settings.frontend_url, settings.public_url);
  EXPECT_EQ(settings.google.connect_callback_url, "http://localhost:4711/auth/apis/connect/google/callback");
}

// The sample shows every key, commented out with its default or an example; uncommented it must load.
TEST_F(ConfigTest, TheSampleDocumentsEveryKeyAndLoads) {
  std::ifstream sample(std::string(LATCHKEY_SOURCE_DIR) + "/docs/latchkey.toml");
  ASSERT_TRUE(sample);
  std::string line, enabled;
  while (std::getline(sample, line))
    enabled += (line.starts_with("#") && line.size() > 1 && line[1] != ' ') ? line.substr(1) + "\n" : line + "\n";
  std::string section;
  std::vector<std::string> documented;
  std::istringstream lines(enabled);
  while (std::getline(lines, line)) {
    if (line.starts_with("[")) section = line.substr(1, line.find(']') - 1);
    if (const auto equals = line.find(" = "); !line.starts_with("#") && equals != std::string::npos)
      documented.push_back(section + "." + line.substr(0, equals));
  }
  for (const auto& key : Keys()) EXPECT_THAT(documented, ::testing::Contains(std::string(key.toml)));
  // Its secrets are placeholders, which are refused as such; a server must not run on a key from a manual.
  WriteFile("latchkey.toml", enabled);
  const auto problems = Problems();
  std::string without_secrets;
  std::istringstream again(enabled);
  while (std::getline(again, line)) {
    const auto name = line.substr(0, line.find(" = "));
    const bool secret = std::ranges::any_of(
        Keys(), [&](const Key& key) { return key.kind == Kind::kSecret && key.toml.ends_with("." + name); });
    without_secrets += secret || name == "client_id" ? "" : line + "\n";
  }
  WriteFile("latchkey.toml", without_secrets);
  EXPECT_EQ(Problems(), "");
  for (const auto& key : Keys()) {
    if (key.kind == Kind::kSecret) EXPECT_THAT(problems, HasSubstr(std::string(key.env) + " ("));
  }
}

TEST_F(ConfigTest, TheReferencePageNamesEveryKey) {
  std::ifstream page(std::string(LATCHKEY_SOURCE_DIR) + "/docs/settings.md");
  const std::string text(std::istreambuf_iterator<char>(page), {});
  for (const auto& key : Keys()) {
    EXPECT_THAT(text, HasSubstr(std::string(key.env)));
    EXPECT_THAT(text, HasSubstr(std::string(key.toml)));
  }
}

}  // namespace
}  // namespace latchkey::config
