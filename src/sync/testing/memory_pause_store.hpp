#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "sync/provider_pause.hpp"

namespace latchkey::sync::testing {

/// PauseStore in memory, for tests of API clients.
class MemoryPauseStore final : public PauseStore {
 public:
  Task<Result<void>> KeepPause(const Pause& pause) override {
    ++writes;
    if (fault) co_return Fail(*fault);
    Instant& until = pauses[{pause.account_id.text(), pause.service}];
    until = std::max(until, pause.until);
    co_return Result<void>();
  }
  Task<Result<std::vector<Pause>>> ListPauses(const ConnectedAccountId& account) override {
    ++reads;
    if (fault) co_return Fail(*fault);
    std::vector<Pause> found;
    for (const auto& [key, until] : pauses) {
      if (key.first == account.text()) found.push_back({.account_id = account, .service = key.second, .until = until});
    }
    co_return found;
  }
  Task<Result<int>> PrunePauses(Instant before, int) override {
    co_return static_cast<int>(std::erase_if(pauses, [&](const auto& entry) { return entry.second < before; }));
  }

  std::map<std::pair<std::string, std::string>, Instant> pauses;
  std::optional<ErrorCode> fault;
  int reads = 0, writes = 0;
};

}  // namespace latchkey::sync::testing
