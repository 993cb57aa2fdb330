#include "storage/sqlite/migrations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "storage/sqlite/process_lock.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::storage::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Migration kFirst{
    .version = 1, .name = "first", .sql = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"};
constexpr Migration kSecond{
    .version = 2, .name = "second", .sql = "CREATE TABLE b (x INTEGER); INSERT INTO a VALUES (2);"};
constexpr Migration kBroken{.version = 2, .name = "broken", .sql = "INSERT INTO a VALUES (9); CREATE TABLE a (x);"};

class MigrationsTest : public ::testing::Test {
 protected:
  MigrationsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "latchkey-migrate-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
  }
  ~MigrationsTest() override { std::filesystem::remove_all(directory); }
  std::string Path() const { return directory + "/db"; }
  std::vector<std::int64_t> Column(std::string_view sql) {
    Connection connection(Path(), Connection::Mode::kReadWrite);
    std::vector<std::int64_t> values;
    Rows rows = connection.Query(sql);
    while (rows.Step()) values.push_back(rows.Int(0));
    return values;
  }
  Result<int> Run(std::initializer_list<Migration> migrations) {
    Connection connection(Path(), Connection::Mode::kReadWrite);
    return Migrate(connection, {migrations.begin(), migrations.size()}, Instant());
  }

  std::string directory;
};

TEST_F(MigrationsTest, EachStepRunsOnce) {
  EXPECT_EQ(*Run({kFirst}), 1);
  EXPECT_EQ(*Run({kFirst, kSecond}), 2);
  EXPECT_EQ(*Run({kFirst, kSecond}), 2);
  EXPECT_THAT(Column("SELECT x FROM a"), ElementsAre(1, 2));
  EXPECT_THAT(Column("SELECT version FROM schema_migrations"), ElementsAre(1, 2));
}

TEST_F(MigrationsTest, AStepThatFailsLeavesTheStepBeforeAndRunsAgain) {
  const auto failed = Run({kFirst, kBroken});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kStorageUnavailable);
  EXPECT_THAT(Column("SELECT x FROM a"), ElementsAre(1));
  EXPECT_EQ(*Run({kFirst, kSecond}), 2);
  EXPECT_THAT(Column("SELECT x FROM a"), ElementsAre(1, 2));
}

TEST_F(MigrationsTest, ANewerDatabaseIsRefusedInWordsAndLeftAlone) {
  ASSERT_TRUE(Run({kFirst, kSecond}));
  const auto refused = Run({kFirst});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("schema version 2"));
  EXPECT_THAT(refused.error().detail, HasSubstr("newer program"));
  EXPECT_THAT(Column("SELECT version FROM schema_migrations"), ElementsAre(1, 2));
}

TEST_F(MigrationsTest, SeveralStartingAtOnceMigrateOnce) {
  std::vector<Result<int>> results(4, 0);
  {
    std::vector<std::jthread> starters;
    for (auto& result : results) starters.emplace_back([this, &result] { result = Run({kFirst, kSecond}); });
  }
  for (const auto& result : results) {
    ASSERT_TRUE(result) << result.error().detail;
    EXPECT_EQ(*result, 2);
  }
  EXPECT_THAT(Column("SELECT x FROM a"), ElementsAre(1, 2));
}

/// Kills this process when the `at`-th statement from now on begins, on whatever connection.
void KillAtStatement(int at) {
  static int left = 0;
  left = at;
  const auto on_statement = [](unsigned, void*, void*, void*) {
    if (--left == 0) ::raise(SIGKILL);
    return 0;
  };
  static constexpr int (*kTrace)(unsigned, void*, void*, void*) = on_statement;
  const auto on_open = [](sqlite3* database, char**, const sqlite3_api_routines*) {
    return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, kTrace, nullptr);
  };
  int (*entry)(sqlite3*, char**, const sqlite3_api_routines*) = on_open;
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(entry));
}

