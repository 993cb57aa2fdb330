#include "storage/sqlite/sqlite_database.hpp"

#include <sys/stat.h>

#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "storage/engine_database.hpp"
#include "storage/job_endings.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/engine.hpp"
#include "storage/sqlite/process_lock.hpp"

namespace latchkey::storage::sqlite {
namespace {

/// Gives back all running jobs: right only when no other process can be at work.
Result<void> RescueAllJobs(const std::string& path, Instant now) {
  constexpr Instant kAnyLease = Instant::max();
  constexpr int kAtOnce = 1000;
  try {
    Connection connection(path, Connection::Mode::kReadWrite);
    Transaction transaction(connection);
    for (int rescued = kAtOnce; rescued == kAtOnce;) {
      connection.Execute("BEGIN IMMEDIATE");
      rescued = RescueJobs(transaction, kAnyLease, kAtOnce, now);
      connection.Execute("COMMIT");
    }
    return {};
  } catch (const DatabaseError& error) {
    return Fail(error.error_code(), error.what());
  }
}

/// For a migration of a large database, or a restore.
constexpr std::chrono::seconds kOthersTurn{30};

std::optional<ino_t> FileId(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? std::optional(status.st_ino) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Database>> OpenDatabase(const std::string& path, const DatabaseOptions& options, Executor loop,
                                               const Clock& clock) {
  const Instant now = clock.Now();
  ProcessLock lock(path + ".lock");
  if (!lock.Alone() && !lock.ShareWithin(kOthersTurn)) {
    return Fail(ErrorCode::kStorageUnavailable,
                fmt::format("another latchkey process has the database {} for itself (a restore, or a migration): wait "
                            "for its end and start again",
                            path));
  }
  const auto before = FileId(path);
  EngineOptions engine_options{.path = path, .readers = options.readers};
  auto engine = Engine::Open(std::move(engine_options), std::move(loop), now);
  if (!engine) {
    return Fail(engine.error().code, fmt::format("cannot open the database {}: {}", path, engine.error().detail));
  }
  if (lock.Alone()) {
    // No other process lives: whoever held these jobs is dead, nobody has to wait for leases to run out.
    if (auto rescued = RescueAllJobs(path, now); !rescued) return Fail(std::move(rescued.error()));
  }
  lock.Share();
  if (before && before != FileId(path)) {
    return Fail(ErrorCode::kStorageUnavailable,
                fmt::format("the database {} was replaced while this program opened it: start again", path));
  }
  (*engine)->Hold(std::move(lock));
  return MakeDatabase(std::move(*engine), clock);
}

}  // namespace latchkey::storage::sqlite
