#pragma once

#include <memory>
#include <optional>

#include "storage/engine.hpp"
#include "storage/postgres/address.hpp"
#include "storage/postgres/pool.hpp"

namespace latchkey::storage::postgres {

struct EngineOptions {
  PoolOptions pool;
  /// Threads for work without the database.
  int compute_threads = 2;
  std::size_t compute_queue = 1024;
  /// For reaching the server at the start; the schema's steps take what they need.
  std::chrono::milliseconds open_deadline = std::chrono::seconds(10);
};

/// One PostgreSQL database: a thread with an event loop that talks to the server through a pool of connections, and
/// never blocks on it. Each body runs as a fiber of that thread and gives it back while it waits for an answer.
///
/// A write whose commit was not answered is looked up by its transaction id. A body runs again when another
/// transaction stood in its way, or the connection was lost before the commit.
class Engine final : public storage::Engine {
 public:
  /// Connects, migrates, and starts. `loop` is where hooks are called. Blocks; call before serving.
  static Result<std::unique_ptr<Engine>> Open(const Address& address, EngineOptions options, Executor loop,
                                              Instant now);
  /// Ends what still runs; whoever waits hears kStorageUnavailable. Drain first.
  ~Engine() override;

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

}  // namespace latchkey::storage::postgres
