#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "async/task_group.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "jobs/job_store.hpp"
#include "jobs/retry_policy.hpp"

namespace latchkey::jobs {

/// Does one attempt of a job. Runs on the loop and is cancelled when its deadline passes or the worker stops; what it
/// had committed stays. An exception counts as a failed attempt.
using Handler = std::function<Task<Outcome>(const Job&)>;

struct KindOptions {
  /// Attempts of this kind in progress at a time in this process.
  int max_running = 8;
  std::chrono::milliseconds deadline = std::chrono::minutes(30);
};

struct WorkerOptions {
  int max_running = 16;
  std::chrono::milliseconds lease = std::chrono::seconds(30);
  /// How long at most without asking the queue, when no signal came.
  std::chrono::milliseconds poll = std::chrono::seconds(5);
  /// What running attempts get to end by themselves before they are cancelled and handed back.
  std::chrono::milliseconds drain = std::chrono::seconds(2);
  /// How soon a report is tried again that the store could not take.
  std::chrono::milliseconds store_pause = std::chrono::seconds(1);
  /// See ClaimQuery::worker.
  std::string name;
};

/// Claims due jobs and runs their handlers, keeps their leases alive, and reports how each attempt ended. One per
/// process; loop thread only; must be stopped before it is destroyed, and everything handlers refer to must outlive it.
class Worker {
 public:
  Worker(Executor executor, JobStore& store, const Clock& clock, const WorkerOptions& options = {});
  ~Worker();

  /// Before Start.
  void Register(std::string_view kind, Handler handler, const KindOptions& options = {});
  void Start();
  /// Something became due: called after commits that made jobs runnable.
  void Wake() { signal_.Raise(); }
  /// Takes nothing more; what runs goes on. What a claim under way still brings is handed back at once.
  void StopClaiming();
  /// StopClaiming, then waits for `drain`, cancels what still runs and hands it back to the queue: due at once, and
  /// not counted as an attempt.
  Task<void> Stop();

  /// Extends the leases of the attempts in progress unless that happened a moment ago. Before anybody is declared dead:
  /// a process that slept, or whose store could not be written, must not take its own jobs for lost.
  Task<Result<void>> Renew();

  int running() const { return static_cast<int>(attempts_.size()); }

 private:
  struct Kind {
    Handler handler;
    KindOptions options;
    int running = 0;
  };

  /// An ended attempt whose report the store has not taken yet.
  struct Untold {
    Job job;
    Report report;
    Instant began{};
  };

  Task<void> ClaimLoop();
  Task<void> HeartbeatLoop();
  /// Kinds with room for another attempt.
  std::vector<std::string> OpenKinds() const;
  int RoomOf(std::string_view kind) const;
  Task<std::chrono::milliseconds> UntilNextDue();
  Task<void> Attempt(Job job);
  Task<void> HandBack(const Job& job);
  /// Tells the store how attempts ended, together those that end at the same time.
  Task<void> ReportLoop();
  /// The leases that were lost, for these reports and as the store last said.
  Task<Result<std::vector<Lease>>> Deliver(const std::vector<Report>& reports);
  /// The store knows how it ended, or it refused to hear it.
  void Ended(const Untold& told, const Result<void>& answer);
  Task<Outcome> RunHandler(const Job& job, const Kind& kind);

  Executor executor_;
  JobStore& store_;
  const Clock& clock_;
  WorkerOptions options_;
  RetryPolicy retry_;
  std::map<std::string, Kind, std::less<>> kinds_;
  /// Leases of the attempts in progress, by job.
  std::map<JobId, Lease> attempts_;
  Signal signal_;
  Signal idle_;
  std::vector<Untold> untold_;
  /// Reports are on their way to the store.
  bool telling_ = false;
  Signal untold_signal_;
  /// Raised when attempts are cut: nobody waits for a better store any more.
  Signal cut_signal_;
  bool stopping_ = false;
  /// What still runs has been cancelled.
  bool cut_ = false;
  bool claims_over_ = true;
  std::chrono::steady_clock::time_point renewed_at_{};
  TaskGroup loops_;
  TaskGroup running_;
};

}  // namespace latchkey::jobs
