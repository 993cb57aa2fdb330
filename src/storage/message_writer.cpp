#include "storage/message_writer.hpp"

#include <algorithm>
#include <utility>

#include "mail/folder_provider.hpp"
#include "storage/label_role.hpp"
#include "storage/message_content.hpp"
#include "storage/search_text.hpp"

namespace latchkey::storage {
namespace {

constexpr std::string_view kFind = R"sql(
SELECT row_id, id, version, epoch, received_at, is_read, labels FROM synced_messages
WHERE connected_account_id = $1 AND external_message_id = $2)sql";

constexpr std::string_view kInsert = R"sql(
INSERT INTO synced_messages (id, connected_account_id, external_message_id, thread_id, version, epoch, received_at,
  sent_at, subject, snippet, from_name, from_email, to_email, to_count, cc, bcc, message_id, is_read, is_starred,
  is_draft, has_attachments, truncated, size_estimate, labels, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
  $25, $25)
RETURNING row_id)sql";

// Guarded: writes nothing when nothing changed.
constexpr std::string_view kUpdate = R"sql(
UPDATE synced_messages SET thread_id = $2, received_at = $3, sent_at = $4, subject = $5, snippet = $6, from_name = $7,
  from_email = $8, to_email = $9, to_count = $10, cc = $11, bcc = $12, message_id = $13, is_read = $14,
  is_starred = $15, is_draft = $16, has_attachments = $17, truncated = $18, size_estimate = $19, labels = $20,
  updated_at = $21
WHERE row_id = $1 AND (thread_id IS NOT $2 OR received_at IS NOT $3 OR sent_at IS NOT $4 OR subject IS NOT $5
  OR snippet IS NOT $6 OR from_name IS NOT $7 OR from_email IS NOT $8 OR to_email IS NOT $9 OR to_count IS NOT $10
  OR cc IS NOT $11 OR bcc IS NOT $12 OR message_id IS NOT $13 OR is_read IS NOT $14 OR is_starred IS NOT $15
  OR is_draft IS NOT $16 OR has_attachments IS NOT $17 OR truncated IS NOT $18 OR size_estimate IS NOT $19
  OR labels IS NOT $20))sql";

constexpr std::string_view kMarkVersion =
    "UPDATE synced_messages SET version = $2, epoch = $3 WHERE row_id = $1 AND (version <> $2 OR epoch <> $3)";
constexpr std::string_view kMarkSeen = R"sql(
UPDATE synced_messages SET epoch = $3
WHERE connected_account_id = $1 AND external_message_id = $2 AND epoch < $3)sql";
constexpr std::string_view kSetLabels = R"sql(
UPDATE synced_messages SET labels = $2, is_read = $3, is_starred = $4, version = $5, epoch = max(epoch, $6),
  updated_at = $7
WHERE row_id = $1)sql";

constexpr std::string_view kInsertBody = "INSERT INTO message_bodies (message_row, body) VALUES ($1, $2)";
constexpr std::string_view kReadBody = "SELECT body FROM message_bodies WHERE message_row = $1";
constexpr std::string_view kUpdateBody = "UPDATE message_bodies SET body = $2 WHERE message_row = $1";

constexpr std::string_view kInsertAttachment = R"sql(
INSERT INTO attachments (message_row, position, part_id, provider_id, name, mime_type, content_id, size, is_inline)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql";
constexpr std::string_view kReadAttachments = R"sql(
SELECT part_id, name, mime_type, content_id, size, is_inline FROM attachments
WHERE message_row = $1 ORDER BY position)sql";
constexpr std::string_view kDeleteAttachments = "DELETE FROM attachments WHERE message_row = $1";

constexpr std::string_view kFindLabel =
    "SELECT row_id, role, removed FROM labels WHERE connected_account_id = $1 AND external_id = $2";
constexpr std::string_view kInsertLabel =
    "INSERT INTO labels (connected_account_id, external_id, name, role, visible) VALUES ($1, $2, $3, $4, $5) "
    "RETURNING row_id";
constexpr std::string_view kReviveLabel = "UPDATE labels SET removed = 0 WHERE row_id = $1";
constexpr std::string_view kUpdateLabel = R"sql(
UPDATE labels SET name = $2, role = $3, visible = $4, removed = 0
WHERE row_id = $1 AND (name <> $2 OR role <> $3 OR visible <> $4 OR removed <> 0))sql";
constexpr std::string_view kListLabels =
    "SELECT row_id, external_id, total FROM labels WHERE connected_account_id = $1 AND removed = 0";
