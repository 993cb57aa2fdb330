#include "tests/integration/support/database_editor.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <stdexcept>

namespace latchkey::integration {

DatabaseEditor::DatabaseEditor(const std::string& path) {
  sqlite3* database = nullptr;
  if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
    sqlite3_close(database);
    throw std::runtime_error("cannot open " + path);
  }
  database_ = database;
}

DatabaseEditor::~DatabaseEditor() { sqlite3_close(static_cast<sqlite3*>(database_)); }

void DatabaseEditor::Execute(const std::string& sql) {
  auto* const database = static_cast<sqlite3*>(database_);
  sqlite3_busy_timeout(database, 60'000);
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
}

bool DatabaseEditor::TryExecute(const std::string& sql) {
  auto* const database = static_cast<sqlite3*>(database_);
  sqlite3_busy_timeout(database, 100);
  return sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

}  // namespace latchkey::integration
