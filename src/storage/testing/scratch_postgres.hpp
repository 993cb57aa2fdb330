#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// For tests only: databases of their own on the PostgreSQL server that LATCHKEY_TEST_POSTGRES names (./dev test starts
/// one; scripts/services.sh says how by hand). Everything throws std::runtime_error when the server refuses.
namespace latchkey::storage::testing {

/// The server's address, for a superuser; nothing when there is none, and tests that need it skip.
std::optional<std::string> PostgresServer();

/// An empty database, gone with this object.
class ScratchPostgres {
 public:
  enum class Schema { kNone, kMigrated };
  explicit ScratchPostgres(Schema schema = Schema::kNone);
  ~ScratchPostgres();
  ScratchPostgres(const ScratchPostgres&) = delete;
  ScratchPostgres& operator=(const ScratchPostgres&) = delete;

  const std::string& url() const { return url_; }
  /// Runs statements; the rows of the last one as text, NULL as "NULL".
  std::vector<std::vector<std::string>> Run(const std::string& sql) const;
  /// The first column of the first row.
  std::string One(const std::string& sql) const;
  std::int64_t Number(const std::string& sql) const { return std::stoll(One(sql)); }
  /// What the server says against preparing it; nothing when it takes it.
  std::optional<std::string> RefusalOf(const std::string& sql) const;

 private:
  std::string name_;
  std::string url_;
};

/// Runs the files of migrations/postgres, each in a transaction, and records them.
void MigratePostgres(const std::string& url);

/// Makes a migrated database for a ScratchStore, which drops it: "postgresql://.../latchkey_..."
std::string PostgresUrl(const std::string& directory);
void DropPostgres(const std::string& url);

}  // namespace latchkey::storage::testing
