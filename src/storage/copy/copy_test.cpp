// Whoever moves to another database has the same rows there, however often the move was interrupted.

#include "storage/copy/copy_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "storage/copy/open_engine.hpp"
#include "storage/copy/table.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/engine.hpp"
#include "storage/testing/scratch_postgres.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::storage::copy {
namespace {

using storage::testing::CommitFor;
using storage::testing::SampleLabels;
using storage::testing::SampleMessage;
using storage::testing::ScratchStore;
using ::testing::HasSubstr;

/// A source with something in many tables, closed, and an empty target beside it.
class CopyTest : public ::testing::Test {
 protected:
  CopyTest() {
    const auto user = store_.AddUser("ada");
    const auto account = store_.AddAccount(user, "ada.mail");
    auto commit = CommitFor(account);
    commit.labels = SampleLabels();
    commit.cursors = {{.lane = "history", .value = "77"}};
    for (int i = 0; i < 50; ++i) commit.upserts.push_back(SampleMessage("m" + std::to_string(i), i));
    store_.Get(store_.database().messages().Apply(commit));
    // Numbers that were given out and are gone.
    store_.Get(store_.database().events().Prune(Instant::max(), 1000));
    last_event_ = store_.Get(store_.database().events().LatestId(user.id));
    store_.Close();
    // Triggers write the duties of accounts and of their calendars: the copy has to have the last word.
    Execute(Source(),
            "INSERT INTO calendars (id, connected_account_id, external_id, name, access_role, selected, "
            "created_at, updated_at) SELECT '018f0000-0000-7000-8000-000000000001', id, 'primary', 'Mine', "
            "'owner', 1, 5, 5 FROM connected_accounts; UPDATE account_duties SET next_at = 12345; "
            // SQLite keeps any bytes as text, PostgreSQL does not.
            "UPDATE synced_messages SET subject = 'nul ' || char(0) || ' and ' || CAST(x'ff' AS TEXT) "
            "WHERE external_message_id = 'm3'");
  }

  std::string Source() const { return store_.directory() + "/latchkey.db"; }
  std::string Target() const { return store_.directory() + "/target.db"; }
  std::unique_ptr<Engine> Open(const std::string& path) {
    sqlite::EngineOptions options;
    options.path = path;
    auto engine = sqlite::Engine::Open(options, store_.loop().get_executor(), Instant());
    if (!engine) throw std::runtime_error(engine.error().detail);
    return std::move(*engine);
  }
  Result<CopyReport> Run(CopyOptions options = {}) {
    auto source = Open(Source());
    auto target = Open(Target());
    options.page_rows = 7;
    return store_.Try(CopyDatabase(*source, *target, options));
  }
  std::int64_t Number(const std::string& path, const std::string& sql) {
    sqlite::Connection connection(path, sqlite::Connection::Mode::kReadWrite);
    Rows rows = connection.Query(sql);
    return rows.Step() ? rows.Int(0) : -1;
  }
  void Execute(const std::string& path, const std::string& sql) {
    sqlite::Connection connection(path, sqlite::Connection::Mode::kReadWrite);
    connection.Run(sql);
  }