constexpr std::string_view kRemoveLabel = "UPDATE labels SET removed = 1 WHERE row_id = $1";
constexpr std::string_view kDropLabel = "DELETE FROM labels WHERE row_id = $1";
constexpr std::string_view kCountLabel = "UPDATE labels SET total = total + $2, unread = unread + $3 WHERE row_id = $1";

constexpr std::string_view kPlace =
    "INSERT INTO message_labels (label_row, received_at, message_row) VALUES ($1, $2, $3)";
constexpr std::string_view kUnplace =
    "DELETE FROM message_labels WHERE label_row = $1 AND received_at = $2 AND message_row = $3";

constexpr std::string_view kAnyTombstones = "SELECT 1 FROM tombstones WHERE connected_account_id = $1 LIMIT 1";
constexpr std::string_view kFindTombstone =
    "SELECT 1 FROM tombstones WHERE connected_account_id = $1 AND external_id = $2 AND epoch >= $3";

constexpr std::string_view kQueue = R"sql(
INSERT INTO search_pending (message_row, stamp) VALUES ($1, $2)
ON CONFLICT (message_row) DO UPDATE SET stamp = max(stamp + 1, excluded.stamp))sql";
constexpr std::string_view kUnqueue = "DELETE FROM search_pending WHERE message_row = $1";
constexpr std::string_view kUnindex = R"sql(
INSERT INTO message_search (message_search, rowid, account, subject, people, body)
VALUES ('delete', $1, $2, $3, $4, $5))sql";
constexpr std::string_view kReadForSearch = R"sql(
SELECT m.connected_account_id, m.subject, b.body
FROM synced_messages m JOIN message_bodies b ON b.message_row = m.row_id WHERE m.row_id = $1)sql";

constexpr std::string_view kReadForDelete =
    "SELECT id, received_at, is_read, labels FROM synced_messages WHERE row_id = $1";
constexpr std::string_view kDeleteBody = "DELETE FROM message_bodies WHERE message_row = $1";
constexpr std::string_view kDeleteMessage = "DELETE FROM synced_messages WHERE row_id = $1";

std::vector<std::string> Sorted(std::vector<std::string> labels) {
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  std::erase(labels, std::string());
  return labels;
}

std::string AddressesOf(const std::vector<mail::Address>& people) {
  std::string joined;
  for (const auto& person : people) {
    if (!joined.empty()) joined += ", ";
    joined += person.address;
  }
  return joined;
}

const mail::Address& FirstOf(const std::vector<mail::Address>& people) {
  static const mail::Address kNobody;
  return people.empty() ? kNobody : people.front();
}

}  // namespace

MessageWriter::MessageWriter(Transaction& transaction, ConnectedAccountId account, std::int64_t epoch, Instant now)
    : transaction_(transaction), account_(std::move(account)), epoch_(epoch), now_(now), tombstone_mark_(epoch) {}

std::optional<MessageWriter::Stored> MessageWriter::Find(const std::string& external_id) {
  Rows rows = transaction_.Query(kFind, account_, external_id);
  if (!rows.Step()) return std::nullopt;
  return Stored{
      .row = rows.Int(0),
      .id = rows.String(1),
      .version = static_cast<std::uint64_t>(rows.Int(2)),
      .epoch = rows.Int(3),
      .placed = {.received_at = rows.Time(4), .is_read = rows.Bool(5), .labels = ParseJsonArray(rows.Text(6))}};
}

bool MessageWriter::Buried(const std::string& external_id) {
  // Nearly always there are none: asked once for the whole transaction.
  if (!any_tombstones_) any_tombstones_ = transaction_.Query(kAnyTombstones, account_).Step();
  return *any_tombstones_ && transaction_.Query(kFindTombstone, account_, external_id, tombstone_mark_).Step();
}

MessageWriter::Change MessageWriter::Upsert(const mail::Message& message, const std::string& content) {
  Placed placed{.received_at = message.received_at, .is_read = message.is_read, .labels = Sorted(message.label_ids)};
  const auto stored = Find(message.external_id);
  if (!stored) {
    if (Buried(message.external_id)) return Change::kNone;
    Insert(message, content, std::move(placed));
    return Change::kInserted;
  }
  if (message.version < stored->version) {
    MarkSeen(message.external_id);
    return Change::kStale;
  }
  const bool changed = Update(*stored, message, content, std::move(placed));
  transaction_.Execute(kMarkVersion, stored->row, static_cast<std::int64_t>(message.version),
                       std::max(stored->epoch, epoch_));
  if (!changed) return Change::kNone;
  upserted_ids_.push_back(stored->id);
  return Change::kUpdated;
}

