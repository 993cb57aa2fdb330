#include "http/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace latchkey::http {
namespace {

using namespace std::chrono_literals;

class RateLimiterTest : public ::testing::Test {
 protected:
  ManualClock clock_{Instant(std::chrono::seconds(1'800'000'000))};
};

TEST_F(RateLimiterTest, AllowsABurstAndThenOnePerInterval) {
  RateLimiter limiter(clock_, {.burst = 3, .interval = 10s});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Hit("a"), std::nullopt);
  EXPECT_EQ(limiter.Hit("a"), 10'000ms);
  clock_.Advance(4s);
  EXPECT_EQ(limiter.Hit("a"), 6'000ms);
  clock_.Advance(6s);
  EXPECT_EQ(limiter.Hit("a"), std::nullopt);
  EXPECT_EQ(limiter.Hit("a"), 10'000ms);
  clock_.Advance(1h);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Hit("a"), std::nullopt);
  EXPECT_NE(limiter.Hit("a"), std::nullopt);
}

TEST_F(RateLimiterTest, CountsEveryKeyForItself) {
  RateLimiter limiter(clock_, {.burst = 1, .interval = 1s});
  EXPECT_EQ(limiter.Hit("a"), std::nullopt);
  EXPECT_EQ(limiter.Hit("b"), std::nullopt);
  EXPECT_NE(limiter.Hit("a"), std::nullopt);
}

TEST_F(RateLimiterTest, ForgetsTheKeyUnusedForLongestWhenFull) {
  RateLimiter limiter(clock_, {.burst = 1, .interval = 1h, .max_keys = 2});
  limiter.Hit("a");
  limiter.Hit("b");
  limiter.Hit("c");
  EXPECT_EQ(limiter.size(), 2u);
  EXPECT_NE(limiter.Hit("c"), std::nullopt);
  EXPECT_NE(limiter.Hit("b"), std::nullopt);
  EXPECT_EQ(limiter.Hit("a"), std::nullopt);
}

TEST(ClientNetwork, IsTheAddressOrItsSlash64) {
  EXPECT_EQ(ClientNetwork("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(ClientNetwork("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(ClientNetwork("2001:db8:1:2::"), "2001:db8:1:2::/64");
  EXPECT_EQ(ClientNetwork("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(ClientNetwork("unknown"), "unknown");
}

}  // namespace
}  // namespace latchkey::http
