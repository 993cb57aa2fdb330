#include <unistd.h>

#include <iostream>

#include <fmt/format.h>

#include "app/commands/commands.hpp"
#include "app/commands/database_keys.hpp"
#include "app/exit_code.hpp"

namespace latchkey::app {
namespace {

/// "40 %" on one line of a terminal; otherwise a line for every tenth, so that a log stays short.
class Percent {
 public:
  void operator()(std::int64_t done, std::int64_t total) {
    if (total <= 0) return;
    const auto percent = done * 100 / total;
    if (percent == last_ || (!terminal_ && percent / 10 == last_ / 10 && last_ >= 0)) return;
    last_ = percent;
    std::cerr << (terminal_ ? "\r" : "") << "Copied " << percent << " %" << (terminal_ && percent < 100 ? "" : "\n")
              << std::flush;
  }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  std::int64_t last_ = -1;
};

}  // namespace

int RunBackup(const Command& command, const config::Loaded& loaded) {
  const auto path = SqlitePath(loaded.settings);
  if (!path) {
    std::cerr << "This installation keeps its data in PostgreSQL: use pg_dump or your archive of its log "
                 "(docs/backup.md).\n";
    return kExitSettings;
  }
  auto vault = crypto::Vault::Make(loaded.settings.encryption_keys);
  if (!vault) {
    std::cerr << "ENCRYPTION_KEY: " << vault.error().detail << "\n";
    return kExitSettings;
  }
  Percent percent;
  storage::sqlite::BackupOptions options;
  options.source = *path;
  options.target = command.to;
  options.progress = std::ref(percent);
  const auto facts = storage::sqlite::Backup(options);
  if (!facts) {
    std::cerr << "No backup was made: " << facts.error().detail << "\n";
    return facts.error().code == ErrorCode::kAlreadyExists ? kExitSettings : kExitStorage;
  }
  std::cout << fmt::format("{} is a sound copy of {}: {} MB, schema version {}, {}, {}, {}.\n\n", command.to, *path,
                           (facts->bytes + 999'999) / 1'000'000, facts->schema_version, Counted(facts->users, "user"),
                           Counted(facts->accounts, "account"), Counted(facts->messages, "message"));
  std::cout << DescribeSecrets(loaded, *vault) << std::flush;
  if (const auto fits = CheckCopiesKeys(*facts, *vault); !fits) {
    std::cerr << "\nWarning: the copy is sound, but these settings cannot open its tokens: " << fits.error().detail
              << ".\n";
    return kExitWrongKey;
  }
  return kExitOk;
}

}  // namespace latchkey::app
