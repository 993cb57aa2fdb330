#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Startup : public IntegrationTest {
 protected:
  Startup() { start_server_ = false; }
};

struct BadSetting {
  const char* name;
  const char* value;
  const char* said;
};

TEST_F(Startup, EveryBadSettingIsRefusedInWords) {
  const BadSetting table[] = {
      {"LATCHKEY_LISTEN", "nowhere", "ADDRESS:PORT"},
      {"LATCHKEY_LISTEN", "127.0.0.1:99999", "port"},
      {"LATCHKEY_PUBLIC_URL", "http://mail.example.com", "https"},
      {"LATCHKEY_PUBLIC_URL", "mail", "in full"},
      {"LATCHKEY_TREADS", "2", "LATCHKEY_THREADS"},
      {"LATCHKEY_THREADS", "many", "number"},
      {"LATCHKEY_POLL_SECONDS", "0", "number"},
      {"LATCHKEY_ROLE", "boss", "all, web or worker"},
      {"SESSION_SECRET", "your_session_secret_key", "32 bytes"},
      {"JWT_SECRET", "your_jwt_secret_key_change_in_production", "sample"},
      {"ENCRYPTION_KEY", "your_encryption_key_base64_encoded", "openssl rand"},
      {"SESSION_SECRET_FILE", "/nonexistent/secret", "cannot be read"},
      {"REDIS_URL", "localhost:6379", "redis://HOST:6379/0"},
      {"DATABASE_URL", "mysql://u:p@h/db", "sqlite:"},
      {"AUTH_GOOGLE_CLIENT_SECRET", "canary-lonely-secret", "AUTH_GOOGLE_CLIENT_ID"},
      {"GOOGLE_GMAIL_URL", "http://gmail.example.com", "https"},
  };
  for (const auto& bad : table) {
    const auto failed = RunServer({{bad.name, bad.value}});
    EXPECT_EQ(failed.exit_code, 2) << bad.name << "\n" << failed.output;
    EXPECT_THAT(failed.output, HasSubstr(bad.said)) << bad.name;
    EXPECT_THAT(failed.output, Not(HasSubstr("canary"))) << bad.name;
  }
}

TEST_F(Startup, AllProblemsAreToldAtOnce) {
  const auto failed = RunServer({{"LATCHKEY_LISTEN", "x"}, {"LATCHKEY_THREADS", "x"}, {"LATCHKEY_NONSENSE", "x"}});
  for (const auto* name : {"LATCHKEY_LISTEN", "LATCHKEY_THREADS", "LATCHKEY_NONSENSE"})
    EXPECT_THAT(failed.output, HasSubstr(name));
}

TEST_F(Startup, ConfigCheckShowsValuesWithOriginAndNoSecret) {
  const auto run = RunServer({{"LATCHKEY_LISTEN", "127.0.0.1:4711"},
                              {"AUTH_GOOGLE_CLIENT_ID", "abc.apps.googleusercontent.com"},
                              {"AUTH_GOOGLE_CLIENT_SECRET", kClientSecret}},
                             {"config", "check"});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("127.0.0.1:4711"));
  EXPECT_THAT(run.output, HasSubstr("environment"));
  EXPECT_THAT(run.output, Not(HasSubstr(kClientSecret)));
}

TEST_F(Startup, HelpAndVersionAndMistakes) {
  EXPECT_EQ(RunServer({}, {"--help"}).exit_code, 0);
  EXPECT_THAT(RunServer({}, {"--version"}).output, HasSubstr("latchkey"));
  EXPECT_EQ(RunServer({}, {"--no-such-flag"}).exit_code, 2);
  EXPECT_EQ(RunServer({}, {"fly"}).exit_code, 2);
}

TEST_F(Startup, APortInUseIsNamed) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(socket, 1), 0);
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  const auto listen = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const TempDirectory directory;
  const auto failed = RunServer({{"LATCHKEY_LISTEN", listen}, {"LATCHKEY_DATA_DIR", directory.Sub("data")}});
  ::close(socket);
  EXPECT_EQ(failed.exit_code, 4) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr(listen));
  EXPECT_THAT(failed.output, HasSubstr("LATCHKEY_LISTEN"));
}

TEST_F(Startup, AnUnusableDataDirectoryIsNamed) {
  const TempDirectory directory;
  WriteFile(directory.Sub("file"), "not a directory");
  const auto failed =
      RunServer({{"LATCHKEY_LISTEN", "127.0.0.1:0"}, {"LATCHKEY_DATA_DIR", directory.Sub("file/data")}});
  EXPECT_EQ(failed.exit_code, 3) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("LATCHKEY_DATA_DIR"));
}

TEST_F(Startup, ASecretThatOthersMayReadIsRefused) {
  server_.Start();
  EXPECT_EQ(server_.Stop(), 0);
  ::chmod((server_.data_directory() + "/secrets/encryption_key").c_str(), 0644);
  const auto failed = RunServer(server_.environment());
  EXPECT_EQ(failed.exit_code, 3) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("chmod 600"));
}

TEST_F(Startup, AFileThatIsNoDatabaseIsNamedAndLeftAlone) {
  const TempDirectory directory;
  WriteFile(directory.Sub("x.db"), std::string(4096, 'x'));
  const auto failed = RunServer({{"LATCHKEY_LISTEN", "127.0.0.1:0"},
                                 {"LATCHKEY_DATA_DIR", directory.Sub("data")},
                                 {"DATABASE_URL", "sqlite:" + directory.Sub("x.db")}});
  EXPECT_EQ(failed.exit_code, 3) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("x.db"));
  EXPECT_EQ(ReadFile(directory.Sub("x.db")), std::string(4096, 'x'));
}

TEST_F(Startup, AWrongEncryptionKeyIsRefusedAndNothingIsChanged) {
  server_.Start();
  auto person = NewPerson();
  person->SignIn();
  const auto account = person->Connect(kAda);
  person->WaitUntilImported(account);
  EXPECT_EQ(server_.Stop(), 0);
  const auto key_path = server_.data_directory() + "/secrets/encryption_key";
  const auto right = ReadFile(key_path);
  auto wrong = right;
  std::reverse(wrong.begin(), wrong.begin() + 40);
  WriteFile(key_path, wrong);
  const auto failed = RunServer(server_.environment());
  EXPECT_EQ(failed.exit_code, 5) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("ENCRYPTION_KEY"));
  EXPECT_THAT(failed.output, HasSubstr("1 account"));
  WriteFile(key_path, right);
  server_.Start();
  simulator_.Deliver(kAda, Mail("After the right key came back"));
  EXPECT_TRUE(WaitUntil([&] { return !person->Messages().empty(); }));
}

TEST_F(Startup, TheServerStopsInOrderWhileStreamsAreOpen) {
  server_.Start();
  auto person = NewPerson();
  person->SignIn();
  auto events = person->OpenEvents();
  ASSERT_EQ(events->WaitForStatus(kPatience), 200);
  EXPECT_EQ(server_.Stop(), 0);
  EXPECT_TRUE(events->WaitForEnd(kPatience));
}

TEST_F(Startup, WithoutAProviderTheServerRunsAndSaysSo) {
  for (const auto* name : {"AUTH_GOOGLE_CLIENT_ID", "AUTH_GOOGLE_CLIENT_SECRET"}) server_.environment().erase(name);
  server_.Start();
  auto person = NewPerson();
  EXPECT_TRUE(person->Session().at("providers").as_array().empty());
  EXPECT_EQ(QueryOf(person->StartSignIn().Location(), "error"), "provider_not_configured");
}

}  // namespace
}  // namespace latchkey::integration
