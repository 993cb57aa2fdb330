#include "storage/pause_store.hpp"

namespace latchkey::storage {
namespace {

// Only for an account that lives: a call in flight may end after the account's erase.
const Statement kKeep(R"sql(
INSERT INTO provider_pauses (connected_account_id, service, until)
SELECT id, $2, CAST($3 AS timestamptz) FROM connected_accounts WHERE id = $1 AND disconnecting = FALSE
ON CONFLICT (connected_account_id, service) DO UPDATE SET until = excluded.until
WHERE provider_pauses.until < excluded.until)sql");
const Statement kList("SELECT service, until FROM provider_pauses WHERE connected_account_id = $1");
const Statement kPrune(R"sql(
DELETE FROM provider_pauses WHERE (connected_account_id, service) IN
  (SELECT connected_account_id, service FROM provider_pauses WHERE until < $1 ORDER BY until LIMIT $2))sql");

}  // namespace

Task<Result<void>> PauseStore::KeepPause(const sync::Pause& pause) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kKeep, pause.account_id, pause.service, pause.until);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kProcess, Isolation::kReadCommitted);
}

Task<Result<std::vector<sync::Pause>>> PauseStore::ListPauses(const ConnectedAccountId& account) {
  auto read = [&](Connection& connection) -> Result<std::vector<sync::Pause>> {
    std::vector<sync::Pause> pauses;
    Rows rows = connection.Query(kList, account);
    while (rows.Step()) pauses.push_back({.account_id = account, .service = rows.String(0), .until = rows.Time(1)});
    return pauses;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<int>> PauseStore::PrunePauses(Instant before, int limit) {
  auto write = [&](Transaction& transaction) -> Result<int> {
    return static_cast<int>(transaction.Execute(kPrune, before, limit));
  };
  co_return co_await engine_.Write(write);
}

}  // namespace latchkey::storage
