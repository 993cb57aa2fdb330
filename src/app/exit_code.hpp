#pragma once

#include <string>

namespace latchkey::app {

/// How the program ends; docs/settings.md tells operators.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,   ///< Unexpected; the log says what.
  kExitSettings = 2,  ///< A setting or the command line.
  kExitStorage = 3,   ///< Data directory or database.
  kExitListen = 4,    ///< The address cannot be listened on.
  kExitWrongKey = 5,  ///< The encryption key does not fit what is stored.
};

/// Why the server did not start, in words that say what to do.
struct StartFailure {
  ExitCode code = kExitFailure;
  std::string text;
};

}  // namespace latchkey::app
