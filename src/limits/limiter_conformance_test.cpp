#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "async/run_until.hpp"
#include "limits/limiter.hpp"
#include "limits/memory_limiter.hpp"
#include "limits/redis_limiter.hpp"
#include "limits/testing/redis_server.hpp"

namespace latchkey::limits {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

Task<bool> WaitUntilShared(RedisLimiter& limiter) {
  for (int changes = 0; changes < 50 && limiter.sharing().state != Sharing::State::kShared; ++changes) {
    co_await limiter.changed().Wait(20s);
  }
  co_return limiter.sharing().state == Sharing::State::kShared;
}

Task<bool> StopLimiter(RedisLimiter& limiter) {
  co_await limiter.Stop();
  co_return true;
}

/// The server of all cases of this program: each case has keys of its own.
testing::RedisServer& SharedServer() {
  static testing::RedisServer server;
  return server;
}

enum class Kind { kMemory, kRedis };

/// What every limiter does, on a clock that the test moves.
class LimiterConformance : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::kMemory) {
      memory_.emplace(clock_);
      return;
    }
    if (testing::RedisServer::Program().empty()) GTEST_SKIP() << testing::RedisServer::kMissing;
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    redis_ = std::make_unique<RedisLimiter>(
        loop_.get_executor(), SharedServer().address(), clock_, metrics_,
        RedisLimiter::Options{.connection = {.command_deadline = 10s},
                              .key_secret = SecretString(std::string("secret of ") + info->name()),
                              .server_clock = &clock_});
    redis_->Start();
    ASSERT_TRUE(RunUntil(loop_, WaitUntilShared(*redis_)));
  }
  void TearDown() override {
    if (!redis_) return;
    // Every answer came from Redis, or the case has proved nothing.
    EXPECT_EQ(redis_->sharing().state, Sharing::State::kShared);
    RunUntil(loop_, StopLimiter(*redis_));
  }

  Limiter& limiter() { return memory_ ? static_cast<Limiter&>(*memory_) : *redis_; }
  microseconds Take(const std::vector<Draw>& draws) { return RunUntil(loop_, limiter().Take(draws)); }
  microseconds Take(const Draw& draw) { return Take(std::vector{draw}); }
  int TakeAll(const Draw& draw) {
    int count = 0;
    while (count < 1000 && Take(draw) == 0us) ++count;
    return count;
  }

  boost::asio::io_context loop_;
  metrics::Registry metrics_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  std::optional<MemoryLimiter> memory_;
  std::unique_ptr<RedisLimiter> redis_;
};

TEST_P(LimiterConformance, AllowsABurstAndThenOnePerInterval) {
  const Draw draw{.name = "test", .key = "a", .rate = {.per_minute = 6, .burst = 3}};
  EXPECT_EQ(TakeAll(draw), 3);
  EXPECT_EQ(Take(draw), 10s);
  clock_.Advance(4s);
  EXPECT_EQ(Take(draw), 6s);
  clock_.Advance(6s);
  EXPECT_EQ(Take(draw), 0s);
  EXPECT_EQ(Take(draw), 10s);
  clock_.Advance(1h);
  EXPECT_EQ(TakeAll(draw), 3);
}

TEST_P(LimiterConformance, CountsEveryKeyAndEveryNameForItself) {
  const Rate rate{.per_minute = 1, .burst = 1};
  EXPECT_EQ(Take({.name = "test", .key = "a", .rate = rate}), 0s);
  EXPECT_EQ(Take({.name = "test", .key = "b", .rate = rate}), 0s);
  EXPECT_EQ(Take({.name = "other", .key = "a", .rate = rate}), 0s);
  EXPECT_EQ(Take({.name = "test", .key = "a", .rate = rate}), 60s);
}

TEST_P(LimiterConformance, TakesFromAllBucketsOrFromNone) {
  const Draw rich{.name = "account", .key = "a", .rate = {.per_minute = 60, .burst = 10}};
  const Draw poor{.name = "project", .key = "", .rate = {.per_minute = 60, .burst = 2}};
  EXPECT_EQ(Take(std::vector{rich, poor}), 0s);
  EXPECT_EQ(Take(std::vector{poor, rich}), 0s);
  EXPECT_EQ(Take(std::vector{rich, poor}), 1s);
  EXPECT_EQ(TakeAll(rich), 8);
  EXPECT_EQ(Take(std::vector<Draw>{}), 0s);
}

TEST_P(LimiterConformance, ARefusalCostsNothing) {
  const Draw draw{.name = "test", .key = "a", .rate = {.per_minute = 60, .burst = 1}};
  EXPECT_EQ(Take(draw), 0s);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Take(draw), 1s);
  clock_.Advance(1s);
  EXPECT_EQ(Take(draw), 0s);
}

