#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "storage/engine.hpp"
#include "storage/sqlite/connection.hpp"

namespace latchkey::storage::sqlite {

/// The body of the writer thread: one batch of units, one commit. Owned by the engine; runs on the writer thread alone.
class Writer {
 public:
  Writer(std::unique_ptr<Connection> connection, Executor loop) : connection_(std::move(connection)), loop_(loop) {}

  void RunBatch(std::vector<std::unique_ptr<Unit>>& units);

  /// Set before the first unit is queued.
  std::shared_ptr<const CommitHooks> hooks;
  std::optional<ErrorCode> fault() const;

 private:
  bool Begin(const std::vector<std::unique_ptr<Unit>>& units, std::optional<Error>& failure);
  void RunOne(Unit& unit, Wakes& wakes, std::optional<Error>& failure);
  void Rollback();
  void Note(const std::optional<Error>& failure);

  std::unique_ptr<Connection> connection_;
  Executor loop_;
  bool synced_to_disk_ = false;
  std::atomic<int> fault_{-1};
};

}  // namespace latchkey::storage::sqlite
