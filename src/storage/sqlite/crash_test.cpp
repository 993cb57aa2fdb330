// What was acknowledged survives kill -9, and a cursor never gets ahead of its data or behind it.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdlib>
#include <filesystem>

#include "storage/sqlite/connection.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::storage {
namespace {

using storage::testing::CommitFor;
using storage::testing::SampleLabels;
using storage::testing::SampleMessage;
using storage::testing::ScratchStore;

constexpr int kPerCommit = 5;

/// The child: commits pages for ever and reports each one that was acknowledged.
[[noreturn]] void Load(const std::string& url, const connected_accounts::ConnectedAccount& account, int report) {
  boost::asio::io_context loop;
  const SystemClock clock;
  auto database = Database::Open({.url = url}, loop.get_executor(), clock);
  if (!database) ::_exit(1);
  for (int page = 1;; ++page) {
    auto commit = CommitFor(account);
    for (int i = 0; i < kPerCommit; ++i) {
      commit.upserts.push_back(SampleMessage("p" + std::to_string(page) + "-" + std::to_string(i), page));
    }
    commit.cursors = {{.lane = "backfill", .value = std::to_string(page)}};
    if (!latchkey::testing::RunTask(loop, (*database)->messages().Apply(commit))) ::_exit(2);
    if (::write(report, &page, sizeof page) != sizeof page) ::_exit(3);
  }
}

TEST(CrashTest, AfterAKillTheCursorEqualsTheDataAndNothingAcknowledgedIsLost) {
  ScratchStore store;
  const auto account = store.AddAccount(store.AddUser("ada"), "ada.mail");
  auto labels = CommitFor(account);
  labels.labels = SampleLabels();
  store.Get(store.database().messages().Apply(labels));
  store.Close();  // no thread of ours may live in the child

  int first_page = 0;
  for (int round = 0; round < 5; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      Load(store.url(), account, pipe[1]);
    }
    ::close(pipe[1]);
    // Killed in the middle of whatever follows the last page we waited for.
    int acknowledged = 0;
    for (int pages = 0; pages < 3 + round * 4; ++pages) {
      ASSERT_EQ(::read(pipe[0], &acknowledged, sizeof acknowledged), static_cast<ssize_t>(sizeof acknowledged));
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    int page = 0;
    while (::read(pipe[0], &page, sizeof page) == static_cast<ssize_t>(sizeof page)) acknowledged = page;
    ::close(pipe[0]);

    store.Reopen();
    const auto state = store.Get(store.database().messages().GetSyncState(account.id));
    ASSERT_EQ(state.cursors.size(), 1u);
    const int cursor = std::stoi(state.cursors[0].value);
    EXPECT_GE(cursor, acknowledged);
    first_page = std::max(first_page, cursor);
    // Every page up to the furthest any round got, whole, and no row of a page beyond.
    const int expected = first_page * kPerCommit;
    EXPECT_EQ(state.message_count, expected);
    const mail::MessageQuery everything{.user_id = account.user_id, .limit = 500};
    const auto listed = store.Get(store.database().message_reader().List(everything)).items.size();
    EXPECT_EQ(listed, static_cast<std::size_t>(std::min(expected, 500)));
    for (const auto& label : store.Get(store.database().message_reader().ListLabels(account.user_id, account.id))) {
      if (label.label.external_id == "INBOX") EXPECT_EQ(label.total, expected);
    }
    store.Close();
  }
}

// An administrator's sqlite3, a backup, another process of ours: whoever opens the file and closes it must not take
// itself for the last one and throw away the log that the running server writes to.
TEST(CrashTest, AnotherProgramThatClosesTheDatabaseLeavesTheServersLogAlone) {
  ScratchStore store;
  store.Close();  // no thread of ours may live in the child
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    char byte = 0;
    if (::read(go[0], &byte, 1) != 1) ::_exit(1);
    {
      sqlite::Connection other(store.directory() + "/latchkey.db", sqlite::Connection::Mode::kReadWrite);
      if (!other.Query("SELECT count(*) FROM users").Step()) ::_exit(2);
    }
    ::_exit(0);
  }
  store.Reopen();
  store.AddUser("ada");
  const auto log_of = [&] {
    struct stat status{};
    return ::stat((store.directory() + "/latchkey.db-wal").c_str(), &status) == 0 ? status.st_ino : 0;
  };
  const auto before = log_of();
  ASSERT_NE(before, 0u);
  ASSERT_EQ(::write(go[1], "x", 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(log_of(), before);
  // What is written from here on is there for everybody who opens the file.
  store.AddUser("grace");
  sqlite::Connection fresh(store.directory() + "/latchkey.db", sqlite::Connection::Mode::kReadOnly);
  auto rows = fresh.Query("SELECT count(*) FROM users");
  ASSERT_TRUE(rows.Step());
  EXPECT_EQ(rows.Int(0), 2);
}

}  // namespace
}  // namespace latchkey::storage
