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
