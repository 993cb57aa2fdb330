#pragma once

#include <optional>
#include <string>

#include "config/load.hpp"

namespace latchkey::app {

/// What the person asked for.
struct Command {
  enum class Verb {
    kServe,
    kConfigCheck,
    kKeysStatus,
    kKeysVerify,
    kKeysRotate,
    kBackup,
    kRestore,
    kRestored,
    kImportLegacy,
    kCopyDatabase,
  };
  Verb verb = Verb::kServe;
  /// Of the commands that move data: files or database addresses.
  std::string from, to;
  std::string fernet_key_file;
  /// "ORGANISATION=ADDRESS" each.
  std::vector<std::string> owners;
  bool dry_run = false;
  bool json = false;
  /// Flags and the file's name; the environment is added by the caller.
  config::Sources sources;
};

/// Reads the command line. A number means: done already (help, version, or a mistake that was explained), end with it.
struct ParsedCommand {
  Command command;
  std::optional<int> exit_code;
};
ParsedCommand ParseCommandLine(int argc, char** argv);

}  // namespace latchkey::app