void MessageWriter::Insert(const mail::Message& message, const std::string& content, Placed placed) {
  const std::string id = NewUuid(now_);
  const auto& from = FirstOf(message.from);
  const std::string cc = AddressesOf(message.cc);
  const std::string bcc = AddressesOf(message.bcc);
  Rows inserted = transaction_.Query(
      kInsert, id, account_, message.external_id, message.thread_id, static_cast<std::int64_t>(message.version), epoch_,
      message.received_at, message.sent_at, message.subject, message.snippet, from.name, from.address,
      AddressesOf(message.to), message.to.size(), OrNull(cc), OrNull(bcc), OrNull(message.rfc822_message_id),
      message.is_read, message.is_starred, message.is_draft, !message.attachments.empty(), message.truncated,
      message.size_estimate, ToJsonArray(placed.labels), now_);
  inserted.Step();
  const std::int64_t row = inserted.Int(0);
  transaction_.Execute(kInsertBody, row, Blob{content});
  WriteAttachments(row, message.attachments, false);
  MovePlacements(row, Placed{.received_at = message.received_at}, placed);
  QueueForSearch(row);
  upserted_ids_.push_back(id);
}

bool MessageWriter::Update(const Stored& stored, const mail::Message& message, const std::string& content,
                           Placed placed) {
  const std::int64_t row = stored.row;
  bool text_changed = false;
  {
    Rows body = transaction_.Query(kReadBody, row);
    text_changed = !body.Step() || body.Bytes(0) != content;
  }
  if (!text_changed) {
    Rows fields = transaction_.Query("SELECT subject FROM synced_messages WHERE row_id = $1", row);
    text_changed = !fields.Step() || fields.Text(0) != message.subject;
  }
  if (text_changed) ForgetInSearch(row);

  const auto& from = FirstOf(message.from);
  const std::string cc = AddressesOf(message.cc);
  const std::string bcc = AddressesOf(message.bcc);
  bool changed =
      transaction_.Execute(kUpdate, row, message.thread_id, message.received_at, message.sent_at, message.subject,
                           message.snippet, from.name, from.address, AddressesOf(message.to), message.to.size(),
                           OrNull(cc), OrNull(bcc), OrNull(message.rfc822_message_id), message.is_read,
                           message.is_starred, message.is_draft, !message.attachments.empty(), message.truncated,
                           message.size_estimate, ToJsonArray(placed.labels), now_) > 0;
  if (text_changed) {
    transaction_.Execute(kUpdateBody, row, Blob{content});
    QueueForSearch(row);
    changed = true;
  }
  changed |= WriteAttachments(row, message.attachments, true);
  MovePlacements(row, stored.placed, placed);
  return changed;
}

void MessageWriter::MarkSeen(const std::string& external_id) {
  transaction_.Execute(kMarkSeen, account_, external_id, epoch_);
}

MessageWriter::Change MessageWriter::ChangeLabels(const mail::LabelChange& change) {
  const auto stored = Find(change.external_id);
  if (!stored) return Change::kNone;
  const std::uint64_t before = versions_before_.try_emplace(change.external_id, stored->version).first->second;
  if (change.version <= before) return Change::kNone;

  std::set<std::string> labels(stored->placed.labels.begin(), stored->placed.labels.end());
  labels.insert(change.added.begin(), change.added.end());
  for (const auto& removed : change.removed) labels.erase(removed);
  labels.erase("");
  Placed placed{.received_at = stored->placed.received_at,
                .is_read = stored->placed.is_read,
                .labels = {labels.begin(), labels.end()}};
  bool starred = false;
  bool has_unread_label = false;
  for (const auto& label : placed.labels) {
    const std::string& role = LabelOf(label).role;
    starred |= role == RoleName(mail::Label::Role::kStarred);
    has_unread_label |= role == RoleName(mail::Label::Role::kUnread);
  }
  placed.is_read = !has_unread_label;
  transaction_.Execute(kSetLabels, stored->row, ToJsonArray(placed.labels), placed.is_read, starred,
                       static_cast<std::int64_t>(std::max(change.version, stored->version)), epoch_, now_);
  MovePlacements(stored->row, stored->placed, placed);
  if (placed.labels == stored->placed.labels && placed.is_read == stored->placed.is_read) return Change::kNone;
  upserted_ids_.push_back(stored->id);
  return Change::kUpdated;
}

