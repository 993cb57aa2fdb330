#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using jobs::JobState;
using jobs::Outcome;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JobStoreLaws : public StoreConformance {
 protected:
  Instant Now() { return store.clock().Now(); }
  std::vector<jobs::Job> Claim(std::vector<std::string> kinds, int limit = 10) {
    const jobs::ClaimQuery query{.kinds = std::move(kinds), .limit = limit, .lease = seconds(30)};
    return store.Get(jobs().Claim(query));
  }
  static jobs::Lease LeaseOf(const jobs::Job& job) { return {.job_id = job.id, .token = job.lease_token}; }
  static Outcome Retry() {
    return Outcome::Retry({.code = ErrorCode::kProviderUnavailable, .detail = "503", .retry_after = {}});
  }
  jobs::Job Job(const JobId& id) { return store.Get(jobs().Get(id)); }
};
LATCHKEY_ON_EVERY_ENGINE(JobStoreLaws);

TEST_P(JobStoreLaws, PriorityGoesFirstThenAge) {
  const auto old = store.Get(jobs().Insert({.kind = "k", .priority = jobs::Priority::kBackfill}));
  store.clock().Advance(seconds(1));
  const auto live = store.Get(jobs().Insert({.kind = "j", .priority = jobs::Priority::kLive}));
  store.clock().Advance(seconds(1));
  const auto young = store.Get(jobs().Insert({.kind = "k", .priority = jobs::Priority::kBackfill}));
  std::vector<JobId> order;
  for (const auto& job : Claim({"k", "j"})) order.push_back(job.id);
  EXPECT_THAT(order, ElementsAre(live, old, young));
}

TEST_P(JobStoreLaws, OnlyDueJobsOfKnownKindsAreClaimed) {
  store.Get(jobs().Insert({.kind = "other"}));
  const auto later = store.Get(jobs().Insert({.kind = "k", .scheduled_at = Now() + minutes(1)}));
  EXPECT_EQ(Job(later).state, JobState::kScheduled);
  EXPECT_THAT(Claim({"k"}), IsEmpty());
  EXPECT_EQ(store.Get(jobs().NextDue()), Now() + minutes(1));
  store.clock().Advance(minutes(1));
  EXPECT_THAT(Claim({"k"}), SizeIs(1));
  EXPECT_EQ(store.Get(jobs().NextDue()), std::nullopt);
}

TEST_P(JobStoreLaws, AJobIsClaimedByExactlyOne) {
  for (int i = 0; i < 20; ++i) store.Get(jobs().Insert({.kind = "k"}));
  std::vector<std::string> claimed;
  const jobs::ClaimQuery query{.kinds = {"k"}, .limit = 3};
  auto run = [&]() -> Task<void> {
    const auto got = co_await jobs().Claim(query);
    for (const auto& job : *got) claimed.push_back(job.id.text());
  };
  for (int i = 0; i < 8; ++i) boost::asio::co_spawn(store.loop(), run, boost::asio::detached);
  store.loop().restart();
  store.loop().run();
  EXPECT_EQ(claimed.size(), 20u);
  EXPECT_EQ(std::set<std::string>(claimed.begin(), claimed.end()).size(), 20u);
}

