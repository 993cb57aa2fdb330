#include "tests/integration/support/fixture.hpp"

#include <boost/json/object.hpp>
#include <filesystem>

namespace latchkey::integration {

IntegrationTest::IntegrationTest()
    : simulator_(
          {"--account", std::string(kAda) + "=Ada Example", "--account", std::string(kGrace) + "=Grace Example"}),
      server_(simulator_) {}

void IntegrationTest::SetUp() {
  if (ScratchDatabase::Wanted() && !ScratchDatabase::Possible())
    GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
  if (start_server_) server_.Start();
}

void IntegrationTest::TearDown() {
  if (server_.running()) EXPECT_EQ(server_.Stop(), 0) << server_.log().substr(0, 4000);
  ExpectNoSecretInLog();
}

std::unique_ptr<Person> IntegrationTest::NewPerson(const std::string& email) {
  return std::make_unique<Person>(server_, simulator_, email);
}

void IntegrationTest::ExpectNoSecretInLog() {
  const auto log = server_.log();
  std::vector<std::string> secrets = canaries_;
  secrets.emplace_back(kClientSecret);
  secrets.emplace_back(kMicrosoftClientSecret);
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(server_.data_directory() + "/secrets", error)) {
    auto text = ReadFile(file.path());
    while (!text.empty() && text.back() == '\n') text.pop_back();
    secrets.push_back(std::move(text));
  }
  // How the simulator's tokens and codes begin.
  for (const auto* prefix : {"ya29.", "1//0", "4/0A", "EwB", "1.AVYA", "M.C507", "eyJ0eXAi"})
    secrets.emplace_back(prefix);
  for (const auto& secret : secrets) {
    if (secret.empty()) continue;
    const auto at = log.find(secret);
    EXPECT_EQ(at, std::string::npos) << "a secret is in the log: "
                                     << (at == std::string::npos ? "" : log.substr(at > 200 ? at - 200 : 0, 300));
  }
}

boost::json::object Mail(const std::string& subject, const std::string& text) {
  return {
      {"from", "Linus Sender <linus@example.net>"}, {"to", "ada@example.com"}, {"subject", subject}, {"text", text}};
}

}  // namespace latchkey::integration
