#pragma once

#include <string>

#include "base/error.hpp"

namespace latchkey::app {

/// What scripts wait for: where the server really listens.
struct Ready {
  std::string url;         ///< "http://127.0.0.1:PORT"
  std::string public_url;  ///< As browsers use it.
  std::string setup_url;   ///< Empty once there is an administrator.
};

/// Writes {"url","public_url","setup_url","pid"} so that a reader sees all of it or nothing; mode 0600, because the
/// setup address is a credential until it is used.
Result<void> WriteReadyFile(const std::string& path, const Ready& ready);

}  // namespace latchkey::app
