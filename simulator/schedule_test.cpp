#include "simulator/schedule.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace latchkey::simulator {
namespace {

using std::chrono::seconds;

class ScheduleTest : public ::testing::Test {
 protected:
  void Add(int number, seconds after) {
    tickets_.push_back(schedule_.At(clock_.Now() + after, [this, number] { ran_.push_back(number); }));
  }

  ManualClock clock_{Instant(seconds(1'780'000'000))};
  Schedule schedule_{clock_};
  std::vector<Schedule::Ticket> tickets_;
  std::vector<int> ran_;
};

TEST_F(ScheduleTest, RunsWhatIsDueInTheOrderOfTime) {
  Add(2, seconds(20));
  Add(1, seconds(10));
  Add(3, seconds(20));
  EXPECT_EQ(schedule_.next(), clock_.Now() + seconds(10));
  EXPECT_EQ(schedule_.RunDue(), 0U);
  clock_.Advance(seconds(20));
  EXPECT_EQ(schedule_.RunDue(), 3U);
  EXPECT_EQ(ran_, (std::vector{1, 2, 3}));
  EXPECT_FALSE(schedule_.next());
}

TEST_F(ScheduleTest, CancelledWorkNeverRuns) {
  Add(1, seconds(1));
  EXPECT_TRUE(schedule_.Cancel(tickets_[0]));
  EXPECT_FALSE(schedule_.Cancel(tickets_[0]));
  clock_.Advance(seconds(2));
  EXPECT_EQ(schedule_.RunDue(), 0U);
}

TEST_F(ScheduleTest, WorkMayAddMoreWork) {
  schedule_.At(clock_.Now(), [this] { Add(7, seconds(0)); });
  EXPECT_EQ(schedule_.RunDue(), 2U);
  EXPECT_EQ(ran_, std::vector{7});
}

TEST_F(ScheduleTest, TellsOnlyWhenTheNextEntryBecameEarlier) {
  int told = 0;
  schedule_.OnEarlier([&] { ++told; });
  Add(1, seconds(10));
  Add(2, seconds(20));
  Add(3, seconds(5));
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace latchkey::simulator
