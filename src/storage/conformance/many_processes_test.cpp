// Several processes over one PostgreSQL: each has an engine of its own, here in one program.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <map>
#include <memory>
#include <vector>

#include "storage/testing/scratch_postgres.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::storage {
namespace {

using ::testing::Each;
using ::testing::SizeIs;

class ManyProcesses : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::PostgresServer()) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
    store = std::make_unique<testing::ScratchStore>(&testing::PostgresUrl);
    for (int i = 0; i < 2; ++i) {
      auto opened = Database::Open({.url = store->url()}, store->loop().get_executor(), store->clock());
      ASSERT_TRUE(opened) << opened.error().detail;
      others.push_back(std::move(*opened));
    }
  }
  void TearDown() override { others.clear(); }

  /// Starts a task of each process; Run waits for all of them.
  void Start(Task<void> task) {
    boost::asio::co_spawn(store->loop(), std::move(task), [](std::exception_ptr error) {
      try {
        if (error) std::rethrow_exception(error);
      } catch (const std::exception& failure) {
        ADD_FAILURE() << failure.what();
      }
    });
  }
  void Run() {
    store->loop().restart();
    store->loop().run();
  }
  std::vector<Database*> All() {
    std::vector<Database*> all{&store->database()};
    for (const auto& other : others) all.push_back(other.get());
    return all;
  }

  std::unique_ptr<testing::ScratchStore> store;
  std::vector<std::unique_ptr<Database>> others;
};

/// Claims and ends jobs until there are none; a job of an account never runs beside another of its kind.
Task<void> Work(Database& database, std::map<std::string, int>& ran) {
  const jobs::ClaimQuery query{.kinds = {"send", "fetch"}, .limit = 3};
  for (int idle = 0; idle < 5;) {
    const auto claimed = co_await database.jobs().Claim(query);
    if (!claimed) throw std::runtime_error(claimed.error().detail);
    idle = claimed->empty() ? idle + 1 : 0;
    for (const auto& job : *claimed) {
      ++ran[job.id.text()];
      const auto outcome = jobs::Outcome::Completed();
      const auto finished = co_await database.jobs().Finish(jobs::LeaseOf(job), outcome, Instant());
      if (!finished) throw std::runtime_error(finished.error().detail);
    }
  }
}

TEST_F(ManyProcesses, EachJobRunsOnceHoweverManyClaim) {
  const auto user = store->AddUser("ada");
  std::vector<connected_accounts::ConnectedAccount> accounts;
  for (int i = 0; i < 3; ++i) accounts.push_back(store->AddAccount(user, "mailbox-" + std::to_string(i)));
  constexpr int kJobs = 90;
  for (int i = 0; i < kJobs; ++i) {
    jobs::NewJob job{.kind = i % 2 == 0 ? "send" : "fetch"};
    // Many of one account and kind, so that claimers meet.
    if (i % 5 != 0) job.account_id = accounts[static_cast<std::size_t>(i) % accounts.size()].id;
    store->Get(store->database().jobs().Insert(job));
  }
  std::map<std::string, int> ran;
  for (Database* database : All()) {
    for (int worker = 0; worker < 3; ++worker) Start(Work(*database, ran));
  }
  Run();
  EXPECT_THAT(ran, SizeIs(kJobs));
  for (const auto& [job, times] : ran) EXPECT_EQ(times, 1) << job;
}

Task<void> Rename(Database& database, UserId user, ConnectedAccountId account, int times, int& writing) {
  for (int i = 0; i < times; ++i) {
    const auto renamed = co_await database.accounts().Rename(user, account, "name " + std::to_string(i));
    if (!renamed) throw std::runtime_error(renamed.error().detail);
  }
  --writing;
}

Task<void> ReadOn(Database& database, UserId user, std::int64_t after, const int& writing, std::size_t& seen) {
  for (;;) {
    const bool last = writing == 0;
    const auto events = co_await database.events().ListAfter(user, after, 1000);
    if (!events) throw std::runtime_error(events.error().detail);
    for (const auto& event : *events) {
      EXPECT_GT(event.id, after);
      after = event.id;
    }
    seen += events->size();
    if (last) co_return;
  }
}

