#include "storage/postgres/engine.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "storage/postgres/listener.hpp"
#include "storage/postgres/migrations.hpp"
#include "storage/postgres/worker.hpp"

namespace latchkey::storage::postgres {

using Clock = std::chrono::steady_clock;

struct Engine::Impl {
  Impl(Address server, EngineOptions chosen, Executor home)
      : address(std::move(server)),
        options(chosen),
        loop_of_hooks(std::move(home)),
        helpers(1),
        compute(static_cast<std::size_t>(std::max(chosen.compute_threads, 1))),
        guard(boost::asio::make_work_guard(loop.context)) {
    loop.helpers = &helpers;
    thread = std::thread([this] { loop.context.run(); });
  }

  ~Impl() {
    boost::asio::post(loop.context, [this] {
      loop.stopping = true;
      if (opening_sleeper) opening_sleeper->Wake();
      if (pool) pool->Stop();
      if (listener) listener->Stop();
    });
    // What is on its way to the loop must find it.
    compute.join();
    helpers.join();
    guard.reset();
    thread.join();
  }

  /// On a fiber of the loop.
  Result<int> Prepare(Instant now) {
    Sleeper sleeper(loop.context);
    opening_sleeper = &sleeper;
    TypeMemory types;
    Session session(loop, sleeper, address, types);
    const auto give_up = Clock::now() + options.open_deadline;
    Result<int> version = Fail(ErrorCode::kInternal);
    while (!session.open()) {
      std::optional<Error> failure;
      try {
        session.Open(give_up);
      } catch (const PostgresError& error) {
        failure = Error{.code = error.error_code(), .detail = error.what(), .retry_after = {}};
        // Wrong words do not become right by waiting.
        if (error.fate() == PostgresError::Fate::kFinal || error.sqlstate().starts_with("28") ||
            error.sqlstate() == "3D000" || Clock::now() + std::chrono::milliseconds(200) >= give_up) {
          version = Fail(std::move(*failure));
          break;
        }
      }
      if (failure && !sleeper.Pause(std::chrono::milliseconds(200), loop.stopping)) break;
    }
    if (session.open()) version = Migrate(session, Migrations(), now);
    session.Close();
    opening_sleeper = nullptr;
    return version;
  }

  void Deliver(Wakes wakes) {
    std::shared_ptr<const CommitHooks> known;
    {
      const std::lock_guard lock(hooks_mutex);
      known = hooks;
    }
    if (!known || !wakes.Any()) return;
    boost::asio::post(loop_of_hooks, [known, jobs = wakes.jobs, users = std::move(wakes.users)] {
      if (jobs && known->jobs_inserted) known->jobs_inserted();
      if (!known->events_written) return;
      for (const UserId& user : users) known->events_written(user);
    });
  }

  const Address address;
  const EngineOptions options;
  const Executor loop_of_hooks;
  int schema_version = 0;

  std::mutex hooks_mutex;
  std::shared_ptr<const CommitHooks> hooks;
  std::atomic<std::size_t> computing{0};

  Loop loop;
  Sleeper* opening_sleeper = nullptr;  ///< The loop's thread.
  std::unique_ptr<Fiber> opening;
  std::unique_ptr<Pool> pool;
  std::unique_ptr<Listener> listener;
  boost::asio::thread_pool helpers;
  boost::asio::thread_pool compute;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard;
  std::thread thread;
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Open(const Address& address, EngineOptions options, Executor loop,
                                             Instant now) {
  auto impl = std::make_unique<Impl>(address, options, std::move(loop));
  Impl* state = impl.get();
  std::promise<Result<int>> promise;
  auto version_here = promise.get_future();
  state->opening = std::make_unique<Fiber>([state, now, &promise] { promise.set_value(state->Prepare(now)); });
  boost::asio::post(state->loop.context, [state] { state->opening->Resume(); });
  auto version = version_here.get();
  if (!version) {
    return Fail(version.error().code == ErrorCode::kDiskFull ? ErrorCode::kDiskFull : ErrorCode::kStorageUnavailable,
                fmt::format("cannot use the database {}: {}", address.name(), version.error().detail));
  }
  state->schema_version = *version;
  state->listener = std::make_unique<Listener>(state->loop, state->address,
                                               [state](Wakes wakes) { state->Deliver(std::move(wakes)); });
  const auto committed = [state](Wakes wakes) {
    state->listener->Notify(wakes);
    state->Deliver(std::move(wakes));
  };
  state->pool = std::make_unique<Pool>(state->loop, state->address, state->options.pool, committed);
  boost::asio::post(state->loop.context, [state] { state->listener->Start(); });
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

void Engine::EnqueueWrite(std::unique_ptr<Unit> unit) { impl_->pool->Enqueue(Pool::Kind::kWrite, std::move(unit)); }
void Engine::EnqueueRead(std::unique_ptr<Unit> unit) { impl_->pool->Enqueue(Pool::Kind::kRead, std::move(unit)); }

void Engine::EnqueueCompute(std::unique_ptr<Unit> unit) {
  if (impl_->computing.fetch_add(1) >= impl_->options.compute_queue) {
    impl_->computing.fetch_sub(1);
    unit->Refuse(Error{.code = ErrorCode::kOverloaded, .detail = "too much work waits", .retry_after = {}});
    unit->Finish();
    return;
  }
  boost::asio::post(impl_->compute, [state = impl_.get(), unit = std::move(unit)] {
    try {
      unit->RunCompute();
    } catch (const std::exception& error) {
      unit->Refuse(Error{.code = ErrorCode::kInternal, .detail = error.what(), .retry_after = {}});
    }
    state->computing.fetch_sub(1);
    unit->Finish();
  });
}

void Engine::SetHooks(CommitHooks hooks) {
  const std::lock_guard lock(impl_->hooks_mutex);
  impl_->hooks = std::make_shared<const CommitHooks>(std::move(hooks));
}

int Engine::schema_version() const { return impl_->schema_version; }
std::optional<ErrorCode> Engine::WriteFault() const { return impl_->pool->fault(); }

Task<void> Engine::Drain() {
  auto start = [state = impl_.get()](auto handler) {
    auto home = boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                    boost::asio::execution::outstanding_work.tracked);
    using Handler = decltype(handler);
    auto shared = std::make_shared<Handler>(std::move(handler));
    boost::asio::post(state->loop.context, [state, shared, home] {
      state->pool->WhenWritten([shared, home] { boost::asio::post(home, std::move(*shared)); });
    });
  };
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(start, boost::asio::use_awaitable);
  // What was committed without waiting for the disk is on it when this is.
  auto last = [](Transaction& transaction) -> Result<void> {
    transaction.Execute("SELECT pg_current_xact_id()");
    return {};
  };
  (void)co_await Write(last, Durability::kPower);
}

}  // namespace latchkey::storage::postgres
