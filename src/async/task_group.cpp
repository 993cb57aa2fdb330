#include "async/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <list>
#include <string>
#include <vector>

#include "telemetry/log.hpp"

namespace latchkey {

namespace asio = boost::asio;

struct TaskGroup::State {
  explicit State(Executor home) : executor(std::move(home)), all_done(executor) {
    all_done.expires_at(asio::steady_timer::time_point::max());
  }

  Executor executor;
  std::list<std::shared_ptr<asio::cancellation_signal>> running;
  asio::steady_timer all_done;
  bool stopping = false;
};

namespace {

void LogFailure(const std::string& name, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    // Cancellation is a normal outcome.
    if (error.code() == asio::error::operation_aborted) return;
    log::Failure("task.failed", {{"task", name}, {"detail", error.what()}});
  } catch (const std::exception& error) {
    log::Failure("task.failed", {{"task", name}, {"detail", error.what()}});
  } catch (...) {
    log::Failure("task.failed", {{"task", name}, {"detail", "unknown exception"}});
  }
}

/// Keeps `body`, and with it a lambda's captures, alive until the coroutine it made has ended.
Task<void> RunBody(std::function<Task<void>()> body) { co_await body(); }

}  // namespace

TaskGroup::TaskGroup(Executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() = default;

bool TaskGroup::Spawn(std::string_view name, std::function<Task<void>()> body) {
  if (state_->stopping) return false;
  const auto entry = state_->running.insert(state_->running.end(), std::make_shared<asio::cancellation_signal>());
  auto ended = [state = state_, entry, task = std::string(name)](const std::exception_ptr& failure) {
    if (failure) LogFailure(task, failure);
    state->running.erase(entry);
    if (state->stopping && state->running.empty()) state->all_done.cancel();
  };
  asio::co_spawn(state_->executor, RunBody(std::move(body)),
                 asio::bind_cancellation_slot((*entry)->slot(), std::move(ended)));
  return true;
}

Task<void> TaskGroup::Stop() {
  const auto state = state_;
  state->stopping = true;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const std::vector<std::shared_ptr<asio::cancellation_signal>> running(state->running.begin(), state->running.end());
  for (const auto& signal : running) signal->emit(asio::cancellation_type::terminal);
  // A cancelled caller waits all the same: the tasks may refer to what the caller is about to destroy.
  while (!state->running.empty()) {
    boost::system::error_code ignored;
    co_await state->all_done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
}

std::size_t TaskGroup::size() const { return state_->running.size(); }

}  // namespace latchkey
