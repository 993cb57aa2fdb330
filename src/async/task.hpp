#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace latchkey {

/// A coroutine on the event loop. The whole server runs its coroutines on one loop thread ("the loop"): code between
/// two co_awaits runs alone and needs no locks. Whatever blocks or computes for long goes to a WorkerPool.
template <class T>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

}  // namespace latchkey
