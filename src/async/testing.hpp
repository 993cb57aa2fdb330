#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/task.hpp"

namespace latchkey::testing {

/// Runs the loop until it has no more work, and returns the task's result; its exception crosses over. For tests only.
template <class T>
T RunTask(boost::asio::io_context& loop, Task<T> task) {
  std::exception_ptr failure;
  std::conditional_t<std::is_void_v<T>, bool, std::optional<T>> result{};
  boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error, auto... value) {
    failure = error;
    if (!error) {
      if constexpr (std::is_void_v<T>) {
        result = true;
      } else {
        result.emplace(std::move(value)...);
      }
    }
  });
  loop.restart();
  loop.run();
  if (failure) std::rethrow_exception(failure);
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

}  // namespace latchkey::testing
