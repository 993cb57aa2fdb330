#include "storage/message_content.hpp"

#include <gtest/gtest.h>

#include "storage/search_text.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::storage {
namespace {

TEST(MessageContentTest, TheSameMessageGivesTheSameBytes) {
  const auto message = testing::SampleMessage("m1");
  EXPECT_EQ(EncodeContent(message), EncodeContent(message));
}

TEST(MessageContentTest, AnEmptyMessageComesBackEmpty) {
  mail::Message decoded = testing::SampleMessage("m1");
  ASSERT_TRUE(DecodeContent(EncodeContent({}), decoded));
  EXPECT_TRUE(decoded.text.empty());
  EXPECT_TRUE(decoded.from.empty());
  EXPECT_TRUE(decoded.references.empty());
}

TEST(MessageContentTest, LargeAndRepetitiveTextComesBack) {
  mail::Message message;
  for (int i = 0; i < 100000; ++i) message.text += "line " + std::to_string(i % 7) + "\n";
  message.html = std::string(3 << 20, 'x');
  mail::Message decoded;
  ASSERT_TRUE(DecodeContent(EncodeContent(message), decoded));
  EXPECT_EQ(decoded.text, message.text);
  EXPECT_EQ(decoded.html, message.html);
}

TEST(MessageContentTest, EveryDamageIsAnErrorNeverACrash) {
  const std::string good = EncodeContent(testing::SampleMessage("m1"));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x55);
    mail::Message decoded;
    (void)DecodeContent(bad, decoded);
    (void)DecodeContent(std::string_view(good).substr(0, i), decoded);
  }
  mail::Message decoded;
  EXPECT_FALSE(DecodeContent("", decoded));
  EXPECT_FALSE(DecodeContent("not a frame", decoded));
}

TEST(SearchTextTest, RunsWithoutSpacesBecomePairs) {
  EXPECT_EQ(IndexableText("plain text"), "plain text");
  EXPECT_EQ(IndexableText("a東京都b"), "a 東京 京都 都 b");
  EXPECT_EQ(IndexableText("１２"), "12");
}

TEST(SearchTextTest, ExpressionsQuoteWhatWasTyped) {
  EXPECT_EQ(MatchExpression(""), "");
  EXPECT_EQ(MatchExpression("  ... "), "");
  EXPECT_EQ(MatchExpression("one two"), "\"one\" AND \"two\" *");
  EXPECT_EQ(MatchExpression("one two "), "\"one\" AND \"two\"");
  EXPECT_EQ(MatchExpression("\"one two\""), "\"one two\"");
  EXPECT_EQ(MatchExpression("OR"), "\"OR\" *");
  EXPECT_EQ(MatchExpression("東京都"), "\"東京 京都 \"");
  EXPECT_EQ(MatchExpression("東"), "\"東\" *");
}

TEST(SearchTextTest, HugeAndBrokenTextIsBounded) {
  EXPECT_LE(IndexableText(std::string(2 << 20, 'a')).size(), 256u << 10);
  EXPECT_NO_THROW(IndexableText("\xff\xfe\x80 broken \xe6\x9d"));
  std::string words;
  for (int i = 0; i < 10000; ++i) words += "w ";
  EXPECT_LT(MatchExpression(words).size(), 1000u);
}

}  // namespace
}  // namespace latchkey::storage
