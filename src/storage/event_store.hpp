#pragma once

#include "events/event.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// events::EventStore over the database. Loop thread.
class EventStore final : public events::EventStore {
 public:
  explicit EventStore(Engine& engine) : engine_(engine) {}

  Task<Result<std::vector<events::Event>>> ListAfter(const UserId& user, std::int64_t after, int limit) override;
  Task<Result<std::int64_t>> LatestId(const UserId& user) override;
  Task<Result<int>> Prune(Instant before, int limit) override;

 private:
  Engine& engine_;
};

}  // namespace latchkey::storage
