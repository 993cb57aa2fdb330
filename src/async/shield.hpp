#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "async/task.hpp"

namespace latchkey {

/// Runs `task` to its end even when the caller is cancelled meanwhile: for what must not be left half done because the
/// other side cannot be asked again. The task's own waits need deadlines. The caller's frame waits, and hears of its
/// cancellation at its next wait.
template <class T>
Task<T> Shielded(Task<T> task) {
  const auto executor = co_await boost::asio::this_coro::executor;
  co_return co_await boost::asio::co_spawn(
      executor, std::move(task),
      boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(), boost::asio::use_awaitable));
}

}  // namespace latchkey
