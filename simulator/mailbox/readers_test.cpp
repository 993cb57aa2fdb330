#include "simulator/mailbox/readers.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace latchkey::simulator {
namespace {

class ReadersTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "latchkey-readers-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  std::vector<FoundMessage> Read(const std::string& file) {
    std::vector<FoundMessage> messages;
    const auto count = ReadMessages(file, [&](FoundMessage message) { messages.push_back(std::move(message)); });
    EXPECT_TRUE(count) << count.error();
    if (count) EXPECT_EQ(*count, messages.size());
    return messages;
  }

  std::filesystem::path folder_;
};

TEST_F(ReadersTest, UndoesMboxQuotingAndDropsTheContainersLines) {
  const auto messages =
      Read(Write("a.mbox",
                 "From a@example.com Thu Jan  1 00:00:00 2026\nSubject: one\n\nBody\n>From here\n"
                 ">>From there\n\nFrom b@example.com Thu Jan  1 00:00:00 2026\nSubject: two\n\nEnd\n"));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].raw, "Subject: one\n\nBody\nFrom here\n>From there\n");
  EXPECT_EQ(messages[1].raw, "Subject: two\n\nEnd\n");
}

TEST_F(ReadersTest, ReadsJsonLinesWithTheirLabelsAndDates) {
  const auto messages =
      Read(Write("a.jsonl", R"({"raw":"U3ViamVjdDogaGkNCg0K","date":"2025-01-02T03:04:05Z","folder":"SENT",)"
                            R"("labels":["list/x"],"unread":false,"starred":true})"
                            "\n\n"));
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].raw, "Subject: hi\r\n\r\n");
  EXPECT_EQ(messages[0].date, 1735787045000);
  EXPECT_EQ(messages[0].mailbox, "SENT");
  EXPECT_EQ(messages[0].label_names, std::vector<std::string>{"list/x"});
  EXPECT_TRUE(messages[0].starred);
}

TEST_F(ReadersTest, ReadsAFolderOfEmlFilesByName) {
  Write("b.eml", "Subject: b\n\n");
  Write("a.eml", "Subject: a\n\n");
  Write("notes.txt", "nothing");
  const auto messages = Read(folder_.string());
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].raw, "Subject: a\n\n");
}

TEST_F(ReadersTest, SaysWhatIsWrongWithAFile) {
  const auto ignore = [](const FoundMessage&) {};
  EXPECT_EQ(ReadMessages("/nowhere/x.mbox", ignore).error(), "there is no file /nowhere/x.mbox");
  const std::string text = Write("x.mbox", "just text\n");
  EXPECT_NE(ReadMessages(text, ignore).error().find("is no mbox"), std::string::npos);
  const std::string line = Write("x.jsonl", "{}\n");
  EXPECT_NE(ReadMessages(line, ignore).error().find("line 1 has no \"raw\""), std::string::npos);
}

TEST_F(ReadersTest, CountsTheMessagesOfOddMboxFilesAsTwoOtherReadersDo) {
  const char* override_folder = std::getenv("LATCHKEY_CORPUS");
  const std::filesystem::path corpus = override_folder != nullptr
                                           ? std::filesystem::path(override_folder)
                                           : std::filesystem::path(LATCHKEY_SOURCE_DIR) / ".." / "shared" / "corpus";
  std::ifstream manifest(corpus / "torture" / "mbox" / "manifest.jsonl");
  if (!manifest) GTEST_SKIP() << "no corpus at " << corpus << ": set LATCHKEY_CORPUS to run this test";
  for (std::string line; std::getline(manifest, line);) {
    const boost::json::value entry = boost::json::parse(line);
    const boost::json::value& expected = entry.at("messages");
    if (expected.is_null()) continue;
    const std::string name(entry.at("file").as_string());
    const auto count = ReadMessages((corpus / "torture" / "mbox" / name).string(), [](const FoundMessage&) {});
    EXPECT_TRUE(count) << count.error();
    if (count) EXPECT_EQ(static_cast<std::int64_t>(*count), expected.as_int64()) << name;
  }
}

}  // namespace
}  // namespace latchkey::simulator
