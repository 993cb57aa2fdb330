#pragma once

#include <memory>

#include "storage/database.hpp"

namespace latchkey::storage::postgres {

/// The database on a PostgreSQL server that options.url names.
Result<std::unique_ptr<Database>> OpenDatabase(const DatabaseOptions& options, Executor loop, const Clock& clock);

}  // namespace latchkey::storage::postgres
