#include "tests/integration/support/database_file.hpp"

#include <libpq-fe.h>
#include <sqlite3.h>

#include <stdexcept>

namespace latchkey::integration {

DatabaseFile::DatabaseFile(const std::string& path) {
  if (path.starts_with("postgresql:")) {
    PGconn* connection = PQconnectdb(path.c_str());
    if (PQstatus(connection) != CONNECTION_OK) {
      const std::string problem = PQerrorMessage(connection);
      PQfinish(connection);
      throw std::runtime_error(problem);
    }
    postgres_ = connection;
    return;
  }
  sqlite3* database = nullptr;
  if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) {
    sqlite3_close(database);
    throw std::runtime_error("cannot open " + path);
  }
  sqlite3_busy_timeout(database, 10'000);
  database_ = database;
}

void DatabaseFile::Change(const std::string& path, const std::string& sql) {
  if (path.starts_with("postgresql:")) {
    DatabaseFile(path).Query(sql + "; SELECT 1");
    return;
  }
  sqlite3* database = nullptr;
  char* problem = nullptr;
  const bool open = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK;
  const bool done = open && sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &problem) == SQLITE_OK;
  const std::string text = problem ? problem : "cannot open " + path;
  sqlite3_free(problem);
  sqlite3_close(database);
  if (!done) throw std::runtime_error(sql + ": " + text);
}

DatabaseFile::~DatabaseFile() {
  sqlite3_close(static_cast<sqlite3*>(database_));
  PQfinish(static_cast<PGconn*>(postgres_));
}

std::vector<std::vector<std::string>> DatabaseFile::Query(const std::string& sql) {
  if (postgres_ != nullptr) {
    PGresult* result = PQexec(static_cast<PGconn*>(postgres_), sql.c_str());
    std::vector<std::vector<std::string>> rows(static_cast<std::size_t>(PQntuples(result)));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (int i = 0; i < PQnfields(result); ++i) {
        std::string value = PQgetvalue(result, static_cast<int>(row), i);
        constexpr Oid kBool = 16;
        if (PQftype(result, i) == kBool) value = value == "t" ? "1" : "0";
        rows[row].push_back(std::move(value));
      }
    }
    const std::string problem = PQresultStatus(result) == PGRES_TUPLES_OK ? "" : PQresultErrorMessage(result);
    PQclear(result);
    if (!problem.empty()) throw std::runtime_error(sql + ": " + problem);
    return rows;
  }
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
