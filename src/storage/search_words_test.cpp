#include "storage/search_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/testing/scratch_postgres.hpp"

namespace latchkey::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const ConnectedAccountId kAccount("0190f3a0-0000-7000-8000-000000000001");

mail::Message Mail(std::string subject, std::string text) {
  mail::Message message;
  message.subject = std::move(subject);
  message.text = std::move(text);
  message.from = {{.name = "Zoë Example", .address = "zoe@example.com"}};
  return message;
}

TEST(SearchWords, AreFoldedAndWithoutDiacritics) {
  EXPECT_THAT(SearchWords("Grüße, ZOË's 2nd e-mail"), ElementsAre("gruße", "zoe", "s", "2nd", "e", "mail"));
  EXPECT_THAT(SearchWords(" ... \" ' \\ "), IsEmpty());
}

TEST(SearchWords, APhraseKeepsItsOrderAndTheLastWordMayBeUnfinished) {
  EXPECT_EQ(TsQueryText(kAccount, "  ... "), "");
  EXPECT_EQ(TsQueryText(kAccount, "One two"), "'@a0190f3a0000070008000000000000001' & ('one') & ('two':*)");
  EXPECT_THAT(TsQueryText(kAccount, "\"one two\""), HasSubstr("('one' <-> 'two' | '@long' & 'one' & 'two')"));
  EXPECT_THAT(TsQueryText(kAccount, "o'neil "), HasSubstr("'o' <-> 'neil'"));
}

/// What PostgreSQL makes of both texts.
class SearchOnPostgres : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::PostgresServer()) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
    database = std::make_unique<testing::ScratchPostgres>();
  }
  bool Finds(const mail::Message& message, std::string_view typed, const ConnectedAccountId& account = kAccount) {
    const auto quoted = [](std::string text) {
      for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2) text.insert(at, 1, '\'');
      return "'" + text + "'";
    };
    const std::string words = TsVectorText(MakeSearchDocument(kAccount, message));
    return database->One("SELECT CAST(" + quoted(words) + " AS tsvector) @@ CAST(" +
                         quoted(TsQueryText(account, typed)) + " AS tsquery)") == "t";
  }
  std::unique_ptr<testing::ScratchPostgres> database;
};

TEST_F(SearchOnPostgres, FindsWordsPhrasesPrefixesAndPairs) {
  const auto mail = Mail("Rechnung März", "Bitte bis Freitag zahlen. 東京都の天気");
  for (const auto* typed :
       {"rechnung", "MARZ", "fre", "\"bis freitag\"", "zoe example", "東京", "京都", "東", "天気 bitte"}) {
    EXPECT_TRUE(Finds(mail, typed)) << typed;
  }
  for (const auto* typed : {"fre ", "\"freitag bis\"", "東都", "@long", "\"marz bitte\""}) {
    EXPECT_FALSE(Finds(mail, typed)) << typed;
  }
  EXPECT_FALSE(Finds(mail, "rechnung", ConnectedAccountId("0190f3a0-0000-7000-8000-000000000002")));
}

TEST_F(SearchOnPostgres, TakesTheLargestMailAndFindsItsLastWord) {
  std::string many, one_word;
  for (int i = 0; many.size() < 250'000; ++i) many += "w" + std::to_string(i) + " ";
  many += "needle thread";
  while (one_word.size() < 250'000) one_word += "again ";
  EXPECT_TRUE(Finds(Mail("", many), "needle "));
  EXPECT_TRUE(Finds(Mail("", many), "\"needle thread\""));
  EXPECT_TRUE(Finds(Mail("", one_word), "\"again again\""));
  std::string pairs;
  for (int i = 0; pairs.size() < 300'000; ++i) {
    const int character = 0x4e00 + (i * 7919) % 20'000;
    pairs += {static_cast<char>(0xe0 | character >> 12), static_cast<char>(0x80 | (character >> 6 & 0x3f)),
              static_cast<char>(0x80 | (character & 0x3f))};
  }
  EXPECT_TRUE(Finds(Mail("日本", pairs), "日本"));
}

TEST_F(SearchOnPostgres, QuotesAndBackslashesAreNothingButText) {
  EXPECT_TRUE(Finds(Mail("it's \\ 'quoted'", ""), "it's quoted"));
  EXPECT_TRUE(Finds(Mail("plain", ""), "' | 'plain"));
  EXPECT_FALSE(Finds(Mail("plain", ""), "absent' | 'plain"));
  EXPECT_FALSE(Finds(Mail("plain", ""), "!'absent"));
}

}  // namespace
}  // namespace latchkey::storage
