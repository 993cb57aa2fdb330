#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/id.hpp"

namespace latchkey::jobs {

/// A job's life (River's words):
///
///   available -> running -> completed
///        ^          |-----> retryable --(scheduled_at)--> available
///        |          |-----> discarded   (attempts used up: dead, visible, can be retried by a person)
///   scheduled       '-----> cancelled
enum class JobState { kAvailable, kScheduled, kRunning, kRetryable, kCompleted, kDiscarded, kCancelled };
std::string_view ToString(JobState state);
std::optional<JobState> ParseJobState(std::string_view text);

/// Lower runs first. Live work (a person waits, or new mail) goes before backfill.
enum class Priority : int { kInteractive = 0, kLive = 1, kNormal = 2, kBackfill = 3 };

struct NewJob {
  /// The stable name of what to do: "fetch_emails", "backfill_emails", "delete_synced_data", ...
  std::string kind;
  /// JSON object; small (at most 4 KiB).
  std::string args = "{}";
  Priority priority = Priority::kNormal;
  /// While a job with this key is not finalized, inserting another one is a no-op (but brings its scheduled_at forward,
  /// and a running one is remembered to run once more).
  std::string unique_key;
  std::optional<Instant> scheduled_at;
  int max_attempts = 20;
  /// The account the job works for, with the generation its writes are fenced by.
  ConnectedAccountId account_id;
  std::int64_t generation = 0;
};

/// The unique key of a job that exists at most once per account: "fetch_emails:<account id>". Everyone who inserts such
/// a job uses it, so that asking twice queues once.
std::string AccountKey(std::string_view kind, const ConnectedAccountId& account);

/// The kinds that stores insert themselves.
inline constexpr std::string_view kFetchEmails = "fetch_emails";
inline constexpr std::string_view kBackfillEmails = "backfill_emails";
inline constexpr std::string_view kFetchCalendar = "fetch_calendar";
/// Args: {"erasure_id": ...}. Its account_id is empty once the erase is complete: then there is nothing left to do.
inline constexpr std::string_view kDeleteSyncedData = "delete_synced_data";

/// Proof of the right to work on a running job: fences every write the job makes. A rescued job gets a new lease token.
struct Lease {
  JobId job_id;
  std::string token;
};

struct Job {
  JobId id;
  std::string kind;
  std::string args;
  Priority priority = Priority::kNormal;
  JobState state = JobState::kAvailable;
  int attempt = 0;
  int max_attempts = 0;
  ConnectedAccountId account_id;
  std::int64_t generation = 0;
  std::string lease_token;
  Instant created_at{};
  Instant scheduled_at{};
  std::optional<Instant> attempted_at;
  std::optional<Instant> finalized_at;
  std::string last_error_code;
  std::string last_error;
};

/// How an attempt ended.
struct Outcome {
  enum class Kind {
    kCompleted,
    kSnooze,   ///< Not an attempt: run again after `delay` (rate limits, waiting for the provider).
    kRetry,    ///< Failed: backoff with jitter, discarded after max_attempts.
    kDiscard,  ///< Failed for good.
    kCancelled,
  };
  Kind kind = Kind::kCompleted;
  std::chrono::milliseconds delay{0};
  Error error;
  /// Of a snooze: `error` is what it waits for, and is kept with the job, so that it can be found when that is over.
  bool waits_for_error = false;

  static Outcome Completed() { return {}; }
  static Outcome Snooze(std::chrono::milliseconds delay) { return {.kind = Kind::kSnooze, .delay = delay}; }
  static Outcome WaitFor(Error error, std::chrono::milliseconds delay) {
    return {.kind = Kind::kSnooze, .delay = delay, .error = std::move(error), .waits_for_error = true};
  }
  static Outcome Retry(Error error) { return {.kind = Kind::kRetry, .delay = {}, .error = std::move(error)}; }
  static Outcome Discard(Error error) { return {.kind = Kind::kDiscard, .delay = {}, .error = std::move(error)}; }
};

}  // namespace latchkey::jobs
