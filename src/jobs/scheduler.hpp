#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task_group.hpp"
#include "base/error.hpp"

namespace latchkey::jobs {

/// Runs small recurring duties (queue what is due, rescue, prune), each on its own rhythm and never twice at once. A
/// duty asks an index for what is due, so a tick costs what is due and not what is connected. Loop thread only; must be
/// stopped before it is destroyed.
class Scheduler {
 public:
  explicit Scheduler(Executor executor) : group_(std::move(executor)) {}

  /// The first run comes at once. A failure is logged under `name` and the next run is on time.
  void Every(std::string_view name, std::chrono::milliseconds interval, std::function<Task<Result<void>>()> duty);
  Task<void> Stop() { return group_.Stop(); }

 private:
  static Task<void> Repeat(std::string name, std::chrono::milliseconds interval,
                           std::function<Task<Result<void>>()> duty);

  TaskGroup group_;
};

}  // namespace latchkey::jobs
