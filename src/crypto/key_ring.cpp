#include "crypto/key_ring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "crypto/fernet.hpp"

namespace latchkey::crypto {
namespace {

constexpr int kPage = 200;
constexpr std::string_view kFernet = "fernet";
constexpr std::string_view kUnknown = "unknown";

using Row = KeyStore::SealedRow;

SealContext ContextOf(const Row& row, std::string_view column) {
  return {.table = "connected_accounts",
          .column = column,
          .account_id = row.account_id,
          .user_id = row.user_id,
          .provider = row.provider};
}

std::string KeyNameOf(std::string_view sealed) {
  if (LooksLikeFernet(sealed)) return std::string(kFernet);
  std::string id = Vault::KeyIdOf(sealed);
  return id.empty() ? std::string(kUnknown) : id;
}

/// How many accounts have a value under each key.
Task<Result<std::map<std::string, std::int64_t>>> CountByKey(KeyStore& store) {
  std::map<std::string, std::int64_t> counts;
  std::string after;
  while (true) {
    const auto rows = co_await store.ListSealedRows(after, kPage);
    if (!rows) co_return Fail(rows.error());
    if (rows->empty()) co_return counts;
    for (const Row& row : *rows) {
      std::set<std::string> names;
      if (!row.access_token.empty()) names.insert(KeyNameOf(row.access_token));
      if (!row.refresh_token.empty()) names.insert(KeyNameOf(row.refresh_token));
      for (const std::string& name : names) ++counts[name];
    }
    after = rows->back().account_id;
  }
}

bool Opens(const Vault& vault, const Row& row) {
  return (row.access_token.empty() || vault.Open(ContextOf(row, "access_token"), row.access_token)) &&
         (row.refresh_token.empty() || vault.Open(ContextOf(row, "refresh_token"), row.refresh_token));
}

enum class Resealed { kNot, kDone, kDamaged };

Resealed Reseal(const Vault& vault, const SealContext& context, std::string& sealed) {
  if (sealed.empty() || !vault.IsLegacy(sealed)) return Resealed::kNot;
  const auto clear = vault.Open(context, sealed);
  if (!clear) return Resealed::kDamaged;
  sealed = vault.Seal(context, *clear);
  return Resealed::kDone;
}

}  // namespace

Task<Result<std::vector<KeyUse>>> ReportKeyUse(KeyStore& store, const Vault& vault) {
  auto counts = co_await CountByKey(store);
  if (!counts) co_return Fail(counts.error());
  std::vector<KeyUse> uses;
  for (const std::string& id : vault.KeyIds()) {
    uses.push_back({.key_id = id, .in_ring = true, .active = id == vault.ActiveKeyId(), .accounts = (*counts)[id]});
    counts->erase(id);
  }
  for (const auto& [id, accounts] : *counts) uses.push_back({.key_id = id, .accounts = accounts});
  co_return uses;
}

Task<Result<void>> CheckKeysAtStart(KeyStore& store, const Vault& vault) {
  const auto checks = co_await store.ListKeyChecks();
  if (!checks) co_return Fail(checks.error());
  for (const KeyStore::KeyCheck& check : *checks) {
    if (!vault.HasKey(check.key_id)) continue;
    if (const auto opened = vault.VerifyCheckValue(check.check_value); !opened) {
      co_return Fail(ErrorCode::kKeyUnavailable,
                     fmt::format("the check value of key {} does not open: {}", check.key_id, opened.error().detail));
    }
  }
  const auto uses = co_await ReportKeyUse(store, vault);
  if (!uses) co_return Fail(uses.error());
  for (const KeyUse& use : *uses) {
    if (use.in_ring || use.accounts == 0 || use.key_id == kFernet || use.key_id == kUnknown) continue;
    co_return Fail(ErrorCode::kKeyUnavailable,
                   fmt::format("the tokens of {} accounts are sealed under key {}, which is not in the key ring",
                               use.accounts, use.key_id));
  }
  for (const std::string& id : vault.KeyIds()) {
    if (std::ranges::any_of(*checks, [&](const auto& check) { return check.key_id == id; })) continue;
    const KeyStore::KeyCheck check{.key_id = id, .check_value = vault.MakeCheckValue(id)};
    const auto inserted = co_await store.InsertKeyCheck(check);
    if (!inserted) co_return Fail(inserted.error());
  }
  co_return Result<void>();
}

Task<Result<KeyVerification>> VerifyStoredValues(KeyStore& store, const Vault& vault) {
  KeyVerification verification;
  std::string after;
  while (true) {
    const auto rows = co_await store.ListSealedRows(after, kPage);
    if (!rows) co_return Fail(rows.error());
    if (rows->empty()) co_return verification;
    for (const Row& row : *rows) {
      ++verification.accounts;
      if (!Opens(vault, row)) verification.damaged.push_back(row.account_id);
    }
    after = rows->back().account_id;
  }
}

Task<Result<KeyRotation>> RotateKeys(KeyStore& store, const Vault& vault) {
  KeyRotation rotation;
  std::string after;
  while (true) {
    const auto rows = co_await store.ListSealedRows(after, kPage);
    if (!rows) co_return Fail(rows.error());
    if (rows->empty()) co_return rotation;
    for (const Row& row : *rows) {
      ++rotation.accounts;
      Row renewed = row;
      const Resealed access = Reseal(vault, ContextOf(row, "access_token"), renewed.access_token);
      const Resealed refresh = Reseal(vault, ContextOf(row, "refresh_token"), renewed.refresh_token);
      if (access == Resealed::kDamaged || refresh == Resealed::kDamaged) {
        rotation.damaged.push_back(row.account_id);
      } else if (access == Resealed::kDone || refresh == Resealed::kDone) {
        const auto replaced = co_await store.ReplaceSealedRow(renewed);
        if (!replaced) co_return Fail(replaced.error());
        if (*replaced) ++rotation.rewritten;
      }
    }
    after = rows->back().account_id;
  }
}

}  // namespace latchkey::crypto
