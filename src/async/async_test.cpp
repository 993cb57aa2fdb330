#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "async/deadline.hpp"
#include "async/task_group.hpp"
#include "async/testing.hpp"
#include "async/timer.hpp"

namespace latchkey {
namespace {

using namespace std::chrono_literals;
using boost::asio::io_context;
using ::latchkey::testing::RunTask;

constexpr auto kNever = std::chrono::hours(10);

/// Lets everything that is ready run first.
Task<void> Yield() {
  for (int i = 0; i < 5; ++i) co_await boost::asio::post(boost::asio::use_awaitable);
}

TEST(TaskGroup, StopCancelsWhatWaitsAndReturnsWhenAllHaveEnded) {
  io_context loop;
  TaskGroup group(loop.get_executor());
  int ended = 0;
  auto test = [&]() -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      group.Spawn("sleeper", [&]() -> Task<void> {
        struct Count {
          int& ended;
          ~Count() { ++ended; }
        } count{ended};
        co_await SleepFor(kNever);
      });
    }
    co_await Yield();
    EXPECT_EQ(group.size(), 3u);
    co_await group.Stop();
    EXPECT_EQ(ended, 3);
    EXPECT_EQ(group.size(), 0u);
  };
  RunTask(loop, test());
}

TEST(TaskGroup, StartsNothingOnceStopped) {
  io_context loop;
  TaskGroup group(loop.get_executor());
  auto test = [&]() -> Task<void> { co_await group.Stop(); };
  RunTask(loop, test());
  bool ran = false;
  EXPECT_FALSE(group.Spawn("late", [&]() -> Task<void> {
    ran = true;
    co_return;
  }));
  loop.restart();
  loop.run();
  EXPECT_FALSE(ran);
}

TEST(TaskGroup, AFailureEndsOnlyItsOwnTaskAndIsLoggedUnderItsName) {
  io_context loop;
  TaskGroup group(loop.get_executor());
  int finished = 0;
  ::testing::internal::CaptureStderr();
  group.Spawn("broken", []() -> Task<void> {
    throw std::runtime_error("nope");
    co_return;
  });
  group.Spawn("healthy", [&]() -> Task<void> {
    ++finished;
    co_return;
  });
  loop.run();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(finished, 1);
  EXPECT_NE(log.find("\"task\":\"broken\""), std::string::npos) << log;
  EXPECT_EQ(log.find("healthy"), std::string::npos);
}

TEST(TaskGroup, KeepsTheCapturesOfItsLambdasAlive) {
  io_context loop;
  TaskGroup group(loop.get_executor());
  std::string seen;
  {
    const std::string owned(1000, 'x');
    group.Spawn("owner", [&seen, owned]() -> Task<void> {
      co_await Yield();
      seen = owned;
    });
  }
  loop.run();
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Signal, WakesAllWhoWait) {
  io_context loop;
  Signal signal(loop.get_executor());
  TaskGroup group(loop.get_executor());
  int woken = 0;
  for (int i = 0; i < 3; ++i) {
    group.Spawn("waiter", [&]() -> Task<void> {
      if (co_await signal.Wait(kNever)) ++woken;
    });
  }
  auto test = [&]() -> Task<void> {
    co_await Yield();
    signal.Raise();
  };
  RunTask(loop, test());
  EXPECT_EQ(woken, 3);
}

TEST(Signal, RaisedEarlyIsKeptForOneWaiter) {
  io_context loop;
  Signal signal(loop.get_executor());
  signal.Raise();
  signal.Raise();
  auto test = [&]() -> Task<void> {
    EXPECT_TRUE(co_await signal.Wait(kNever));
    EXPECT_FALSE(co_await signal.Wait(0ms));
  };
  RunTask(loop, test());
}

TEST(Signal, RaisedBetweenWakingAndRunningIsNotLost) {
  io_context loop;
  Signal signal(loop.get_executor());
  TaskGroup group(loop.get_executor());
  int rounds = 0;
  group.Spawn("waiter", [&]() -> Task<void> {
    for (; rounds < 2; ++rounds) {
      if (!co_await signal.Wait(kNever)) break;
    }
  });
  auto test = [&]() -> Task<void> {
    co_await Yield();
    signal.Raise();
    signal.Raise();
  };
  RunTask(loop, test());
  EXPECT_EQ(rounds, 2);
}

