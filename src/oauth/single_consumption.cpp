#include "oauth/single_consumption.hpp"

#include "telemetry/log.hpp"

namespace latchkey::oauth {
namespace {

/// A redemption is a few calls of at most ten seconds.
constexpr int kMaxLooks = 60;
constexpr std::chrono::milliseconds kLookAgain{500};

}  // namespace

SingleConsumption::Turn::~Turn() = default;

void SingleConsumption::Turn::Release::operator()(SingleConsumption* owner) const {
  const auto it = owner->running_.find(state_hash);
  if (it == owner->running_.end()) return;
  const auto signal = it->second;
  owner->running_.erase(it);
  signal->Raise();
}

Task<Result<SingleConsumption::Entry>> SingleConsumption::Enter(const Transaction& transaction) {
  const std::string state_hash = HashOf(transaction.state);
  // Kept for as long as the transaction cookie could still open, and longer.
  const Instant kept_until = transaction.created_at + 2 * kTransactionLifetime;
  for (int look = 0; look < kMaxLooks; ++look) {
    auto claim = co_await states_.ClaimState(state_hash, kept_until);
    if (!claim) co_return Fail(claim.error());
    if (claim->first) {
      running_[state_hash] = std::make_shared<Signal>(executor_);
      Entry entry;
      entry.turn.owner_ = {this, Turn::Release{state_hash}};
      co_return entry;
    }
    if (!claim->outcome.empty()) co_return Entry{.turn = {}, .outcome = std::move(claim->outcome)};
    const auto it = running_.find(state_hash);
    if (it != running_.end()) {
      const auto signal = it->second;
      co_await signal->Wait(kLookAgain);
    } else {
      co_await SleepFor(kLookAgain);
    }
  }
  co_return Entry{.turn = {}, .outcome = std::string(ToString(ErrorCode::kSignInFailed))};
}

Task<void> SingleConsumption::Finish(const std::string& state_hash, std::string_view outcome) {
  const auto finished = co_await states_.FinishState(state_hash, outcome);
  if (!finished) {
    log::Failure("oauth.outcome_not_recorded", {{"error_code", ToString(finished.error().code)}});
  }
}

}  // namespace latchkey::oauth
