// The part of the account store that erases an account: fenced at once, emptied in bounded steps, with a receipt.

#include <algorithm>

#include <fmt/format.h>

#include "storage/account_store.hpp"
#include "storage/message_writer.hpp"

namespace latchkey::storage {
namespace {

using connected_accounts::ErasureReceipt;
using Counts = std::map<std::string, std::int64_t>;

const Statement kReadForErase(
    "SELECT disconnecting, email, provider FROM connected_accounts WHERE id = $1 AND user_id = $2");
// From here on no write of older work can succeed, and the person's lists no longer show the account's mail.
const Statement kBegin(R"sql(
UPDATE connected_accounts
SET generation = generation + 1, disconnecting = TRUE, is_active = FALSE, updated_at = $2
WHERE id = $1 RETURNING generation)sql");
const Statement kStopSchedule(
    "UPDATE email_sync_status SET next_sync_at = NULL, updated_at = $2 WHERE connected_account_id = $1");
const Statement kStopCalendars("UPDATE calendar_sync_status SET next_sync_at = NULL WHERE connected_account_id = $1");
const Statement kInsertReceipt(R"sql(
INSERT INTO erasures (id, user_id, connected_account_id, email, provider, total, requested_at)
VALUES ($1, $2, $3, $4, $5, $6, $7))sql");

const std::string kReceipt =
    "SELECT id, user_id, connected_account_id, email, provider, total, revoked_at_provider, requested_at, completed_at "
    "FROM erasures";
const Statement kReceiptOfAccount(kReceipt + " WHERE connected_account_id = $1 AND user_id = $2");
const Statement kReceiptById(kReceipt + " WHERE id = $1 AND user_id = $2");
const Statement kReadCounts("SELECT table_name, deleted FROM erasure_counts WHERE erasure_id = $1 ORDER BY table_name");
const Statement kAddCount(R"sql(
INSERT INTO erasure_counts (erasure_id, table_name, deleted) VALUES ($1, $2, $3)
ON CONFLICT (erasure_id, table_name) DO UPDATE SET deleted = erasure_counts.deleted + excluded.deleted)sql");
const Statement kComplete(
    "UPDATE erasures SET completed_at = $2 WHERE connected_account_id = $1 AND completed_at IS NULL");
const Statement kMarkRevoked("UPDATE erasures SET revoked_at_provider = TRUE WHERE connected_account_id = $1");

const Statement kReadErasing(R"sql(
SELECT a.user_id, e.id FROM connected_accounts a JOIN erasures e ON e.connected_account_id = a.id
WHERE a.id = $1 AND a.disconnecting = TRUE)sql");
const Statement kAccountExists("SELECT 1 FROM connected_accounts WHERE id = $1");
const Statement kSomeMessages("SELECT row_id FROM synced_messages WHERE connected_account_id = $1 LIMIT $2");

/// Tables that name the account in a column of their own, in the order in which they are emptied. `rows` finds and
/// deletes at most $2 of them.
struct Table {
  std::string_view name;
  Statement count;
  Statement erase;
};
const Table kTables[] = {
    {"push_channels", "SELECT count(*) FROM push_channels WHERE connected_account_id = $1",
     "DELETE FROM push_channels WHERE id IN (SELECT id FROM push_channels WHERE connected_account_id = $1 LIMIT $2)"},
    {"audit_ids", "SELECT count(*) FROM audit_ids WHERE connected_account_id = $1",
     "DELETE FROM audit_ids WHERE connected_account_id = $1 AND (service, external_id) IN "
     "(SELECT service, external_id FROM audit_ids WHERE connected_account_id = $1 LIMIT $2)"},
    {"audit_findings", "SELECT count(*) FROM audit_findings WHERE connected_account_id = $1",
     "DELETE FROM audit_findings WHERE connected_account_id = $1 AND (service, external_id) IN "
     "(SELECT service, external_id FROM audit_findings WHERE connected_account_id = $1 LIMIT $2)"},
    {"audit_services", "SELECT count(*) FROM audit_services WHERE connected_account_id = $1",
     "DELETE FROM audit_services WHERE connected_account_id = $1 AND service IN "
     "(SELECT service FROM audit_services WHERE connected_account_id = $1 LIMIT $2)"},
    {"audits", "SELECT count(*) FROM audits WHERE connected_account_id = $1",
     "DELETE FROM audits WHERE connected_account_id IN "
     "(SELECT connected_account_id FROM audits WHERE connected_account_id = $1 LIMIT $2)"},
    {"account_duties", "SELECT count(*) FROM account_duties WHERE connected_account_id = $1",
     "DELETE FROM account_duties WHERE connected_account_id = $1 AND duty IN "
     "(SELECT duty FROM account_duties WHERE connected_account_id = $1 LIMIT $2)"},
    {"tombstones", "SELECT count(*) FROM tombstones WHERE connected_account_id = $1",
     "DELETE FROM tombstones WHERE connected_account_id = $1 AND external_id IN "
     "(SELECT external_id FROM tombstones WHERE connected_account_id = $1 LIMIT $2)"},
    {"failed_items", "SELECT count(*) FROM failed_items WHERE connected_account_id = $1",
     "DELETE FROM failed_items WHERE connected_account_id = $1 AND external_id IN "
     "(SELECT external_id FROM failed_items WHERE connected_account_id = $1 LIMIT $2)"},
    {"labels", "SELECT count(*) FROM labels WHERE connected_account_id = $1",
     "DELETE FROM labels WHERE row_id IN (SELECT row_id FROM labels WHERE connected_account_id = $1 LIMIT $2)"},
    {"sync_cursors", "SELECT count(*) FROM sync_cursors WHERE connected_account_id = $1",
     "DELETE FROM sync_cursors WHERE connected_account_id = $1 AND lane IN "
     "(SELECT lane FROM sync_cursors WHERE connected_account_id = $1 LIMIT $2)"},
    {"folder_cursors", "SELECT count(*) FROM folder_cursors WHERE connected_account_id = $1",
     "DELETE FROM folder_cursors WHERE connected_account_id = $1 AND folder_id IN "
     "(SELECT folder_id FROM folder_cursors WHERE connected_account_id = $1 LIMIT $2)"},
    {"message_checks", "SELECT count(*) FROM message_checks WHERE connected_account_id = $1",
     "DELETE FROM message_checks WHERE connected_account_id = $1 AND external_id IN "
     "(SELECT external_id FROM message_checks WHERE connected_account_id = $1 LIMIT $2)"},
    {"provider_pauses", "SELECT count(*) FROM provider_pauses WHERE connected_account_id = $1",
     "DELETE FROM provider_pauses WHERE connected_account_id = $1 AND service IN "
     "(SELECT service FROM provider_pauses WHERE connected_account_id = $1 LIMIT $2)"},
    {"calendar_events", "SELECT count(*) FROM calendar_events WHERE connected_account_id = $1",
     "DELETE FROM calendar_events WHERE id IN "
     "(SELECT id FROM calendar_events WHERE connected_account_id = $1 LIMIT $2)"},
    {"calendar_cursors",
     "SELECT count(*) FROM calendars c JOIN calendar_cursors k ON k.calendar_row = c.row_id "
     "WHERE c.connected_account_id = $1",
     "DELETE FROM calendar_cursors WHERE (calendar_row, \"window\") IN (SELECT k.calendar_row, k.\"window\" FROM "
     "calendars c "
     "JOIN calendar_cursors k ON k.calendar_row = c.row_id WHERE c.connected_account_id = $1 LIMIT $2)"},
    {"calendars", "SELECT count(*) FROM calendars WHERE connected_account_id = $1",
     "DELETE FROM calendars WHERE row_id IN (SELECT row_id FROM calendars WHERE connected_account_id = $1 LIMIT $2)"},
    {"calendar_sync_status", "SELECT count(*) FROM calendar_sync_status WHERE connected_account_id = $1",
     "DELETE FROM calendar_sync_status WHERE connected_account_id IN "
     "(SELECT connected_account_id FROM calendar_sync_status WHERE connected_account_id = $1 LIMIT $2)"},
    {"outbox_attachments",
     "SELECT count(*) FROM outbox_attachments t JOIN outbox o ON o.row_id = t.outbox_row WHERE o.connected_account_id "
     "= $1",
     "DELETE FROM outbox_attachments WHERE (outbox_row, position) IN (SELECT t.outbox_row, t.position "
     "FROM outbox o JOIN outbox_attachments t ON t.outbox_row = o.row_id WHERE o.connected_account_id = $1 LIMIT $2)"},
    {"outbox", "SELECT count(*) FROM outbox WHERE connected_account_id = $1",
     "DELETE FROM outbox WHERE row_id IN (SELECT row_id FROM outbox WHERE connected_account_id = $1 LIMIT $2)"},
    {"upload_chunks",
     "SELECT count(*) FROM upload_chunks c JOIN uploads u ON u.row_id = c.upload_row WHERE u.connected_account_id = $1",
     "DELETE FROM upload_chunks WHERE (upload_row, position) IN (SELECT c.upload_row, c.position "
     "FROM uploads u JOIN upload_chunks c ON c.upload_row = u.row_id WHERE u.connected_account_id = $1 LIMIT $2)"},
    {"uploads", "SELECT count(*) FROM uploads WHERE connected_account_id = $1",
     "DELETE FROM uploads WHERE row_id IN (SELECT row_id FROM uploads WHERE connected_account_id = $1 LIMIT $2)"},
    {"job_logs", "SELECT count(*) FROM job_logs WHERE connected_account_id = $1",
     "DELETE FROM job_logs WHERE id IN (SELECT id FROM job_logs WHERE connected_account_id = $1 LIMIT $2)"},
    {"events", "SELECT count(*) FROM events WHERE connected_account_id = $1",
     "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE connected_account_id = $1 LIMIT $2)"},
    // The erase itself runs as a job of the account: it is taken out of the account's name at the end.
    {"jobs", "SELECT count(*) FROM jobs WHERE connected_account_id = $1 AND kind <> 'delete_synced_data'",
     "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE connected_account_id = $1 "
     "AND kind <> 'delete_synced_data' LIMIT $2)"},
    {"connect_attempts",
     "SELECT count(*) FROM connect_attempts WHERE connected_account_id = $1 OR result_account_id = $1",
     "DELETE FROM connect_attempts WHERE id IN (SELECT id FROM connect_attempts "
     "WHERE connected_account_id = $1 OR result_account_id = $1 LIMIT $2)"},
    {"email_sync_status", "SELECT count(*) FROM email_sync_status WHERE connected_account_id = $1",
     "DELETE FROM email_sync_status WHERE connected_account_id IN "
     "(SELECT connected_account_id FROM email_sync_status WHERE connected_account_id = $1 LIMIT $2)"},
    {"connected_accounts", "SELECT 1 FROM connected_accounts WHERE id = $1",
     "DELETE FROM connected_accounts WHERE id IN (SELECT id FROM connected_accounts WHERE id = $1 LIMIT $2)"},
};

const Statement kCountMessages("SELECT count(*) FROM synced_messages WHERE connected_account_id = $1");
const Statement kCountAttachments(R"sql(
SELECT count(*) FROM synced_messages m JOIN attachments t ON t.message_row = m.row_id
WHERE m.connected_account_id = $1 AND m.has_attachments = TRUE)sql");
const Statement kCountPlacements(
    "SELECT CAST(coalesce(sum(total), 0) AS bigint) FROM labels WHERE connected_account_id = $1");
const Statement kForgetJob(R"sql(
UPDATE jobs SET connected_account_id = NULL, unique_key = NULL WHERE connected_account_id = $1)sql");

std::int64_t Count(Connection& connection, const Sql& sql, const ConnectedAccountId& id) {
  Rows rows = connection.Query(sql, id);
  return rows.Step() ? rows.Int(0) : 0;
}

Counts CountAll(Connection& connection, const ConnectedAccountId& id) {
  Counts counts;
  for (const Table& table : kTables) counts[std::string(table.name)] = Count(connection, table.count, id);
  const auto messages = Count(connection, kCountMessages, id);
  counts["synced_messages"] = messages;
  counts["message_bodies"] = messages;
  counts["attachments"] = Count(connection, kCountAttachments, id);
  counts["message_labels"] = Count(connection, kCountPlacements, id);
  return counts;
}

Result<ErasureReceipt> ReadReceipt(Connection& connection, Rows rows) {
  if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such receipt");
  ErasureReceipt receipt{.id = rows.String(0),
                         .user_id = rows.IdOf<UserId>(1),
                         .account_id = rows.IdOf<ConnectedAccountId>(2),
                         .email = rows.String(3),
                         .provider = rows.String(4),
                         .complete = !rows.IsNull(8),
                         .total = rows.Int(5),
                         .revoked_at_provider = rows.Bool(6),
                         .requested_at = rows.Time(7),
                         .completed_at = rows.MaybeTime(8)};
  Rows counts = connection.Query(kReadCounts, receipt.id);
  while (counts.Step()) receipt.deleted[counts.String(0)] = counts.Int(1);
  return receipt;
}

/// Deletes up to `limit` rows; what went is added to `counts`. True when the account row is gone.
/// The search index only marks words as deleted; they leave it when its segments are merged down to one. Merges some
/// pages; false when there was nothing left to merge.
bool MergeSearchIndex(Transaction& transaction) {
  // PostgreSQL takes words out when their rows go.
  if (transaction.dialect() == Dialect::kPostgres) return false;
  const auto written = [&] {
    Rows rows = transaction.Query("SELECT total_changes()");
    rows.Step();
    return rows.Int(0);
  };
  const auto before = written();
  transaction.Send("INSERT INTO message_search (message_search, rank) VALUES ('merge', -1000)");
  // The command itself counts as one (SQLite's manual, FTS5 section 6.8).
  return written() - before >= 2;
}

bool EraseChunk(Transaction& transaction, const ConnectedAccountId& id, int limit, Instant now, Counts& counts) {
  std::vector<std::int64_t> messages;
  {
    Rows rows = transaction.Query(kSomeMessages, id, limit);
    while (rows.Step()) messages.push_back(rows.Int(0));
  }
  if (!messages.empty()) {
    MessageWriter writer(transaction, id, 0, now);
    for (const std::int64_t row : messages) writer.DeleteRow(row, &counts);
    writer.Flush();
  }
  int left = limit - static_cast<int>(messages.size());
  for (const Table& table : kTables) {
    if (left <= 0) return false;
    // Last of all: as long as its row is there, the erase is not over.
    if (table.name == "connected_accounts" && MergeSearchIndex(transaction)) return false;
    const auto deleted = transaction.Execute(table.erase, id, left);
    counts[std::string(table.name)] += deleted;
    left -= static_cast<int>(deleted);
  }
  return !transaction.Query(kAccountExists, id).Step();
}

}  // namespace

Task<Result<Counts>> AccountStore::PreviewErase(const UserId& user, const ConnectedAccountId& id) {
  auto read = [&](Connection& connection) -> Result<Counts> {
    if (!connection.Query(kReadForErase, id, user).Step()) return Fail(ErrorCode::kNotFound, "no such account");
    return CountAll(connection, id);
  };
  co_return co_await engine_.Read(read);
}

Task<Result<ErasureReceipt>> AccountStore::BeginErase(const UserId& user, const ConnectedAccountId& id) {
  const Instant now = clock_.Now();
  // Counting may take a while and needs no lock: on a reader.
  auto count = [&](Connection& connection) -> Result<std::int64_t> {
    std::int64_t total = 0;
    for (const auto& [table, rows] : CountAll(connection, id)) total += rows;
    return total;
  };
  const auto total = co_await engine_.Read(count);
  if (!total) co_return Fail(total.error());
  auto write = [&](Transaction& transaction) -> Result<Receipt> {
    bool begun = false;
    {
      Rows rows = transaction.Query(kReadForErase, id, user);
      if (!rows.Step()) return ReadReceipt(transaction.connection(), transaction.Query(kReceiptOfAccount, id, user));
      begun = rows.Bool(0);
      if (!begun) {
        transaction.Send(kInsertReceipt, NewUuid(now), user, id, rows.Text(1), rows.Text(2), *total, now);
      }
    }
    if (!begun) {
      std::int64_t generation = 0;
      {
        Rows rows = transaction.Query(kBegin, id, now);
        rows.Step();
        generation = rows.Int(0);
        rows.Step();
      }
      transaction.Send(kStopSchedule, id, now);
      transaction.Send(kStopCalendars, id);
      CancelWaitingJobs(transaction, id, {}, now);
      auto receipt = ReadReceipt(transaction.connection(), transaction.Query(kReceiptOfAccount, id, user));
      if (!receipt) return receipt;
      const jobs::NewJob job{.kind = std::string(jobs::kDeleteSyncedData),
                             .args = fmt::format(R"({{"erasure_id":"{}"}})", receipt->id),
                             .priority = jobs::Priority::kInteractive,
                             .unique_key = jobs::AccountKey(jobs::kDeleteSyncedData, id),
                             .max_attempts = 1000,
                             .account_id = id,
                             .generation = generation};
      if (auto inserted = InsertJob(transaction, job, now); !inserted) return Fail(std::move(inserted.error()));
      WriteAccountUpdated(transaction, user, id, now);
    }
    return ReadReceipt(transaction.connection(), transaction.Query(kReceiptOfAccount, id, user));
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<bool>> AccountStore::EraseSome(const ConnectedAccountId& id, int limit) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<bool> {
    UserId user;
    std::string erasure;
    {
      Rows rows = transaction.Query(kReadErasing, id);
      if (!rows.Step()) {
        // Gone already, or never begun: a living account is not erased by this half.
        if (transaction.Query(kAccountExists, id).Step()) {
          return Fail(ErrorCode::kConflict, "the erase of this account has not begun");
        }
        return true;
      }
      user = rows.IdOf<UserId>(0);
      erasure = rows.String(1);
    }
    Counts counts;
    const bool done = EraseChunk(transaction, id, std::max(limit, 1), now, counts);
    for (const auto& [table, deleted] : counts) {
      if (deleted > 0) transaction.Send(kAddCount, erasure, table, deleted);
    }
    if (done) {
      transaction.Send(kForgetJob, id);
      transaction.Send(kComplete, id, now);
      // Without the account's id: no row may carry it any more.
      const events::NewEvent event{
          .type = "account.updated", .user_id = user, .payload = fmt::format(R"({{"erasure_id":"{}"}})", erasure)};
      WriteEvent(transaction, event, now);
    }
    return done;
  };
  co_return co_await engine_.Write(write, Durability::kPower, Isolation::kSerializable, Urgency::kBulk);
}

Task<Result<void>> AccountStore::MarkRevoked(const ConnectedAccountId& id) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    transaction.Send(kMarkRevoked, id);
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<ErasureReceipt>> AccountStore::GetErasure(const UserId& user, std::string_view id) {
  if (!IsUuid(id)) co_return Fail(ErrorCode::kNotFound, "no such receipt");
  auto read = [&](Connection& connection) { return ReadReceipt(connection, connection.Query(kReceiptById, id, user)); };
  co_return co_await engine_.Read(read);
}

}  // namespace latchkey::storage
