#include "jobs/worker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>

#include "async/testing.hpp"
#include "jobs/scheduler.hpp"

namespace latchkey::jobs {
namespace {

using latchkey::testing::RunTask;
using std::chrono::milliseconds;

/// A queue in memory that remembers how each attempt ended.
class ScriptedQueue final : public JobStore {
 public:
  explicit ScriptedQueue(boost::asio::io_context& loop) : finished_(loop.get_executor()) {}

  void Add(std::string kind, int count = 1) {
    for (int i = 0; i < count; ++i) {
      Job job;
      job.id = JobId("job-" + std::to_string(next_++));
      job.kind = kind;
      job.attempt = 1;
      job.lease_token = "lease";
      waiting_.push_back(job);
    }
  }
  Task<void> UntilFinished(std::size_t count) {
    while (outcomes_.size() < count) co_await finished_.Wait(std::chrono::seconds(5));
  }
  const std::vector<std::pair<std::string, Outcome>>& outcomes() const { return outcomes_; }

  Task<Result<std::vector<Job>>> Claim(const ClaimQuery& query) override {
    std::vector<Job> claimed;
    if (before_claim) co_await before_claim();
    for (auto it = waiting_.begin(); it != waiting_.end() && claimed.size() < static_cast<std::size_t>(query.limit);) {
      if (std::ranges::find(query.kinds, it->kind) == query.kinds.end()) {
        ++it;
        continue;
      }
      claimed.push_back(*it);
      it = waiting_.erase(it);
    }
    co_return claimed;
  }
  Task<Result<void>> Finish(const Lease& lease, const Outcome& outcome, Instant) override {
    if (failing_reports > 0) {
      --failing_reports;
      co_return Fail(ErrorCode::kDiskFull, "no room");
    }
    outcomes_.emplace_back(lease.job_id.text(), outcome);
    finished_.Raise();
    co_return Result<void>{};
  }
  Task<Result<std::vector<Lease>>> FinishAll(const std::vector<Report>& reports) override {
    ++report_calls;
    if (before_report) co_await before_report();
    for (const auto& report : reports) {
      const auto finished = co_await Finish(report.lease, report.outcome, report.next_run);
      if (!finished) co_return Fail(finished.error());
    }
    co_return std::vector<Lease>{};
  }
  Task<Result<std::vector<Lease>>> Heartbeat(const std::vector<Lease>& leases, milliseconds) override {
    ++heartbeats;
    co_return leases;
  }
  Task<Result<std::optional<Instant>>> NextDue() override { co_return std::optional<Instant>{}; }
  Task<Result<JobId>> Insert(const NewJob&) override { co_return JobId("x"); }
  Task<Result<int>> Rescue() override { co_return 0; }
  Task<Result<int>> RescueWorker(std::string_view) override { co_return 0; }
  Task<Result<Job>> Get(const JobId&) override { co_return Fail(ErrorCode::kNotFound); }
  Task<Result<JobPage>> List(const JobFilter&) override { co_return JobPage{}; }
  Task<Result<void>> RetryNow(const JobId&) override { co_return Result<void>{}; }
  Task<Result<void>> Cancel(const JobId&) override { co_return Result<void>{}; }
  Task<Result<int>> Prune(Instant, int) override { co_return 0; }

  std::function<Task<void>()> before_claim;
  std::function<Task<void>()> before_report;
  int failing_reports = 0;
  int heartbeats = 0;
  int report_calls = 0;

