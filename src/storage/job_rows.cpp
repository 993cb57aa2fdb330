#include "storage/job_rows.hpp"

namespace latchkey::storage {

using jobs::Job;

const std::string& JobColumns() {
  static const std::string kColumns =
      "id, kind, args, priority, state, attempt, max_attempts, connected_account_id, generation, lease_token, "
      "created_at, "
      "scheduled_at, attempted_at, finalized_at, last_error_code, last_error, row_id, rerun";
  return kColumns;
}

Job ReadJob(const Rows& rows) {
  return {.id = rows.IdOf<JobId>(0),
          .kind = rows.String(1),
          .args = rows.String(2),
          .priority = static_cast<jobs::Priority>(rows.Int(3)),
          .state = jobs::ParseJobState(rows.Text(4)).value_or(jobs::JobState::kAvailable),
          .attempt = static_cast<int>(rows.Int(5)),
          .max_attempts = static_cast<int>(rows.Int(6)),
          .account_id = rows.IdOf<ConnectedAccountId>(7),
          .generation = rows.Int(8),
          .lease_token = rows.String(9),
          .created_at = rows.Time(10),
          .scheduled_at = rows.Time(11),
          .attempted_at = rows.MaybeTime(12),
          .finalized_at = rows.MaybeTime(13),
          .last_error_code = rows.String(14),
          .last_error = rows.String(15)};
}

}  // namespace latchkey::storage
