#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "async/task.hpp"

namespace latchkey {

/// Owns background coroutines so that none is orphaned. Spawned work is cancelled by Stop() (asio terminal
/// cancellation, which every wait in this project honours), and Stop() returns when the last one has ended. Loop thread
/// only. Must be stopped before it is destroyed.
class TaskGroup {
 public:
  explicit TaskGroup(Executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts `body`. An exception out of it is logged under `name` and ends only that task. After Stop() has begun
  /// nothing is started any more and false is returned.
  bool Spawn(std::string_view name, std::function<Task<void>()> body);

  /// Asks every task to stop and waits for them.
  Task<void> Stop();

  std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace latchkey
