#pragma once

#include <string>

#include "config/load.hpp"
#include "crypto/vault.hpp"
#include "storage/sqlite/backup.hpp"

namespace latchkey::app {

/// The path of the SQLite database these settings name; nullopt for another engine.
std::optional<std::string> SqlitePath(const config::Settings& settings);

/// Whether the tokens in a copy open with these keys: the check value of every key of the ring must open, and no
/// account may need a key that is not in it. kKeyUnavailable names the key and the number of accounts.
Result<void> CheckCopiesKeys(const storage::sqlite::DatabaseFacts& facts, const crypto::Vault& vault);

/// Which secrets an installation needs beside its database, where they are, and what must be kept apart.
std::string DescribeSecrets(const config::Loaded& loaded, const crypto::Vault& vault);

/// "12 accounts", "1 account".
std::string Counted(std::int64_t count, std::string_view noun);

}  // namespace latchkey::app
