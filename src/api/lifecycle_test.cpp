#include "api/lifecycle.hpp"

#include <gtest/gtest.h>

namespace latchkey::api {
namespace {

using std::chrono::seconds;

TEST(StoreTrouble, IsOneNoticeUntilWritesHaveWorkedForAWhile) {
  StoreTrouble trouble;
  const Instant start = FromMicros(1'000'000);
  trouble.Note(std::nullopt, start);
  EXPECT_FALSE(trouble.notice());
  trouble.Note(ErrorCode::kStorageUnavailable, start + seconds(1));
  trouble.Note(std::nullopt, start + seconds(2));
  trouble.Note(ErrorCode::kDiskFull, start + seconds(3));
  ASSERT_TRUE(trouble.notice());
  EXPECT_EQ(trouble.notice()->code, ErrorCode::kDiskFull);
  EXPECT_EQ(trouble.notice()->since, start + seconds(1));
  EXPECT_EQ(trouble.notice()->last_seen, start + seconds(3));
  trouble.Note(std::nullopt, start + seconds(7));
  EXPECT_TRUE(trouble.notice());
  trouble.Note(std::nullopt, start + seconds(8));
  EXPECT_FALSE(trouble.notice());
}

}  // namespace
}  // namespace latchkey::api
