#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "async/task.hpp"

namespace latchkey {

/// Runs the loop until `task` has ended and gives its value; for start-up, where the rest must wait. The task's
/// exception crosses over.
template <class T>
T RunUntil(boost::asio::io_context& loop, Task<T> task) {
  std::optional<T> value;
  std::exception_ptr failure;
  bool done = false;
  boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown, T result) {
    failure = thrown;
    if (!thrown) value.emplace(std::move(result));
    done = true;
  });
  while (!done) {
    // Work of other threads keeps no work guard here: run again when the queue was empty for a moment.
    if (loop.run_one() == 0) loop.restart();
  }
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

}  // namespace latchkey