TEST_F(MigrationsTest, KilledAtAnyStatementTheRealOnesEndInTheSameSchema) {
  const auto schema = [&] {
    Connection connection(Path(), Connection::Mode::kReadWrite);
    std::vector<std::string> lines;
    Rows rows =
        connection.Query("SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master ORDER BY 1");
    while (rows.Step()) lines.push_back(rows.String(0));
    Rows versions = connection.Query("SELECT version || ' ' || name FROM schema_migrations ORDER BY version");
    while (versions.Step()) lines.push_back(versions.String(0));
    return lines;
  };
  const auto migrate = [&] {
    Connection connection(Path(), Connection::Mode::kReadWrite);
    return Migrate(connection, Migrations(), Instant());
  };
  ASSERT_TRUE(migrate());
  const auto wanted = schema();
  int kills = 0;
  for (int at = 1;; ++at) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(Path() + suffix);
    const pid_t child = ::fork();
    if (child == 0) {
      KillAtStatement(at);
      ::_exit(migrate() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status)) {
      ASSERT_EQ(WEXITSTATUS(status), 0);
      break;
    }
    ++kills;
    const auto again = migrate();
    ASSERT_TRUE(again) << "killed at statement " << at << ": " << again.error().detail;
    ASSERT_EQ(schema(), wanted) << "killed at statement " << at;
  }
  EXPECT_GT(kills, 100) << "the trace must have met the statements of the migrations";
}

TEST_F(MigrationsTest, ProcessesThatStartAtOnceAllFindTheSchema) {
  constexpr int kProcesses = 4;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      boost::asio::io_context loop;
      const SystemClock clock;
      const auto database = Database::Open({.url = "sqlite:" + Path()}, loop.get_executor(), clock);
      ::_exit(database ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_THAT(Column("SELECT count(*) FROM schema_migrations"), ElementsAre(Migrations().back().version));
}

TEST_F(MigrationsTest, ALineOfTheLogThatACompletedJobTellsGoes) {
  {
    Connection connection(Path(), Connection::Mode::kReadWrite);
    ASSERT_TRUE(Migrate(connection, Migrations().first(6), Instant()));
    connection.Run(
        "INSERT INTO jobs (id, kind, priority, state, attempt, max_attempts, created_at, scheduled_at, finalized_at) "
        "VALUES ('done', 'k', 1, 'completed', 1, 5, 0, 0, 9), ('dead', 'k', 1, 'discarded', 5, 5, 0, 0, 9);"
        "INSERT INTO job_logs (id, job_type, job_id, attempt, status, completed_at, created_at) "
        "VALUES (1, 'k', 'done', 1, 'COMPLETED', 9, 9), (2, 'k', 'done', 1, 'COMPLETED', 4, 4), "
        "(3, 'k', 'done', 2, 'FAILED', 9, 9), (4, 'k', 'dead', 5, 'FAILED', 9, 9), (5, 'k', 'gone', 1, 'COMPLETED', 9, "
        "9)");
    ASSERT_TRUE(Migrate(connection, Migrations(), Instant()));
  }
  EXPECT_THAT(Column("SELECT CAST(id AS INTEGER) FROM job_logs ORDER BY 1"), ElementsAre(2, 3, 4, 5));
}

TEST_F(MigrationsTest, WhoHasTheDatabaseForItselfIsWaitedFor) {
  auto alone = std::make_unique<ProcessLock>(Path() + ".lock");
  ASSERT_TRUE(alone->Alone());
  ProcessLock second(Path() + ".lock");
  EXPECT_FALSE(second.Alone());
  EXPECT_FALSE(second.ShareWithin(std::chrono::milliseconds(0)));
  alone.reset();
  EXPECT_TRUE(second.ShareWithin(std::chrono::milliseconds(0)));
  EXPECT_FALSE(ProcessLock(Path() + ".lock").Alone()) << "whoever shares it keeps a restore away";
}

TEST_F(MigrationsTest, TheEmbeddedOnesAreNumberedWithoutGaps) {
  int expected = 1;
  for (const Migration& migration : Migrations()) EXPECT_EQ(migration.version, expected++);
  EXPECT_GT(expected, 1);
}

TEST_F(MigrationsTest, TheSchemaRefusesAJobThatIsFinalWithoutATime) {
  storage::testing::ScratchStore store;
  Connection connection(store.directory() + "/latchkey.db", Connection::Mode::kReadWrite);
  const std::string insert =
      "INSERT INTO jobs (id, kind, priority, state, max_attempts, created_at, scheduled_at, finalized_at) VALUES ";
  EXPECT_THROW(connection.Run(insert + "('1', 'k', 1, 'completed', 1, 0, 0, NULL)"), SqliteError);
  EXPECT_THROW(connection.Run(insert + "('2', 'k', 1, 'available', 1, 0, 0, 5)"), SqliteError);
  EXPECT_THROW(connection.Run(insert + "('3', 'k', 1, 'running', 1, 0, 0, NULL)"), SqliteError) << "without a lease";
  EXPECT_NO_THROW(connection.Run(insert + "('4', 'k', 1, 'completed', 1, 0, 0, 5)"));
}

}  // namespace
}  // namespace latchkey::storage::sqlite
