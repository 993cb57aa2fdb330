#pragma once

#include <memory>
#include <string>

#include "storage/database.hpp"

namespace latchkey::storage::sqlite {

/// The database as one SQLite file. `path` comes from options.url.
Result<std::unique_ptr<Database>> OpenDatabase(const std::string& path, const DatabaseOptions& options, Executor loop,
                                               const Clock& clock);

}  // namespace latchkey::storage::sqlite
