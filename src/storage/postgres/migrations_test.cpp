#include "storage/postgres/migrations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <set>
#include <thread>
#include <vector>

#include "async/fiber.hpp"
#include "storage/postgres/engine.hpp"
#include "storage/testing/scratch_postgres.hpp"
#include "storage/testing/statement_killer.hpp"

namespace latchkey::storage::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Texts = std::vector<std::vector<std::string>>;

constexpr Migration kFirst{
    .version = 1, .name = "first", .sql = "CREATE TABLE a (x integer); INSERT INTO a VALUES (1);"};
constexpr Migration kSecond{
    .version = 2, .name = "second", .sql = "CREATE TABLE b (x integer); INSERT INTO a VALUES (2);"};
constexpr Migration kBroken{
    .version = 2, .name = "broken", .sql = "INSERT INTO a VALUES (9); CREATE TABLE a (x integer);"};

/// As a program does that starts: a connection of its own, on a thread of its own.
Result<int> MigrateAt(const std::string& url, std::span<const Migration> migrations) {
  const auto address = Address::Parse(url);
  if (!address) return Fail(address.error());
  Loop loop;
  Sleeper sleeper(loop.context);
  TypeMemory types;
  Session session(loop, sleeper, *address, types);
  Result<int> result = Fail(ErrorCode::kInternal, "it did not run");
  Fiber fiber([&] {
    try {
      session.Open(std::chrono::steady_clock::now() + std::chrono::seconds(10));
      result = Migrate(session, migrations, Instant());
    } catch (const DatabaseError& error) {
      result = Fail(error.error_code(), error.what());
    }
    session.Close();
    sleeper.Rest();
  });
  boost::asio::post(loop.context, [&] { fiber.Resume(); });
  loop.context.run();
  return result;
}

// What a database looks like when it is done.
constexpr const char* kShape = R"sql(
SELECT line FROM (
  SELECT concat_ws('|', table_name, column_name, data_type, is_nullable, column_default) AS line
  FROM information_schema.columns WHERE table_schema = 'public'
  UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'step ' || version || ' ' || name FROM schema_migrations) shape ORDER BY line COLLATE "C")sql";

class PostgresMigrations : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!storage::testing::PostgresServer()) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
    database = std::make_unique<storage::testing::ScratchPostgres>();
  }
  Result<int> Run(std::initializer_list<Migration> migrations) {
    return MigrateAt(database->url(), {migrations.begin(), migrations.size()});
  }
  Texts Column(const std::string& sql) { return database->Run(sql); }

  std::unique_ptr<storage::testing::ScratchPostgres> database;
};

TEST_F(PostgresMigrations, EachStepRunsOnce) {
  EXPECT_EQ(*Run({kFirst}), 1);
  EXPECT_EQ(*Run({kFirst, kSecond}), 2);
  EXPECT_EQ(*Run({kFirst, kSecond}), 2);
  EXPECT_THAT(Column("SELECT x FROM a ORDER BY x"), ElementsAre(ElementsAre("1"), ElementsAre("2")));
  EXPECT_THAT(Column("SELECT version FROM schema_migrations ORDER BY 1"),
              ElementsAre(ElementsAre("1"), ElementsAre("2")));
}

TEST_F(PostgresMigrations, AStepThatFailsLeavesTheStepBeforeAndRunsAgain) {
  const auto failed = Run({kFirst, kBroken});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kStorageUnavailable);
  EXPECT_THAT(failed.error().detail, HasSubstr("schema version 2"));
  EXPECT_THAT(Column("SELECT x FROM a"), ElementsAre(ElementsAre("1")));
  EXPECT_EQ(*Run({kFirst, kSecond}), 2);
  EXPECT_THAT(Column("SELECT x FROM a ORDER BY x"), ElementsAre(ElementsAre("1"), ElementsAre("2")));
}

