// The part of the outbox that the job which sends works with.

#include "storage/outbox_store.hpp"

namespace latchkey::storage {
namespace {

using mail::OutboxEntry;
using mail::OutboxId;

const Statement kGuard(R"sql(
SELECT 1 FROM outbox o JOIN connected_accounts a ON a.id = o.connected_account_id
WHERE o.id = $1 AND a.disconnecting = FALSE)sql");
const Statement kLease("SELECT 1 FROM jobs WHERE id = $1 AND state = 'running' AND lease_token = $2");

const Statement kClaim(R"sql(
UPDATE outbox SET state = 'sending', error_code = NULL, updated_at = $2
WHERE id = $1 AND state IN ('queued', 'sending'))sql");
const Statement kNoteDraft("UPDATE outbox SET draft_id = $2, updated_at = $3 WHERE id = $1");
const Statement kHandOver(R"sql(
UPDATE outbox SET handed_over_at = $2, checks = 0, resend = FALSE, updated_at = $2
WHERE id = $1 AND state = 'sending' AND (handed_over_at IS NULL OR resend = TRUE))sql");
// Found by its header, the id may come later than the answer: it is never taken away again.
const Statement kSent(R"sql(
UPDATE outbox SET state = 'sent', error_code = NULL, sent_at = $4, updated_at = $4, checks = 0, resend = FALSE, dismissed = FALSE,
  external_id = CASE WHEN $2 = '' THEN external_id ELSE $2 END, thread_id = CASE WHEN $3 = '' THEN thread_id ELSE $3 END
WHERE id = $1 AND state IN ('sending', 'unconfirmed') AND handed_over_at IS NOT NULL)sql");
const Statement kNotSent(R"sql(
UPDATE outbox SET state = $2, error_code = $3, handed_over_at = NULL, checks = 0, resend = FALSE,
  send_at = coalesce($5, send_at), updated_at = $4
WHERE id = $1 AND state IN ('queued', 'sending', 'unconfirmed'))sql");
const Statement kUndecided(R"sql(
UPDATE outbox SET checks = checks + 1, updated_at = $3,
  state = CASE WHEN $2 THEN 'unconfirmed' ELSE state END,
  error_code = CASE WHEN $2 THEN 'send_unconfirmed' ELSE error_code END
WHERE id = $1 AND state IN ('sending', 'unconfirmed') AND handed_over_at IS NOT NULL RETURNING state)sql");
const Statement kLooked("UPDATE outbox SET checks = checks + 1, updated_at = $2 WHERE id = $1 AND state = 'sent'");
const Statement kMissing(R"sql(
UPDATE outbox SET state = 'unconfirmed', error_code = 'send_unconfirmed', sent_at = NULL, dismissed = FALSE, updated_at = $2
WHERE id = $1 AND state = 'sent')sql");
const Statement kStateOf("SELECT state FROM outbox WHERE id = $1");
// What a sent mail held is of no use any more, unless another mail holds it too.
const Statement kEndUploads(R"sql(
UPDATE uploads SET expires_at = $2 WHERE row_id IN (
  SELECT t.upload_row FROM outbox o JOIN outbox_attachments t ON t.outbox_row = o.row_id WHERE o.id = $1))sql");
const Statement kFreeUploads(R"sql(
UPDATE outbox_attachments SET upload_row = NULL
WHERE outbox_row = (SELECT row_id FROM outbox WHERE id = $1) AND upload_row IS NOT NULL)sql");
const Statement kAccountOf(R"sql(
SELECT a.id, a.generation, a.paused_at IS NOT NULL FROM outbox o JOIN connected_accounts a ON a.id = o.connected_account_id
WHERE o.id = $1)sql");

const Statement kLost(R"sql(
SELECT o.id, o.connected_account_id, a.generation, o.send_at FROM outbox o
JOIN connected_accounts a ON a.id = o.connected_account_id
WHERE o.state IN ('queued', 'sending') AND a.disconnecting = FALSE AND NOT EXISTS (
  SELECT 1 FROM jobs j WHERE j.unique_key = 'send_email:' || o.id AND j.finalized_at IS NULL)
ORDER BY o.row_id LIMIT $1)sql");
const Statement kPruneEnded(R"sql(
DELETE FROM outbox WHERE row_id IN (
  SELECT row_id FROM outbox WHERE state IN ('sent', 'failed', 'unconfirmed', 'cancelled') AND updated_at < $1
  ORDER BY updated_at LIMIT $2))sql");
const Statement kPruneUploads(R"sql(
DELETE FROM uploads WHERE row_id IN (
  SELECT u.row_id FROM uploads u WHERE u.expires_at < $1
    AND NOT EXISTS (SELECT 1 FROM outbox_attachments t WHERE t.upload_row = u.row_id) ORDER BY u.expires_at LIMIT $2))sql");

Result<void> CheckWork(Transaction& transaction, const jobs::Lease& lease, const OutboxId& id) {
  if (!transaction.Query(kGuard, id).Step()) return Fail(ErrorCode::kFenced, "the account is gone or being erased");
  if (!transaction.Query(kLease, lease.job_id, lease.token).Step()) {
    return Fail(ErrorCode::kLeaseLost, "another worker holds the job");
  }
  return {};
}

std::string StateOf(Transaction& transaction, const OutboxId& id) {
  Rows rows = transaction.Query(kStateOf, id);
  return rows.Step() ? rows.String(0) : std::string();
}

}  // namespace

Task<Result<OutboxEntry>> OutboxStore::GetForWork(const OutboxId& id) {
  auto read = [&](Connection& connection) -> Result<OutboxEntry> {
    auto found = FindOutboxEntry(connection, id, UserId());
    if (!found) return Fail(ErrorCode::kNotFound, "no such mail in the outbox");
    return std::move(*found);
  };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> OutboxStore::Claim(const jobs::Lease& lease, const OutboxId& id) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto allowed = CheckWork(transaction, lease, id); !allowed) return allowed;
    const bool was_queued = StateOf(transaction, id) == "queued";
    if (transaction.Execute(kClaim, id, now) == 0) return Fail(ErrorCode::kConflict, "taken back meanwhile");
    if (was_queued) WriteOutboxChanged(transaction, id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> OutboxStore::NoteDraft(const jobs::Lease& lease, const OutboxId& id, std::string_view draft_id) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto allowed = CheckWork(transaction, lease, id); !allowed) return allowed;
    transaction.Send(kNoteDraft, id, draft_id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> OutboxStore::HandOver(const jobs::Lease& lease, const OutboxId& id) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto allowed = CheckWork(transaction, lease, id); !allowed) return allowed;
    if (transaction.Execute(kHandOver, id, now) == 0) {
      return Fail(ErrorCode::kConflict, "handed over before");
    }
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> OutboxStore::MarkSent(const OutboxId& id, std::string_view external_id, std::string_view thread_id) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (!transaction.Query(kGuard, id).Step()) return Fail(ErrorCode::kFenced, "the account is gone or being erased");
    if (transaction.Execute(kSent, id, external_id, thread_id, now) == 0) {
      if (StateOf(transaction, id) == "sent") return {};
      return Fail(ErrorCode::kConflict, "it was not handed over");
    }
    Rows account = transaction.Query(kAccountOf, id);
    if (account.Step() && !account.Bool(2)) {
      // The provider's own copy is what the mailbox shows: fetch it now.
      const auto account_id = account.IdOf<ConnectedAccountId>(0);
      const jobs::NewJob job{.kind = std::string(jobs::kFetchEmails),
                             .priority = jobs::Priority::kInteractive,
                             .unique_key = jobs::AccountKey(jobs::kFetchEmails, account_id),
                             .account_id = account_id,
                             .generation = account.Int(1)};
      if (auto queued = InsertJob(transaction, job, now); !queued) return Fail(std::move(queued.error()));
    }
    WriteOutboxChanged(transaction, id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> OutboxStore::MarkNotSent(const jobs::Lease& lease, const OutboxId& id, ErrorCode error,
                                            std::optional<Instant> next_try) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto allowed = CheckWork(transaction, lease, id); !allowed) return allowed;
    if (transaction.Execute(kNotSent, id, next_try ? "queued" : "failed", ToString(error), now, next_try) == 0) {
      return Fail(ErrorCode::kConflict, "the mail is no longer on its way");
    }
    WriteOutboxChanged(transaction, id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> OutboxStore::MarkUndecided(const jobs::Lease& lease, const OutboxId& id, bool unconfirmed) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto allowed = CheckWork(transaction, lease, id); !allowed) return allowed;
    const std::string before = StateOf(transaction, id);
    std::string after;
    {
      Rows rows = transaction.Query(kUndecided, id, unconfirmed, now);
      if (!rows.Step()) return Fail(ErrorCode::kConflict, "the mail is no longer on its way");
      after = rows.String(0);
      rows.Step();
    }
    if (after != before) WriteOutboxChanged(transaction, id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<void>> OutboxStore::Proven(const jobs::Lease& lease, const OutboxId& id) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto allowed = CheckWork(transaction, lease, id); !allowed) return allowed;
    if (StateOf(transaction, id) != "sent") return Fail(ErrorCode::kConflict, "the mail is not sent");
    transaction.Execute(kEndUploads, id, now);
    transaction.Execute(kFreeUploads, id);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<void>> OutboxStore::NoteMissing(const jobs::Lease& lease, const OutboxId& id, bool tell) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto allowed = CheckWork(transaction, lease, id); !allowed) return allowed;
    if (transaction.Execute(kLooked, id, now) == 0) return Fail(ErrorCode::kConflict, "the mail is not sent");
    if (!tell) return {};
    transaction.Execute(kMissing, id, now);
    WriteOutboxChanged(transaction, id, now);
    return {};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<int>> OutboxStore::Requeue(int limit) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<int> {
    struct Lost {
      OutboxId id;
      ConnectedAccountId account;
      std::int64_t generation = 0;
      Instant send_at{};
    };
    std::vector<Lost> lost;
    {
      Rows rows = transaction.Query(kLost, limit);
      while (rows.Step()) {
        lost.push_back({rows.IdOf<OutboxId>(0), rows.IdOf<ConnectedAccountId>(1), rows.Int(2), rows.Time(3)});
      }
    }
    for (const Lost& entry : lost) {
      auto queued = InsertSendJob(transaction, entry.id, entry.account, entry.generation, entry.send_at, now);
      if (!queued) return Fail(std::move(queued.error()));
    }
    return static_cast<int>(lost.size());
  };
  co_return co_await engine_.Write(write);
}

Task<Result<int>> OutboxStore::Prune(Instant before, int limit) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<int> {
    const auto ended = transaction.Execute(kPruneEnded, before, limit);
    const auto expired = transaction.Execute(kPruneUploads, now, limit);
    return static_cast<int>(std::max(ended, expired));
  };
  co_return co_await engine_.Write(write);
}

}  // namespace latchkey::storage
