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

}  // namespace
}  // namespace latchkey::storage
