// The part of the outbox that keeps files in pieces until a mail takes them along.

#include "storage/outbox_store.hpp"

namespace latchkey::storage {
namespace {

using mail::Upload;
using mail::UploadId;

/// From the moment it is begun.
constexpr std::chrono::hours kKept{24};
/// Of one person, files that no mail has taken yet: bytes and number.
constexpr std::int64_t kMaxKeptBytes = 200LL << 20;
constexpr std::int64_t kMaxKept = 200;

const Statement kUsage(
    "SELECT count(*), CAST(coalesce(sum(size), 0) AS bigint) FROM uploads WHERE user_id = $1 AND expires_at > $2");
const Statement kInsert(R"sql(
INSERT INTO uploads (id, user_id, name, mime_type, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6))sql");
const Statement kGet(
    "SELECT id, name, mime_type, size, complete, expires_at FROM uploads WHERE id = $1 AND user_id = $2");
const Statement kOpen(R"sql(
SELECT row_id, (SELECT count(*) FROM upload_chunks c WHERE c.upload_row = u.row_id)
FROM uploads u WHERE id = $1 AND user_id = $2 AND complete = FALSE)sql");
const Statement kInsertChunk("INSERT INTO upload_chunks (upload_row, position, bytes) VALUES ($1, $2, $3)");
const Statement kGrow("UPDATE uploads SET size = size + $2 WHERE row_id = $1");
const Statement kFinish("UPDATE uploads SET complete = TRUE WHERE id = $1 AND user_id = $2 AND complete = FALSE");
const Statement kDelete(R"sql(
DELETE FROM uploads WHERE id = $1 AND user_id = $2
  AND NOT EXISTS (SELECT 1 FROM outbox_attachments t WHERE t.upload_row = uploads.row_id))sql");
const Statement kRead(R"sql(
SELECT c.bytes FROM uploads u LEFT JOIN upload_chunks c ON c.upload_row = u.row_id AND c.position = $2
WHERE u.id = $1)sql");

Result<Upload> ReadOne(Connection& connection, const UserId& user, const UploadId& id) {
  Rows rows = connection.Query(kGet, id, user);
  if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such upload");
  return Upload{.id = rows.IdOf<UploadId>(0),
                .name = rows.String(1),
                .mime_type = rows.String(2),
                .size = rows.Int(3),
                .complete = rows.Bool(4),
                .expires_at = rows.Time(5)};
}

}  // namespace

Task<Result<Upload>> OutboxStore::BeginUpload(const UserId& user, std::string_view name, std::string_view mime_type) {
  const Instant now = clock_.Now();
  const auto id = UploadId::New(now);
  auto write = [&](Transaction& transaction) -> Result<Upload> {
    {
      Rows usage = transaction.Query(kUsage, user, now);
      usage.Step();
      if (usage.Int(0) >= kMaxKept || usage.Int(1) >= kMaxKeptBytes) {
        return Fail(ErrorCode::kConflict, "too many files wait for a mail");
      }
    }
    transaction.Send(kInsert, id, user, name, mime_type, now, now + kKept);
    return ReadOne(transaction.connection(), user, id);
  };
  co_return co_await engine_.Write(write);
}

Task<Result<void>> OutboxStore::AppendUpload(const UserId& user, const UploadId& id, std::int64_t position,
                                             std::string_view bytes) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    std::int64_t row = 0;
    {
      Rows rows = transaction.Query(kOpen, id, user);
      if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such upload in progress");
      if (rows.Int(1) != position || bytes.empty() || bytes.size() > kChunkBytes) {
        return Fail(ErrorCode::kConflict, "a piece out of order");
      }
      row = rows.Int(0);
    }
    transaction.Send(kInsertChunk, row, position, Blob{bytes});
    transaction.Send(kGrow, row, bytes.size());
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<Upload>> OutboxStore::FinishUpload(const UserId& user, const UploadId& id) {
  auto write = [&](Transaction& transaction) -> Result<Upload> {
    transaction.Send(kFinish, id, user);
    return ReadOne(transaction.connection(), user, id);
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<Upload>> OutboxStore::GetUpload(const UserId& user, const UploadId& id) {
  auto read = [&](Connection& connection) { return ReadOne(connection, user, id); };
  co_return co_await engine_.Read(read);
}

Task<Result<void>> OutboxStore::DeleteUpload(const UserId& user, const UploadId& id) {
  auto write = [&](Transaction& transaction) -> Result<void> {
    if (auto found = ReadOne(transaction.connection(), user, id); !found) return Fail(std::move(found.error()));
    if (transaction.Execute(kDelete, id, user) == 0) return Fail(ErrorCode::kConflict, "a mail holds it");
    return {};
  };
  co_return co_await engine_.Write(write);
}

Task<Result<std::string>> OutboxStore::ReadUpload(const UploadId& id, std::int64_t position) {
  auto read = [&](Connection& connection) -> Result<std::string> {
    Rows rows = connection.Query(kRead, id, position);
    if (!rows.Step()) return Fail(ErrorCode::kGone, "the file is no longer kept");
    return std::string(rows.Bytes(0));
  };
  co_return co_await engine_.Read(read);
}

}  // namespace latchkey::storage
