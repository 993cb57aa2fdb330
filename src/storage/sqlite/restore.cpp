#include "storage/sqlite/restore.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/migrations.hpp"
#include "storage/sqlite/process_lock.hpp"

namespace latchkey::storage::sqlite {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> Unusable(std::string text) { return Fail(ErrorCode::kStorageUnavailable, std::move(text)); }

bool Exists(const std::string& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

void RemoveDatabase(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((path + suffix).c_str());
}

Result<void> CopyFile(const std::string& from, const std::string& to) {
  const int source = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (source < 0) return Unusable(fmt::format("{} cannot be read ({})", from, std::strerror(errno)));
  const int target = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  ssize_t copied = target < 0 ? -1 : 1;
  while (copied > 0) copied = ::sendfile(target, source, nullptr, 16 << 20);
  const int why = errno;
  ::close(source);
  if (target >= 0) ::close(target);
  if (copied == 0) return {};
  return Fail(why == ENOSPC ? ErrorCode::kDiskFull : ErrorCode::kStorageUnavailable,
              fmt::format("{} cannot be written ({})", to, std::strerror(why)));
}

/// What the replaced database knows of the time that is lost. Nothing when it is absent or damaged.
struct Former {
  std::int64_t highest_event = 0;
  std::vector<LaterErasure> erased;
};

Former ReadFormer(const std::string& path) {
  Former former;
  if (!Exists(path)) return former;
  try {
    Connection connection(path, Connection::Mode::kReadWrite);
    Rows last = connection.Query("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)");
    if (last.Step()) former.highest_event = last.Int(0);
    Rows rows = connection.Query("SELECT id, user_id, connected_account_id, requested_at FROM erasures");
    while (rows.Step()) {
      former.erased.push_back({.receipt_id = rows.String(0),
                               .user_id = rows.IdOf<UserId>(1),
                               .account_id = rows.IdOf<ConnectedAccountId>(2),
                               .requested_at = rows.Time(3)});
    }
  } catch (const DatabaseError&) {
    // Damaged databases are what restores are for.
  }
  return former;
}

std::string FreeName(const std::string& database, Instant now) {
  // "2026-11-20T12:31:05" of RFC 3339, without the signs that some file systems and shells dislike.
  std::string when = FormatInstant(now).substr(0, 19);
  std::erase_if(when, [](char sign) { return sign == '-' || sign == ':'; });
  const auto stem = fmt::format("{}.before-restore-{}Z", database, when);
  std::string name = stem;
  for (int i = 2; Exists(name); ++i) name = fmt::format("{}-{}", stem, i);
  return name;
}

/// Gives the former database a second name. It keeps its first until the restored one takes it.
Result<std::string> SetAside(const std::string& database, Instant now) {
  if (!Exists(database)) {
    // A log without its database would be taken for the restored one's.
    RemoveDatabase(database);
    return std::string();
  }
  bool whole = true;
  try {
    FoldIntoOneFile(database);
  } catch (const DatabaseError& error) {
    if (error.error_code() == ErrorCode::kOverloaded)
      return Fail(ErrorCode::kConflict, "another program has the database open: end it and begin again");
    whole = false;  // Damaged; its log goes along.
  }
  const std::string aside = FreeName(database, now);
  const auto linked = [](const std::string& from, const std::string& to) {
    return ::link(from.c_str(), to.c_str()) == 0;
  };
  if (!linked(database, aside)) return Unusable(fmt::format("{} cannot be made ({})", aside, std::strerror(errno)));
  const std::string log = database + "-wal";
  if (!whole && Exists(log) && !linked(log, aside + "-wal"))
    return Unusable(fmt::format("{}-wal cannot be made ({})", aside, std::strerror(errno)));
  if (!SyncToDisk(FolderOf(database))) return Unusable("the folder cannot be synced");
  for (const char* suffix : {"-wal", "-shm", "-journal"}) ::unlink((database + suffix).c_str());
  return aside;
}

}  // namespace

Result<Restored> Restore(const RestoreOptions& options) {
  const auto tell = [&](std::string_view step) {
    if (options.progress) options.progress(step);
  };
  std::error_code error;
  if (!fs::is_regular_file(options.source, error))
    return Fail(ErrorCode::kNotFound, fmt::format("there is no file {}", options.source));
  if (fs::equivalent(options.source, options.database, error))
    return Fail(ErrorCode::kInvalidArgument, fmt::format("{} is the database itself", options.source));
  const ProcessLock lock(options.database + ".lock");
  if (!lock.Alone()) {
    return Fail(ErrorCode::kConflict,
                fmt::format("a server uses the database {}: stop it, then begin again", options.database));
  }
  // Ours alone as long as the lock is held: what is there was left by one that died.
  const std::string draft = options.database + ".restoring";
  RemoveDatabase(draft);
  struct Cleanup {
    const std::string& path;
    ~Cleanup() { RemoveDatabase(path); }
  } const cleanup{draft};
  try {
    tell("copying");
    if (auto copied = CopyFile(options.source, draft); !copied) return Fail(copied.error());
    if (const auto log = options.source + "-wal"; Exists(log)) {
      if (auto copied = CopyFile(log, draft + "-wal"); !copied) return Fail(copied.error());
    }
    Restored restored;
    tell("checking");
    FoldIntoOneFile(draft);
    auto facts = Inspect(draft);
    if (!facts) return Unusable(fmt::format("{} cannot be restored: {}", options.source, facts.error().detail));
    restored.facts = std::move(*facts);
    if (const int known = Migrations().back().version; restored.facts.schema_version > known) {
      return Unusable(fmt::format(
          "{} has schema version {}, this program knows versions up to {}: restore it with the newer program",
          options.source, restored.facts.schema_version, known));
    }
    if (options.accept) {
      if (auto accepted = options.accept(restored.facts); !accepted) return Fail(accepted.error());
    }
    tell("migrating");
    {
      Connection connection(draft, Connection::Mode::kReadWrite);
      auto version = Migrate(connection, Migrations(), options.now);
      if (!version) return Fail(version.error());
      restored.schema_version = *version;
      tell("marking");
      const Former former = ReadFormer(options.database);
      connection.Run("BEGIN IMMEDIATE");
      Transaction transaction(connection);
      restored.mark = MarkRestored(transaction, options.now, former.highest_event, former.erased);
      connection.Run("COMMIT");
    }
    FoldIntoOneFile(draft);
    tell("setting_aside");
    auto aside = SetAside(options.database, options.now);
    if (!aside) return Fail(aside.error());
    restored.set_aside = std::move(*aside);
    tell("putting_in_place");
    if (std::rename(draft.c_str(), options.database.c_str()) != 0)
      return Unusable(fmt::format("{} cannot be put in place ({})", options.database, std::strerror(errno)));
    if (!SyncToDisk(FolderOf(options.database))) return Unusable("the folder cannot be synced");
    return restored;
  } catch (const DatabaseError& failure) {
    return Fail(failure.error_code() == ErrorCode::kDiskFull ? ErrorCode::kDiskFull : ErrorCode::kStorageUnavailable,
                fmt::format("{} cannot be restored: {}", options.source, failure.what()));
  }
}

}  // namespace latchkey::storage::sqlite
