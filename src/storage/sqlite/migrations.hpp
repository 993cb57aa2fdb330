#pragma once

#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/sqlite/connection.hpp"

namespace latchkey::storage::sqlite {

/// One numbered file of migrations/sqlite, embedded when the program was built.
struct Migration {
  int version = 0;
  std::string_view name;
  std::string_view sql;
};

/// All of them, by version.
std::span<const Migration> Migrations();

/// Brings the schema up to the last of `migrations`, each in one transaction that holds the write lock and records it,
/// so that a second process waits and a kill in between leaves whole steps. Returns the version reached.
/// kStorageUnavailable when the database is newer than this program or not one of ours.
Result<int> Migrate(Connection& connection, std::span<const Migration> migrations, Instant now);

}  // namespace latchkey::storage::sqlite