TEST_P(JobStoreLaws, ManyEndAtOnceAsEachWouldAlone) {
  const auto account = store.AddAccount(store.AddUser("ada"), "ada.mail");
  store.Get(jobs().Insert({.kind = "plain"}));
  store.Get(jobs().Insert({.kind = "owned", .account_id = account.id}));
  store.Get(jobs().Insert({.kind = "fails"}));
  store.Get(jobs().Insert({.kind = "again", .unique_key = "once"}));
  store.Get(jobs().Insert({.kind = "lost"}));
  std::map<std::string, jobs::Job> running;
  for (auto& job : Claim({"plain", "owned", "fails", "again", "lost"})) running[job.kind] = job;
  ASSERT_THAT(running, SizeIs(5));
  store.Get(jobs().Insert({.kind = "again", .unique_key = "once"}));
  store.clock().Advance(seconds(3));
  std::vector<jobs::Report> reports;
  for (const auto& [kind, job] : running) {
    reports.push_back({.lease = LeaseOf(job), .outcome = Outcome::Completed(), .next_run = Now()});
    if (kind == "fails") reports.back() = {LeaseOf(job), Retry(), Now() + minutes(1)};
    if (kind == "lost") reports.back().lease.token = "somebody else's";
  }
  const auto lost = store.Get(jobs().FinishAll(reports));
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_EQ(lost[0].job_id, running["lost"].id);
  EXPECT_EQ(Job(running["lost"].id).state, JobState::kRunning);
  for (const auto* kind : {"plain", "owned"}) {
    const auto ended = Job(running[kind].id);
    EXPECT_EQ(ended.state, JobState::kCompleted) << kind;
    EXPECT_EQ(ended.finalized_at, Now()) << kind;
    EXPECT_EQ(ended.attempt, 1) << kind;
  }
  EXPECT_EQ(Job(running["fails"].id).state, JobState::kRetryable);
  EXPECT_EQ(Job(running["fails"].id).scheduled_at, Now() + minutes(1));
  const auto again = Job(running["again"].id);
  EXPECT_EQ(again.state, JobState::kAvailable) << "asked for while it ran";
  EXPECT_EQ(again.attempt, 0);
  EXPECT_EQ(again.finalized_at, std::nullopt);
}

TEST_P(JobStoreLaws, NeverTwoOfOneKindForOneAccount) {
  const auto account = store.AddAccount(store.AddUser("ada"), "ada.mail");
  for (int i = 0; i < 2; ++i) store.Get(jobs().Insert({.kind = "k", .account_id = account.id}));
  store.Get(jobs().Insert({.kind = "other", .account_id = account.id}));
  const auto first = Claim({"k"});
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_THAT(Claim({"k"}), IsEmpty());
  EXPECT_THAT(Claim({"other"}), SizeIs(1)) << "another kind may run beside it";
  store.Get(jobs().Finish(LeaseOf(first[0]), Outcome::Completed(), {}));
  EXPECT_THAT(Claim({"k"}), SizeIs(1));
}

TEST_P(JobStoreLaws, AUniqueKeyHoldsWhileItsJobLives) {
  const auto first = store.Get(jobs().Insert({.kind = "k", .unique_key = "u", .scheduled_at = Now() + minutes(5)}));
  EXPECT_EQ(store.Get(jobs().Insert({.kind = "k", .unique_key = "u", .scheduled_at = Now() + minutes(9)})), first);
  EXPECT_EQ(Job(first).scheduled_at, Now() + minutes(5)) << "not put off";
  EXPECT_EQ(store.Get(jobs().Insert({.kind = "k", .priority = jobs::Priority::kInteractive, .unique_key = "u"})),
            first);
  EXPECT_EQ(Job(first).state, JobState::kAvailable) << "brought forward";
  EXPECT_EQ(Job(first).priority, jobs::Priority::kInteractive);
  const auto running = Claim({"k"}).at(0);
  store.Get(jobs().Finish(LeaseOf(running), Outcome::Completed(), {}));
  EXPECT_NE(store.Get(jobs().Insert({.kind = "k", .unique_key = "u"})), first);
}

