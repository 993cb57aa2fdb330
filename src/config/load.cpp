#include "config/load.hpp"

#include <toml++/toml.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fmt/format.h>

#include "config/values.hpp"

namespace latchkey::config {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;

// Names under these prefixes are ours alone, so an unknown one is a mistake and not another program's setting.
constexpr std::array<std::string_view, 3> kOwnPrefixes = {"LATCHKEY_", "AUTH_GOOGLE_", "AUTH_MICROSOFT_"};

std::optional<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad() || text.size() > kMaxFileBytes) return std::nullopt;
  return text;
}

class Loader {
 public:
  explicit Loader(const Sources& sources) : sources_(sources) {}

  std::expected<Loaded, std::vector<Problem>> Run() {
    ReadToml();
    ReadEnvironmentValues();
    for (const auto& [name, value] : sources_.flags) values_[name] = {value, FlagOrigin(name)};
    Apply();
    CheckTogether();
    if (!problems_.empty()) return std::unexpected(std::move(problems_));
    return std::move(loaded_);
  }

 private:
  struct Value {
    std::string text;
    std::string origin;
  };

  void Complain(std::string_view key, std::string what, std::string remedy) {
    problems_.push_back({std::string(key), std::move(what), std::move(remedy)});
  }

  static std::string FlagOrigin(std::string_view env) {
    const auto* key = FindByEnv(env);
    return key && !key->flag.empty() ? fmt::format("flag {}", key->flag) : "flag";
  }

  void ComplainUnknown(std::string_view name, bool toml) {
    const auto nearest = NearestName(name, toml);
    Complain(name, "is not a setting",
             nearest.empty() ? "Remove it; docs/settings.md lists every setting."
                             : fmt::format("Did you mean {}? docs/settings.md lists every setting.", nearest));
  }

  void ReadToml() {
    std::error_code error;
    const bool exists = std::filesystem::exists(sources_.config_path, error);
    if (!exists && !sources_.config_required) return;
    const auto text = ReadSmallFile(sources_.config_path);
    if (!text) {
      Complain(sources_.config_path, "cannot be read", "Check that the file exists and that this user may read it.");
      return;
    }
    try {
      const auto table = toml::parse(*text, sources_.config_path);
      for (const auto& [section, node] : table) {
        const auto* entries = node.as_table();
        if (entries == nullptr) {
          ComplainUnknown(section.str(), true);
          continue;
        }
        for (const auto& [name, entry] : *entries)
          ReadTomlEntry(fmt::format("{}.{}", section.str(), name.str()), entry);
      }
    } catch (const toml::parse_error& failure) {
      Complain(fmt::format("{}, line {}", sources_.config_path, failure.source().begin.line),
               fmt::format("is not valid TOML: {}", failure.description()),
               "Compare it with the sample latchkey.toml.");
    }
  }

  void ReadTomlEntry(const std::string& path, const toml::node& entry) {
    const bool is_file = path.ends_with("_file") && FindByToml(path) == nullptr;
    const auto* key = FindByToml(is_file ? path.substr(0, path.size() - 5) : path);
    if (key == nullptr || (is_file && key->kind != Kind::kSecret)) {
      ComplainUnknown(path, true);
      return;
    }
    std::string text;
    if (const auto* string = entry.as_string()) {
      text = string->get();
    } else if (const auto* number = entry.as_integer()) {
      text = std::to_string(number->get());
    } else if (const auto* list = entry.as_array()) {
      for (const auto& item : *list) {
        if (const auto* piece = item.as_string()) text += piece->get() + ",";
      }
    } else {
      Complain(path, "has the wrong type", "Write a text in quotes, or a whole number.");
      return;
    }
    Take(*key, text, sources_.config_path, is_file, path);
  }