TEST_F(PostgresMigrations, ALineOfTheLogThatACompletedJobTellsGoes) {
  ASSERT_TRUE(MigrateAt(database->url(), Migrations().first(6)));
  database->Run(R"sql(
INSERT INTO jobs (id, kind, priority, state, attempt, max_attempts, created_at, scheduled_at, finalized_at)
VALUES (lpad('a', 32, 'a')::uuid, 'k', 1, 'completed', 1, 5, now(), now(), '2026-01-09'),
       (lpad('b', 32, 'b')::uuid, 'k', 1, 'discarded', 5, 5, now(), now(), '2026-01-09');
INSERT INTO job_logs (id, job_type, job_id, attempt, status, completed_at, created_at)
SELECT lpad(n, 32, '0')::uuid, 'k', lpad(job, 32, job)::uuid, 1, status, ended::timestamptz, ended::timestamptz
FROM (VALUES ('1', 'a', 'COMPLETED', '2026-01-09'), ('2', 'a', 'COMPLETED', '2026-01-04'),
             ('3', 'a', 'FAILED', '2026-01-09'), ('4', 'b', 'FAILED', '2026-01-09'),
             ('5', 'c', 'COMPLETED', '2026-01-09')) AS line (n, job, status, ended))sql");
  ASSERT_TRUE(MigrateAt(database->url(), Migrations()));
  EXPECT_THAT(Column("SELECT right(id::text, 1) FROM job_logs ORDER BY 1"),
              ElementsAre(ElementsAre("2"), ElementsAre("3"), ElementsAre("4"), ElementsAre("5")));
}

TEST_F(PostgresMigrations, ANewerDatabaseIsRefusedInWordsAndLeftAlone) {
  ASSERT_TRUE(MigrateAt(database->url(), Migrations()));
  const auto newer = std::to_string(Migrations().back().version + 1);
  database->Run("INSERT INTO schema_migrations VALUES (" + newer + ", 'of_tomorrow', now())");
  const auto before = database->Run(kShape);
  const auto address = Address::Parse(database->url());
  boost::asio::io_context home;
  const auto refused = Engine::Open(*address, EngineOptions(), home.get_executor(), Instant());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStorageUnavailable);
  EXPECT_THAT(refused.error().detail, HasSubstr("schema version " + newer));
  EXPECT_THAT(refused.error().detail, HasSubstr("newer program"));
  EXPECT_EQ(database->Run(kShape), before);
}

TEST_F(PostgresMigrations, ProcessesThatStartAtOnceMigrateOnceAndAllFindTheSchema) {
  constexpr int kProcesses = 4;
  const auto address = Address::Parse(database->url());
  std::vector<std::string> failures(kProcesses);
  std::vector<int> versions(kProcesses);
  {
    std::vector<std::jthread> starters;
    for (int i = 0; i < kProcesses; ++i) {
      starters.emplace_back([&, i] {
        boost::asio::io_context home;
        const auto engine = Engine::Open(*address, EngineOptions(), home.get_executor(), Instant());
        if (!engine) failures[static_cast<std::size_t>(i)] = engine.error().detail;
        if (engine) versions[static_cast<std::size_t>(i)] = (*engine)->schema_version();
      });
    }
  }
  EXPECT_THAT(failures, ::testing::Each(""));
  EXPECT_THAT(versions, ::testing::Each(Migrations().back().version));
  EXPECT_EQ(database->Number("SELECT count(*) FROM schema_migrations"), Migrations().back().version);
}

TEST_F(PostgresMigrations, KilledOnTheWayAgainAndAgainTheyEndInTheSameSchema) {
  const storage::testing::ScratchPostgres untouched;
  ASSERT_TRUE(MigrateAt(untouched.url(), Migrations()));
  database->Run(storage::testing::kStatementKiller);
  // Further with each try, and from the beginning again with each step that was done: it stays done.
  std::set<std::int64_t> met;
  int killed = 0;
  std::int64_t version = 0;
  for (int at = 1;; at += 4) {
    database->Run("UPDATE killer.wish SET at = " + std::to_string(at) + "; SELECT setval('killer.done', 1, FALSE)");
    const auto done = MigrateAt(database->url(), Migrations());
    if (done) {
      EXPECT_EQ(*done, Migrations().back().version);
      break;
    }
    ++killed;
    ASSERT_LT(killed, 500) << done.error().detail;
    if (database->One("SELECT to_regclass('schema_migrations') IS NOT NULL") != "t") continue;
    const auto reached = database->Number("SELECT count(*) FROM schema_migrations");
    if (reached > version) at = 1;
    met.insert(version = reached);
  }
  EXPECT_GT(killed, 30);
  EXPECT_GE(met.size(), Migrations().size()) << "every step was begun and undone";
  database->Run("DROP EVENT TRIGGER count_commands; DROP SCHEMA killer CASCADE");
  EXPECT_EQ(database->Run(kShape), untouched.Run(kShape));
}

}  // namespace
}  // namespace latchkey::storage::postgres