TEST_F(ManyProcesses, AReaderMissesNoEventOfItsUserWhoeverWrites) {
  const auto user = store->AddUser("ada");
  std::vector<connected_accounts::ConnectedAccount> accounts;
  for (int i = 0; i < 6; ++i) accounts.push_back(store->AddAccount(user, "mailbox-" + std::to_string(i)));
  const auto start = store->Get(store->database().events().LatestId(user.id));
  constexpr int kTimes = 25;
  int writing = static_cast<int>(accounts.size());
  std::size_t seen = 0;
  const auto all = All();
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    Start(Rename(*all[i % all.size()], user.id, accounts[i].id, kTimes, writing));
  }
  Start(ReadOn(*all.front(), user.id, start, writing, seen));
  Run();
  EXPECT_EQ(seen, accounts.size() * kTimes);
}

Task<void> LeaseRefresh(Database& database, ConnectedAccountId account, std::string holder, Instant until, int& got) {
  const auto leased = co_await database.accounts().TryLeaseRefresh(account, holder, until);
  if (!leased) throw std::runtime_error(leased.error().detail);
  got += *leased ? 1 : 0;
}

TEST_F(ManyProcesses, ATokenIsRefreshedByOne) {
  const auto user = store->AddUser("ada");
  const auto account = store->AddAccount(user, "mailbox");
  int got = 0, number = 0;
  for (int round = 0; round < 3; ++round) {
    for (Database* database : All()) {
      Start(LeaseRefresh(*database, account.id, "holder " + std::to_string(++number),
                         store->clock().Now() + std::chrono::seconds(30), got));
    }
  }
  Run();
  EXPECT_EQ(got, 1);
  store->clock().Advance(std::chrono::seconds(31));
  Start(LeaseRefresh(*others.front(), account.id, "next", store->clock().Now() + std::chrono::seconds(30), got));
  Run();
  EXPECT_EQ(got, 2);
}

Task<void> Schedule(Database& database, Instant now, int& scheduled) {
  for (;;) {
    const auto done = co_await database.accounts().ScheduleDue(now, now + std::chrono::hours(1), 4, "fetch_emails");
    if (!done) throw std::runtime_error(done.error().detail);
    if (*done == 0) co_return;
    scheduled += *done;
  }
}

TEST_F(ManyProcesses, WhatIsDueIsScheduledOnce) {
  const auto user = store->AddUser("ada");
  constexpr int kAccounts = 30;
  for (int i = 0; i < kAccounts; ++i) store->AddAccount(user, "mailbox-" + std::to_string(i));
  store->clock().Advance(std::chrono::hours(1));
  int scheduled = 0;
  for (Database* database : All()) Start(Schedule(*database, store->clock().Now(), scheduled));
  Run();
  EXPECT_EQ(scheduled, kAccounts);
}

TEST_F(ManyProcesses, AFrozenWorkerThatThawsIsRefused) {
  const auto user = store->AddUser("ada");
  const auto account = store->AddAccount(user, "mailbox");
  store->Get(store->database().jobs().Insert({.kind = "fetch", .account_id = account.id}));
  const jobs::ClaimQuery query{.kinds = {"fetch"}, .limit = 1, .lease = std::chrono::seconds(30)};
  const auto frozen = store->Get(others[0]->jobs().Claim(query));
  ASSERT_THAT(frozen, SizeIs(1));
  store->clock().Advance(std::chrono::seconds(31));
  EXPECT_EQ(store->Get(others[1]->jobs().Rescue()), 1);
  store->clock().Advance(std::chrono::hours(1));
  const auto taken = store->Get(others[1]->jobs().Claim(query));
  ASSERT_THAT(taken, SizeIs(1));
  const auto lease = jobs::LeaseOf(frozen.front());
  EXPECT_TRUE(store->Get(others[0]->jobs().Heartbeat({lease}, std::chrono::seconds(30))).empty());
  EXPECT_EQ(store->ErrorOf(others[0]->jobs().Finish(lease, jobs::Outcome::Completed(), Instant())),
            ErrorCode::kLeaseLost);
  auto commit = testing::CommitFor(account);
  commit.fence.lease = lease;
  commit.upserts = {testing::SampleMessage("m1")};
  EXPECT_EQ(store->ErrorOf(others[0]->messages().Apply(commit)), ErrorCode::kLeaseLost);
  commit.fence.lease = jobs::LeaseOf(taken.front());
  EXPECT_EQ(store->Get(others[1]->messages().Apply(commit)).inserted, 1);
}

}  // namespace
}  // namespace latchkey::storage
