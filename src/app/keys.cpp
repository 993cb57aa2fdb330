#include "app/keys.hpp"

#include <iostream>

#include <fmt/format.h>

#include "crypto/key_ring.hpp"

namespace latchkey::app {
namespace {

std::string Accounts(std::int64_t count) { return fmt::format("{} account{}", count, count == 1 ? "" : "s"); }

int Complain(const Error& error) {
  std::cerr << "The stored keys could not be read: " << error.detail << "\n";
  return kExitStorage;
}

void PrintDamaged(const std::vector<std::string>& damaged) {
  for (const auto& account : damaged) std::cout << fmt::format("account {} cannot be opened\n", account);
}

Task<int> Status(crypto::KeyStore& store, const crypto::Vault& vault) {
  auto uses = co_await crypto::ReportKeyUse(store, vault);
  if (!uses) co_return Complain(uses.error());
  for (const auto& use : *uses) {
    const auto role = use.active ? "encrypts" : (use.in_ring ? "decrypts" : "NOT IN THE RING");
    std::cout << fmt::format("{:<18} {:<16} {}\n", use.key_id, role, Accounts(use.accounts));
  }
  co_return kExitOk;
}

Task<int> Verify(crypto::KeyStore& store, const crypto::Vault& vault) {
  auto outcome = co_await crypto::VerifyStoredValues(store, vault);
  if (!outcome) co_return Complain(outcome.error());
  PrintDamaged(outcome->damaged);
  std::cout << fmt::format("{} read, {} cannot be opened.\n", Accounts(outcome->accounts), outcome->damaged.size());
  co_return outcome->damaged.empty() ? kExitOk : kExitWrongKey;
}

Task<int> Rotate(crypto::KeyStore& store, const crypto::Vault& vault) {
  auto outcome = co_await crypto::RotateKeys(store, vault);
  if (!outcome) co_return Complain(outcome.error());
  PrintDamaged(outcome->damaged);
  std::cout << fmt::format("{} of {} sealed anew with key {}, {} cannot be opened.\n", outcome->rewritten,
                           Accounts(outcome->accounts), vault.ActiveKeyId(), outcome->damaged.size());
  co_return outcome->damaged.empty() ? kExitOk : kExitWrongKey;
}

}  // namespace

Task<std::expected<void, StartFailure>> CheckKeys(crypto::KeyStore& store, const crypto::Vault& vault) {
  auto checked = co_await crypto::CheckKeysAtStart(store, vault);
  if (checked) co_return std::expected<void, StartFailure>();
  if (checked.error().code != ErrorCode::kKeyUnavailable) {
    co_return std::unexpected(
        StartFailure{kExitStorage, fmt::format("The stored keys could not be read: {}\n", checked.error().detail)});
  }
  co_return std::unexpected(StartFailure{
      kExitWrongKey,
      fmt::format("ENCRYPTION_KEY does not fit what is stored: {}.\nThe keys there are: {}.\n"
                  "Restore the former key (ENCRYPTION_KEY, ENCRYPTION_KEYS, or secrets/encryption_key in the data "
                  "directory) and start again. Nothing was changed; do not reconnect accounts before.\n",
                  checked.error().detail, fmt::join(vault.KeyIds(), ", "))});
}

Task<int> RunKeysCommand(Command::Verb verb, crypto::KeyStore& store, const crypto::Vault& vault) {
  switch (verb) {
    case Command::Verb::kKeysVerify:
      return Verify(store, vault);
    case Command::Verb::kKeysRotate:
      return Rotate(store, vault);
    default:
      return Status(store, vault);
  }
}

}  // namespace latchkey::app
