#include "tests/integration/support/database_file.hpp"

#include <sqlite3.h>

#include <stdexcept>

namespace latchkey::integration {

DatabaseFile::DatabaseFile(const std::string& path) {
  sqlite3* database = nullptr;
  if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
    throw std::runtime_error("cannot open " + path);
  sqlite3_busy_timeout(database, 10'000);
  database_ = database;
}

DatabaseFile::~DatabaseFile() { sqlite3_close(static_cast<sqlite3*>(database_)); }

std::vector<std::vector<std::string>> DatabaseFile::Query(const std::string& sql) {
  auto* database = static_cast<sqlite3*>(database_);
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    throw std::runtime_error(sql + ": " + sqlite3_errmsg(database));
  std::vector<std::vector<std::string>> rows;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    auto& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, i));
      row.emplace_back(bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, i))) : "");
    }
  }
  sqlite3_finalize(statement);
  return rows;
}

std::vector<std::string> DatabaseFile::Tables() {
  std::vector<std::string> out;
  for (auto& row : Query("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"))
    out.push_back(row[0]);
  return out;
}

std::map<std::string, long> DatabaseFile::RowCounts() {
  std::map<std::string, long> out;
  for (const auto& table : Tables()) out[table] = std::stol(Query("SELECT count(*) FROM \"" + table + "\"")[0][0]);
  return out;
}

std::vector<std::string> DatabaseFile::FindEverywhere(const std::string& text) {
  std::vector<std::string> out;
  for (const auto& table : Tables()) {
    for (const auto& column : Query("PRAGMA table_info(\"" + table + "\")")) {
      const auto& name = column[1];
      const auto hits = Query("SELECT count(*) FROM \"" + table + "\" WHERE instr(CAST(\"" + name + "\" AS TEXT), '" +
                              text + "') > 0");
      if (hits[0][0] != "0") out.push_back(table + "." + name);
    }
  }
  return out;
}

}  // namespace latchkey::integration
