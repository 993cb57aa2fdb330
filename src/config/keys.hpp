#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace latchkey::config {

/// One thing that is wrong with the settings, for a person: what, and what to do about it.
struct Problem {
  std::string key;
  std::string what;
  std::string remedy;
};

/// What a key holds; decides how it is printed and whether NAME_FILE is understood.
enum class Kind { kText, kNumber, kUrl, kSecret, kList };

/// One setting: its names, and how its text becomes a field of Settings.
struct Key {
  std::string_view env;   ///< "LATCHKEY_LISTEN"
  std::string_view toml;  ///< "server.listen"
  Kind kind = Kind::kText;
  std::string_view flag;  ///< "--listen", or empty
  std::string_view summary;
  /// Stores the value; returns what is wrong with it (and the remedy), or an empty `what`.
  Problem (*apply)(Settings&, const std::string&);
  /// The value as text; secrets give "***".
  std::string (*show)(const Settings&);
};

/// Every setting there is, in the order of the documentation.
std::span<const Key> Keys();
/// nullptr when there is no such key.
const Key* FindByEnv(std::string_view env);
const Key* FindByToml(std::string_view toml);

/// The known name nearest to a mistyped one (Damerau-Levenshtein distance up to a third of its length); empty if none.
std::string NearestName(std::string_view unknown, bool toml);

}  // namespace latchkey::config
