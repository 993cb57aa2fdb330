#include "async/timer.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <deque>

namespace latchkey {
namespace asio = boost::asio;

namespace {

/// One waiting coroutine. It lives in that coroutine's frame and takes itself off the queue, however the frame ends.
struct Waiter {
  Waiter(std::deque<Waiter*>& waiting, const Executor& executor) : queue(waiting), timer(executor) {
    queue.push_back(this);
  }
  ~Waiter() { std::erase(queue, this); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  void Wake() {
    woken = true;
    timer.cancel();
  }

  std::deque<Waiter*>& queue;
  asio::steady_timer timer;
  bool woken = false;
};

[[noreturn]] void ThrowCancelled() { throw boost::system::system_error(asio::error::operation_aborted); }

}  // namespace

Task<void> SleepFor(std::chrono::milliseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

struct Signal::State {
  Executor executor;
  std::deque<Waiter*> waiting;
  bool raised = false;
};

Signal::Signal(Executor executor) : state_(std::make_shared<State>(State{std::move(executor), {}, false})) {}

Signal::~Signal() {
  for (Waiter* waiter : state_->waiting) waiter->timer.cancel();
}

void Signal::Raise() {
  if (state_->waiting.empty()) {
    state_->raised = true;
    return;
  }
  for (Waiter* waiter : state_->waiting) waiter->Wake();
  // Those woken no longer count as waiting: a second Raise before they run is for whoever comes next.
  state_->waiting.clear();
}

Task<bool> Signal::Wait(std::chrono::milliseconds timeout) {
  const auto state = state_;
  if (std::exchange(state->raised, false)) co_return true;
  Waiter self(state->waiting, state->executor);
  self.timer.expires_after(timeout);
  boost::system::error_code error;
  co_await self.timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (self.woken) co_return true;
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (error && cancellation.cancelled() != asio::cancellation_type::none) ThrowCancelled();
  co_return false;
}

struct Semaphore::State {
  Executor executor;
  std::size_t free = 0;
  std::deque<Waiter*> waiting;

  void Return() {
    if (waiting.empty()) {
      ++free;
      return;
    }
    // The permit is handed over, not freed: nobody who comes later can overtake the one who waited.
    Waiter* const next = waiting.front();
    waiting.pop_front();
    next->Wake();
  }
};

Semaphore::Semaphore(Executor executor, std::size_t permits)
    : state_(std::make_shared<State>(State{std::move(executor), permits, {}})) {}

Semaphore::~Semaphore() = default;

void Semaphore::Permit::Release() {
  if (Semaphore* const owner = std::exchange(owner_, nullptr)) owner->state_->Return();
}

std::size_t Semaphore::waiting() const { return state_->waiting.size(); }

Task<Semaphore::Permit> Semaphore::Acquire() {
  // Longer than any process lives, yet far from overflowing the timer's clock.
  auto permit = co_await AcquireFor(std::chrono::hours(24 * 365 * 10));
  if (!permit) ThrowCancelled();
  co_return std::move(*permit);
}

Task<std::optional<Semaphore::Permit>> Semaphore::AcquireFor(std::chrono::milliseconds timeout) {
  const auto state = state_;
  if (state->free > 0) {
    --state->free;
    co_return Permit(this);
  }
  /// A permit handed over to a coroutine whose frame is destroyed before it resumes must not be lost.
  struct Handover {
    State& state;
    Waiter& waiter;
    bool taken = false;
    ~Handover() {
      if (waiter.woken && !taken) state.Return();
    }
  };
  Waiter self(state->waiting, state->executor);
  Handover handover{*state, self};
  self.timer.expires_after(timeout);
  boost::system::error_code error;
  co_await self.timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (self.woken) {
    handover.taken = true;
    co_return Permit(this);
  }
  if (error) ThrowCancelled();
  co_return std::nullopt;
}

}  // namespace latchkey
