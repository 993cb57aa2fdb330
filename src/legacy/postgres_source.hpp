#pragma once

#include "legacy/connection.hpp"

namespace latchkey::legacy {

/// The older program's table in a PostgreSQL database. Statements end after 30 seconds. The url's password is in no
/// error.
Result<std::unique_ptr<Source>> OpenPostgresSource(const std::string& url);

}  // namespace latchkey::legacy
