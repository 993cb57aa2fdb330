#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "jobs/job.hpp"

namespace latchkey::jobs {

inline Lease LeaseOf(const Job& job) { return {.job_id = job.id, .token = job.lease_token}; }

/// How an attempt ended. `next_run` is when a snoozed or retried job is due.
struct Report {
  Lease lease;
  Outcome outcome;
  Instant next_run{};
};

struct ClaimQuery {
  /// Kinds this process has handlers for.
  std::vector<std::string> kinds;
  int limit = 1;
  std::chrono::milliseconds lease = std::chrono::seconds(30);
  /// Who claims: a name that no living process shares (letters and digits), part of each lease's token. May be empty.
  std::string worker;
};

struct JobFilter {
  std::optional<JobState> state;
  std::string kind;
  ConnectedAccountId account_id;
  int limit = 50;
  /// Opaque: where the last page ended.
  std::string cursor;
};

struct JobPage {
  std::vector<Job> items;
  std::string next_cursor;
};

/// The queue: rows in the same database as the data, so that a change and the job it asks for are one transaction
/// (stores insert jobs themselves inside their transactions; this port is for everything else).
class JobStore {
 public:
  virtual ~JobStore() = default;
  virtual Task<Result<JobId>> Insert(const NewJob& job) = 0;
  /// Takes due jobs, lowest priority number first, then oldest; marks them running under a fresh lease. Never two jobs
  /// of one account with the same kind at once.
  virtual Task<Result<std::vector<Job>>> Claim(const ClaimQuery& query) = 0;
  /// Extends leases; returns those that are still ours.
  virtual Task<Result<std::vector<Lease>>> Heartbeat(const std::vector<Lease>& leases,
                                                     std::chrono::milliseconds lease) = 0;
  /// Ends an attempt; kLeaseLost when the lease is no longer ours. `next_run` is when a snoozed or retried job is due.
  virtual Task<Result<void>> Finish(const Lease& lease, const Outcome& outcome, Instant next_run) = 0;
  /// Ends several attempts, all or none; returns the leases that are no longer ours.
  virtual Task<Result<std::vector<Lease>>> FinishAll(const std::vector<Report>& reports) = 0;
  /// Gives back running jobs whose lease ran out (their worker died). Returns how many.
  virtual Task<Result<int>> Rescue() = 0;
  /// Gives back what was claimed under this worker's name, however long its leases run: the caller knows that nobody
  /// of that name lives. Returns how many.
  virtual Task<Result<int>> RescueWorker(std::string_view worker) = 0;
  /// When the next scheduled or retryable job is due; nullopt when none waits.
  virtual Task<Result<std::optional<Instant>>> NextDue() = 0;
  virtual Task<Result<JobPage>> List(const JobFilter& filter) = 0;
  /// kNotFound.
  virtual Task<Result<Job>> Get(const JobId& id) = 0;
  /// A person retries a discarded or cancelled job, or cancels a waiting one. kNotFound / kConflict.
  virtual Task<Result<void>> RetryNow(const JobId& id) = 0;
  virtual Task<Result<void>> Cancel(const JobId& id) = 0;
  /// Deletes finalized jobs older than `before`, at most `limit`.
  virtual Task<Result<int>> Prune(Instant before, int limit) = 0;
};

}  // namespace latchkey::jobs
