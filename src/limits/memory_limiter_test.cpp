#include "limits/memory_limiter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace latchkey::limits {
namespace {

using std::chrono::microseconds;
using namespace std::chrono_literals;

class MemoryLimiterTest : public ::testing::Test {
 protected:
  static Draw Of(std::string_view key, double units = 1) {
    return {.name = "test", .key = key, .rate = {.per_minute = 60, .burst = 10}, .units = units};
  }
  microseconds Take(MemoryLimiter& limiter, const Draw& draw, double share = 1) {
    return limiter.TakeNow({&draw, 1}, share);
  }
  int TakeAll(MemoryLimiter& limiter, const Draw& draw, double share = 1) {
    int count = 0;
    while (Take(limiter, draw, share) == 0us) ++count;
    return count;
  }
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
};

TEST_F(MemoryLimiterTest, ForgetsTheKeyUnusedForLongestWhenFull) {
  MemoryLimiter limiter(clock_, 5);
  for (const char* key : {"a", "b", "c", "d", "e"}) TakeAll(limiter, Of(key));
  Take(limiter, Of("a"));
  Take(limiter, Of("f"));
  EXPECT_EQ(limiter.size(), 5U);
  EXPECT_GT(Take(limiter, Of("a")), 0us);
  EXPECT_EQ(Take(limiter, Of("b")), 0us);
}

TEST_F(MemoryLimiterTest, ManyKeysOfOneNameLeaveThoseOfAnotherAlone) {
  MemoryLimiter limiter(clock_, 10);
  Draw account = Of("account");
  account.name = "quota";
  EXPECT_EQ(TakeAll(limiter, account), 10);
  for (int i = 0; i < 1000; ++i) Take(limiter, Of("stranger" + std::to_string(i)));
  EXPECT_EQ(limiter.size(), 11U);
  EXPECT_GT(Take(limiter, account), 0us);
}

TEST_F(MemoryLimiterTest, AShareIsThatPartOfTheBurstAndOfTheRate) {
  MemoryLimiter limiter(clock_);
  EXPECT_EQ(TakeAll(limiter, Of("a"), 0.5), 5);
  clock_.Advance(10s);
  EXPECT_EQ(TakeAll(limiter, Of("a"), 0.5), 5);
  EXPECT_EQ(Take(limiter, Of("a"), 0.5), 2s);
}

TEST_F(MemoryLimiterTest, EvenTheSmallestShareAllowsOneNowAndThen) {
  MemoryLimiter limiter(clock_);
  EXPECT_EQ(TakeAll(limiter, Of("a"), 0.001), 1);
  clock_.Advance(1000s);
  EXPECT_EQ(TakeAll(limiter, Of("a"), 0.001), 1);
}

TEST_F(MemoryLimiterTest, WhatWasTakenElsewhereCountsHereDownToEmpty) {
  MemoryLimiter limiter(clock_);
  const Draw draw = Of("a", 4);
  limiter.Charge({&draw, 1}, 1);
  EXPECT_EQ(TakeAll(limiter, Of("a")), 6);
  // A process may have spent far more than its share while the others rested: it is empty then, not in debt.
  for (int i = 0; i < 100; ++i) limiter.Charge({&draw, 1}, 1);
  EXPECT_EQ(Take(limiter, Of("a")), 1s);
}

}  // namespace
}  // namespace latchkey::limits