  ScratchStore store_;
  std::int64_t last_event_ = 0;
};

struct Killed {};

TEST_F(CopyTest, EveryRowArrivesAndIsProvedToBeThere) {
  const auto report = Run();
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_FALSE(report->resumed);
  EXPECT_GT(report->rows, 150);
  EXPECT_GT(report->tables.size(), 30u);
  EXPECT_EQ(Number(Target(), "SELECT count(*) FROM synced_messages"), 50);
  EXPECT_EQ(Number(Target(), "SELECT count(*) FROM message_bodies"), 50);
  EXPECT_EQ(Number(Target(), "SELECT count(*) FROM account_duties WHERE next_at = 12345"), 2);
  EXPECT_EQ(Number(Target(), "SELECT seq FROM sqlite_sequence WHERE name = 'events'"), last_event_);
  EXPECT_EQ(Number(Target(), "SELECT count(*) FROM search_pending"), 50) << "queued for the search index";
  EXPECT_EQ(Number(Target(), "SELECT count(*) FROM jobs WHERE kind = 'index_messages'"), 1);
  EXPECT_EQ(Number(Target(), "SELECT count(*) FROM sqlite_master WHERE name = 'copy_progress'"), 0);
  EXPECT_EQ(Number(Target(), "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

TEST_F(CopyTest, InterruptedAtAnyPageItGoesOnWhereItEnded) {
  int pages = 0;
  CopyOptions counting;
  counting.progress = [&](std::string_view step, std::string_view, std::int64_t) {
    pages += step == "copying" ? 1 : 0;
  };
  ASSERT_TRUE(Run(counting));
  ASSERT_GT(pages, 50);
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(Target() + suffix);
  int copied = 0;
  int left = 1;
  for (int round = 0;; ++round) {
    CopyOptions options;
    int seen = 0;
    options.progress = [&](std::string_view step, std::string_view, std::int64_t) {
      copied += step == "copying" ? 1 : 0;
      if (++seen == left) throw Killed();
    };
    try {
      const auto report = Run(options);
      ASSERT_TRUE(report) << report.error().detail;
      EXPECT_TRUE(report->resumed);
      break;
    } catch (const Killed&) {
      sqlite::Connection target(Target(), sqlite::Connection::Mode::kReadWrite);
      EXPECT_TRUE(HasUnfinishedCopy(target)) << "no server may start on it";
    }
    left += 3;
    ASSERT_LT(round, 200);
  }
  EXPECT_EQ(copied, pages) << "no page was copied twice";
  EXPECT_EQ(Number(Target(), "SELECT count(*) FROM synced_messages"), 50);
}

TEST_F(CopyTest, ATargetWithDataIsRefused) {
  Open(Target()).reset();
  Execute(Target(), "INSERT INTO vault_keys VALUES ('k', 'c', 1)");
  const auto refused = Run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("vault_keys"));
}

TEST_F(CopyTest, ADifferenceIsFoundAndNamed) {
  CopyOptions options;
  options.progress = [&](std::string_view step, std::string_view, std::int64_t) {
    if (step == "comparing") throw Killed();
  };
  EXPECT_THROW((void)Run(options), Killed);
  Execute(Source(), "UPDATE synced_messages SET subject = 'changed since' WHERE external_message_id = 'm7'");
  const auto differs = Run();
  ASSERT_FALSE(differs);
  EXPECT_THAT(differs.error().detail, HasSubstr("synced_messages differs"));
  sqlite::Connection target(Target(), sqlite::Connection::Mode::kReadWrite);
  EXPECT_TRUE(HasUnfinishedCopy(target));
}

TEST_F(CopyTest, EveryRowArrivesInPostgresAndComesBackTheSame) {
  if (!storage::testing::PostgresServer()) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
  const storage::testing::ScratchPostgres postgres;
  const auto run = [&](const std::string& from, const std::string& to) {
    const auto executor = store_.loop().get_executor();
    auto source = OpenSource(from, executor, Instant());
    auto target = OpenTarget(to, executor, Instant());
    if (!source || !target) throw std::runtime_error(source ? target.error().detail : source.error().detail);
    CopyOptions options;
    options.page_rows = 7;
    return store_.Try(CopyDatabase(**source, **target, options));
  };
  const auto there = run("sqlite:" + Source(), postgres.url());
  ASSERT_TRUE(there) << there.error().detail;
  EXPECT_EQ(postgres.Number("SELECT count(*) FROM synced_messages"), 50);
  EXPECT_EQ(postgres.Number("SELECT count(*) FROM search_pending"), 50);
  EXPECT_EQ(postgres.One("SELECT subject FROM synced_messages WHERE external_message_id = 'm3'"),
            "nul \xef\xbf\xbd and \xef\xbf\xbd");
  // What is written next gets numbers that nobody had.
  EXPECT_EQ(postgres.Number("SELECT nextval(pg_get_serial_sequence('events', 'id'))"), last_event_ + 1);
  EXPECT_EQ(postgres.Number("SELECT nextval(pg_get_serial_sequence('synced_messages', 'row_id'))"),
            Number(Source(), "SELECT max(row_id) + 1 FROM synced_messages"));
  const auto refused = run("sqlite:" + Source(), postgres.url());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);

  const auto back = run(postgres.url(), "sqlite:" + Target());
  ASSERT_TRUE(back) << back.error().detail;
  std::map<std::string, std::string> sums;
  for (const auto& table : there->tables) sums[table.name] = table.checksum;
  for (const auto& table : back->tables) {
    // The search index of the first copy is still to be built, which is work of its own.
    if (table.name != "search_pending" && table.name != "jobs")
      EXPECT_EQ(table.checksum, sums[table.name]) << table.name;
  }
}

TEST(CopyKeys, AreReadAsTheyWerePrinted) {
  const Row key{std::string("with blank and \n"), std::int64_t{-5}, FromMicros(77), std::string()};
  EXPECT_EQ(ParseKey(PrintKey(key)), key);
  EXPECT_EQ(ParseKey(""), Row());
}

TEST(CopyChecksum, TellsRowsApartAndNotTheirOrder) {
  const Row one{std::string("ab"), std::string("c")};
  const Row two{std::string("a"), std::string("bc")};
  const Row null{nullptr, std::string("bc")};
  Checksum forth, back, other;
  for (const Row& row : {one, two, null}) forth.Add(row);
  for (const Row& row : {null, two, one}) back.Add(row);
  for (const Row& row : {one, one, null}) other.Add(row);
  EXPECT_EQ(forth, back);
  EXPECT_NE(forth.Hex(), other.Hex());
  EXPECT_EQ(forth.rows(), 3);
}

}  // namespace
}  // namespace latchkey::storage::copy
