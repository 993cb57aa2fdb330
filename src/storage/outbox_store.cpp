#include "storage/outbox_store.hpp"

#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "storage/message_content.hpp"

namespace latchkey::storage {
namespace {

using mail::OutboxEntry;
using mail::OutboxId;
using mail::OutboxState;
using mail::OutgoingMail;

/// Mails of one person that wait; more is no mail any more but a flood.
constexpr std::int64_t kMaxWaiting = 500;

const std::string kEntries = R"sql(
SELECT o.id, o.user_id, o.connected_account_id, o.state, o.error_code, o.subject, o.content, o.message_id, o.relation,
       o.related_external_id, o.thread_id, o.handed_over_at, o.checks, o.resend, o.draft_id, o.external_id,
       o.created_at, o.send_at, o.sent_at, o.row_id,
       (SELECT m.id FROM synced_messages m WHERE m.connected_account_id = o.connected_account_id
          AND m.external_message_id = o.external_id AND o.external_id <> '' AND m.is_draft = FALSE)
FROM outbox o JOIN connected_accounts a ON a.id = o.connected_account_id )sql";
const Statement kOne(kEntries + "WHERE o.id = $1 AND (o.user_id = $2 OR $2 IS NULL) AND a.disconnecting = FALSE");
const Statement kList(kEntries + R"sql(
WHERE o.user_id = $1 AND o.row_id < $2 AND (o.connected_account_id = $3 OR $3 IS NULL) AND a.disconnecting = FALSE
  AND o.dismissed = FALSE AND o.state <> 'cancelled'
ORDER BY o.row_id DESC LIMIT $4)sql");
const Statement kAttachments(R"sql(
SELECT u.id, t.name, t.mime_type, t.content_id, t.size, t.is_inline
FROM outbox_attachments t LEFT JOIN uploads u ON u.row_id = t.upload_row
WHERE t.outbox_row = $1 ORDER BY t.position)sql");

const Statement kByKey("SELECT id, request_hash FROM outbox WHERE user_id = $1 AND idempotency_key = $2");
const Statement kAccount("SELECT generation, disconnecting FROM connected_accounts WHERE id = $1 AND user_id = $2");
const Statement kCountWaiting("SELECT count(*) FROM outbox WHERE user_id = $1 AND state IN ('queued', 'sending')");
const Statement kInsert(R"sql(
INSERT INTO outbox (id, user_id, connected_account_id, state, idempotency_key, request_hash, subject, content,
                    message_id, relation, related_external_id, thread_id, created_at, send_at, updated_at)
VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $12)
RETURNING row_id)sql");
const Statement kHoldUpload(R"sql(
UPDATE uploads SET connected_account_id = $3
WHERE id = $1 AND user_id = $2 AND complete = TRUE AND (connected_account_id IS NULL OR connected_account_id = $3)
RETURNING row_id)sql");
const Statement kUploadExists("SELECT 1 FROM uploads WHERE id = $1 AND user_id = $2");
const Statement kAttach(R"sql(
INSERT INTO outbox_attachments (outbox_row, position, upload_row, name, mime_type, content_id, size, is_inline)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8))sql");

const Statement kTakeBack(
    "UPDATE outbox SET state = 'cancelled', updated_at = $2 WHERE id = $1 AND state IN ('queued', 'held')");
const Statement kPutAside(R"sql(
UPDATE outbox SET dismissed = TRUE, updated_at = $2 WHERE id = $1 AND state IN ('failed', 'unconfirmed', 'sent', 'cancelled'))sql");
const Statement kFreeUploads(R"sql(
UPDATE outbox_attachments SET upload_row = NULL
WHERE outbox_row = (SELECT row_id FROM outbox WHERE id = $1) AND upload_row IS NOT NULL)sql");
const Statement kCancelJob(R"sql(
UPDATE jobs SET state = 'cancelled', finalized_at = $2
WHERE unique_key = $1 AND state IN ('available', 'scheduled', 'retryable'))sql");
// What was never handed over begins anew; what may be out stays "sending", so that it is looked for before anything.
// Whoever lets a held mail go has decided: when it is not found, it is sent.
const Statement kAgain(R"sql(
UPDATE outbox SET state = CASE WHEN handed_over_at IS NULL THEN 'queued' ELSE 'sending' END,
  resend = handed_over_at IS NOT NULL AND ($3 OR state = 'held'), error_code = NULL, checks = 0, dismissed = FALSE, send_at = $2, updated_at = $2
WHERE id = $1 AND state IN ('failed', 'unconfirmed', 'held'))sql");
const Statement kUserOf("SELECT user_id, connected_account_id FROM outbox WHERE id = $1");

