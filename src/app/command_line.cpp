#include "app/command_line.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <map>

#include "app/exit_code.hpp"
#include "config/keys.hpp"

namespace latchkey::app {

ParsedCommand ParseCommandLine(int argc, char** argv) {
  ParsedCommand parsed;
  auto& sources = parsed.command.sources;
  CLI::App cli(
      "Latchkey: sign-in, mailbox and calendar connection server.\n"
      "Settings: flags, then environment, then latchkey.toml; see docs/settings.md.",
      "latchkey");
  cli.set_version_flag("--version", "latchkey " LATCHKEY_VERSION);
  cli.fallthrough();
  cli.require_subcommand(0, 1);

  std::map<std::string, std::string> values;
  for (const auto& key : config::Keys()) {
    if (!key.flag.empty())
      cli.add_option(std::string(key.flag), values[std::string(key.env)], std::string(key.summary));
  }
  std::string config_path;
  cli.add_option("--config", config_path, "The file of settings (default: latchkey.toml, when it exists)");

  using Verb = Command::Verb;
  Verb verb = Verb::kServe;
  cli.add_subcommand("serve", "Run the server (this is what happens without a command)");
  auto* keys = cli.add_subcommand("keys", "The keys that seal provider tokens")->require_subcommand(1);
  keys->add_subcommand("status", "Which key seals how many accounts")->callback([&] { verb = Verb::kKeysStatus; });
  keys->add_subcommand("verify", "Open every stored token with the keys there are")->callback([&] {
    verb = Verb::kKeysVerify;
  });
  keys->add_subcommand("rotate", "Seal every stored token with the first key; may be repeated and interrupted")
      ->callback([&] { verb = Verb::kKeysRotate; });
  auto& command = parsed.command;
  auto* backup = cli.add_subcommand("backup", "Copy the SQLite database, also while the server runs (docs/backup.md)");
  backup->add_option("--to", command.to, "The file to write; it must not exist")->required();
  backup->callback([&] { verb = Verb::kBackup; });
  auto* restore =
      cli.add_subcommand("restore", "Put a copy in the place of the SQLite database; the server must be down");
  restore->add_option("--from", command.from, "The file that backup wrote")->required();
  restore->callback([&] { verb = Verb::kRestore; });
  auto* copy = cli.add_subcommand("copy-database",
                                  "Copy everything into an empty database of another engine (docs/moving-up.md)");
  copy->add_option("--from", command.from, "sqlite:PATH; no server may run on it")->required();
  copy->add_option("--to", command.to,
                   "postgresql://USER@HOST/DATABASE; empty, or an earlier copy that was interrupted")
      ->required();
  copy->callback([&] { verb = Verb::kCopyDatabase; });
  cli.add_subcommand("restored",
                     "After PostgreSQL was put back to an earlier state: hold mail, end sessions, go on counting")
      ->callback([&] { verb = Verb::kRestored; });
  auto* legacy = cli.add_subcommand(
      "import-legacy", "Take over the oauth_connections of the older program; may be repeated and interrupted");
  legacy->add_option("--from", command.from,
                     "sqlite:PATH or postgresql://USER@HOST/DATABASE (default: this installation's own database)");
  legacy->add_option("--fernet-key-file", command.fernet_key_file,
                     "The ENCRYPTION_KEY of the older program, when it kept its tokens encrypted; one key per line");
  legacy->add_option("--owner", command.owners,
                     "ORGANISATION=ADDRESS: the user with this verified address gets the organisation's accounts");
  legacy->add_flag("--dry-run", command.dry_run, "Tell what would happen and change nothing");
  legacy->add_flag("--json", command.json, "The report as JSON");
  legacy->callback([&] { verb = Verb::kImportLegacy; });
  auto* config = cli.add_subcommand("config", "The settings")->require_subcommand(1);
  config->add_subcommand("check", "Print every setting with its origin, or every problem")->callback([&] {
    verb = Verb::kConfigCheck;
  });

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    // Help and version end well; everything else is explained on standard error.
    parsed.exit_code = cli.exit(stop) == 0 ? kExitOk : kExitSettings;
    return parsed;
  }
  parsed.command.verb = verb;
  for (auto& [env, value] : values) {
    if (!value.empty()) sources.flags[env] = value;
  }
  if (const char* path = std::getenv("LATCHKEY_CONFIG"); config_path.empty() && path != nullptr) config_path = path;
  if (!config_path.empty()) {
    sources.config_path = config_path;
    sources.config_required = true;
  }
  return parsed;
}

}  // namespace latchkey::app