 private:
  std::deque<Job> waiting_;
  std::vector<std::pair<std::string, Outcome>> outcomes_;
  Signal finished_;
  int next_ = 0;
};

class WorkerTest : public ::testing::Test {
 protected:
  boost::asio::io_context loop_;
  SystemClock clock_;
  ScriptedQueue queue_{loop_};
  Worker worker_{loop_.get_executor(),
                 queue_,
                 clock_,
                 {.max_running = 4, .drain = milliseconds(0), .store_pause = milliseconds(1)}};
};

TEST_F(WorkerTest, RunsWhatIsDueAndReportsHowItEnded) {
  worker_.Register("good", [](const Job&) -> Task<Outcome> { co_return Outcome::Completed(); });
  worker_.Register("bad", [](const Job&) -> Task<Outcome> {
    throw std::runtime_error("broken");
    co_return Outcome{};
  });
  queue_.Add("good");
  queue_.Add("bad");
  queue_.Add("unknown");
  auto run = [&]() -> Task<void> {
    worker_.Start();
    co_await queue_.UntilFinished(2);
    co_await worker_.Stop();
  };
  RunTask(loop_, run());
  std::map<std::string, Outcome::Kind> ended;
  for (const auto& [id, outcome] : queue_.outcomes()) ended[id] = outcome.kind;
  EXPECT_EQ(ended["job-0"], Outcome::Kind::kCompleted);
  EXPECT_EQ(ended["job-1"], Outcome::Kind::kRetry);
  EXPECT_FALSE(ended.contains("job-2"));
}

TEST_F(WorkerTest, WhatEndsTogetherIsReportedTogether) {
  worker_.Register("quick", [](const Job&) -> Task<Outcome> { co_return Outcome::Completed(); });
  queue_.Add("quick", 8);
  auto run = [&]() -> Task<void> {
    worker_.Start();
    co_await queue_.UntilFinished(8);
    co_await worker_.Stop();
  };
  RunTask(loop_, run());
  EXPECT_EQ(queue_.outcomes().size(), 8u);
  EXPECT_EQ(queue_.report_calls, 2) << "four run at a time";
}

TEST_F(WorkerTest, KeepsToTheLimitsPerKindAndInTotal) {
  int running = 0;
  int most = 0;
  std::size_t done = 0;
  auto handler = [&](const Job&) -> Task<Outcome> {
    most = std::max(most, ++running);
    co_await SleepFor(milliseconds(1));
    --running;
    ++done;
    co_return Outcome::Completed();
  };
  const KindOptions two{.max_running = 2};
  worker_.Register("narrow", handler, two);
  queue_.Add("narrow", 20);
  auto run = [&]() -> Task<void> {
    worker_.Start();
    co_await queue_.UntilFinished(20);
    co_await worker_.Stop();
  };
  RunTask(loop_, run());
  EXPECT_EQ(most, 2);
  EXPECT_EQ(done, 20U);
}

TEST_F(WorkerTest, StopHandsBackWhatStillRuns) {
  Signal started(loop_.get_executor());
  worker_.Register("endless", [&](const Job&) -> Task<Outcome> {
    started.Raise();
    co_await SleepFor(std::chrono::hours(1));
    co_return Outcome::Completed();
  });
  queue_.Add("endless");
  auto run = [&]() -> Task<void> {
    worker_.Start();
    co_await started.Wait(std::chrono::seconds(5));
    co_await worker_.Stop();
  };
  RunTask(loop_, run());
  ASSERT_EQ(queue_.outcomes().size(), 1U);
  EXPECT_EQ(queue_.outcomes()[0].second.kind, Outcome::Kind::kSnooze);
  EXPECT_EQ(worker_.running(), 0);
}

TEST_F(WorkerTest, WhatAHandlerMakesOfBeingCutOffIsNotHowTheJobEnded) {
  Signal started(loop_.get_executor());
  worker_.Register("endless", [&](const Job&) -> Task<Outcome> {
    started.Raise();
    try {
      co_await SleepFor(std::chrono::hours(1));
    } catch (const std::exception&) {
    }
    Outcome cancelled;
    cancelled.kind = Outcome::Kind::kCancelled;
    co_return cancelled;
  });
  queue_.Add("endless");
  auto run = [&]() -> Task<void> {
    worker_.Start();
    co_await started.Wait(std::chrono::seconds(5));
    co_await worker_.Stop();
  };
  RunTask(loop_, run());
  ASSERT_EQ(queue_.outcomes().size(), 1U);
  EXPECT_EQ(queue_.outcomes()[0].second.kind, Outcome::Kind::kSnooze);
  EXPECT_EQ(queue_.outcomes()[0].second.delay, milliseconds(0));
}

TEST_F(WorkerTest, WhatAClaimBringsAfterTheStopIsHandedBackUntouched) {
  int ran = 0;
  worker_.Register("job", [&](const Job&) -> Task<Outcome> {
    ++ran;
    co_return Outcome::Completed();
  });
  Signal asked(loop_.get_executor());
  Signal answer(loop_.get_executor());
  queue_.before_claim = [&]() -> Task<void> {
    asked.Raise();
    co_await answer.Wait(std::chrono::seconds(30));
  };
  queue_.Add("job", 2);
  auto run = [&]() -> Task<void> {
    worker_.Start();
    co_await asked.Wait(std::chrono::seconds(30));
    worker_.StopClaiming();
    answer.Raise();
    co_await worker_.Stop();
  };
  RunTask(loop_, run());
  EXPECT_EQ(ran, 0);
  ASSERT_EQ(queue_.outcomes().size(), 2U);
  for (const auto& [id, outcome] : queue_.outcomes()) EXPECT_EQ(outcome.kind, Outcome::Kind::kSnooze);
}

TEST_F(WorkerTest, AStoreThatCannotBeWrittenCostsNoAttemptAndTheReportWaitsForIt) {
  worker_.Register("job", [](const Job&) -> Task<Outcome> {
    co_return Outcome::Retry({.code = ErrorCode::kDiskFull, .detail = "no room", .retry_after = {}});
  });
  queue_.failing_reports = 3;
  queue_.Add("job");
  auto run = [&]() -> Task<void> {
    worker_.Start();
    co_await queue_.UntilFinished(1);
    co_await worker_.Stop();
  };
  RunTask(loop_, run());
  EXPECT_EQ(queue_.failing_reports, 0);
  ASSERT_EQ(queue_.outcomes().size(), 1U);
  EXPECT_EQ(queue_.outcomes()[0].second.kind, Outcome::Kind::kSnooze);
  EXPECT_GT(queue_.outcomes()[0].second.delay, milliseconds(0));
}

TEST_F(WorkerTest, AStoreThatCannotBeWrittenDoesNotKeepTheWorkerFromStopping) {
  Signal started(loop_.get_executor());
  worker_.Register("job", [&](const Job&) -> Task<Outcome> {
    started.Raise();
    co_return Outcome::Completed();
  });
  queue_.failing_reports = 1'000'000;
  queue_.Add("job");
  auto run = [&]() -> Task<void> {
    worker_.Start();
    co_await started.Wait(std::chrono::seconds(30));
    co_await worker_.Stop();
  };
  RunTask(loop_, run());
  EXPECT_TRUE(queue_.outcomes().empty());
  EXPECT_EQ(worker_.running(), 0);
}

TEST_F(WorkerTest, TheStopWaitsForReportsOnTheirWayAndForThoseOfWhatItCutOff) {
  Signal asked(loop_.get_executor());
  Signal never(loop_.get_executor());
  Signal answer(loop_.get_executor());
  worker_.Register("quick", [](const Job&) -> Task<Outcome> { co_return Outcome::Completed(); });
  worker_.Register("slow", [&](const Job&) -> Task<Outcome> {
    try {
      co_await never.Wait(std::chrono::hours(1));
    } catch (...) {
      answer.Raise();  // the stop has come as far as to cut this off
      throw;
    }
    co_return Outcome::Completed();
  });
  queue_.before_report = [&]() -> Task<void> {
    asked.Raise();
    if (queue_.report_calls == 1) co_await answer.Wait(std::chrono::seconds(30));
    co_await SleepFor(milliseconds(1));
  };
  queue_.Add("quick");
  queue_.Add("slow");
  auto run = [&]() -> Task<void> {
    worker_.Start();
    co_await asked.Wait(std::chrono::seconds(30));
    co_await worker_.Stop();
    EXPECT_EQ(worker_.running(), 0);
  };
  RunTask(loop_, run());
  std::map<std::string, Outcome::Kind> ended;
  for (const auto& [id, outcome] : queue_.outcomes()) ended[id] = outcome.kind;
  EXPECT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended["job-0"], Outcome::Kind::kCompleted);
  EXPECT_EQ(ended["job-1"], Outcome::Kind::kSnooze);
}

TEST_F(WorkerTest, ItRenewsItsLeasesBeforeAnybodyIsDeclaredDead) {
  Signal started(loop_.get_executor());
  Signal release(loop_.get_executor());
  worker_.Register("job", [&](const Job&) -> Task<Outcome> {
    started.Raise();
    co_await release.Wait(std::chrono::hours(1));
    co_return Outcome::Completed();
  });
  queue_.Add("job");
  auto run = [&]() -> Task<void> {
    EXPECT_TRUE(co_await worker_.Renew());
    EXPECT_EQ(queue_.heartbeats, 0) << "nothing to renew";
    worker_.Start();
    co_await started.Wait(std::chrono::seconds(30));
    EXPECT_TRUE(co_await worker_.Renew());
    EXPECT_TRUE(co_await worker_.Renew());
    EXPECT_EQ(queue_.heartbeats, 1) << "a moment ago is enough";
    release.Raise();
    co_await queue_.UntilFinished(1);
    co_await worker_.Stop();
  };
  RunTask(loop_, run());
}

TEST_F(WorkerTest, AnAttemptThatTakesTooLongIsCancelledAndRetried) {
  const KindOptions short_deadline{.max_running = 1, .deadline = milliseconds(5)};
  worker_.Register(
      "slow",
      [](const Job&) -> Task<Outcome> {
        co_await SleepFor(std::chrono::hours(1));
        co_return Outcome::Completed();
      },
      short_deadline);
  queue_.Add("slow");
  auto run = [&]() -> Task<void> {
    worker_.Start();
    co_await queue_.UntilFinished(1);
    co_await worker_.Stop();
  };
  RunTask(loop_, run());
  ASSERT_EQ(queue_.outcomes().size(), 1U);
  EXPECT_EQ(queue_.outcomes()[0].second.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(queue_.outcomes()[0].second.error.code, ErrorCode::kTimeout);
}

TEST(RetryPolicy, GrowsUpToItsLimitAndRespectsTheProvidersWish) {
  const RetryPolicy policy;
  const Instant now = FromMicros(1'000'000);
  Job job;
  job.id = JobId("a");
  const Outcome failed = Outcome::Retry({.code = ErrorCode::kInternal, .detail = {}, .retry_after = {}});
  Instant last = now;
  for (job.attempt = 1; job.attempt <= 9; ++job.attempt) {
    const Instant next = policy.NextRun(job, failed, now);
    EXPECT_GT(next, last) << job.attempt;
    last = next;
  }
  job.attempt = 1000;
  EXPECT_LE(policy.NextRun(job, failed, now), now + policy.longest);
  const Outcome asked =
      Outcome::Retry({.code = ErrorCode::kRateLimited, .detail = {}, .retry_after = std::chrono::hours(2)});
  EXPECT_EQ(policy.NextRun(job, asked, now), now + std::chrono::hours(2));
  EXPECT_EQ(policy.NextRun(job, Outcome::Snooze(milliseconds(7)), now), now + milliseconds(7));
}

TEST(Scheduler, GoesOnAfterAFailureAndStops) {
  boost::asio::io_context loop;
  Scheduler scheduler(loop.get_executor());
  Signal third(loop.get_executor());
  int runs = 0;
  auto run = [&]() -> Task<void> {
    scheduler.Every("duty", milliseconds(1), [&]() -> Task<Result<void>> {
      if (++runs == 1) co_return Fail(ErrorCode::kInternal, "once");
      if (runs == 2) throw std::runtime_error("twice");
      if (runs == 3) third.Raise();
      co_return Result<void>{};
    });
    co_await third.Wait(std::chrono::seconds(5));
    co_await scheduler.Stop();
  };
  RunTask(loop, run());
  EXPECT_GE(runs, 3);
}

}  // namespace
}  // namespace latchkey::jobs
