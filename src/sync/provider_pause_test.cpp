#include "sync/provider_pause.hpp"

#include <gtest/gtest.h>

#include "async/testing.hpp"
#include "sync/testing/memory_pause_store.hpp"

namespace latchkey::sync {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ProviderPausesTest : public ::testing::Test {
 protected:
  milliseconds Remaining(ProviderPauses& pauses, std::string_view service = kGraphService) {
    return latchkey::testing::RunTask(loop_, pauses.Remaining(account_, service));
  }
  void Hold(ProviderPauses& pauses, milliseconds wait, std::string_view service = kGraphService) {
    latchkey::testing::RunTask(loop_, pauses.Hold(account_, service, wait));
  }

  boost::asio::io_context loop_;
  ManualClock clock_{ParseInstant("2026-03-01T10:00:00Z").value()};
  const ConnectedAccountId account_ = ConnectedAccountId::New(clock_.Now());
  testing::MemoryPauseStore store_;
  ProviderPauses pauses_{store_, clock_};
};

TEST_F(ProviderPausesTest, LastsAsLongAsTheProviderAsked) {
  EXPECT_EQ(Remaining(pauses_), milliseconds(0));
  Hold(pauses_, seconds(30));
  EXPECT_EQ(Remaining(pauses_), seconds(30));
  clock_.Advance(seconds(29));
  EXPECT_EQ(Remaining(pauses_), seconds(1));
  clock_.Advance(seconds(1));
  EXPECT_EQ(Remaining(pauses_), milliseconds(0));
}

TEST_F(ProviderPausesTest, SurvivesTheProcess) {
  Hold(pauses_, seconds(30));
  ProviderPauses restarted(store_, clock_);
  EXPECT_EQ(Remaining(restarted), seconds(30));
}

TEST_F(ProviderPausesTest, IsLearnedFromAnotherProcessWithinASecond) {
  ProviderPauses other(store_, clock_);
  EXPECT_EQ(Remaining(other), milliseconds(0));
  Hold(pauses_, seconds(30));
  clock_.Advance(seconds(1));
  EXPECT_EQ(Remaining(other), seconds(29));
}

TEST_F(ProviderPausesTest, BelongsToOneServiceOfOneAccount) {
  Hold(pauses_, seconds(30), kGmailService);
  EXPECT_EQ(Remaining(pauses_, kGoogleCalendarService), milliseconds(0));
  const auto other = ConnectedAccountId::New(clock_.Now());
  EXPECT_EQ(latchkey::testing::RunTask(loop_, pauses_.Remaining(other, kGmailService)), milliseconds(0));
}

TEST_F(ProviderPausesTest, AShorterWaitNeverEndsALongerOne) {
  Hold(pauses_, seconds(30));
  Hold(pauses_, seconds(1));
  EXPECT_EQ(Remaining(pauses_), seconds(30));
  Hold(pauses_, seconds(60));
  EXPECT_EQ(Remaining(pauses_), seconds(60));
}

TEST_F(ProviderPausesTest, AnswersFromMemoryInBetweenAndWithoutADatabase) {
  Hold(pauses_, seconds(30));
  Remaining(pauses_);
  const int reads = store_.reads;
  for (int i = 0; i < 100; ++i) Remaining(pauses_);
  EXPECT_EQ(store_.reads, reads);
  store_.fault = ErrorCode::kStorageUnavailable;
  clock_.Advance(seconds(5));
  EXPECT_EQ(Remaining(pauses_), seconds(25));
  Hold(pauses_, seconds(60));
  EXPECT_EQ(Remaining(pauses_), seconds(60));
}

}  // namespace
}  // namespace latchkey::sync
