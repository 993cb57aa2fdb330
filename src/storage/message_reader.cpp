#include "storage/message_reader.hpp"

#include "storage/label_role.hpp"
#include "storage/message_content.hpp"
#include "storage/message_list.hpp"

namespace latchkey::storage {
namespace {

const Statement kGet(R"sql(
SELECT m.connected_account_id, m.external_message_id, m.thread_id, m.version, m.message_id, m.subject, m.sent_at,
       m.received_at, m.snippet, m.labels, m.is_read, m.is_starred, m.is_draft, m.size_estimate, m.truncated, b.body,
       m.row_id
FROM synced_messages m
JOIN connected_accounts a ON a.id = m.connected_account_id
JOIN message_bodies b ON b.message_row = m.row_id
WHERE m.id = $1 AND a.user_id = $2 AND a.disconnecting = FALSE)sql");
const Statement kAttachments(R"sql(
SELECT position, provider_id, part_id, name, mime_type, content_id, size, is_inline FROM attachments
WHERE message_row = $1 ORDER BY position)sql");
const Statement kRemoved("SELECT external_id FROM labels WHERE connected_account_id = $1 AND removed = TRUE");
// Counters, not counts: kept true by every write.
const Statement kLabels(R"sql(
SELECT l.connected_account_id, l.external_id, l.name, l.role, l.visible, l.total, l.unread
FROM connected_accounts a JOIN labels l ON l.connected_account_id = a.id
WHERE a.user_id = $1 AND a.disconnecting = FALSE AND l.removed = FALSE AND (a.id = $2 OR $2 IS NULL)
ORDER BY a.created_at, a.id, l.name)sql");
const Statement kOwns("SELECT 1 FROM connected_accounts WHERE id = $1 AND user_id = $2");

void ReadAttachments(Connection& connection, std::int64_t row, mail::StoredMessage& stored) {
  Rows rows = connection.Query(kAttachments, row);
  while (rows.Step()) {
    mail::Attachment attachment{.provider_id = rows.String(1),
                                .part_id = rows.String(2),
                                .name = rows.String(3),
                                .mime_type = rows.String(4),
                                .content_id = rows.String(5),
                                .size = rows.Int(6),
                                .is_inline = rows.Bool(7)};
    stored.message.attachments.push_back(attachment);
    stored.attachments.push_back({.id = std::to_string(rows.Int(0)), .attachment = std::move(attachment)});
  }
}

Result<mail::StoredMessage> ReadMessage(Connection& connection, const UserId& user, const MessageId& id) {
  Rows rows = connection.Query(kGet, id, user);
  if (!rows.Step()) return Fail(ErrorCode::kNotFound, "no such message");
  mail::StoredMessage stored{.id = id, .account_id = rows.IdOf<ConnectedAccountId>(0)};
  mail::Message& message = stored.message;
  message.external_id = rows.String(1);
  message.thread_id = rows.String(2);
  message.version = static_cast<std::uint64_t>(rows.Int(3));
  message.rfc822_message_id = rows.String(4);
  message.subject = rows.String(5);
  message.sent_at = rows.MaybeTime(6);
  message.received_at = rows.Time(7);
  message.snippet = rows.String(8);
  message.label_ids = ParseJsonArray(rows.Text(9));
  message.is_read = rows.Bool(10);
  message.is_starred = rows.Bool(11);
  message.is_draft = rows.Bool(12);
  message.size_estimate = rows.Int(13);
  message.truncated = rows.Bool(14);
  if (auto decoded = DecodeContent(rows.Bytes(15), message); !decoded) return Fail(std::move(decoded.error()));
  ReadAttachments(connection, rows.Int(16), stored);
  Rows removed = connection.Query(kRemoved, stored.account_id);
  while (removed.Step()) std::erase(message.label_ids, removed.String(0));
  return stored;
}

}  // namespace

Task<Result<mail::MessageList>> MessageReader::List(const mail::MessageQuery& query) {
  auto read = [&](Connection& connection) { return ListMessages(connection, query); };
  co_return co_await engine_.Read(read);
}

Task<Result<mail::StoredMessage>> MessageReader::Get(const UserId& user, const MessageId& id) {
  auto read = [&](Connection& connection) { return ReadMessage(connection, user, id); };
  co_return co_await engine_.Read(read);
}

Task<Result<std::vector<mail::LabelCount>>> MessageReader::ListLabels(const UserId& user,
                                                                      const ConnectedAccountId& account) {
  auto read = [&](Connection& connection) -> Result<std::vector<mail::LabelCount>> {
    if (!account.empty() && !connection.Query(kOwns, account, user).Step()) {
      return Fail(ErrorCode::kNotFound, "no such account");
    }
    std::vector<mail::LabelCount> labels;
    Rows rows = connection.Query(kLabels, user, OrNull(account));
    while (rows.Step()) {
      labels.push_back({.account_id = rows.IdOf<ConnectedAccountId>(0),
                        .label = {.external_id = rows.String(1),
                                  .name = rows.String(2),
                                  .role = ParseLabelRole(rows.Text(3)),
                                  .visible = rows.Bool(4)},
                        .total = rows.Int(5),
                        .unread = rows.Int(6)});
    }
    return labels;
  };
  co_return co_await engine_.Read(read);
}

}  // namespace latchkey::storage