OutgoingMail::Relation RelationOf(std::string_view text) {
  if (text == "reply") return OutgoingMail::Relation::kReply;
  return text == "forward" ? OutgoingMail::Relation::kForward : OutgoingMail::Relation::kNew;
}

mail::Message ContentOf(const OutgoingMail& outgoing) {
  mail::Message content;
  content.from = {outgoing.from};
  content.to = outgoing.to;
  content.cc = outgoing.cc;
  content.bcc = outgoing.bcc;
  content.text = outgoing.text;
  content.html = outgoing.html;
  content.in_reply_to = outgoing.in_reply_to;
  content.references = outgoing.references;
  return content;
}

Result<OutboxEntry> ReadEntry(Connection& connection, const Rows& rows, bool with_texts) {
  OutboxEntry entry{.id = rows.IdOf<OutboxId>(0),
                    .user_id = rows.IdOf<UserId>(1),
                    .account_id = rows.IdOf<ConnectedAccountId>(2),
                    .state = mail::ParseOutboxState(rows.Text(3)).value_or(OutboxState::kHeld)};
  if (!rows.IsNull(4)) entry.error = ParseErrorCode(rows.Text(4)).value_or(ErrorCode::kInternal);
  OutgoingMail& outgoing = entry.mail;
  mail::Message content;
  if (auto decoded = DecodeContent(rows.Bytes(6), content); !decoded) return Fail(std::move(decoded.error()));
  if (!content.from.empty()) outgoing.from = std::move(content.from.front());
  outgoing.to = std::move(content.to);
  outgoing.cc = std::move(content.cc);
  outgoing.bcc = std::move(content.bcc);
  outgoing.subject = rows.String(5);
  if (with_texts) {
    outgoing.text = std::move(content.text);
    outgoing.html = std::move(content.html);
  }
  outgoing.in_reply_to = std::move(content.in_reply_to);
  outgoing.references = std::move(content.references);
  outgoing.message_id = rows.String(7);
  outgoing.relation = RelationOf(rows.Text(8));
  outgoing.related_external_id = rows.String(9);
  outgoing.thread_id = rows.String(10);
  entry.handed_over_at = rows.MaybeTime(11);
  entry.checks = static_cast<int>(rows.Int(12));
  entry.resend = rows.Bool(13);
  entry.draft_id = rows.String(14);
  entry.external_id = rows.String(15);
  entry.created_at = rows.Time(16);
  entry.send_at = rows.Time(17);
  entry.sent_at = rows.MaybeTime(18);
  if (!rows.IsNull(20)) entry.synced = rows.IdOf<MessageId>(20);
  Rows attachments = connection.Query(kAttachments, rows.Int(19));
  while (attachments.Step()) {
    outgoing.attachments.push_back(
        {.upload = attachments.IsNull(0) ? mail::UploadId() : attachments.IdOf<mail::UploadId>(0),
         .name = attachments.String(1),
         .mime_type = attachments.String(2),
         .content_id = attachments.String(3),
         .size = attachments.Int(4),
         .is_inline = attachments.Bool(5)});
  }
  return entry;
}

Result<void> Attach(Transaction& transaction, std::int64_t row, const OutboxEntry& entry) {
  std::int64_t position = 0;
  for (const auto& attachment : entry.mail.attachments) {
    std::int64_t upload = 0;
    {
      Rows held = transaction.Query(kHoldUpload, attachment.upload, entry.user_id, entry.account_id);
      if (!held.Step()) {
        if (!transaction.Query(kUploadExists, attachment.upload, entry.user_id).Step()) {
          return Fail(ErrorCode::kNotFound, "no such upload");
        }
        return Fail(ErrorCode::kConflict, "the upload is incomplete or belongs to another account's mail");
      }
      upload = held.Int(0);
      held.Step();
    }
    transaction.Send(kAttach, row, position++, upload, attachment.name, attachment.mime_type, attachment.content_id,
                     attachment.size, attachment.is_inline);
  }
  return {};
}

