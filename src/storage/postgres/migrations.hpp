#pragma once

#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/postgres/session.hpp"

namespace latchkey::storage::postgres {

/// One numbered file of migrations/postgres, embedded when the program was built.
struct Migration {
  int version = 0;
  std::string_view name;
  std::string_view sql;
};

/// All of them, by version.
std::span<const Migration> Migrations();

/// Brings the schema up to the last of `migrations`, each in one transaction that records it, so that a kill in between
/// leaves whole steps; under an advisory lock, so that a second process waits and finds them done. Returns the version
/// reached. kStorageUnavailable when the database is newer than this program. Inside a fiber.
Result<int> Migrate(Session& session, std::span<const Migration> migrations, Instant now);

}  // namespace latchkey::storage::postgres
