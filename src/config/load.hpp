#pragma once

#include <expected>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/keys.hpp"
#include "config/settings.hpp"

namespace latchkey::config {

/// Where values come from, strongest first: flags, environment, latchkey.toml, defaults.
struct Sources {
  /// By environment name ("LATCHKEY_LISTEN"), from the command line.
  std::map<std::string, std::string> flags;
  std::vector<std::pair<std::string, std::string>> environment;
  /// The file of settings. When `config_required` is false and it does not exist, it is ignored.
  std::string config_path = "latchkey.toml";
  bool config_required = false;
};

struct Loaded {
  Settings settings;
  /// By environment name: "flag --listen", "environment", "latchkey.toml", "file /run/secrets/x". Absent: default.
  std::map<std::string, std::string, std::less<>> origins;
};

/// Reads and checks everything; writes nothing. On failure every problem found, not only the first.
std::expected<Loaded, std::vector<Problem>> Load(const Sources& sources);

/// The process's environment as Load wants it.
std::vector<std::pair<std::string, std::string>> ReadEnvironment();

/// "NAME: what is wrong.\n    What to do.\n" for each problem.
std::string Describe(const std::vector<Problem>& problems);

/// All settings with value and origin, secrets redacted: the output of `latchkey config check`.
std::string Print(const Loaded& loaded);

}  // namespace latchkey::config
