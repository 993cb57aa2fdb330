#include "async/deadline.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

namespace latchkey {

namespace asio = boost::asio;

Task<bool> RunWithTimeout(Task<void> body, std::chrono::milliseconds timeout) {
  const auto executor = co_await asio::this_coro::executor;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  struct {
    bool done = false;
    std::exception_ptr failure;
  } state;
  asio::steady_timer timer(executor, timeout);
  asio::cancellation_signal cancel;
  auto finished = [&](std::exception_ptr failure) {
    state.done = true;
    state.failure = std::move(failure);
    timer.cancel();
  };
  asio::co_spawn(executor, std::move(body), asio::bind_cancellation_slot(cancel.slot(), finished));

  // The state lives in this frame, so every way out waits for the body, also when this task is cancelled meanwhile.
  co_await asio::this_coro::throw_if_cancelled(false);
  boost::system::error_code error;
  if (!state.done) co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  bool timed_out = false;
  if (!state.done) {
    timed_out = !error;
    cancel.emit(asio::cancellation_type::terminal);
  }
  while (!state.done) {
    timer.expires_at(asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (timed_out) co_return false;
  if (state.failure) std::rethrow_exception(state.failure);
  co_return true;
}

}  // namespace latchkey
