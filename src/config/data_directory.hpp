#pragma once

#include <vector>

#include "config/load.hpp"

namespace latchkey::config {

/// Makes the data directory (mode 0700) when it is absent, proves that it can be written, and fills the secrets that
/// were not set: from DATA_DIR/secrets/NAME, or newly generated into it (mode 0600). A secret file that others may read
/// is refused, never used. Blocking; call it before the loop starts.
std::vector<Problem> PrepareDataDirectory(Loaded& loaded);

}  // namespace latchkey::config
