#pragma once

#include <memory>

#include "storage/database.hpp"
#include "storage/engine.hpp"

namespace latchkey::storage {

/// The ports' stores over an engine. `clock` must outlive the database.
std::unique_ptr<Database> MakeDatabase(std::unique_ptr<Engine> engine, const Clock& clock);

}  // namespace latchkey::storage
