#include "storage/sqlite/engine.hpp"

#include <thread>

#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/migrations.hpp"
#include "storage/sqlite/work_queue.hpp"
#include "storage/sqlite/writer.hpp"

namespace latchkey::storage::sqlite {
namespace {

/// One read: a snapshot, a deadline, and every failure as a value.
void RunRead(Connection& connection, Unit& unit, std::chrono::milliseconds deadline) {
  try {
    connection.SetDeadline(std::chrono::steady_clock::now() + deadline);
    connection.Execute("BEGIN");
    try {
      unit.RunRead(connection);
    } catch (const DatabaseError& error) {
      unit.Refuse(Error{.code = error.error_code(), .detail = error.what(), .retry_after = {}});
    } catch (const std::exception& error) {
      unit.Refuse(Error{.code = ErrorCode::kInternal, .detail = error.what(), .retry_after = {}});
    }
    connection.SetDeadline(std::nullopt);
    if (!connection.Idle()) connection.Execute("COMMIT");
  } catch (const DatabaseError& error) {
    unit.Refuse(Error{.code = error.error_code(), .detail = error.what(), .retry_after = {}});
  }
}

/// Work without the database, in the place of a read.
class ComputeOnReader final : public Unit {
 public:
  explicit ComputeOnReader(std::unique_ptr<Unit> work) : work_(std::move(work)) { urgency = work_->urgency; }
  void RunRead(storage::Connection&) override { work_->RunCompute(); }
  void Refuse(Error error) override { work_->Refuse(std::move(error)); }
  void Finish() override { work_->Finish(); }

 private:
  std::unique_ptr<Unit> work_;
};

}  // namespace

/// From the end of one write of a chain to the next: through the loop, and often through a provider on the same
/// machine.
constexpr std::chrono::milliseconds kAnticipation{3};

struct Engine::Impl {
  Impl(EngineOptions chosen, std::unique_ptr<Connection> connection, Executor loop)
      : options(std::move(chosen)),
        writes(options.write_queue, {.anticipation = kAnticipation}),
        reads(options.read_queue, {}),
        writer(std::move(connection), std::move(loop)) {}

  void WriteLoop() {
    for (;;) {
      // The units go before the next wait: they keep the callers' loops busy.
      auto units = writes.Take(options.batch);
      if (units.empty()) return;
      writer.RunBatch(units);
    }
  }

  void ReadLoop(Connection& connection) {
    for (;;) {
      auto units = reads.Take(1);
      if (units.empty()) return;
      RunRead(connection, *units.front(), options.read_deadline);
      units.front()->Finish();
    }
  }

  const EngineOptions options;
  std::optional<ProcessLock> lock;  // first: dropped when everything is closed
  int schema_version = 0;
  WorkQueue writes;
  WorkQueue reads;
  Writer writer;
  std::vector<std::unique_ptr<Connection>> reader_connections;
  std::vector<std::jthread> threads;  // last: joined before what they use goes
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Engine::~Engine() {
  impl_->writes.Close();
  impl_->reads.Close();
}

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options, Executor loop, Instant now) {
  try {
    auto connection = std::make_unique<Connection>(options.path, Connection::Mode::kReadWrite);
    auto version = Migrate(*connection, Migrations(), now);
    if (!version) return Fail(std::move(version.error()));
    auto impl = std::make_unique<Impl>(std::move(options), std::move(connection), std::move(loop));
    impl->schema_version = *version;
    for (int i = 0; i < impl->options.readers; ++i) {
      impl->reader_connections.push_back(std::make_unique<Connection>(impl->options.path, Connection::Mode::kReadOnly));
    }
    impl->threads.emplace_back([state = impl.get()] { state->WriteLoop(); });
    for (auto& reader : impl->reader_connections) {
      impl->threads.emplace_back([state = impl.get(), own = reader.get()] { state->ReadLoop(*own); });
    }
    return std::unique_ptr<Engine>(new Engine(std::move(impl)));
  } catch (const SqliteError& error) {
    return Fail(error.error_code() == ErrorCode::kDiskFull ? ErrorCode::kDiskFull : ErrorCode::kStorageUnavailable,
                error.what());
  }
}

void Engine::EnqueueWrite(std::unique_ptr<Unit> unit) {
  if (auto refused = impl_->writes.Push(std::move(unit))) {
    refused->Refuse(Error{.code = ErrorCode::kOverloaded, .detail = "too many writes wait", .retry_after = {}});
    refused->Finish();
  }
}

void Engine::EnqueueRead(std::unique_ptr<Unit> unit) {
  if (auto refused = impl_->reads.Push(std::move(unit))) {
    refused->Refuse(Error{.code = ErrorCode::kOverloaded, .detail = "too many reads wait", .retry_after = {}});
    refused->Finish();
  }
}

void Engine::EnqueueCompute(std::unique_ptr<Unit> unit) {
  // The readers' threads are where work may take its time; the unit asks nothing of the connection.
  EnqueueRead(std::make_unique<ComputeOnReader>(std::move(unit)));
}

void Engine::Hold(ProcessLock lock) { impl_->lock.emplace(std::move(lock)); }

Task<void> Engine::Drain() {
  // The writer serves each line in order: when these have come through, so has everything before them.
  auto last = [](Transaction&) -> Result<void> { return {}; };
  (void)co_await Write(last, Durability::kProcess, Isolation::kSerializable, Urgency::kBulk);
  (void)co_await Write(last, Durability::kPower);
}

void Engine::SetHooks(CommitHooks hooks) {
  impl_->writer.hooks = std::make_shared<const CommitHooks>(std::move(hooks));
}
int Engine::schema_version() const { return impl_->schema_version; }
std::optional<ErrorCode> Engine::WriteFault() const { return impl_->writer.fault(); }

}  // namespace latchkey::storage::sqlite
