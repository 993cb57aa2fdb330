#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "storage/restore_mark.hpp"
#include "storage/sqlite/backup.hpp"

namespace latchkey::storage::sqlite {

struct RestoreOptions {
  /// A file that Backup wrote, or any database of ours that nobody writes to (with its log beside it, if it has one).
  std::string source;
  /// The server's database; it may be absent or damaged.
  std::string database;
  Instant now{};
  /// The caller's word on what the copy holds, before the server's database is touched: its failure ends the restore.
  std::function<Result<void>(const DatabaseFacts&)> accept;
  /// Told when a step begins: "copying", "checking", "migrating", "marking", "setting_aside", "putting_in_place".
  std::function<void(std::string_view step)> progress;
};

struct Restored {
  DatabaseFacts facts;
  int schema_version = 0;
  RestoreMark mark;
  /// Where the replaced database is kept; empty when there was none.
  std::string set_aside;
};

/// Puts a copy in the place of the server's database. The copy is checked, migrated and marked (restore_mark.hpp) in a
/// draft beside it; one rename puts it in place, so that whoever is killed at whatever instant leaves the former
/// database or the restored one, never something in between, and can begin again. kConflict while a server or another
/// program has the database open; kNotFound without a source; kStorageUnavailable for one that is not sound or newer
/// than this program. Blocks.
Result<Restored> Restore(const RestoreOptions& options);

}  // namespace latchkey::storage::sqlite