  void ReadEnvironmentValues() {
    for (const auto& [name, text] : sources_.environment) {
      if (name == "LATCHKEY_CONFIG") continue;
      const bool is_file = name.ends_with("_FILE") && FindByEnv(name) == nullptr;
      const auto* key = FindByEnv(is_file ? name.substr(0, name.size() - 5) : name);
      if (key == nullptr || (is_file && key->kind != Kind::kSecret)) {
        const bool ours =
            std::ranges::any_of(kOwnPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
        if (ours) ComplainUnknown(name, false);
        continue;
      }
      Take(*key, text, "environment", is_file, name);
    }
  }

  // Within one source a value may come directly or by file, not both.
  void Take(const Key& key, const std::string& text, const std::string& source, bool is_file, const std::string& name) {
    Value value{text, source};
    if (is_file) {
      auto content = ReadSmallFile(text);
      if (!content) {
        Complain(name, fmt::format("names {}, which cannot be read", text),
                 "Check that the file exists and that this user may read it.");
        return;
      }
      while (!content->empty() && (content->back() == '\n' || content->back() == '\r')) content->pop_back();
      value = {std::move(*content), fmt::format("file {} ({})", text, source)};
    }
    const auto seen = values_.find(std::string(key.env));
    const auto mark = fmt::format("{} {}", source, key.env);
    if (seen != values_.end() && std::ranges::find(taken_, mark) != taken_.end())
      Complain(name, "is set twice, directly and by file", "Keep one of the two.");
    taken_.push_back(mark);
    values_[std::string(key.env)] = std::move(value);
  }

  void Apply() {
    for (const auto& key : Keys()) {
      const auto found = values_.find(std::string(key.env));
      if (found == values_.end()) continue;
      auto problem = key.apply(loaded_.settings, found->second.text);
      if (problem.what.empty()) {
        loaded_.origins[std::string(key.env)] = found->second.origin;
      } else {
        Complain(fmt::format("{} ({})", key.env, found->second.origin), problem.what, problem.remedy);
      }
    }
  }

  bool Set(std::string_view env) const { return values_.contains(std::string(env)); }

  void CheckTogether() {
    if (Set("ENCRYPTION_KEY") && Set("ENCRYPTION_KEYS"))
      Complain("ENCRYPTION_KEY", "is set beside ENCRYPTION_KEYS",
               "Keep ENCRYPTION_KEYS and put the single key into it; the first one encrypts.");
    CheckPair("AUTH_GOOGLE_CLIENT_ID", "AUTH_GOOGLE_CLIENT_SECRET");
    CheckPair("AUTH_MICROSOFT_CLIENT_ID", "AUTH_MICROSOFT_CLIENT_SECRET");
    CheckRole();
    const auto& settings = loaded_.settings;
    if (!settings.public_url.empty() || settings.listen_host.empty() || settings.role != Role::kAll) return;
    if (!IsLoopbackHost(settings.listen_host))
      Complain("LATCHKEY_PUBLIC_URL", "is not set although the server listens beyond this machine",
               "Set it to the https address that browsers use.");
  }

  // One half of a server is of use only beside the other, and both need the same database and the same secrets.
  void CheckRole() {
    const auto& settings = loaded_.settings;
    if (settings.role == Role::kAll) return;
    const std::string_view role = settings.role == Role::kWeb ? "web" : "worker";
    if (!settings.SharedDatabase()) {
      Complain("LATCHKEY_ROLE",
               fmt::format("is \"{}\" while the database is SQLite, which one process has to itself", role),
               "Remove it (one process does everything), or let DATABASE_URL name a PostgreSQL server.");
      return;
    }
    const auto shared = [&](std::string_view name, bool set) {
      if (!set)
        Complain(name, fmt::format("is not set while LATCHKEY_ROLE is \"{}\"", role),
                 "All processes of an installation need the same one: openssl rand -base64 32, or a file they share.");
    };
    shared("SESSION_SECRET", Set("SESSION_SECRET"));
    shared("JWT_SECRET", Set("JWT_SECRET"));
    shared("ENCRYPTION_KEY", Set("ENCRYPTION_KEY") || Set("ENCRYPTION_KEYS"));
    if (settings.public_url.empty())
      Complain("LATCHKEY_PUBLIC_URL", fmt::format("is not set while LATCHKEY_ROLE is \"{}\"", role),
               "Set it to the address that browsers use for the whole installation.");
  }

  void CheckPair(std::string_view id, std::string_view secret) {
    if (Set(id) && !Set(secret)) Complain(secret, fmt::format("is missing while {} is set", id), "Set both or none.");
    if (!Set(id) && Set(secret)) Complain(id, fmt::format("is missing while {} is set", secret), "Set both or none.");
  }

  const Sources& sources_;
  Loaded loaded_;
  std::map<std::string, Value> values_;
  std::vector<std::string> taken_;
  std::vector<Problem> problems_;
};

}  // namespace

std::expected<Loaded, std::vector<Problem>> Load(const Sources& sources) { return Loader(sources).Run(); }

std::vector<std::pair<std::string, std::string>> ReadEnvironment() {
  std::vector<std::pair<std::string, std::string>> out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::string Describe(const std::vector<Problem>& problems) {
  std::string out;
  for (const auto& problem : problems)
    out += fmt::format("{} {}.\n    {}\n", problem.key, problem.what, problem.remedy);
  return out;
}

std::string Print(const Loaded& loaded) {
  std::string out;
  for (const auto& key : Keys()) {
    const auto origin = loaded.origins.find(key.env);
    // ENCRYPTION_KEY and ENCRYPTION_KEYS fill one field: show it where it came from.
    std::string value = key.show(loaded.settings);
    if (origin == loaded.origins.end() && (key.env == "ENCRYPTION_KEYS" || key.env == "ENCRYPTION_KEY")) value.clear();
    const bool generated = key.env == "SESSION_SECRET" || key.env == "JWT_SECRET" || key.env == "ENCRYPTION_KEY";
    if (value.empty()) value = generated ? "(generated in the data directory)" : "(not set)";
    out +=
        fmt::format("{:<40} {:<50} {}\n", key.env, value, origin == loaded.origins.end() ? "default" : origin->second);
  }
  return out;
}

}  // namespace latchkey::config
