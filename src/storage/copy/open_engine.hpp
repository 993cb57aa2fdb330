#pragma once

#include <memory>
#include <string>

#include "storage/engine.hpp"

namespace latchkey::storage::copy {

/// Opens one side of a copy ("sqlite:PATH", "postgresql://…") with nobody else at work on it, and migrates it:
/// kConflict while a server has it open. kNotFound for a source that is not there; a target is made. Blocks.
Result<std::unique_ptr<Engine>> OpenSource(const std::string& url, Executor loop, Instant now);
Result<std::unique_ptr<Engine>> OpenTarget(const std::string& url, Executor loop, Instant now);

}  // namespace latchkey::storage::copy
