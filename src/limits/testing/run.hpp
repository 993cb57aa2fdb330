#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "async/task.hpp"

namespace latchkey::limits::testing {

/// Runs the loop until the task has ended, whatever else lives on it, and gives its value.
template <class T>
T Run(boost::asio::io_context& loop, Task<T> task) {
  std::optional<T> value;
  std::exception_ptr failure;
  bool done = false;
  boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown, T result) {
    failure = thrown;
    if (!thrown) value.emplace(std::move(result));
    done = true;
  });
  while (!done) {
    if (loop.run_one() == 0) loop.restart();
  }
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

}  // namespace latchkey::limits::testing
