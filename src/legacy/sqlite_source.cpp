#include "legacy/sqlite_source.hpp"

#include <sqlite3.h>

#include <filesystem>

#include <fmt/format.h>

namespace latchkey::legacy {
namespace {

constexpr const char* kColumns = "SELECT count(*) FROM pragma_table_info('oauth_connections') WHERE name = ?1";
constexpr const char* kIsOurs = "SELECT count(*) FROM sqlite_master WHERE name = 'schema_migrations'";
// Null keys are possible in SQLite; they are told of like every other bad name.
constexpr const char* kList =
    "SELECT coalesce(org_name, ''), coalesce(provider, ''), access_token, refresh_token, expires_at, last_refresh_at, "
    "coalesce(scope, ''), {} FROM oauth_connections ORDER BY 1, 2, rowid LIMIT ?1 OFFSET ?2";
constexpr const char* kAddColumn = "ALTER TABLE oauth_connections ADD COLUMN migrated_at TIMESTAMP";
// Our own databases count microseconds, the older program's hold what CURRENT_TIMESTAMP gives.
constexpr const char* kMarkOurs =
    "UPDATE oauth_connections SET migrated_at = ?3 "
    "WHERE org_name = ?1 AND provider = ?2 AND migrated_at IS NULL";
constexpr const char* kMark =
    "UPDATE oauth_connections SET migrated_at = CURRENT_TIMESTAMP "
    "WHERE org_name = ?1 AND provider = ?2 AND migrated_at IS NULL";

class SqliteSource final : public Source {
 public:
  explicit SqliteSource(sqlite3* database) : database_(database) {}
  ~SqliteSource() override { sqlite3_close(database_); }
  SqliteSource(const SqliteSource&) = delete;
  SqliteSource& operator=(const SqliteSource&) = delete;

  Result<std::vector<OrgConnection>> List(int offset, int limit) override {
    if (!HasColumn("org_name")) return Fail(ErrorCode::kNotFound, "there is no table oauth_connections");
    const std::string sql =
        fmt::format(fmt::runtime(kList), HasColumn("migrated_at") ? "migrated_at IS NOT NULL" : "0");
    const Statement statement(database_, sql);
    if (!statement.get()) return Failed();
    sqlite3_bind_int(statement.get(), 1, limit);
    sqlite3_bind_int(statement.get(), 2, offset);
    std::vector<OrgConnection> rows;
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
      OrgConnection& row = rows.emplace_back();
      row.org_name = Text(statement.get(), 0);
      row.provider = Text(statement.get(), 1);
      row.access_token = SecretString(Text(statement.get(), 2));
      row.refresh_token = SecretString(Text(statement.get(), 3));
      row.expires_at = Number(statement.get(), 4);
      row.last_refresh_at = Number(statement.get(), 5);
      row.scope = Text(statement.get(), 6);
      row.migrated = sqlite3_column_int(statement.get(), 7) != 0;
    }
    if (code != SQLITE_DONE) return Failed();
    return rows;
  }

  Result<void> MarkMigrated(const OrgConnection& row, Instant now) override {
    if (!HasColumn("migrated_at") && sqlite3_exec(database_, kAddColumn, nullptr, nullptr, nullptr) != SQLITE_OK)
      return Failed();
    const bool ours = IsOurs();
    const Statement statement(database_, ours ? kMarkOurs : kMark);
    if (!statement.get()) return Failed();
    Bind(statement.get(), 1, row.org_name);
    Bind(statement.get(), 2, row.provider);
    if (ours) sqlite3_bind_int64(statement.get(), 3, ToMicros(now));
    if (sqlite3_step(statement.get()) != SQLITE_DONE) return Failed();
    return {};
  }

 private:
  class Statement {
   public:
    Statement(sqlite3* database, std::string_view sql) {
      sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
    }
    ~Statement() { sqlite3_finalize(statement_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    sqlite3_stmt* get() const { return statement_; }

   private:
    sqlite3_stmt* statement_ = nullptr;
  };

  static void Bind(sqlite3_stmt* statement, int index, std::string_view text) {
    sqlite3_bind_text64(statement, index, text.empty() ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  static std::string Text(sqlite3_stmt* statement, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
    return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))) : std::string();
  }
  static std::optional<std::int64_t> Number(sqlite3_stmt* statement, int column) {
    if (sqlite3_column_type(statement, column) == SQLITE_NULL) return std::nullopt;
    return sqlite3_column_int64(statement, column);
  }
  bool HasColumn(std::string_view name) {
    const Statement statement(database_, kColumns);
    if (!statement.get()) return false;
    Bind(statement.get(), 1, name);
    return sqlite3_step(statement.get()) == SQLITE_ROW && sqlite3_column_int(statement.get(), 0) > 0;
  }
  bool IsOurs() {
    const Statement statement(database_, kIsOurs);
    return statement.get() && sqlite3_step(statement.get()) == SQLITE_ROW && sqlite3_column_int(statement.get(), 0) > 0;
  }
  std::unexpected<Error> Failed() { return Fail(ErrorCode::kStorageUnavailable, sqlite3_errmsg(database_)); }

  sqlite3* database_;
};

}  // namespace

Result<std::unique_ptr<Source>> OpenSqliteSource(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return Fail(ErrorCode::kNotFound, fmt::format("there is no file {}", path));
  sqlite3* database = nullptr;
  // A medium that cannot be written to will do for reading.
  if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
    const std::string why = database ? sqlite3_errmsg(database) : "out of memory";
    sqlite3_close(database);
    return Fail(ErrorCode::kStorageUnavailable, fmt::format("{} cannot be opened: {}", path, why));
  }
  sqlite3_busy_timeout(database, 10'000);
  return std::make_unique<SqliteSource>(database);
}

}  // namespace latchkey::legacy
