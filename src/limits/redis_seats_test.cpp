#include "limits/redis_seats.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>
#include <vector>

#include "async/run_until.hpp"
#include "limits/testing/redis_server.hpp"

namespace latchkey::limits {
namespace {

using namespace std::chrono_literals;
using testing::RedisServer;

/// One process with its seats.
struct Process {
  Process(boost::asio::io_context& event_loop, const RedisAddress& address, const Clock& clock,
          std::chrono::milliseconds patience)
      : loop(event_loop),
        limiter(loop.get_executor(), address, clock, metrics,
                {.connection = {.command_deadline = 5s},
                 .heartbeat = 20ms,
                 .first_pause = 10ms,
                 .longest_pause = 50ms,
                 .key_secret = SecretString("a secret of all processes"),
                 .server_clock = &clock}),
        seats(limiter, {.first_pause = 1ms, .longest_pause = 5ms, .patience = patience}) {
    limiter.Start();
  }
  ~Process() { Stop(); }
  void Stop() {
    auto stop = [this]() -> Task<bool> {
      co_await limiter.Stop();
      co_return true;
    };
    RunUntil(loop, stop());
  }
  bool WaitFor(Sharing::State state) {
    auto reach = [&]() -> Task<bool> {
      for (int i = 0; i < 200 && limiter.sharing().state != state; ++i) co_await limiter.changed().Wait(500ms);
      co_return limiter.sharing().state == state;
    };
    return RunUntil(loop, reach());
  }

  boost::asio::io_context& loop;
  metrics::Registry metrics;
  RedisLimiter limiter;
  RedisSeats seats;
};

class RedisSeatsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (RedisServer::Program().empty()) GTEST_SKIP() << RedisServer::kMissing;
    server_ = std::make_unique<RedisServer>();
  }
  std::unique_ptr<Process> NewProcess(std::chrono::milliseconds patience = 60s) {
    auto process = std::make_unique<Process>(loop_, server_->address(), clock_, patience);
    EXPECT_TRUE(process->WaitFor(Sharing::State::kShared));
    return process;
  }
  Seats::Hold Take(Process& process, int count, std::string_view key = "mailbox") {
    return RunUntil(loop_, process.seats.Take("graph", key, 4, count));
  }
  /// Begins to take, and tells in `taken` when it has.
  void Begin(Process& process, int count, std::optional<Seats::Hold>& taken) {
    boost::asio::co_spawn(loop_, process.seats.Take("graph", "mailbox", 4, count),
                          [&](const std::exception_ptr&, Seats::Hold hold) { taken.emplace(std::move(hold)); });
  }
  /// Lets everything run until the others have looked again several times.
  void LetLook() {
    auto rest = []() -> Task<bool> {
      co_await SleepFor(50ms);
      co_return true;
    };
    RunUntil(loop_, rest());
  }
  int SeatsInRedis() {
    return static_cast<int>(server_
                                ->Do({"EVAL",
                                      "local n = 0 for _, k in ipairs(redis.call('KEYS', 'latchkey:limit:graph:*')) do "
                                      "n = n + redis.call('HLEN', k) end return n",
                                      "0"})
                                .number);
  }

  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  std::unique_ptr<RedisServer> server_;
};

TEST_F(RedisSeatsTest, ProcessesTogetherHoldNoMoreThanTheLimit) {
  const auto first = NewProcess();
  const auto second = NewProcess();
  std::optional<Seats::Hold> three(Take(*first, 3));
  const auto one = Take(*second, 1);
  std::optional<Seats::Hold> waiting;
  Begin(*second, 2, waiting);
  LetLook();
  EXPECT_FALSE(waiting);
  EXPECT_EQ(SeatsInRedis(), 4);
  // Another mailbox has its own.
  Take(*second, 4, "another");
  three.reset();
  while (!waiting) loop_.run_one();
  waiting.reset();
  LetLook();
  EXPECT_EQ(SeatsInRedis(), 1);
}

TEST_F(RedisSeatsTest, ManyInManyProcessesNeverPassTheLimitAndAllComeThrough) {
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 3; ++i) processes.push_back(NewProcess());
  int inside = 0, most = 0, done = 0;
  std::minstd_rand random(4);
  auto work = [&](Process& process, int count) -> Task<bool> {
    for (int i = 0; i < 15; ++i) {
      const auto hold = co_await process.seats.Take("graph", "mailbox", 4, count);
      inside += count;
      most = std::max(most, inside);
      co_await SleepFor(std::chrono::milliseconds(random() % 3));
      inside -= count;
    }
    co_return true;
  };
  int started = 0;
  for (auto& process : processes) {
    for (const int count : {1, 1, 2}) {
      ++started;
      boost::asio::co_spawn(loop_, work(*process, count), [&](const std::exception_ptr&, bool) { ++done; });
    }
  }
  while (done < started) loop_.run_one();
  EXPECT_LE(most, 4);
  EXPECT_GE(most, 2);
  for (auto& process : processes) EXPECT_EQ(process->limiter.sharing().state, Sharing::State::kShared);
}

TEST_F(RedisSeatsTest, TheSeatsOfAProcessThatIsGoneAreFreeAfterSeconds) {
  const auto first = NewProcess();
  const auto second = NewProcess();
  auto kept = Take(*first, 4);
  first->Stop();
  std::optional<Seats::Hold> waiting;
  Begin(*second, 1, waiting);
  LetLook();
  EXPECT_FALSE(waiting);
  clock_.Advance(11s);
  while (!waiting) loop_.run_one();
  EXPECT_EQ(SeatsInRedis(), 1);
}

TEST_F(RedisSeatsTest, WhatWasHeldWhenTheConnectionBrokeDoesNotStayBehind) {
  const auto process = NewProcess();
  std::optional<Seats::Hold> hold(Take(*process, 4));
  server_->Do({"CLIENT", "KILL", "TYPE", "normal"});
  ASSERT_TRUE(process->WaitFor(Sharing::State::kLost));
  // Given back where nobody can be told.
  hold.reset();
  ASSERT_TRUE(process->WaitFor(Sharing::State::kShared));
  const auto again = Take(*process, 4);
  EXPECT_EQ(SeatsInRedis(), 4);
}

TEST_F(RedisSeatsTest, NobodyWaitsForEverNorForAServerThatIsGone) {
  const auto first = NewProcess();
  const auto second = NewProcess(30ms);
  const auto all = Take(*first, 4);
  // Its patience ends; the provider itself is the bound then.
  Take(*second, 1);
  std::optional<Seats::Hold> waiting;
  Begin(*first, 1, waiting);
  LetLook();
  EXPECT_FALSE(waiting);
  server_->Kill();
  while (!waiting) loop_.run_one();
  Take(*first, 4);
}

}  // namespace
}  // namespace latchkey::limits
