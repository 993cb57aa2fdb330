#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "async/task.hpp"
#include "base/error.hpp"

namespace latchkey {

/// Runs `body` on the caller's executor and waits for it. When `timeout` passes first, or the caller is cancelled, the
/// body is cancelled and still waited for, so that what it refers to stays alive. False when it was the timeout; the
/// body's exceptions cross over otherwise.
Task<bool> RunWithTimeout(Task<void> body, std::chrono::milliseconds timeout);

namespace internal {

template <class T>
Task<void> StoreResult(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}

}  // namespace internal

/// The task's own result, or kTimeout when it has none after `timeout`. A result that arrives while the task is being
/// cancelled because of the timeout counts when it is a success.
template <class T>
Task<Result<T>> WithDeadline(Task<Result<T>> task, std::chrono::milliseconds timeout) {
  std::optional<Result<T>> result;
  auto body = internal::StoreResult(std::move(task), result);
  const bool in_time = co_await RunWithTimeout(std::move(body), timeout);
  if (result && (in_time || *result)) co_return std::move(*result);
  co_return Fail(ErrorCode::kTimeout, "deadline passed");
}

}  // namespace latchkey
