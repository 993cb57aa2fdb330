#include "limits/redis_fault.hpp"

#include <gtest/gtest.h>

#include "limits/redis_reply.hpp"

namespace latchkey::limits {
namespace {

TEST(RedisFault, KnowsTheAnswersOfServersInTrouble) {
  const std::pair<std::string_view, RedisFault> cases[] = {
      {"OOM command not allowed when used memory > 'maxmemory'.", RedisFault::kFull},
      {"READONLY You can't write against a read only replica.", RedisFault::kReadOnly},
      {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", RedisFault::kReadOnly},
      {"LOADING Redis is loading the dataset in memory", RedisFault::kLoading},
      {"MISCONF Redis is configured to save RDB snapshots", RedisFault::kCannotPersist},
      {"NOAUTH Authentication required.", RedisFault::kAccessDenied},
      {"WRONGPASS invalid username-password pair or user is disabled.", RedisFault::kAccessDenied},
      {"NOPERM this user has no permissions to run the 'evalsha' command", RedisFault::kAccessDenied},
      {"ERR AUTH <password> called without any password configured for the default user.", RedisFault::kAccessDenied},
      {"MOVED 3999 127.0.0.1:6381", RedisFault::kCluster},
      {"ERR max number of clients reached", RedisFault::kBusy},
      {"ERR unknown command 'EVALSHA'", RedisFault::kRefused},
      {"", RedisFault::kRefused},
  };
  for (const auto& [text, fault] : cases) {
    EXPECT_EQ(FaultOfReply(text), fault) << text;
    EXPECT_FALSE(ToString(fault).empty());
    EXPECT_TRUE(RemedyOf(fault).ends_with('.')) << text;
  }
}

TEST(ReplyReader, TakesAnswersApartInWhateverPiecesTheyCome) {
  const std::string_view bytes = "+OK\r\n:-12\r\n$5\r\nhello\r\n$-1\r\n-OOM full\r\n";
  ReplyReader reader;
  std::vector<RedisReply> replies;
  for (const char byte : bytes) {
    ASSERT_TRUE(reader.Feed({&byte, 1}));
    while (auto reply = reader.Next()) replies.push_back(*reply);
  }
  ASSERT_EQ(replies.size(), 5U);
  EXPECT_EQ(replies[0].kind, RedisReply::Kind::kStatus);
  EXPECT_EQ(replies[1].number, -12);
  EXPECT_EQ(replies[2].text, "hello");
  EXPECT_EQ(replies[3].kind, RedisReply::Kind::kNothing);
  EXPECT_EQ(replies[4].kind, RedisReply::Kind::kError);
  EXPECT_EQ(replies[4].text, "OOM full");
}

TEST(ReplyReader, RefusesWhatWeNeverAskForWithoutAllocatingIt) {
  for (const std::string_view bytes :
       {"HTTP/1.1 400 Bad Request\r\n", "*2147483647\r\n", "*2\r\n:1\r\n:2\r\n", ":12a\r\n", "$12a\r\n"}) {
    ReplyReader reader;
    reader.Feed(bytes);
    EXPECT_FALSE(reader.Next()) << bytes;
    EXPECT_TRUE(reader.broken()) << bytes;
    EXPECT_FALSE(reader.Feed("+OK\r\n"));
  }
  ReplyReader reader;
  reader.Feed("$2147483647\r\n");
  const std::string piece(1000, 'x');
  for (int i = 0; i < 20 && !reader.broken(); ++i) {
    reader.Feed(piece);
    EXPECT_FALSE(reader.Next());
  }
  EXPECT_TRUE(reader.broken());
}

}  // namespace
}  // namespace latchkey::limits
