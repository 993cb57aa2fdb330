#pragma once

#include "storage/rows.hpp"
#include "sync/provider_pause.hpp"

namespace latchkey::storage {

/// sync::PauseStore over the database. Loop thread.
class PauseStore final : public sync::PauseStore {
 public:
  explicit PauseStore(Engine& engine) : engine_(engine) {}

  Task<Result<void>> KeepPause(const sync::Pause& pause) override;
  Task<Result<std::vector<sync::Pause>>> ListPauses(const ConnectedAccountId& account) override;
  Task<Result<int>> PrunePauses(Instant before, int limit) override;

 private:
  Engine& engine_;
};

}  // namespace latchkey::storage
