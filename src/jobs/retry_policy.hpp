#pragma once

#include <chrono>

#include "base/clock.hpp"
#include "jobs/job.hpp"

namespace latchkey::jobs {

/// When a job runs again. One place decides it, so that no handler loops on its own.
struct RetryPolicy {
  std::chrono::milliseconds first = std::chrono::seconds(2);
  std::chrono::milliseconds longest = std::chrono::minutes(15);

  /// For a snoozed job: now + its delay. For a failed one: `first` doubled with every attempt, at most `longest`, never
  /// earlier than the failure's own retry_after; the last quarter is drawn by lot, so that jobs that failed together
  /// come back apart.
  Instant NextRun(const Job& job, const Outcome& outcome, Instant now) const;
};

}  // namespace latchkey::jobs
