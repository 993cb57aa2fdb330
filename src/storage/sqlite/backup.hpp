#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "crypto/key_store.hpp"

namespace latchkey::storage::sqlite {

/// Told after every step of a long copy: pages done and to do, as far as known.
using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

struct BackupOptions {
  std::string source;
  std::string target;
  /// Pages between two words of progress; a page has 8 KiB.
  int pages_per_step = 2048;
  Progress progress;
};

/// What a database file holds, as far as a person decides by it.
struct DatabaseFacts {
  int schema_version = 0;
  std::int64_t bytes = 0;
  std::int64_t users = 0, accounts = 0, messages = 0;
  /// Mails of the outbox that are not out yet.
  std::int64_t unfinished_mails = 0;
  std::vector<crypto::KeyStore::KeyCheck> key_checks;
  /// Accounts with sealed tokens, per key id that their text names ("" for text of no known form).
  std::map<std::string, std::int64_t> sealed_accounts;
};

/// Copies the database of a server, which may be at work, as it is at one instant: the copy reads one snapshot, so that
/// no commit meanwhile makes it begin again or tears it. `target` appears whole or not at all (a draft beside it,
/// checked, synced, linked into place), with mode 0600, as one file that needs no log. kAlreadyExists when `target`
/// exists, kNotFound without a source; kStorageUnavailable when the copy is not sound. Blocks.
Result<DatabaseFacts> Backup(const BackupOptions& options);

/// Reads a file that nobody writes to, and proves it sound: integrity, foreign keys, a schema of ours. kNotFound,
/// kStorageUnavailable with the reason. A file that needs no log stays untouched. Blocks as long as reading all of it
/// takes.
Result<DatabaseFacts> Inspect(const std::string& path);

/// Makes it one file without a log, readable from any medium; on the disk when this returns. Throws SqliteError.
void FoldIntoOneFile(const std::string& path);
/// fsync of a file or folder; false when it failed.
bool SyncToDisk(const std::string& path);
std::string FolderOf(const std::string& path);

}  // namespace latchkey::storage::sqlite
