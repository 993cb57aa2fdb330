#include "storage/sqlite/backup.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "crypto/vault.hpp"
#include "storage/sqlite/connection.hpp"

namespace latchkey::storage::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPartial = ".partial-";

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Raw = std::unique_ptr<sqlite3, CloseDatabase>;

struct FinishBackup {
  void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
};

[[noreturn]] void Throw(sqlite3* database, std::string_view doing) {
  throw SqliteError(sqlite3_extended_errcode(database), fmt::format("{} while {}", sqlite3_errmsg(database), doing));
}

Raw OpenRaw(const std::string& path, int mode, std::string_view doing) {
  sqlite3* opened = nullptr;
  const int flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  Raw database(opened);
  if (code != SQLITE_OK) {
    throw SqliteError(code, fmt::format("{} while {}", opened ? sqlite3_errmsg(opened) : "out of memory", doing));
  }
  sqlite3_busy_timeout(opened, 10'000);
  return database;
}

void Run(sqlite3* database, const char* sql, std::string_view doing) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) Throw(database, doing);
}

void CopyPages(const BackupOptions& options, const std::string& draft) {
  const Raw source = OpenRaw(options.source, SQLITE_OPEN_READWRITE, "opening the database");
  const Raw target = OpenRaw(draft, SQLITE_OPEN_READWRITE, "opening the copy");
  // Nobody reads the draft before it is complete: no journal, and one sync at its end.
  Run(target.get(), "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", "preparing the copy");
  // One snapshot for the whole copy. Without it every commit of the server would make the copy begin again.
  Run(source.get(), "BEGIN; SELECT count(*) FROM sqlite_master", "reading the database");
  const std::unique_ptr<sqlite3_backup, FinishBackup> backup(
      sqlite3_backup_init(target.get(), "main", source.get(), "main"));
  if (!backup) Throw(target.get(), "beginning the copy");
  for (;;) {
    const int code = sqlite3_backup_step(backup.get(), options.pages_per_step);
    if (options.progress) {
      const int total = sqlite3_backup_pagecount(backup.get());
      options.progress(total - sqlite3_backup_remaining(backup.get()), total);
    }
    if (code == SQLITE_DONE) return;
    if (code != SQLITE_OK) throw SqliteError(code, fmt::format("{} while copying", sqlite3_errstr(code)));
  }
}

/// Drafts whose writer died: named after it, so that nobody else's is taken away.
void RemoveDeadDrafts(const std::string& target) {
  const std::string prefix = fs::path(target).filename().string() + std::string(kPartial);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(FolderOf(target), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    int writer = 0;
    const char* begin = name.data() + prefix.size();
    const auto parsed = std::from_chars(begin, name.data() + name.size(), writer);
    // "-journal" and the like go with their draft.
    if (parsed.ec != std::errc() || writer <= 0) continue;
    if (writer != ::getpid() && (::kill(writer, 0) == 0 || errno != ESRCH)) continue;
    std::error_code ignored;
    fs::remove(entry.path(), ignored);
  }
}

/// One statement of these few; the file is no database of the engine's while it is looked at.
class Reading {
 public:
  Reading(sqlite3* database, std::string_view sql) : database_(database) {
    if (sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr) != SQLITE_OK)
      Throw(database, sql);
  }
  ~Reading() { sqlite3_finalize(statement_); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  bool Step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) Throw(database_, sqlite3_sql(statement_));
    return code == SQLITE_ROW;
  }
  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string Text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : std::string();
  }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

std::int64_t Count(sqlite3* database, std::string_view sql) {
  Reading rows(database, sql);
  return rows.Step() ? rows.Int(0) : 0;
}

bool HasTable(sqlite3* database, std::string_view name) {
  return Count(database,
               fmt::format("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '{}'", name)) == 1;
}

std::optional<std::string> FindDamage(sqlite3* database) {
  {
    Reading rows(database, "PRAGMA integrity_check(1)");
    if (!rows.Step()) return "the integrity check says nothing";
    if (rows.Text(0) != "ok") return fmt::format("the integrity check says: {}", rows.Text(0).substr(0, 200));
  }
  Reading rows(database, "PRAGMA foreign_key_check");
  if (rows.Step())
    return fmt::format("a row of {} refers to a row of {} that is not there", rows.Text(0), rows.Text(2));
  for (const char* table : {"schema_migrations", "users", "connected_accounts", "synced_messages", "vault_keys"}) {
    if (!HasTable(database, table)) return fmt::format("it is no database of Latchkey: there is no table {}", table);
  }
  return std::nullopt;
}