MessageWriter::Change MessageWriter::Restate(const mail::Message& state) {
  const auto stored = Find(state.external_id);
  if (!stored) return Change::kNone;
  if (state.version < stored->version) return Change::kStale;
  const Placed placed{
      .received_at = stored->placed.received_at, .is_read = state.is_read, .labels = Sorted(state.label_ids)};
  if (placed.labels == stored->placed.labels && placed.is_read == stored->placed.is_read) {
    transaction_.Execute(kMarkVersion, stored->row, static_cast<std::int64_t>(state.version),
                         std::max(stored->epoch, epoch_));
    return Change::kNone;
  }
  transaction_.Execute(kSetLabels, stored->row, ToJsonArray(placed.labels), placed.is_read, state.is_starred,
                       static_cast<std::int64_t>(state.version), epoch_, now_);
  MovePlacements(stored->row, stored->placed, placed);
  upserted_ids_.push_back(stored->id);
  return Change::kUpdated;
}

bool MessageWriter::Delete(const std::string& external_id) {
  const auto stored = Find(external_id);
  return stored && DeleteRow(stored->row);
}

bool MessageWriter::DeleteRow(std::int64_t row, std::map<std::string, std::int64_t>* counts) {
  Placed placed;
  {
    Rows rows = transaction_.Query(kReadForDelete, row);
    if (!rows.Step()) return false;
    deleted_ids_.push_back(rows.String(0));
    placed = {.received_at = rows.Time(1), .is_read = rows.Bool(2), .labels = ParseJsonArray(rows.Text(3))};
  }
  ForgetInSearch(row);
  MovePlacements(row, placed, Placed{.received_at = placed.received_at});
  const auto attachments = transaction_.Execute(kDeleteAttachments, row);
  const auto bodies = transaction_.Execute(kDeleteBody, row);
  const auto messages = transaction_.Execute(kDeleteMessage, row);
  if (counts) {
    (*counts)["attachments"] += attachments;
    (*counts)["message_bodies"] += bodies;
    (*counts)["message_labels"] += static_cast<std::int64_t>(placed.labels.size());
    (*counts)["synced_messages"] += messages;
  }
  return true;
}

bool MessageWriter::WriteAttachments(std::int64_t row, const std::vector<mail::Attachment>& attachments, bool replace) {
  if (replace) {
    // The provider's id of an attachment may differ at every reading: it does not make a change.
    bool same = true;
    std::size_t position = 0;
    {
      Rows rows = transaction_.Query(kReadAttachments, row);
      while (same && rows.Step()) {
        same = position < attachments.size();
        if (!same) break;
        const auto& now = attachments[position++];
        same = rows.Text(0) == now.part_id && rows.Text(1) == now.name && rows.Text(2) == now.mime_type &&
               rows.Text(3) == now.content_id && rows.Int(4) == now.size && rows.Bool(5) == now.is_inline;
      }
    }
    if (same && position == attachments.size()) return false;
    transaction_.Execute(kDeleteAttachments, row);
  }
  int position = 0;
  for (const auto& attachment : attachments) {
    transaction_.Execute(kInsertAttachment, row, position++, attachment.part_id, attachment.provider_id,
                         attachment.name, attachment.mime_type, attachment.content_id, attachment.size,
                         attachment.is_inline);
  }
  return replace;
}

void MessageWriter::MovePlacements(std::int64_t row, const Placed& before, const Placed& after) {
  const bool moved = before.received_at != after.received_at;
  for (const auto& label : before.labels) {
    const bool stays = std::binary_search(after.labels.begin(), after.labels.end(), label);
    if (stays && !moved && before.is_read == after.is_read) continue;
    KnownLabel& known = LabelOf(label);
    if (!stays || moved) transaction_.Execute(kUnplace, known.row, before.received_at, row);
    --known.total;
    known.unread -= before.is_read ? 0 : 1;
  }
  for (const auto& label : after.labels) {
    const bool was = std::find(before.labels.begin(), before.labels.end(), label) != before.labels.end();
    if (was && !moved && before.is_read == after.is_read) continue;
    KnownLabel& known = LabelOf(label);
    if (std::exchange(known.removed, false)) transaction_.Execute(kReviveLabel, known.row);
    if (!was || moved) transaction_.Execute(kPlace, known.row, after.received_at, row);
    ++known.total;
    known.unread += after.is_read ? 0 : 1;
  }
}

