#pragma once

#include "legacy/connection.hpp"

namespace latchkey::legacy {

/// The older program's table in an SQLite file; kNotFound without the file.
Result<std::unique_ptr<Source>> OpenSqliteSource(const std::string& path);

}  // namespace latchkey::legacy