DatabaseFacts ReadFacts(sqlite3* database) {
  DatabaseFacts facts;
  facts.schema_version = static_cast<int>(Count(database, "SELECT coalesce(max(version), 0) FROM schema_migrations"));
  facts.bytes = Count(database, "PRAGMA page_count") * Count(database, "PRAGMA page_size");
  facts.users = Count(database, "SELECT count(*) FROM users");
  facts.accounts = Count(database, "SELECT count(*) FROM connected_accounts");
  facts.messages = Count(database, "SELECT count(*) FROM synced_messages");
  // The oldest schemas have no outbox.
  if (HasTable(database, "outbox")) {
    facts.unfinished_mails = Count(database, "SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')");
  }
  Reading checks(database, "SELECT key_id, check_value FROM vault_keys ORDER BY created_at, key_id");
  while (checks.Step()) facts.key_checks.push_back({.key_id = checks.Text(0), .check_value = checks.Text(1)});
  Reading sealed(
      database,
      "SELECT CASE WHEN refresh_token <> '' THEN refresh_token ELSE access_token END FROM connected_accounts "
      "WHERE refresh_token <> '' OR access_token <> ''");
  while (sealed.Step()) ++facts.sealed_accounts[crypto::Vault::KeyIdOf(sealed.Text(0))];
  return facts;
}

Error Unsound(const std::string& path, std::string_view why) {
  return Error{.code = ErrorCode::kStorageUnavailable, .detail = fmt::format("{}: {}", path, why), .retry_after = {}};
}

Result<DatabaseFacts> CheckAndRead(const std::string& path) {
  try {
    const Raw database = OpenRaw(path, SQLITE_OPEN_READONLY, "opening it");
    if (const auto damage = FindDamage(database.get())) return Fail(Unsound(path, *damage));
    return ReadFacts(database.get());
  } catch (const SqliteError& error) {
    return Fail(Unsound(path, error.what()));
  }
}

/// Removes the draft unless it was put in place.
class Draft {
 public:
  explicit Draft(std::string path) : path_(std::move(path)) {}
  ~Draft() {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((path_ + suffix).c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

std::string FolderOf(const std::string& path) {
  const auto folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

bool SyncToDisk(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  return synced;
}

void FoldIntoOneFile(const std::string& path) {
  {
    const Raw database = OpenRaw(path, SQLITE_OPEN_READWRITE, "closing the copy");
    Run(database.get(), "PRAGMA synchronous=FULL", "closing the copy");
    // The pragma tells by its answer, not by an error, that somebody else has the file open.
    Reading mode(database.get(), "PRAGMA journal_mode=DELETE");
    if (!mode.Step() || mode.Text(0) != "delete")
      throw SqliteError(SQLITE_BUSY, fmt::format("another program has {} open", path));
  }
  if (!SyncToDisk(path)) throw SqliteError(SQLITE_IOERR_FSYNC, fmt::format("{} cannot be synced", path));
}

Result<DatabaseFacts> Inspect(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return Fail(ErrorCode::kNotFound, fmt::format("there is no file {}", path));
  return CheckAndRead(path);
}

Result<DatabaseFacts> Backup(const BackupOptions& options) {
  std::error_code error;
  if (!fs::is_regular_file(options.source, error))
    return Fail(ErrorCode::kNotFound, fmt::format("there is no database at {}", options.source));
  const Error taken{
      .code = ErrorCode::kAlreadyExists,
      .detail = fmt::format("{} exists already; a backup never overwrites, choose another name", options.target),
      .retry_after = {}};
  if (fs::exists(fs::symlink_status(options.target, error))) return Fail(taken);
  RemoveDeadDrafts(options.target);
  const Draft draft(fmt::format("{}{}{}", options.target, kPartial, ::getpid()));
  const int file = ::open(draft.path().c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    return Fail(ErrorCode::kStorageUnavailable,
                fmt::format("{} cannot be written ({})", draft.path(), std::strerror(errno)));
  }
  ::close(file);
  try {
    CopyPages(options, draft.path());
    FoldIntoOneFile(draft.path());
  } catch (const SqliteError& failure) {
    return Fail(failure.error_code() == ErrorCode::kDiskFull ? ErrorCode::kDiskFull : ErrorCode::kStorageUnavailable,
                failure.what());
  }
  auto facts = CheckAndRead(draft.path());
  if (!facts) return facts;
  // Unlike a rename this fails when somebody took the name meanwhile.
  if (::link(draft.path().c_str(), options.target.c_str()) != 0) {
    if (errno == EEXIST) return Fail(taken);
    return Fail(ErrorCode::kStorageUnavailable,
                fmt::format("{} cannot be made ({})", options.target, std::strerror(errno)));
  }
  ::unlink(draft.path().c_str());
  if (!SyncToDisk(FolderOf(options.target)))
    return Fail(ErrorCode::kStorageUnavailable, fmt::format("{} cannot be synced", FolderOf(options.target)));
  return facts;
}

}  // namespace latchkey::storage::sqlite
