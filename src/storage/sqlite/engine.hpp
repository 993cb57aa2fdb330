#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "storage/engine.hpp"
#include "storage/sqlite/process_lock.hpp"

namespace latchkey::storage::sqlite {

struct EngineOptions {
  std::string path;
  int readers = 2;
  /// Writes that may wait; the next one is refused with kOverloaded.
  std::size_t write_queue = 1024;
  std::size_t read_queue = 1024;
  /// Writes that share one commit.
  std::size_t batch = 128;
  /// For one read, from the moment it starts.
  std::chrono::milliseconds read_deadline = std::chrono::seconds(10);
};

/// One SQLite file: a writer thread that puts many small transactions of different callers into one commit, each in a
/// savepoint of its own, and a pool of reader threads with snapshots. No statement runs on the loop; bodies run on a
/// database thread.
class Engine final : public storage::Engine {
 public:
  /// Opens, migrates, and starts the threads. `loop` is where hooks are called. Blocks; call before serving.
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options, Executor loop, Instant now);
  /// Ends the threads after what is queued. Blocks for at most that long.
  ~Engine() override;

  /// Keeps the lock until the file is closed.
  void Hold(ProcessLock lock);

  void SetHooks(CommitHooks hooks) override;
  int schema_version() const override;
  std::optional<ErrorCode> WriteFault() const override;
  Task<void> Drain() override;

 protected:
  void EnqueueWrite(std::unique_ptr<Unit> unit) override;
  void EnqueueRead(std::unique_ptr<Unit> unit) override;
  void EnqueueCompute(std::unique_ptr<Unit> unit) override;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey::storage::sqlite
