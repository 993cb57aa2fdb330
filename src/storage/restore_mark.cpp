#include "storage/restore_mark.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace latchkey::storage {
namespace {

// Also what failed: it may have been tried again, with success, in the time that is lost. Without a mark of its own the
// hand-over may have been at any time since the mail was written, so that it is looked for from there on.
constexpr std::string_view kHoldMails = R"sql(
UPDATE outbox SET state = 'held', error_code = NULL, handed_over_at = coalesce(handed_over_at, created_at), checks = 0,
  resend = FALSE, updated_at = $1
WHERE state IN ('queued', 'sending') OR (state = 'failed' AND dismissed = FALSE))sql";
constexpr std::string_view kCancelSending = R"sql(
UPDATE jobs SET state = 'cancelled', finalized_at = $1, lease_token = NULL, lease_until = NULL, rerun = FALSE
WHERE kind = 'send_email' AND finalized_at IS NULL)sql";

constexpr std::string_view kEndSessions = "DELETE FROM sessions";
constexpr std::string_view kRevokeFamilies =
    "UPDATE oauth_refresh_tokens SET is_revoked = TRUE WHERE is_revoked = FALSE";
constexpr std::string_view kForgetRefreshLeases =
    "UPDATE connected_accounts SET refresh_lease_holder = NULL, refresh_lease_until = NULL "
    "WHERE refresh_lease_holder IS NOT NULL";
constexpr std::string_view kDutiesAreDue = "UPDATE account_duties SET next_at = $1 WHERE next_at > $1";

constexpr std::string_view kForgetEvents = "DELETE FROM events";
constexpr Sql kLastGiven{
    "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)",
    "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('events', 'id')::regclass), 0)"};
constexpr std::string_view kForgetSequence = "DELETE FROM sqlite_sequence WHERE name = 'events'";
constexpr std::string_view kInsertSequence = "INSERT INTO sqlite_sequence (name, seq) VALUES ('events', $1)";
constexpr std::string_view kSetSequence = "SELECT setval(pg_get_serial_sequence('events', 'id'), $1)";
constexpr std::string_view kMoveHorizon = "UPDATE event_horizon SET pruned_through = $1 WHERE only_row = 1";

constexpr std::string_view kLives = "SELECT email, provider FROM connected_accounts WHERE id = $1 AND user_id = $2";
constexpr std::string_view kKeepReceipt = R"sql(
INSERT INTO erasures (id, user_id, connected_account_id, email, provider, total, requested_at)
VALUES ($1, $2, $3, $4, $5, (SELECT count(*) FROM synced_messages WHERE connected_account_id = $3), $6)
ON CONFLICT DO NOTHING)sql";
constexpr std::string_view kBeginErase = R"sql(
UPDATE connected_accounts SET generation = generation + 1, disconnecting = TRUE, is_active = FALSE, updated_at = $2
WHERE id = $1 RETURNING generation)sql";
constexpr std::string_view kStopMail =
    "UPDATE email_sync_status SET next_sync_at = NULL, updated_at = $2 WHERE connected_account_id = $1";
constexpr std::string_view kStopCalendars =
    "UPDATE calendar_sync_status SET next_sync_at = NULL WHERE connected_account_id = $1";

constexpr std::string_view kRecord =
    "INSERT INTO audit_log (event, user_id, detail, created_at) VALUES ('database.restored', NULL, $1, $2)";

std::int64_t LastEventId(Transaction& transaction) {
  Rows rows = transaction.Query(kLastGiven);
  return rows.Step() ? rows.Int(0) : 0;
}

/// The next event gets the id above this one.
void SetLastEventId(Transaction& transaction, std::int64_t id) {
  if (transaction.dialect() == Dialect::kPostgres) {
    transaction.Query(kSetSequence, id).Step();
    return;
  }
  transaction.Execute(kForgetSequence);
  transaction.Execute(kInsertSequence, id);
}

bool EraseAgain(Transaction& transaction, const LaterErasure& erasure, Instant now) {
  {
    Rows account = transaction.Query(kLives, erasure.account_id, erasure.user_id);
    if (!account.Step()) return false;
    transaction.Execute(kKeepReceipt, erasure.receipt_id, erasure.user_id, erasure.account_id, account.Text(0),
                        account.Text(1), erasure.requested_at);
  }
  std::int64_t generation = 0;
  {
    Rows rows = transaction.Query(kBeginErase, erasure.account_id, now);
    rows.Step();
    generation = rows.Int(0);
    rows.Step();
  }
  transaction.Execute(kStopMail, erasure.account_id, now);
  transaction.Execute(kStopCalendars, erasure.account_id);
  CancelWaitingJobs(transaction, erasure.account_id, {}, now);
  const jobs::NewJob job{.kind = std::string(jobs::kDeleteSyncedData),
                         .args = fmt::format(R"({{"erasure_id":"{}"}})", erasure.receipt_id),
                         .priority = jobs::Priority::kInteractive,
                         .unique_key = jobs::AccountKey(jobs::kDeleteSyncedData, erasure.account_id),
                         .max_attempts = 1000,
                         .account_id = erasure.account_id,
                         .generation = generation};
  return InsertJob(transaction, job, now).has_value();
}

}  // namespace

RestoreMark MarkRestored(Transaction& transaction, Instant now, std::int64_t highest_event,
                         const std::vector<LaterErasure>& erased) {
  RestoreMark mark;
  mark.held_mails = transaction.Execute(kHoldMails, now);
  transaction.Execute(kCancelSending, now);
  mark.ended_sessions = transaction.Execute(kEndSessions);
  mark.revoked_families = transaction.Execute(kRevokeFamilies);
  transaction.Execute(kForgetRefreshLeases);
  transaction.Execute(kDutiesAreDue, now);
  // Beyond what was given out, also by a clock that stands still: whoever saw the last one must reload.
  mark.event_floor = std::max({LastEventId(transaction) + 1, highest_event + 1, ToMicros(now)});
  transaction.Execute(kForgetEvents);
  SetLastEventId(transaction, mark.event_floor);
  transaction.Execute(kMoveHorizon, mark.event_floor);
  for (const LaterErasure& erasure : erased) mark.erased_again += EraseAgain(transaction, erasure, now) ? 1 : 0;
  transaction.Execute(
      kRecord,
      fmt::format(R"({{"held_mails":{},"ended_sessions":{},"revoked_families":{},"erased_again":{},"event_floor":{}}})",
                  mark.held_mails, mark.ended_sessions, mark.revoked_families, mark.erased_again, mark.event_floor),
      now);
  return mark;
}

}  // namespace latchkey::storage
