#include "storage/sqlite/migrations.hpp"

#include <fmt/format.h>

namespace latchkey::storage::sqlite {
namespace {

constexpr std::string_view kCreateTable = R"sql(
CREATE TABLE IF NOT EXISTS schema_migrations (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at INTEGER NOT NULL
))sql";

int CurrentVersion(Connection& connection) {
  Rows rows = connection.Query("SELECT coalesce(max(version), 0) FROM schema_migrations");
  rows.Step();
  return static_cast<int>(rows.Int(0));
}

}  // namespace

Result<int> Migrate(Connection& connection, std::span<const Migration> migrations, Instant now) {
  const int target = migrations.empty() ? 0 : migrations.back().version;
  int version = 0;
  try {
    connection.Run("BEGIN IMMEDIATE");
    connection.Execute(kCreateTable);
    connection.Run("COMMIT");
    for (const Migration& migration : migrations) {
      connection.Run("BEGIN IMMEDIATE");
      // Asked under the lock: another process may have done this step while we waited.
      version = CurrentVersion(connection);
      if (version > target) break;
      if (version < migration.version) {
        connection.Run(std::string(migration.sql));
        connection.Execute("INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)",
                           migration.version, migration.name, now);
        version = migration.version;
      }
      connection.Run("COMMIT");
    }
    if (!connection.Idle()) connection.Run("ROLLBACK");
  } catch (const SqliteError& error) {
    if (!connection.Idle()) connection.Run("ROLLBACK");
    return Fail(error.error_code() == ErrorCode::kInternal ? ErrorCode::kStorageUnavailable : error.error_code(),
                fmt::format("cannot bring the database to schema version {}: {}", target, error.what()));
  }
  if (version > target) {
    return Fail(ErrorCode::kStorageUnavailable,
                fmt::format("the database has schema version {}, this program knows versions up to {}: start the newer "
                            "program, or restore a backup made before the upgrade",
                            version, target));
  }
  return version;
}

}  // namespace latchkey::storage::sqlite
