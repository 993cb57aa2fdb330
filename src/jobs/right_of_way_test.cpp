#include "jobs/right_of_way.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "async/task_group.hpp"
#include "async/testing.hpp"

namespace latchkey::jobs {
namespace {

class RightOfWayTest : public ::testing::Test {
 protected:
  /// A piece of long work that notes when it went on.
  Task<void> Piece(std::string name) {
    co_await way_.Yield();
    order_ += name;
  }

  boost::asio::io_context loop_;
  RightOfWay way_{loop_.get_executor(), std::chrono::minutes(10)};
  std::string order_;
};

TEST_F(RightOfWayTest, NobodyWaitsWhereNothingIsLive) {
  latchkey::testing::RunTask(loop_, Piece("a"));
  EXPECT_EQ(order_, "a");
}

TEST_F(RightOfWayTest, LongWorkGoesOnWhenTheLastPassIsGivenBack) {
  TaskGroup group(loop_.get_executor());
  std::optional<RightOfWay::Pass> first(way_);
  std::optional<RightOfWay::Pass> second(way_);
  group.Spawn("a", [this] { return Piece("a"); });
  group.Spawn("b", [this] { return Piece("b"); });
  loop_.poll();
  first.reset();
  loop_.restart();
  loop_.poll();
  EXPECT_EQ(order_, "");
  second.reset();
  loop_.restart();
  loop_.poll();
  EXPECT_EQ(order_, "ab");
  latchkey::testing::RunTask(loop_, group.Stop());
}

TEST_F(RightOfWayTest, APassThatIsNeverGivenBackDoesNotStopLongWork) {
  RightOfWay way(loop_.get_executor(), std::chrono::milliseconds(1));
  const RightOfWay::Pass kept(way);
  latchkey::testing::RunTask(loop_, way.Yield());
}

TEST_F(RightOfWayTest, AnEarlierEndIsNotTakenForALaterOne) {
  {
    const RightOfWay::Pass ended(way_);
  }
  TaskGroup group(loop_.get_executor());
  std::optional<RightOfWay::Pass> pass(way_);
  group.Spawn("a", [this] { return Piece("a"); });
  loop_.poll();
  EXPECT_EQ(order_, "");
  pass.reset();
  loop_.restart();
  loop_.poll();
  EXPECT_EQ(order_, "a");
  latchkey::testing::RunTask(loop_, group.Stop());
}

}  // namespace
}  // namespace latchkey::jobs
