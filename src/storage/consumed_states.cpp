#include "storage/consumed_states.hpp"

namespace latchkey::storage {
namespace {

const Statement kClaim("INSERT INTO consumed_states (state_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING");
const Statement kReadOutcome("SELECT outcome FROM consumed_states WHERE state_hash = $1");
const Statement kFinish("UPDATE consumed_states SET outcome = $2 WHERE state_hash = $1 AND outcome IS NULL");

}  // namespace

Task<Result<ConsumedStates::Claim>> ConsumedStates::ClaimState(std::string_view state_hash, Instant expires_at) {
  auto write = [&](Transaction& transaction) -> Result<Claim> {
    if (transaction.Execute(kClaim, state_hash, expires_at) == 1) return Claim{.first = true};
    Rows rows = transaction.Query(kReadOutcome, state_hash);
    if (!rows.Step()) return Fail(ErrorCode::kInternal, "a consumed state has no row");
    return Claim{.first = false, .outcome = rows.String(0)};
  };
  // On the disk: after a power loss the same callback must not redeem its code again.
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> ConsumedStates::FinishState(std::string_view state_hash, std::string_view outcome) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kFinish, state_hash, outcome);
    return {};
  };
  co_return co_await engine_.Write(write);
}

}  // namespace latchkey::storage
