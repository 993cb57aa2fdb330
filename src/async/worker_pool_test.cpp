#include "async/worker_pool.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <thread>

#include "async/task_group.hpp"
#include "async/testing.hpp"

namespace latchkey {
namespace {

using ::latchkey::testing::RunTask;

TEST(WorkerPool, RunsWorkElsewhereAndReturnsToTheCallersThread) {
  boost::asio::io_context loop;
  WorkerPool pool(2);
  auto test = [&]() -> Task<void> {
    const auto home = std::this_thread::get_id();
    auto work = [] { return std::this_thread::get_id(); };
    const auto away = co_await pool.Run(work);
    EXPECT_NE(away, home);
    EXPECT_EQ(std::this_thread::get_id(), home);
  };
  RunTask(loop, test());
}

TEST(WorkerPool, MovesValuesThatCannotBeCopied) {
  boost::asio::io_context loop;
  WorkerPool pool(1);
  auto test = [&]() -> Task<int> {
    auto work = [] { return std::make_unique<int>(7); };
    const auto value = co_await pool.Run(work);
    co_return *value;
  };
  EXPECT_EQ(RunTask(loop, test()), 7);
}

TEST(WorkerPool, LetsExceptionsCrossOver) {
  boost::asio::io_context loop;
  WorkerPool pool(1);
  auto test = [&]() -> Task<void> {
    auto work = [] { throw std::runtime_error("broken"); };
    co_await pool.Run(work);
  };
  EXPECT_THROW(RunTask(loop, test()), std::runtime_error);
}

TEST(WorkerPool, AnInterruptedCallerStillWaitsForItsWork) {
  boost::asio::io_context loop;
  WorkerPool pool(1);
  TaskGroup group(loop.get_executor());
  std::atomic<bool> started = false, may_end = false;
  bool returned = false;
  group.Spawn("caller", [&]() -> Task<void> {
    auto work = [&] {
      started = true;
      started.notify_all();
      may_end.wait(false);
      return 1;
    };
    co_await pool.Run(work);
    returned = true;
  });
  auto test = [&]() -> Task<void> {
    auto wait_started = [&] { started.wait(false); };
    WorkerPool other(1);
    co_await other.Run(wait_started);
    may_end = true;
    may_end.notify_all();
    co_await group.Stop();
    EXPECT_TRUE(returned);
  };
  RunTask(loop, test());
}

}  // namespace
}  // namespace latchkey