Result<OutboxEntry> Require(Connection& connection, const OutboxId& id, const UserId& user) {
  auto found = FindOutboxEntry(connection, id, user);
  if (!found) return Fail(ErrorCode::kNotFound, "no such mail in the outbox");
  return std::move(*found);
}

/// The entry of an earlier request with this key, if there is one.
std::optional<Result<OutboxEntry>> Earlier(Connection& connection, const UserId& user, std::string_view key,
                                           std::string_view request_hash) {
  Rows rows = connection.Query(kByKey, user, key);
  if (!rows.Step()) return std::nullopt;
  if (rows.Text(1) != request_hash) return Fail(ErrorCode::kIdempotencyKeyReused, "the key was used for another mail");
  return Require(connection, rows.IdOf<OutboxId>(0), user);
}

}  // namespace

std::optional<Result<OutboxEntry>> FindOutboxEntry(Connection& connection, const OutboxId& id, const UserId& user) {
  Rows rows = connection.Query(kOne, id, OrNull(user));
  if (!rows.Step()) return std::nullopt;
  return ReadEntry(connection, rows, true);
}

void WriteOutboxChanged(Transaction& transaction, const OutboxId& id, Instant now) {
  Rows rows = transaction.Query(kUserOf, id);
  if (!rows.Step()) return;
  const auto account = rows.IdOf<ConnectedAccountId>(1);
  const events::NewEvent event{.type = "outbox.changed",
                               .user_id = rows.IdOf<UserId>(0),
                               .account_id = account,
                               .payload = fmt::format(R"({{"account_id":"{}","outbox_id":"{}"}})", account, id)};
  WriteEvent(transaction, event, now);
}

Result<void> InsertSendJob(Transaction& transaction, const OutboxId& id, const ConnectedAccountId& account,
                           std::int64_t generation, Instant due, Instant now) {
  const jobs::NewJob job{.kind = std::string(mail::kSendEmailKind),
                         .args = fmt::format(R"({{"outbox_id":"{}"}})", id),
                         .priority = jobs::Priority::kInteractive,
                         .unique_key = mail::SendKey(id),
                         .scheduled_at = due,
                         .max_attempts = 1000,
                         .account_id = account,
                         .generation = generation};
  auto inserted = InsertJob(transaction, job, now);
  if (!inserted) return Fail(std::move(inserted.error()));
  return {};
}

