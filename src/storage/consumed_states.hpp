#pragma once

#include "oauth/consumed_states.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// oauth::ConsumedStates over the database. Loop thread.
class ConsumedStates final : public oauth::ConsumedStates {
 public:
  explicit ConsumedStates(Engine& engine) : engine_(engine) {}

  Task<Result<Claim>> ClaimState(std::string_view state_hash, Instant expires_at) override;
  Task<Result<void>> FinishState(std::string_view state_hash, std::string_view outcome) override;

 private:
  Engine& engine_;
};

}  // namespace latchkey::storage
