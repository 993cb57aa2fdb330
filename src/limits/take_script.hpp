#pragma once

#include <string_view>

namespace latchkey::limits {

/// The one Lua script of the shared limits; its head says what it takes and returns.
std::string_view TakeScript();

}  // namespace latchkey::limits
