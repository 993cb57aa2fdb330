#include "app/commands/database_keys.hpp"

#include <fmt/format.h>

namespace latchkey::app {
namespace {

std::string OriginOf(const config::Loaded& loaded, std::string_view ring, std::string_view single) {
  for (const auto name : {ring, single}) {
    if (const auto found = loaded.origins.find(name); found != loaded.origins.end()) {
      return fmt::format("{} ({})", name, found->second);
    }
  }
  return std::string(single);
}

}  // namespace

std::optional<std::string> SqlitePath(const config::Settings& settings) {
  if (settings.database_url.starts_with("postgres")) return std::nullopt;
  std::string path = settings.DatabasePath();
  constexpr std::string_view kScheme = "sqlite:";
  if (path.starts_with(kScheme)) path.erase(0, kScheme.size());
  return path;
}

Result<void> CheckCopiesKeys(const storage::sqlite::DatabaseFacts& facts, const crypto::Vault& vault) {
  for (const auto& check : facts.key_checks) {
    if (!vault.HasKey(check.key_id)) continue;
    if (!vault.VerifyCheckValue(check.check_value)) {
      return Fail(ErrorCode::kKeyUnavailable,
                  fmt::format("the key {} does not open its own check value", check.key_id));
    }
  }
  for (const auto& [key, accounts] : facts.sealed_accounts) {
    // Text of no known form: a Fernet value of the former ENCRYPTION_KEY, which the server judges when it starts.
    if (key.empty() || vault.HasKey(key)) continue;
    return Fail(ErrorCode::kKeyUnavailable, fmt::format("{} of the copy need{} the key {}, and the keys there are: {}",
                                                        Counted(accounts, "account"), accounts == 1 ? "s" : "", key,
                                                        fmt::join(vault.KeyIds(), ", ")));
  }
  return {};
}

std::string DescribeSecrets(const config::Loaded& loaded, const crypto::Vault& vault) {
  return fmt::format(
      "The copy holds no keys. To use it you also need:\n"
      "  {}\n      opens the tokens of the connected accounts (key {}). Keep it apart from the copy: whoever has\n"
      "      both can read every mailbox. Without it every account has to be connected again.\n"
      "  {}\n      may be new after a restore: everybody signs in again.\n"
      "  {}\n      may be new after a restore: API clients sign in again.\n"
      "  your settings (environment, latchkey.toml), with the providers' client secrets\n",
      OriginOf(loaded, "ENCRYPTION_KEYS", "ENCRYPTION_KEY"), vault.ActiveKeyId(),
      OriginOf(loaded, "SESSION_SECRET", "SESSION_SECRET"), OriginOf(loaded, "JWT_SECRET", "JWT_SECRET"));
}

std::string Counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace latchkey::app
