#include "storage/key_store.hpp"

namespace latchkey::storage {
namespace {

const Statement kListChecks("SELECT key_id, check_value FROM vault_keys ORDER BY created_at, key_id");
const Statement kInsertCheck(
    "INSERT INTO vault_keys (key_id, check_value, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING");
const Statement kListSealed(R"sql(
SELECT id, user_id, provider, access_token, refresh_token, token_version FROM connected_accounts
WHERE id > $1 AND (access_token <> '' OR refresh_token <> '') ORDER BY id LIMIT $2)sql");
const Statement kReplaceSealed(R"sql(
UPDATE connected_accounts SET access_token = $3, refresh_token = $4 WHERE id = $1 AND token_version = $2)sql");

}  // namespace

Task<Result<std::vector<KeyStore::KeyCheck>>> KeyStore::ListKeyChecks() {
  auto read = [](Connection& connection) -> Result<std::vector<KeyCheck>> {
    std::vector<KeyCheck> checks;
    Rows rows = connection.Query(kListChecks);
    while (rows.Step()) checks.push_back({.key_id = rows.String(0), .check_value = rows.String(1)});
    return checks;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> KeyStore::InsertKeyCheck(const KeyCheck& check) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kInsertCheck, check.key_id, check.check_value, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<std::vector<KeyStore::SealedRow>>> KeyStore::ListSealedRows(std::string_view after_account_id, int limit) {
  auto read = [&](Connection& connection) -> Result<std::vector<SealedRow>> {
    std::vector<SealedRow> sealed;
    // Before all others.
    constexpr std::string_view kFirst = "00000000-0000-0000-0000-000000000000";
    Rows rows = connection.Query(kListSealed, after_account_id.empty() ? kFirst : after_account_id, limit);
    while (rows.Step()) {
      sealed.push_back({.account_id = rows.String(0),
                        .user_id = rows.String(1),
                        .provider = rows.String(2),
                        .access_token = rows.String(3),
                        .refresh_token = rows.String(4),
                        .version = rows.Int(5)});
    }
    return sealed;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<bool>> KeyStore::ReplaceSealedRow(const SealedRow& row) {
  auto write = [&](Transaction& transaction) -> Result<bool> {
    return transaction.Execute(kReplaceSealed, row.account_id, row.version, row.access_token, row.refresh_token) == 1;
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

}  // namespace latchkey::storage