TEST(Semaphore, ServesInOrderOfArrivalAndNeverExceedsItsPermits) {
  io_context loop;
  Semaphore semaphore(loop.get_executor(), 2);
  TaskGroup group(loop.get_executor());
  std::vector<int> order;
  int inside = 0, most = 0;
  for (int i = 0; i < 8; ++i) {
    group.Spawn("worker", [&, i]() -> Task<void> {
      auto permit = co_await semaphore.Acquire();
      order.push_back(i);
      most = std::max(most, ++inside);
      co_await Yield();
      --inside;
    });
  }
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(most, 2);
}

TEST(Semaphore, ACancelledWaiterLeavesTheQueueAndLosesNoPermit) {
  io_context loop;
  Semaphore semaphore(loop.get_executor(), 1);
  auto test = [&]() -> Task<void> {
    auto held = co_await semaphore.Acquire();
    TaskGroup impatient(co_await boost::asio::this_coro::executor);
    bool entered = false;
    impatient.Spawn("waiter", [&]() -> Task<void> {
      auto permit = co_await semaphore.Acquire();
      entered = true;
    });
    co_await Yield();
    co_await impatient.Stop();
    EXPECT_FALSE(entered);
    held.Release();
    auto again = co_await semaphore.Acquire();
  };
  RunTask(loop, test());
}

TEST(Semaphore, APermitGrantedToATaskThatIsCancelledAtThatMomentGoesOn) {
  io_context loop;
  Semaphore semaphore(loop.get_executor(), 1);
  auto test = [&]() -> Task<void> {
    auto held = co_await semaphore.Acquire();
    TaskGroup impatient(co_await boost::asio::this_coro::executor);
    impatient.Spawn("waiter", [&]() -> Task<void> {
      auto permit = co_await semaphore.Acquire();
      co_await SleepFor(kNever);
    });
    co_await Yield();
    held.Release();
    co_await impatient.Stop();
    auto again = co_await semaphore.Acquire();
  };
  RunTask(loop, test());
}

TEST(Semaphore, AWaiterMayGiveUp) {
  io_context loop;
  Semaphore semaphore(loop.get_executor(), 1);
  auto test = [&]() -> Task<void> {
    auto held = co_await semaphore.Acquire();
    EXPECT_FALSE((co_await semaphore.AcquireFor(0ms)).has_value());
    EXPECT_EQ(semaphore.waiting(), 0u);
    held.Release();
    EXPECT_TRUE((co_await semaphore.AcquireFor(0ms)).has_value());
  };
  RunTask(loop, test());
}

Task<Result<int>> Answer(std::chrono::milliseconds after) {
  if (after > 0ms) co_await SleepFor(after);
  co_return 42;
}

TEST(WithDeadline, PassesTheResultThrough) {
  io_context loop;
  EXPECT_EQ(RunTask(loop, WithDeadline(Answer(0ms), kNever)).value(), 42);
}

TEST(WithDeadline, CancelsTheBodyWhenTimeIsUp) {
  io_context loop;
  const auto result = RunTask(loop, WithDeadline(Answer(kNever), 1ms));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kTimeout);
}

TEST(WithDeadline, LetsTheBodysExceptionsCrossOver) {
  io_context loop;
  auto body = []() -> Task<Result<int>> {
    throw std::runtime_error("broken");
    co_return 1;
  };
  EXPECT_THROW(RunTask(loop, WithDeadline(body(), kNever)), std::runtime_error);
}

TEST(WithDeadline, CancellingTheCallerCancelsTheBodyAndWaitsForIt) {
  io_context loop;
  TaskGroup group(loop.get_executor());
  bool body_ended = false, went_on = false;
  group.Spawn("caller", [&]() -> Task<void> {
    auto body = [&]() -> Task<Result<int>> {
      struct Mark {
        bool& flag;
        ~Mark() { flag = true; }
      } mark{body_ended};
      co_await SleepFor(kNever);
      co_return 1;
    };
    auto task = body();
    (void)co_await WithDeadline(std::move(task), kNever);
    went_on = true;
  });
  auto test = [&]() -> Task<void> {
    co_await Yield();
    co_await group.Stop();
    EXPECT_TRUE(body_ended);
    EXPECT_FALSE(went_on);
  };
  RunTask(loop, test());
}

TEST(SleepFor, ThrowsWhenCancelled) {
  io_context loop;
  TaskGroup group(loop.get_executor());
  bool aborted = false;
  group.Spawn("sleeper", [&]() -> Task<void> {
    try {
      co_await SleepFor(kNever);
    } catch (const boost::system::system_error& error) {
      aborted = error.code() == boost::asio::error::operation_aborted;
    }
  });
  auto test = [&]() -> Task<void> {
    co_await Yield();
    co_await group.Stop();
  };
  RunTask(loop, test());
  EXPECT_TRUE(aborted);
}

}  // namespace
}  // namespace latchkey
