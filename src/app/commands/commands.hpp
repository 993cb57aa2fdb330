#pragma once

#include "app/command_line.hpp"
#include "config/load.hpp"

namespace latchkey::app {

// The commands beside the server, one file each. They print to standard output, complain on standard error and return
// an exit code. Blocking; the data directory is prepared.

/// `latchkey backup --to FILE`
int RunBackup(const Command& command, const config::Loaded& loaded);
/// `latchkey restore --from FILE`
int RunRestore(const Command& command, const config::Loaded& loaded);
/// `latchkey restored`
int RunRestored(const config::Loaded& loaded);
/// `latchkey import-legacy [--from URL] [--fernet-key-file FILE] [--owner ORG=ADDRESS]… [--dry-run] [--json]`
int RunImportLegacy(const Command& command, const config::Loaded& loaded);
/// `latchkey copy-database --from URL --to URL`; needs no settings.
int RunCopyDatabase(const Command& command);

}  // namespace latchkey::app
