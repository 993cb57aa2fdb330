#include "jobs/retry_policy.hpp"

#include <algorithm>
#include <functional>

namespace latchkey::jobs {

Instant RetryPolicy::NextRun(const Job& job, const Outcome& outcome, Instant now) const {
  using std::chrono::milliseconds;
  if (outcome.kind == Outcome::Kind::kSnooze) return now + std::max(outcome.delay, milliseconds(0));
  if (outcome.kind != Outcome::Kind::kRetry) return now;
  milliseconds pause = first;
  for (int attempt = 1; attempt < job.attempt && pause < longest; ++attempt) pause *= 2;
  pause = std::min(pause, longest);
  // The lot is drawn from the job and its attempt: spread over jobs, repeatable for one.
  const std::size_t lot = std::hash<std::string>()(job.id.text() + std::to_string(job.attempt)) % 1000;
  pause -= pause / 4 * static_cast<milliseconds::rep>(lot) / 1000;
  if (outcome.error.retry_after) pause = std::max(pause, *outcome.error.retry_after);
  return now + pause;
}

}  // namespace latchkey::jobs
