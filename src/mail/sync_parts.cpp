#include "mail/sync_parts.hpp"

namespace latchkey::mail {

jobs::NewJob BackfillJob(const WriteFence& fence) {
  jobs::NewJob job;
  job.kind = kBackfillKind;
  // Nobody would start the import again if it were given up: a large one may meet many restarts, each of which counts
  // as an attempt, and what one attempt stored the next does not fetch again.
  job.max_attempts = 1000;
  job.priority = jobs::Priority::kBackfill;
  job.unique_key = std::string(kBackfillKind) + ":" + fence.account_id.text();
  job.account_id = fence.account_id;
  job.generation = fence.generation;
  return job;
}

jobs::NewJob IndexJob(Instant at) {
  jobs::NewJob job;
  job.kind = kIndexKind;
  job.priority = jobs::Priority::kNormal;
  job.unique_key = kIndexKind;
  job.scheduled_at = at;
  return job;
}

WriteFence FenceOf(const jobs::Job& job) {
  return {.account_id = job.account_id,
          .generation = job.generation,
          .lease = {.job_id = job.id, .token = job.lease_token}};
}

std::string CursorOf(const SyncState& state, std::string_view lane) {
  for (const SyncCursor& cursor : state.cursors) {
    if (cursor.lane == lane) return cursor.value;
  }
  return {};
}

}  // namespace latchkey::mail
