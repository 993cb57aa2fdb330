#include "storage/postgres/migrations.hpp"

#include <fmt/format.h>

namespace latchkey::storage::postgres {
namespace {

using Clock = std::chrono::steady_clock;

// "latchkey" in ASCII: the lock of this program's migrations in a database that may hold others'.
constexpr std::string_view kLock = "SELECT pg_advisory_lock(7809632537893643641)";
constexpr std::string_view kUnlock = "SELECT pg_advisory_unlock(7809632537893643641)";
constexpr std::string_view kCreateTable = R"sql(
CREATE TABLE IF NOT EXISTS schema_migrations (
  version integer NOT NULL PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL
))sql";
/// For one step: large tables take their time.
constexpr std::chrono::minutes kStep(60);

int CurrentVersion(Session& session) {
  Rows rows = session.Query("SELECT coalesce(max(version), 0) FROM schema_migrations");
  rows.Step();
  return static_cast<int>(rows.Int(0));
}

int Apply(Session& session, std::span<const Migration> migrations, Instant now) {
  session.SetDeadline(Clock::now() + kStep);
  session.Run("SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0");
  session.Run(std::string(kLock));
  session.Run(std::string(kCreateTable));
  int version = CurrentVersion(session);
  for (const Migration& migration : migrations) {
    if (migration.version <= version) continue;
    session.Begin({.isolation = Isolation::kReadCommitted, .durability = Durability::kPower}, Clock::now() + kStep);
    session.Run(std::string(migration.sql));
    session.Execute("INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)", migration.version,
                    migration.name, now);
    session.Commit();
    version = migration.version;
  }
  session.Run(std::string(kUnlock));
  return version;
}

}  // namespace

Result<int> Migrate(Session& session, std::span<const Migration> migrations, Instant now) {
  const int target = migrations.empty() ? 0 : migrations.back().version;
  int version = 0;
  try {
    version = Apply(session, migrations, now);
  } catch (const DatabaseError& error) {
    // The lock and what was begun go with the connection.
    session.Close();
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

}  // namespace latchkey::storage::postgres
