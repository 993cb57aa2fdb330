#include "storage/database.hpp"

#include "storage/postgres/address.hpp"
#include "storage/postgres/postgres_database.hpp"
#include "storage/sqlite/sqlite_database.hpp"

namespace latchkey::storage {

Result<std::unique_ptr<Database>> Database::Open(const DatabaseOptions& options, Executor loop, const Clock& clock) {
  constexpr std::string_view kScheme = "sqlite:";
  if (postgres::Address::Is(options.url)) return postgres::OpenDatabase(options, std::move(loop), clock);
  std::string path = options.url;
  if (path.starts_with(kScheme)) {
    path.erase(0, kScheme.size());
    // sqlite:///absolute and sqlite://relative, as other programs write them.
    if (path.starts_with("//")) path.erase(0, 2);
  } else if (path.find("://") != std::string::npos) {
    return Fail(ErrorCode::kInvalidArgument,
                "DATABASE_URL must be sqlite:PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
  }
  if (path.empty()) return Fail(ErrorCode::kInvalidArgument, "DATABASE_URL names no file: write sqlite:PATH");
  return sqlite::OpenDatabase(path, options, std::move(loop), clock);
}

}  // namespace latchkey::storage