Task<Result<OutboxStore::Accepted>> OutboxStore::Enqueue(const NewEntry& wanted) {
  const Instant now = clock_.Now();
  const OutboxEntry& entry = wanted.entry;
  const OutgoingMail& outgoing = entry.mail;
  const auto content = ContentOf(outgoing);
  auto pack = [&]() -> Result<std::string> { return EncodeContent(content); };
  const auto packed = co_await engine_.Compute(pack);
  if (!packed) co_return Fail(packed.error());
  auto write = [&](Transaction& transaction) -> Result<Accepted> {
    if (auto earlier = Earlier(transaction.connection(), entry.user_id, wanted.idempotency_key, wanted.request_hash)) {
      if (!*earlier) return Fail(std::move(earlier->error()));
      return Accepted{.entry = std::move(**earlier), .repeated = true};
    }
    std::int64_t generation = 0;
    {
      Rows account = transaction.Query(kAccount, entry.account_id, entry.user_id);
      if (!account.Step()) return Fail(ErrorCode::kNotFound, "no such account");
      if (account.Bool(1)) return Fail(ErrorCode::kFenced, "the account is being erased");
      generation = account.Int(0);
    }
    {
      Rows waiting = transaction.Query(kCountWaiting, entry.user_id);
      waiting.Step();
      if (waiting.Int(0) >= kMaxWaiting) return Fail(ErrorCode::kTooManyRequests, "too many mails wait already");
    }
    Rows inserted = transaction.Query(kInsert, entry.id, entry.user_id, entry.account_id, wanted.idempotency_key,
                                      wanted.request_hash, outgoing.subject, Blob{*packed}, outgoing.message_id,
                                      mail::ToString(outgoing.relation), outgoing.related_external_id,
                                      outgoing.thread_id, now, entry.send_at);
    inserted.Step();
    if (auto attached = Attach(transaction, inserted.Int(0), entry); !attached) {
      return Fail(std::move(attached.error()));
    }
    if (auto queued = InsertSendJob(transaction, entry.id, entry.account_id, generation, entry.send_at, now); !queued) {
      return Fail(std::move(queued.error()));
    }
    WriteOutboxChanged(transaction, entry.id, now);
    auto stored = Require(transaction.connection(), entry.id, entry.user_id);
    if (!stored) return Fail(std::move(stored.error()));
    return Accepted{.entry = std::move(*stored)};
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<OutboxEntry>> OutboxStore::FindByKey(const UserId& user, std::string_view key,
                                                 std::string_view request_hash) {
  auto read = [&](Connection& connection) -> Result<OutboxEntry> {
    auto earlier = Earlier(connection, user, key, request_hash);
    if (!earlier) return Fail(ErrorCode::kNotFound, "a new key");
    return std::move(*earlier);
  };
  co_return co_await engine_.Read(read);
}

Task<Result<OutboxEntry>> OutboxStore::Get(const UserId& user, const OutboxId& id) {
  auto read = [&](Connection& connection) { return Require(connection, id, user); };
  co_return co_await engine_.Read(read);
}

Task<Result<mail::OutboxPage>> OutboxStore::List(const UserId& user, const ConnectedAccountId& account,
                                                 std::string_view cursor, int limit) {
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  if (!cursor.empty()) {
    const char* end = cursor.data() + cursor.size();
    const auto parsed = std::from_chars(cursor.data(), end, before);
    if (parsed.ec != std::errc() || parsed.ptr != end) co_return Fail(ErrorCode::kInvalidArgument, "not our cursor");
  }
  auto read = [&](Connection& connection) -> Result<mail::OutboxPage> {
    mail::OutboxPage page;
    std::int64_t last = 0;
    Rows rows = connection.Query(kList, user, before, OrNull(account), limit + 1);
    while (rows.Step()) {
      if (static_cast<int>(page.items.size()) == limit) {
        page.next_cursor = std::to_string(last);
        break;
      }
      auto entry = ReadEntry(connection, rows, false);
      if (!entry) return Fail(std::move(entry.error()));
      page.items.push_back(std::move(*entry));
      last = rows.Int(19);
    }
    return page;
  };
  co_return co_await engine_.Read(read);
}

Task<Result<OutboxEntry>> OutboxStore::Dismiss(const UserId& user, const OutboxId& id) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<OutboxEntry> {
    auto entry = Require(transaction.connection(), id, user);
    if (!entry) return entry;
    if (transaction.Execute(kTakeBack, id, now) == 1) {
      // What an earlier attempt left at the provider is removed by the job.
      if (entry->draft_id.empty()) transaction.Send(kCancelJob, mail::SendKey(id), now);
    } else if (transaction.Execute(kPutAside, id, now) == 0) {
      return Fail(ErrorCode::kConflict, "the mail is on its way");
    }
    transaction.Send(kFreeUploads, id);
    WriteOutboxChanged(transaction, id, now);
    return Require(transaction.connection(), id, user);
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

Task<Result<OutboxEntry>> OutboxStore::Retry(const UserId& user, const OutboxId& id, bool confirmed) {
  const Instant now = clock_.Now();
  auto write = [&](Transaction& transaction) -> Result<OutboxEntry> {
    auto entry = Require(transaction.connection(), id, user);
    if (!entry) return entry;
    if (entry->state == OutboxState::kSent) return Fail(ErrorCode::kConflict, "the mail is sent");
    for (const auto& attachment : entry->mail.attachments) {
      if (attachment.upload.empty()) return Fail(ErrorCode::kGone, "its attachments are no longer kept");
    }
    if (transaction.Execute(kAgain, id, now, confirmed) == 0)
      return Fail(ErrorCode::kConflict, "the mail waits for nobody");
    Rows account = transaction.Query(kAccount, entry->account_id, user);
    account.Step();
    if (auto queued = InsertSendJob(transaction, id, entry->account_id, account.Int(0), now, now); !queued) {
      return Fail(std::move(queued.error()));
    }
    WriteOutboxChanged(transaction, id, now);
    return Require(transaction.connection(), id, user);
  };
  co_return co_await engine_.Write(write, Durability::kPower);
}

}  // namespace latchkey::storage
