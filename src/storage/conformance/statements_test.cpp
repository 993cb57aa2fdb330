#include <gtest/gtest.h>

#include "storage/sqlite/connection.hpp"
#include "storage/statement.hpp"
#include "storage/testing/scratch_postgres.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::storage {
namespace {

TEST(Statements, SqliteTakesEveryOne) {
  testing::ScratchStore store;
  sqlite::Connection connection(store.directory() + "/latchkey.db", sqlite::Connection::Mode::kReadOnly);
  std::size_t asked = 0;
  for (const Statement* statement : Statement::All()) {
    const auto sql = statement->In(Dialect::kSqlite);
    if (sql.empty()) continue;
    ++asked;
    EXPECT_NO_THROW(connection.Query("EXPLAIN " + std::string(sql))) << sql;
  }
  EXPECT_GT(asked, 300u);
}

TEST(Statements, PostgresTakesEveryOne) {
  if (!testing::PostgresServer()) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
  const testing::ScratchPostgres database(testing::ScratchPostgres::Schema::kMigrated);
  std::size_t asked = 0;
  for (const Statement* statement : Statement::All()) {
    const std::string sql(statement->In(Dialect::kPostgres));
    if (sql.empty()) continue;
    ++asked;
    const auto refusal = database.RefusalOf(sql);
    EXPECT_FALSE(refusal) << *refusal << sql;
  }
  EXPECT_GT(asked, 300u);
}

TEST(Statements, PostgresFindsWhatRunsByTheIndexesOfIt) {
  if (!testing::PostgresServer()) GTEST_SKIP() << "LATCHKEY_TEST_POSTGRES names no server";
  const testing::ScratchPostgres database(testing::ScratchPostgres::Schema::kMigrated);
  std::size_t asked = 0;
  for (const Statement* statement : Statement::All()) {
    const std::string sql(statement->In(Dialect::kPostgres));
    if (!sql.starts_with("SELECT id FROM jobs WHERE state = 'running'")) continue;
    ++asked;
    std::string plan;
    for (const auto& line :
         database.Run("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; PREPARE p AS " + sql +
                      "; EXPLAIN EXECUTE p (NULL, 1000)")) {
      plan += line.at(0) + '\n';
    }
    EXPECT_NE(plan.find("idx_jobs_lease"), std::string::npos) << plan;
    EXPECT_NE(plan.find("idx_jobs_running"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
  }
  EXPECT_EQ(asked, 2u);
}

}  // namespace
}  // namespace latchkey::storage
