#include "storage/sqlite/restore.hpp"

#include <iostream>

#include <fmt/format.h>

#include "app/commands/commands.hpp"
#include "app/commands/database_keys.hpp"
#include "app/exit_code.hpp"

namespace latchkey::app {
namespace {

std::string_view Words(std::string_view step) {
  if (step == "copying") return "Copying the file";
  if (step == "checking") return "Checking the copy";
  if (step == "migrating") return "Bringing it to this program's schema";
  if (step == "marking") return "Holding mail, ending sessions";
  if (step == "setting_aside") return "Setting the former database aside";
  return "Putting the copy in place";
}

void Tell(const storage::sqlite::Restored& restored, const std::string& from, const std::string& path) {
  const auto& mark = restored.mark;
  std::cout << fmt::format("{} is in place of {}: schema version {}, {}, {}, {}.\n", from, path,
                           restored.schema_version, Counted(restored.facts.users, "user"),
                           Counted(restored.facts.accounts, "account"), Counted(restored.facts.messages, "message"));
  if (!restored.set_aside.empty()) {
    std::cout << fmt::format("The former database is kept as {}; delete it when you no longer need it.\n",
                             restored.set_aside);
  }
  std::cout << fmt::format(
      "\nWhat the copy cannot know:\n"
      "  {} held: sent perhaps since the copy was made. Each is shown to its sender, who sends or discards it.\n"
      "  {} ended and {} revoked: everybody signs in again.\n",
      Counted(mark.held_mails, "mail"), Counted(mark.ended_sessions, "session"),
      Counted(mark.revoked_families, "refresh token"));
  if (mark.erased_again > 0) {
    std::cout << fmt::format("  {} disconnected since the copy was made: erased again when the server starts.\n",
                             Counted(mark.erased_again, "account"));
  }
  std::cout << "  Mailboxes and calendars catch up with their providers when the server starts. An account whose\n"
               "  permission was renewed since the copy was made may ask its person to reconnect.\n";
}

}  // namespace

int RunRestore(const Command& command, const config::Loaded& loaded) {
  const auto path = SqlitePath(loaded.settings);
  if (!path) {
    std::cerr << "This installation keeps its data in PostgreSQL: restore it with PostgreSQL's own tools, then run "
                 "`latchkey restored` before a server starts (docs/backup.md).\n";
    return kExitSettings;
  }
  auto vault = crypto::Vault::Make(loaded.settings.encryption_keys);
  if (!vault) {
    std::cerr << "ENCRYPTION_KEY: " << vault.error().detail << "\n";
    return kExitSettings;
  }
  storage::sqlite::RestoreOptions options;
  options.source = command.from;
  options.database = *path;
  options.now = SystemClock().Now();
  options.accept = [&](const storage::sqlite::DatabaseFacts& facts) { return CheckCopiesKeys(facts, *vault); };
  options.progress = [](std::string_view step) { std::cerr << Words(step) << "\n"; };
  const auto restored = storage::sqlite::Restore(options);
  if (restored) {
    Tell(*restored, command.from, *path);
    return kExitOk;
  }
  const Error& error = restored.error();
  std::cerr << "Nothing was restored: " << error.detail << ".\n";
  if (error.code == ErrorCode::kKeyUnavailable) {
    std::cerr << "Put the key of that installation back (ENCRYPTION_KEY, ENCRYPTION_KEYS, or secrets/encryption_key in "
                 "the data directory) and restore again.\n";
    return kExitWrongKey;
  }
  return error.code == ErrorCode::kInvalidArgument ? kExitSettings : kExitStorage;
}

}  // namespace latchkey::app