TEST_P(LimiterConformance, WhoMustLeaveAReserveStopsEarlier) {
  const Rate rate{.per_minute = 60, .burst = 10};
  EXPECT_EQ(TakeAll({.name = "test", .key = "a", .rate = rate, .reserve = 3}), 7);
  EXPECT_EQ(TakeAll({.name = "test", .key = "a", .rate = rate}), 3);
}

TEST_P(LimiterConformance, ADrawDearerThanTheBurstIsPossibleOnceTheBucketIsFull) {
  const Draw draw{.name = "test", .key = "a", .rate = {.per_minute = 60, .burst = 5}, .units = 20};
  EXPECT_EQ(Take(draw), 0s);
  EXPECT_EQ(Take(draw), 20s);
  clock_.Advance(20s);
  EXPECT_EQ(Take(draw), 0s);
}

TEST_P(LimiterConformance, TheSurplusUsesTheWholeMinuteAndNoMinuteHoldsMore) {
  const Draw draw{.name = "test",
                  .key = "a",
                  .rate = {.per_minute = 360, .burst = 240, .surplus_per_minute = 240, .minute_limit = 600},
                  .units = 5};
  constexpr long kMinute = 240;
  std::vector<int> of_tick;
  for (long tick = 0; tick < 4 * kMinute; ++tick) {
    // After a rest the burst is there again.
    const bool resting = tick > 2.5 * kMinute && tick < 2.9 * kMinute;
    of_tick.push_back(resting ? 0 : 5 * TakeAll(draw));
    clock_.Advance(250ms);
  }
  EXPECT_GE(std::accumulate(of_tick.begin() + kMinute, of_tick.begin() + 2 * kMinute, 0), 560);
  for (auto end = of_tick.begin() + kMinute; end <= of_tick.end(); ++end) {
    ASSERT_LE(std::accumulate(end - kMinute, end, 0), 600) << "in the minute before tick " << end - of_tick.begin();
  }
}

TEST_P(LimiterConformance, AClockSetBackDelaysNobodyForLong) {
  const Draw draw{.name = "test", .key = "a", .rate = {.per_minute = 60, .burst = 10}};
  EXPECT_EQ(TakeAll(draw), 10);
  clock_.Advance(-1h);
  EXPECT_LE(Take(draw), 60s);
  clock_.Advance(60s);
  EXPECT_EQ(Take(draw), 0s);
  const Draw quota{.name = "quota",
                   .key = "a",
                   .rate = {.per_minute = 360, .burst = 240, .surplus_per_minute = 240, .minute_limit = 600},
                   .units = 5};
  TakeAll(quota);
  clock_.Advance(-1h);
  EXPECT_LE(Take(quota), 100s);
  clock_.Advance(160s);
  EXPECT_GE(TakeAll(quota), 48);
}

/// The arithmetic is written twice, in C++ and in Lua: the same history must give the same answers to the microsecond.
TEST_P(LimiterConformance, GivesTheAnswersOfTheArithmeticInMemory) {
  MemoryLimiter model(clock_);
  std::minstd_rand random(20261121);
  const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
  const Rate rates[] = {{.per_minute = 120, .burst = 30},
                        {.per_minute = 3600, .burst = 2400, .surplus_per_minute = 2400, .minute_limit = 6000},
                        {.per_minute = 1000.0 / 7, .burst = 31.5, .surplus_per_minute = 17, .minute_limit = 200}};
  const char* const keys[] = {"a", "b", "c"};
  int taken = 0;
  for (int step = 0; step < 3000; ++step) {
    const int first = below(3);
    const int other = below(3);
    std::vector<Draw> draws = {{.name = "first",
                                .key = keys[first],
                                .rate = rates[first],
                                .units = 1.0 + below(40),
                                .reserve = below(2) == 0 ? 0 : rates[first].burst / 10}};
    if (below(2) == 0) {
      draws.push_back({.name = "second", .key = keys[other], .rate = rates[other], .units = 1.0 + below(20)});
    }
    const auto wait = Take(draws);
    ASSERT_EQ(wait, model.TakeNow(draws)) << "at step " << step;
    taken += wait == 0us ? 1 : 0;
    clock_.Advance(microseconds(below(2) == 0 ? below(1000) : below(2'000'000)));
    if (below(200) == 0) clock_.Advance(std::chrono::seconds(below(120)));
  }
  EXPECT_GT(taken, 500);
  EXPECT_LT(taken, 2900);
}

INSTANTIATE_TEST_SUITE_P(Limits, LimiterConformance, ::testing::Values(Kind::kMemory, Kind::kRedis),
                         [](const auto& info) { return info.param == Kind::kMemory ? "Memory" : "Redis"; });

}  // namespace
}  // namespace latchkey::limits
