#include "push/hints.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>

#include "async/timer.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::push {
namespace {

using namespace std::chrono_literals;

class HintsTest : public ::testing::Test {
 protected:
  HintsTest() {
    channel_.account_id = account_.id;
    channel_.generation = account_.generation;
  }
  /// Hints are given while `during` runs; then everything is let end.
  void Run(Hints& hints, const std::function<Task<void>()>& during) {
    latchkey::testing::RunTask(scratch_.loop(), Whole(hints, during));
  }
  static Task<void> Whole(Hints& hints, const std::function<Task<void>()>& during) {
    co_await during();
    co_await SleepFor(50ms);
    co_await hints.Stop();
  }
  std::vector<jobs::Job> Queued(const std::string& kind = "fetch_emails") {
    return scratch_.Get(scratch_.database().jobs().List({.kind = kind})).items;
  }

  storage::testing::ScratchStore scratch_;
  identity::User user_ = scratch_.AddUser("ada");
  connected_accounts::ConnectedAccount account_ = scratch_.AddAccount(user_, "ada");
  Channel channel_;
};

TEST_F(HintsTest, AStormQueuesOneRun) {
  Hints hints(scratch_.loop().get_executor(), scratch_.database().jobs(), scratch_.clock(), {.gap = 1ms});
  Run(hints, [&]() -> Task<void> {
    for (int i = 0; i < 10'000; ++i) {
      hints.Hint(channel_);
      if (i % 1000 == 0) co_await SleepFor(1ms);
    }
  });
  const auto queued = Queued();
  ASSERT_EQ(queued.size(), 1u);
  EXPECT_EQ(queued[0].priority, jobs::Priority::kLive);
  EXPECT_EQ(queued[0].account_id, account_.id);
}

TEST_F(HintsTest, ARunAtWorkIsFollowedByExactlyOneMore) {
  auto& jobs = scratch_.database().jobs();
  Hints hints(scratch_.loop().get_executor(), jobs, scratch_.clock(), {.gap = 1ms});
  Run(hints, [&]() -> Task<void> {
    hints.Hint(channel_);
    co_await SleepFor(20ms);
  });
  const auto running = scratch_.Get(jobs.Claim({.kinds = {"fetch_emails"}})).at(0);
  Hints more(scratch_.loop().get_executor(), jobs, scratch_.clock(), {.gap = 1ms});
  Run(more, [&]() -> Task<void> {
    for (int i = 0; i < 100; ++i) more.Hint(channel_);
    co_return;
  });
  scratch_.Get(jobs.Finish({.job_id = running.id, .token = running.lease_token}, jobs::Outcome::Completed(),
                           scratch_.clock().Now()));
  EXPECT_EQ(scratch_.Get(jobs.Claim({.kinds = {"fetch_emails"}, .limit = 10})).size(), 1u);
}

TEST_F(HintsTest, CalendarAndMailAreWokenApart) {
  Hints hints(scratch_.loop().get_executor(), scratch_.database().jobs(), scratch_.clock(), {.gap = 1ms});
  Channel calendar = channel_;
  calendar.service = Service::kCalendar;
  Run(hints, [&]() -> Task<void> {
    hints.Hint(calendar);
    co_return;
  });
  EXPECT_EQ(Queued("fetch_calendar").size(), 1u);
  EXPECT_TRUE(Queued().empty());
}

TEST_F(HintsTest, PollingSlowsDownOnlyWhilePushIsProven) {
  Hints hints(scratch_.loop().get_executor(), scratch_.database().jobs(), scratch_.clock());
  EXPECT_EQ(hints.NextPoll(account_.id, 60s, true), 60s) << "never heard of";
  Run(hints, [&]() -> Task<void> {
    hints.Hint(channel_);
    co_return;
  });
  EXPECT_TRUE(hints.Proven(account_.id));
  EXPECT_EQ(hints.NextPoll(account_.id, 60s, true), 300s) << "the run that the hint brought";
  EXPECT_EQ(hints.NextPoll(account_.id, 60s, false), 300s) << "nothing happened, nothing was said";
  EXPECT_EQ(hints.NextPoll(account_.id, 60s, true), 60s) << "polling found what push did not tell of";
  EXPECT_EQ(hints.NextPoll(account_.id, 60s, false), 60s) << "and it is not relied on again by itself";
  EXPECT_FALSE(hints.Proven(account_.id));
}

TEST_F(HintsTest, AProofGrowsOld) {
  Hints hints(scratch_.loop().get_executor(), scratch_.database().jobs(), scratch_.clock());
  Run(hints, [&]() -> Task<void> {
    hints.Hint(channel_);
    co_return;
  });
  scratch_.clock().Advance(std::chrono::hours(37));
  EXPECT_EQ(hints.NextPoll(account_.id, 60s, false), 60s);
}

TEST_F(HintsTest, WhatIsBeyondTheBoundIsDroppedAndHarmsNobody) {
  Hints hints(scratch_.loop().get_executor(), scratch_.database().jobs(), scratch_.clock(),
              {.gap = 1ms, .max_pending = 1});
  const auto other = scratch_.AddAccount(user_, "other");
  Channel second = channel_;
  second.account_id = other.id;
  Run(hints, [&]() -> Task<void> {
    hints.Hint(channel_);
    hints.Hint(second);
    co_return;
  });
  ASSERT_EQ(Queued().size(), 1u);
  EXPECT_EQ(Queued()[0].account_id, account_.id);
}

}  // namespace
}  // namespace latchkey::push
