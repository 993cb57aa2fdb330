#include "storage/sqlite/migrations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

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
