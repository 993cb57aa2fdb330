#include "simulator/app/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace latchkey::simulator {
namespace {

using ::testing::HasSubstr;

std::expected<Options, Options::Exit> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "latchkey-simulator");
  return Options::Parse(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Options, WithoutArgumentsThreePeopleAndTheSampleMail) {
  const auto options = Parse({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->listen.port, 8025);
  EXPECT_EQ(options->accounts.size(), 3u);
  EXPECT_EQ(options->samples, std::vector<std::string>{options->accounts.front().first});
  EXPECT_TRUE(options->settings.quota);
}

TEST(Options, EverythingCanBeNamed) {
  const auto options = Parse({"--listen",
                              "127.0.0.1:0",
                              "--tls-listen",
                              "localhost:0",
                              "--account",
                              "ada@example.com=Ada Example",
                              "--account",
                              "bob@example.org",
                              "--microsoft-account",
                              "noor@outlook.example=Noor Muster",
                              "--mailbox",
                              "ada@example.com=mail.mbox.gz",
                              "--sample",
                              "bob@example.org",
                              "--redirect-uri",
                              "http://127.0.0.1:8000/cb",
                              "--no-quota",
                              "--testing-mode",
                              "--seed",
                              "7",
                              "--quiet"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->accounts[0], (std::pair<std::string, std::string>("ada@example.com", "Ada Example")));
  EXPECT_EQ(options->mailboxes[0], (std::pair<std::string, std::string>("ada@example.com", "mail.mbox.gz")));
  EXPECT_EQ(options->microsoft_accounts[0],
            (std::pair<std::string, std::string>("noor@outlook.example", "Noor Muster")));
  EXPECT_EQ(options->tls_listen->host, "localhost");
  EXPECT_FALSE(options->settings.quota);
  EXPECT_TRUE(options->settings.testing_mode);
  EXPECT_EQ(options->settings.seed, 7u);
}

TEST(Options, MistakesNameTheOption) {
  EXPECT_THAT(Parse({"--listen", "8025"}).error().text, HasSubstr("--listen: \"8025\" is not HOST:PORT"));
  EXPECT_THAT(Parse({"--listen", "a:99999"}).error().text, HasSubstr("HOST:PORT"));
  EXPECT_THAT(Parse({"--account", "ada"}).error().text, HasSubstr("not an e-mail address"));
  EXPECT_THAT(Parse({"--mailbox", "ada@example.com"}).error().text, HasSubstr("EMAIL=FILE"));
  EXPECT_THAT(Parse({"--account", "ada@example.com", "--microsoft-account", "Ada@example.com"}).error().text,
              HasSubstr("Google's already"));
  EXPECT_EQ(Parse({"--unknown"}).error().status, 2);
}

TEST(Options, HelpNamesEveryOption) {
  const auto help = Parse({"--help"});
  ASSERT_FALSE(help);
  EXPECT_EQ(help.error().status, 0);
  for (const char* option :
       {"--listen", "--tls-listen", "--tls-dir", "--account", "--mailbox", "--sample", "--client-id", "--client-secret",
        "--redirect-uri", "--testing-mode", "--no-quota", "--seed", "--ready-file", "--state", "--quiet",
        "--microsoft-account", "--microsoft-client-id", "--microsoft-client-secret", "--trust-ca"}) {
    EXPECT_THAT(help.error().text, HasSubstr(option));
  }
}

TEST(ListenAddress, BracketsHoldAnIpv6Address) { EXPECT_EQ(ListenAddress::Parse("[::1]:80")->host, "::1"); }

}  // namespace
}  // namespace latchkey::simulator
