#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine.hpp"

namespace latchkey::storage::copy {

struct CopiedTable {
  std::string name;
  std::int64_t rows = 0;
  /// Over all rows of it, the same on both sides.
  std::string checksum;
};

struct CopyReport {
  /// An earlier copy that was interrupted was gone on with.
  bool resumed = false;
  std::vector<CopiedTable> tables;
  std::int64_t rows = 0;
};

struct CopyOptions {
  Instant now{};
  /// Told after every page: what is done with which table, and its rows so far. "copying", "comparing".
  std::function<void(std::string_view step, std::string_view table, std::int64_t rows)> progress;
  /// Rows and bytes of one page, and so of one transaction.
  int page_rows = 5000;
  std::size_t page_bytes = 4 << 20;
};

/// Copies everything from one database to an empty one, of the same engine or another, both of this program's schema.
/// Nobody may write to either meanwhile; the caller sees to that. Each page is written together with how far the copy
/// is (table copy_progress), so that a copy that was killed goes on where it ended; as long as that table is there the
/// target is no database to start a server on (HasUnfinishedCopy). At the end rows and checksums of every table are
/// compared, read again from both sides. The search index is not copied: the target's messages are queued for it.
///
/// kConflict when the target holds data of its own or of another copy; kInternal when the two differ in the end, which
/// names the table: then the source was changed since an interrupted copy began. Begin again with an empty target.
Task<Result<CopyReport>> CopyDatabase(Engine& source, Engine& target, const CopyOptions& options);

/// True while a copy into this database has not ended.
bool HasUnfinishedCopy(Connection& connection);

}  // namespace latchkey::storage::copy