TEST_P(JobStoreLaws, WhatIsAskedForWhileItRunsRunsOnceMore) {
  const jobs::NewJob job{.kind = "k", .unique_key = "u"};
  const auto id = store.Get(jobs().Insert(job));
  const auto first = Claim({"k"}).at(0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(store.Get(jobs().Insert(job)), id);
  EXPECT_THAT(Claim({"k"}), IsEmpty());
  store.Get(jobs().Finish(LeaseOf(first), Outcome::Completed(), {}));
  const auto second = Claim({"k"});
  ASSERT_THAT(second, SizeIs(1));
  store.Get(jobs().Finish(LeaseOf(second[0]), Outcome::Completed(), {}));
  EXPECT_THAT(Claim({"k"}), IsEmpty());
  EXPECT_EQ(Job(id).state, JobState::kCompleted);
}

TEST_P(JobStoreLaws, ARetryWaitsAndTheLastAttemptDiscards) {
  const auto id = store.Get(jobs().Insert({.kind = "k", .max_attempts = 2}));
  store.Get(jobs().Finish(LeaseOf(Claim({"k"}).at(0)), Retry(), Now() + minutes(1)));
  EXPECT_EQ(Job(id).state, JobState::kRetryable);
  EXPECT_EQ(Job(id).last_error_code, "provider_unavailable");
  EXPECT_THAT(Claim({"k"}), IsEmpty());
  store.clock().Advance(minutes(1));
  const auto second = Claim({"k"}).at(0);
  EXPECT_EQ(second.attempt, 2);
  store.Get(jobs().Finish(LeaseOf(second), Retry(), Now() + minutes(1)));
  EXPECT_EQ(Job(id).state, JobState::kDiscarded);
  EXPECT_EQ(Job(id).finalized_at, Now());
}

TEST_P(JobStoreLaws, ASnoozeIsNotAnAttempt) {
  const auto id = store.Get(jobs().Insert({.kind = "k", .max_attempts = 1}));
  for (int i = 0; i < 5; ++i) {
    const auto job = Claim({"k"}).at(0);
    EXPECT_EQ(job.attempt, 1);
    store.Get(jobs().Finish(LeaseOf(job), Outcome::Snooze(seconds(10)), Now() + seconds(10)));
    EXPECT_EQ(Job(id).state, JobState::kScheduled);
    store.clock().Advance(seconds(10));
  }
}

TEST_P(JobStoreLaws, WhatADeadWorkerHeldIsGivenBackByItsNameWithoutWaitingForLeases) {
  const jobs::ClaimQuery first{.kinds = {"k"}, .limit = 1, .worker = "00aa"};
  const jobs::ClaimQuery second{.kinds = {"k"}, .limit = 1, .worker = "11bb"};
  for (int i = 0; i < 2; ++i) store.Get(jobs().Insert({.kind = "k"}));
  const auto dead = store.Get(jobs().Claim(first)).at(0);
  const auto other = store.Get(jobs().Claim(second)).at(0);
  EXPECT_EQ(store.Get(jobs().RescueWorker("00aa")), 1);
  EXPECT_EQ(store.Get(jobs().RescueWorker("00aa")), 0);
  EXPECT_EQ(Job(dead.id).state, JobState::kAvailable);
  EXPECT_EQ(Job(dead.id).last_error_code, "lease_lost");
  EXPECT_EQ(Job(other.id).state, JobState::kRunning);
  EXPECT_EQ(store.ErrorOf(jobs().Finish(LeaseOf(dead), Outcome::Completed(), {})), ErrorCode::kLeaseLost);
  store.Get(jobs().Finish(LeaseOf(other), Outcome::Completed(), {}));
}

TEST_P(JobStoreLaws, AnExpiredLeaseIsRescuedAndItsHolderRefused) {
  const auto id = store.Get(jobs().Insert({.kind = "k"}));
  const auto dead = Claim({"k"}).at(0);
  EXPECT_EQ(store.Get(jobs().Rescue()), 0);
  store.clock().Advance(seconds(20));
  EXPECT_THAT(store.Get(jobs().Heartbeat({LeaseOf(dead)}, seconds(30))), SizeIs(1));
  store.clock().Advance(seconds(20));
  EXPECT_EQ(store.Get(jobs().Rescue()), 0) << "the heartbeat extended it";
  store.clock().Advance(seconds(20));
  EXPECT_EQ(store.Get(jobs().Rescue()), 1);
  const auto alive = Claim({"k"}).at(0);
  EXPECT_EQ(alive.id, id);
  EXPECT_EQ(alive.attempt, 2);
  EXPECT_NE(alive.lease_token, dead.lease_token);
  EXPECT_THAT(store.Get(jobs().Heartbeat({LeaseOf(dead), LeaseOf(alive)}, seconds(30))), SizeIs(1));
  EXPECT_EQ(store.ErrorOf(jobs().Finish(LeaseOf(dead), Outcome::Completed(), {})), ErrorCode::kLeaseLost);
  EXPECT_EQ(Job(id).state, JobState::kRunning);
}

TEST_P(JobStoreLaws, AJobThatKillsItsWorkerComesToAnEnd) {
  const auto id = store.Get(jobs().Insert({.kind = "k", .max_attempts = 2}));
  for (int i = 0; i < 2; ++i) {
    Claim({"k"});
    store.clock().Advance(minutes(1));
    store.Get(jobs().Rescue());
  }
  EXPECT_EQ(Job(id).state, JobState::kDiscarded);
}

// Opening an SQLite file that nobody else has open proves that every holder is dead. Opening a PostgreSQL database
// proves nothing: other processes may be at work, and only the jobs held under our own former name are certainly
// nobody's.
TEST_P(JobStoreLaws, ARestartGivesBackTheJobsOfTheDeadAndOfNobodyElse) {
  const jobs::ClaimQuery ours{.kinds = {"k"}, .limit = 1, .worker = "00aa"};
  const jobs::ClaimQuery others{.kinds = {"k"}, .limit = 1, .worker = "11bb"};
  for (int i = 0; i < 2; ++i) store.Get(jobs().Insert({.kind = "k"}));
  const auto own = store.Get(jobs().Claim(ours)).at(0);
  const auto foreign = store.Get(jobs().Claim(others)).at(0);
  const bool alone = store.url().starts_with("sqlite:");
  store.Reopen();
  EXPECT_EQ(Job(own.id).state, alone ? JobState::kAvailable : JobState::kRunning);
  EXPECT_EQ(Job(foreign.id).state, alone ? JobState::kAvailable : JobState::kRunning);
  EXPECT_EQ(store.Get(jobs().RescueWorker("00aa")), alone ? 0 : 1);
  EXPECT_EQ(Job(own.id).state, JobState::kAvailable);
  if (alone) return;
  EXPECT_EQ(Job(foreign.id).state, JobState::kRunning);
  store.Get(jobs().Finish(LeaseOf(foreign), Outcome::Completed(), {}));
}

TEST_P(JobStoreLaws, APersonRetriesDeadJobsAndCancelsWaitingOnes) {
  const auto id = store.Get(jobs().Insert({.kind = "k", .unique_key = "u"}));
  EXPECT_EQ(store.ErrorOf(jobs().RetryNow(id)), ErrorCode::kConflict);
  store.Get(jobs().Cancel(id));
  EXPECT_EQ(store.ErrorOf(jobs().Cancel(id)), ErrorCode::kConflict);
  store.Get(jobs().RetryNow(id));
  const auto running = Claim({"k"}).at(0);
  EXPECT_EQ(running.attempt, 1);
  EXPECT_EQ(store.ErrorOf(jobs().Cancel(id)), ErrorCode::kConflict);
  store.Get(jobs().Finish(LeaseOf(running), Outcome::Discard({.code = ErrorCode::kInternal}), {}));
  store.Get(jobs().Insert({.kind = "k", .unique_key = "u"}));
  EXPECT_EQ(store.ErrorOf(jobs().RetryNow(id)), ErrorCode::kConflict) << "a newer one holds the key";
  EXPECT_EQ(store.ErrorOf(jobs().RetryNow(JobId::New(Now()))), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(jobs().Get(JobId::New(Now()))), ErrorCode::kNotFound);
}

TEST_P(JobStoreLaws, ListsFilterAndPageNewestFirst) {
  for (int i = 0; i < 5; ++i) store.Get(jobs().Insert({.kind = i % 2 ? "odd" : "even"}));
  jobs::JobFilter filter{.kind = "even", .limit = 2};
  const auto page = store.Get(jobs().List(filter));
  ASSERT_THAT(page.items, SizeIs(2));
  filter.cursor = page.next_cursor;
  EXPECT_THAT(store.Get(jobs().List(filter)).items, SizeIs(1));
  EXPECT_THAT(store.Get(jobs().List({.state = JobState::kRunning})).items, IsEmpty());
  EXPECT_EQ(store.ErrorOf(jobs().List({.cursor = "x"})), ErrorCode::kInvalidArgument);
}

TEST_P(JobStoreLaws, EveryFilterPagesThroughAllItHasNewestFirst) {
  const auto account = store.AddAccount(store.AddUser("ada"), "ada.mail");
  std::vector<std::string> all, owned, dead;
  for (int i = 0; i < 9; ++i) {
    jobs::NewJob job{.kind = i % 3 ? "waits" : "dies"};
    if (i % 2) job.account_id = account.id;
    const auto id = store.Get(jobs().Insert(job)).text();
    all.insert(all.begin(), id);
    if (i % 2) owned.insert(owned.begin(), id);
    if (i % 3 == 0) dead.insert(dead.begin(), id);
    store.clock().Advance(seconds(1));
  }
  for (const auto& job : Claim({"dies"})) {
    store.Get(jobs().Finish(LeaseOf(job), Outcome::Discard({.code = ErrorCode::kInternal}), {}));
  }
  const auto walk = [&](jobs::JobFilter filter) {
    std::vector<std::string> met;
    filter.limit = 2;
    do {
      const auto page = store.Get(jobs().List(filter));
      for (const auto& job : page.items) met.push_back(job.id.text());
      filter.cursor = page.next_cursor;
    } while (!filter.cursor.empty());
    return met;
  };
  EXPECT_EQ(walk({}), all);
  EXPECT_EQ(walk({.account_id = account.id}), owned);
  EXPECT_EQ(walk({.state = JobState::kDiscarded}), dead);
  EXPECT_EQ(walk({.kind = "dies"}), dead);
  std::erase_if(all, [&](const std::string& id) { return std::ranges::find(dead, id) != dead.end(); });
  EXPECT_EQ(walk({.state = JobState::kAvailable}), all);
}

TEST_P(JobStoreLaws, PruningTakesOnlyWhatEndedBefore) {
  const auto done = store.Get(jobs().Insert({.kind = "k"}));
  store.Get(jobs().Finish(LeaseOf(Claim({"k"}).at(0)), Outcome::Completed(), {}));
  store.Get(jobs().Insert({.kind = "fails"}));
  store.Get(jobs().Finish(LeaseOf(Claim({"fails"}).at(0)), Outcome::Discard({.code = ErrorCode::kInternal}), {}));
  store.Get(jobs().Insert({.kind = "k"}));
  store.clock().Advance(minutes(1));
  EXPECT_EQ(store.Get(jobs().Prune(Now() - minutes(2), 10)), 0);
  EXPECT_EQ(store.Get(jobs().Prune(Now(), 10)), 3) << "what is completed; what failed, and its attempt's log";
  EXPECT_EQ(store.ErrorOf(jobs().Get(done)), ErrorCode::kNotFound);
}

TEST_P(JobStoreLaws, InsertingWakesTheWorkerAfterTheCommitAlsoInsideOtherStores) {
  int jobs_woken = 0;
  std::vector<std::string> users_woken;
  store.Reopen();
  db().OnCommit([&] { ++jobs_woken; }, [&](const UserId& id) { users_woken.push_back(id.text()); });
  const auto user = store.AddUser("ada");
  const auto account = store.AddAccount(user, "ada.mail");
  EXPECT_EQ(jobs_woken, 0);
  EXPECT_THAT(users_woken, ElementsAre(user.id.text()));
  store.Get(accounts().RequestSync(user.id, account.id));
  EXPECT_EQ(jobs_woken, 1);
  auto fenced = testing::CommitFor(account);
  fenced.fence.generation = 99;
  fenced.jobs = {{.kind = "k"}};
  EXPECT_EQ(store.ErrorOf(messages().Apply(fenced)), ErrorCode::kFenced);
  EXPECT_EQ(jobs_woken, 1) << "what was undone wakes nobody";
}

}  // namespace
}  // namespace latchkey::storage
