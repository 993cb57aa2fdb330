#include "providers/google/message_parser.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <latch>

#include "async/task_group.hpp"
#include "async/testing.hpp"

namespace latchkey::google {
namespace {

constexpr const char* kMessage =
    R"({"id":"m1","threadId":"t1","payload":{"partId":"","mimeType":"text/plain","filename":"","headers":[],"body":{"size":0}}})";

TEST(MessageParser, WhoIsCancelledLeavesNobodyBehindWaiting) {
  boost::asio::io_context loop(1);
  WorkerPool pool(1);
  MessageParser parser(pool);
  TaskGroup holding(loop.get_executor());
  TaskGroup parsing(loop.get_executor());
  // The only thread of the pool is busy: the first leads a batch of its own, the second is to lead the next.
  std::latch release(1);
  auto hold = [&] { release.wait(); };
  holding.Spawn("hold", [&]() -> Task<void> { co_await pool.Run(hold); });
  for (int i = 0; i < 3; ++i) {
    parsing.Spawn("parse", [&]() -> Task<void> { (void)co_await parser.Parse(kMessage); });
  }
  loop.poll();
  ASSERT_EQ(parsing.size(), 3u);

  bool stopped = false;
  boost::asio::co_spawn(loop, parsing.Stop(), [&](const std::exception_ptr&) { stopped = true; });
  loop.poll();
  release.count_down();
  loop.restart();
  loop.run();
  EXPECT_TRUE(stopped);

  const auto parsed = testing::RunTask(loop, parser.Parse(kMessage));
  EXPECT_TRUE(parsed.has_value());
}

}  // namespace
}  // namespace latchkey::google
