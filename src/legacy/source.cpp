#include "legacy/postgres_source.hpp"
#include "legacy/sqlite_source.hpp"

namespace latchkey::legacy {

Result<std::unique_ptr<Source>> OpenSource(const std::string& url) {
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return OpenPostgresSource(url);
  std::string_view path = url;
  if (!path.starts_with("sqlite:"))
    return Fail(ErrorCode::kInvalidArgument, "write sqlite:PATH or postgresql://USER@HOST/DATABASE");
  path.remove_prefix(7);
  if (path.starts_with("//")) path.remove_prefix(2);
  return OpenSqliteSource(std::string(path));
}

}  // namespace latchkey::legacy