MessageWriter::KnownLabel& MessageWriter::LabelOf(const std::string& external_id) {
  const auto found = labels_.find(external_id);
  if (found != labels_.end()) return found->second;
  KnownLabel label;
  {
    Rows rows = transaction_.Query(kFindLabel, account_, external_id);
    if (rows.Step()) label = {.row = rows.Int(0), .role = rows.String(1), .removed = rows.Bool(2)};
  }
  if (label.row == 0) {
    // A message may name a label before the list of labels is read again, and categories are in no list.
    using Role = mail::Label::Role;
    const bool category = external_id.starts_with(mail::kCategoryPrefix);
    const std::string name = category ? external_id.substr(mail::kCategoryPrefix.size()) : external_id;
    const Role role = category ? Role::kCategory : external_id == mail::kFlaggedLabel ? Role::kStarred : Role::kNone;
    Rows inserted = transaction_.Query(kInsertLabel, account_, external_id, name, RoleName(role), true);
    inserted.Step();
    label = {.row = inserted.Int(0), .role = std::string(RoleName(role))};
  }
  return labels_.emplace(external_id, label).first->second;
}

void MessageWriter::ReplaceLabels(const std::vector<mail::Label>& labels) {
  Flush();
  labels_.clear();
  std::set<std::string> listed;
  for (const auto& label : labels) {
    if (label.external_id.empty() || !listed.insert(label.external_id).second) continue;
    std::int64_t row = 0;
    {
      Rows rows = transaction_.Query(kFindLabel, account_, label.external_id);
      if (rows.Step()) row = rows.Int(0);
    }
    if (row == 0) {
      transaction_.Execute(kInsertLabel, account_, label.external_id, label.name, RoleName(label.role), label.visible);
    } else {
      transaction_.Execute(kUpdateLabel, row, label.name, RoleName(label.role), label.visible);
    }
  }
  std::vector<std::pair<std::int64_t, bool>> gone;
  {
    Rows rows = transaction_.Query(kListLabels, account_);
    while (rows.Step()) {
      const std::string id = rows.String(1);
      const bool made_of_messages = id.starts_with(mail::kCategoryPrefix) || id == mail::kFlaggedLabel;
      if (made_of_messages && rows.Int(2) > 0) continue;
      if (!listed.contains(id)) gone.emplace_back(rows.Int(0), rows.Int(2) == 0);
    }
  }
  for (const auto& [row, empty] : gone) transaction_.Execute(empty ? kDropLabel : kRemoveLabel, row);
}

void MessageWriter::Flush() {
  for (auto& [external_id, label] : labels_) {
    if (label.total != 0 || label.unread != 0) {
      transaction_.Execute(kCountLabel, label.row, label.total, label.unread);
      label.total = label.unread = 0;
    }
  }
}

void MessageWriter::QueueForSearch(std::int64_t row) { transaction_.Execute(kQueue, row, ToMicros(now_)); }

void MessageWriter::ForgetInSearch(std::int64_t row) {
  if (transaction_.Execute(kUnqueue, row) > 0) return;
  ConnectedAccountId account;
  mail::Message message;
  if (!LoadForSearch(transaction_.connection(), row, account, message)) return;
  const SearchDocument document = MakeSearchDocument(account, message);
  transaction_.Execute(kUnindex, row, document.account, document.subject, document.people, document.body);
}

bool LoadForSearch(Connection& connection, std::int64_t row, ConnectedAccountId& account, mail::Message& message) {
  Rows rows = connection.Query(kReadForSearch, row);
  if (!rows.Step()) return false;
  account = rows.IdOf<ConnectedAccountId>(0);
  message.subject = rows.String(1);
  // A body that cannot be read is indexed, and taken out, as an empty one: the same both times.
  if (!DecodeContent(rows.Bytes(2), message)) {
    const std::string subject = message.subject;
    message = {};
    message.subject = subject;
  }
  return true;
}

}  // namespace latchkey::storage
