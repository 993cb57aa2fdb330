#include "storage/copy/open_engine.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "storage/postgres/engine.hpp"
#include "storage/sqlite/engine.hpp"
#include "storage/sqlite/process_lock.hpp"

namespace latchkey::storage::copy {
namespace {

Result<std::unique_ptr<Engine>> OpenSqlite(std::string path, Executor loop, Instant now) {
  sqlite::ProcessLock lock(path + ".lock");
  if (!lock.Alone())
    return Fail(ErrorCode::kConflict, fmt::format("a server uses the database {}: stop it, then begin again", path));
  sqlite::EngineOptions options;
  options.path = path;
  // Pages are large, and nobody waits for them.
  options.read_deadline = std::chrono::minutes(10);
  auto engine = sqlite::Engine::Open(std::move(options), std::move(loop), now);
  if (!engine) return Fail(std::move(engine.error()));
  (*engine)->Hold(std::move(lock));
  return std::unique_ptr<Engine>(std::move(*engine));
}

Result<std::unique_ptr<Engine>> OpenPostgres(const std::string& url, Executor loop, Instant now) {
  auto address = postgres::Address::Parse(url);
  if (!address) return Fail(std::move(address.error()));
  postgres::EngineOptions options;
  // One reads, one writes. Pages are large, and nobody waits for them.
  options.pool.connections = 2;
  options.pool.read_deadline = std::chrono::minutes(10);
  options.pool.write_deadline = std::chrono::minutes(10);
  auto engine = postgres::Engine::Open(*address, options, std::move(loop), now);
  if (!engine) return Fail(std::move(engine.error()));
  return std::unique_ptr<Engine>(std::move(*engine));
}

Result<std::unique_ptr<Engine>> Open(const std::string& url, bool must_exist, Executor loop, Instant now) {
  if (postgres::Address::Is(url)) return OpenPostgres(url, std::move(loop), now);
  std::string path = url;
  if (path.starts_with("sqlite:")) {
    path.erase(0, std::string_view("sqlite:").size());
    if (path.starts_with("//")) path.erase(0, 2);
    std::error_code error;
    if (must_exist && !std::filesystem::is_regular_file(path, error))
      return Fail(ErrorCode::kNotFound, fmt::format("there is no database at {}", path));
    if (!path.empty()) return OpenSqlite(std::move(path), std::move(loop), now);
  }
  return Fail(ErrorCode::kInvalidArgument, "write sqlite:PATH or postgresql://USER@HOST/DATABASE");
}

}  // namespace

Result<std::unique_ptr<Engine>> OpenSource(const std::string& url, Executor loop, Instant now) {
  return Open(url, true, std::move(loop), now);
}

Result<std::unique_ptr<Engine>> OpenTarget(const std::string& url, Executor loop, Instant now) {
  return Open(url, false, std::move(loop), now);
}

}  // namespace latchkey::storage::copy
