#include "sync/quota_budget.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <numeric>
#include <vector>

#include "async/testing.hpp"

namespace latchkey::sync {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Lane = QuotaBudget::Lane;

class QuotaBudgetTest : public ::testing::Test {
 protected:
  int SpendAll(QuotaBudget& budget, std::string_view account, std::int64_t units, Lane lane) {
    int calls = 0;
    while (TrySpend(budget, account, units, lane) == microseconds(0) && calls < 100000) ++calls;
    return calls;
  }
  microseconds TrySpend(QuotaBudget& budget, std::string_view account, std::int64_t units, Lane lane) {
    return latchkey::testing::RunTask(loop_, budget.TrySpend(account, units, lane));
  }
  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'000'000'000'000'000)};
};

TEST_F(QuotaBudgetTest, SpendsTheBurstThenTheRate) {
  QuotaBudget budget(clock_, {.account_units_per_minute = 6000, .project_units_per_minute = 0});
  // Two fifths of a minute's units at once, then 60 units a second.
  EXPECT_EQ(SpendAll(budget, "a", 20, Lane::kLive), 120);
  EXPECT_EQ(std::chrono::round<milliseconds>(TrySpend(budget, "a", 20, Lane::kLive)), milliseconds(333));
  clock_.Advance(milliseconds(334));
  EXPECT_EQ(SpendAll(budget, "a", 20, Lane::kLive), 1);
}

TEST_F(QuotaBudgetTest, NoMinuteHoldsMoreThanItsLimit) {
  QuotaBudget budget(clock_, {.account_units_per_minute = 6000, .project_units_per_minute = 0});
  int first_minute = SpendAll(budget, "a", 20, Lane::kLive);
  for (int i = 0; i < 599; ++i) {
    clock_.Advance(milliseconds(100));
    first_minute += SpendAll(budget, "a", 20, Lane::kLive);
  }
  EXPECT_LE(first_minute * 20, 6000);
  EXPECT_GE(first_minute * 20, 5900);
}

TEST_F(QuotaBudgetTest, ALongImportSpendsNearlyTheWholeQuotaAndNoMinuteTooMuch) {
  QuotaBudget budget(clock_, {.account_units_per_minute = 6000, .project_units_per_minute = 0});
  std::vector<int> of_tick;
  for (int tick = 0; tick < 6000; ++tick) {
    // Pauses of several lengths: after a rest the burst is there again.
    const bool resting = (tick > 2500 && tick < 2650) || (tick > 4000 && tick < 4900);
    of_tick.push_back(resting ? 0 : 20 * SpendAll(budget, "a", 20, Lane::kBackfill));
    clock_.Advance(milliseconds(100));
  }
  int steady = 0;
  for (int tick = 1200; tick < 2400; ++tick) steady += of_tick[tick];
  EXPECT_GE(steady, 2 * 5600);
  for (std::size_t end = 600; end <= of_tick.size(); ++end) {
    const int minute =
        std::accumulate(of_tick.begin() + static_cast<long>(end) - 600, of_tick.begin() + static_cast<long>(end), 0);
    ASSERT_LE(minute, 6000) << "in the minute before tick " << end;
  }
}

TEST_F(QuotaBudgetTest, ALongImportLeavesLiveCallsTheirReserveInEveryMinute) {
  QuotaBudget budget(clock_, {.account_units_per_minute = 6000, .project_units_per_minute = 0});
  for (int tick = 0; tick < 1800; ++tick) {
    SpendAll(budget, "a", 20, Lane::kBackfill);
    clock_.Advance(milliseconds(100));
  }
  SpendAll(budget, "a", 20, Lane::kBackfill);
  EXPECT_GE(SpendAll(budget, "a", 20, Lane::kLive), 11);
}

TEST_F(QuotaBudgetTest, BackfillLeavesAReserveForLiveCalls) {
  QuotaBudget budget(clock_, {.account_units_per_minute = 6000, .project_units_per_minute = 0});
  EXPECT_EQ(SpendAll(budget, "a", 20, Lane::kBackfill), 108);
  EXPECT_EQ(SpendAll(budget, "a", 20, Lane::kLive), 12);
  clock_.Advance(milliseconds(334));
  // What is earned while live calls are in debt to the reserve is theirs.
  EXPECT_GT(TrySpend(budget, "a", 20, Lane::kBackfill), microseconds(0));
  EXPECT_EQ(TrySpend(budget, "a", 20, Lane::kLive), microseconds(0));
}

TEST_F(QuotaBudgetTest, AccountsShareTheProjectAndNothingElse) {
  QuotaBudget budget(clock_, {.account_units_per_minute = 6000, .project_units_per_minute = 9000});
  EXPECT_EQ(SpendAll(budget, "a", 20, Lane::kLive), 120);
  EXPECT_EQ(SpendAll(budget, "b", 20, Lane::kLive), 60);
}

TEST_F(QuotaBudgetTest, ARefusalOfTheProviderBlocksTheAccountAlone) {
  QuotaBudget budget(clock_, {.account_units_per_minute = 0, .project_units_per_minute = 0});
  budget.Block("a", seconds(30));
  EXPECT_EQ(TrySpend(budget, "a", 1, Lane::kLive), seconds(30));
  EXPECT_EQ(TrySpend(budget, "b", 1, Lane::kLive), microseconds(0));
  clock_.Advance(seconds(30));
  EXPECT_EQ(TrySpend(budget, "a", 1, Lane::kLive), microseconds(0));
}

TEST_F(QuotaBudgetTest, ACallDearerThanTheBurstWaitsForAFullBucket) {
  QuotaBudget budget(clock_, {.account_units_per_minute = 60, .project_units_per_minute = 0});
  EXPECT_EQ(TrySpend(budget, "a", 20, Lane::kBackfill), microseconds(0));
  // 24 units of burst are one call; 36 units a minute are earned.
  int seconds_waited = 0;
  while (TrySpend(budget, "a", 20, Lane::kBackfill) > microseconds(0) && seconds_waited < 100) {
    clock_.Advance(seconds(1));
    ++seconds_waited;
  }
  EXPECT_EQ(seconds_waited, 31);
}

}  // namespace
}  // namespace latchkey::sync
