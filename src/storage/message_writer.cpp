#include "storage/message_writer.hpp"

#include <algorithm>
#include <utility>

#include "mail/folder_provider.hpp"
#include "storage/label_role.hpp"
#include "storage/message_content.hpp"
#include "storage/search_text.hpp"

namespace latchkey::storage {
namespace {

const Statement kFind(R"sql(
SELECT row_id, id, version, epoch, received_at, is_read, labels FROM synced_messages
WHERE connected_account_id = $1 AND external_message_id = $2)sql");

const Statement kInsert(R"sql(
INSERT INTO synced_messages (id, connected_account_id, external_message_id, thread_id, version, epoch, received_at,
  sent_at, subject, snippet, from_name, from_email, to_email, to_count, cc, bcc, message_id, is_read, is_starred,
  is_draft, has_attachments, truncated, size_estimate, labels, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
  $25, $25)
RETURNING row_id)sql");
// Where an answer costs a round trip, what a whole batch needs is asked for at once: what is stored of its messages
// ($2, a JSON array of their ids), and keys for the new ones, which are then inserted without waiting.
const Statement kFindAll("", R"sql(
SELECT row_id, id, version, epoch, received_at, is_read, labels, external_message_id FROM synced_messages
WHERE connected_account_id = $1 AND external_message_id IN (SELECT json_array_elements_text($2)))sql");
const Statement kNewRows("", R"sql(
SELECT nextval(pg_get_serial_sequence('synced_messages', 'row_id')) FROM generate_series(1, CAST($1 AS bigint)))sql");
const Statement kInsertAs("", R"sql(
INSERT INTO synced_messages (id, connected_account_id, external_message_id, thread_id, version, epoch, received_at,
  sent_at, subject, snippet, from_name, from_email, to_email, to_count, cc, bcc, message_id, is_read, is_starred,
  is_draft, has_attachments, truncated, size_estimate, labels, created_at, updated_at, row_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
  $25, $25, $26))sql");

// Guarded: writes nothing when nothing changed.
const Statement kUpdate(R"sql(
UPDATE synced_messages SET thread_id = $2, received_at = $3, sent_at = $4, subject = $5, snippet = $6, from_name = $7,
  from_email = $8, to_email = $9, to_count = $10, cc = $11, bcc = $12, message_id = $13, is_read = $14,
  is_starred = $15, is_draft = $16, has_attachments = $17, truncated = $18, size_estimate = $19, labels = $20,
  updated_at = $21
WHERE row_id = $1 AND (thread_id IS DISTINCT FROM $2 OR received_at IS DISTINCT FROM $3 OR sent_at IS DISTINCT FROM $4 OR subject IS DISTINCT FROM $5
  OR snippet IS DISTINCT FROM $6 OR from_name IS DISTINCT FROM $7 OR from_email IS DISTINCT FROM $8 OR to_email IS DISTINCT FROM $9 OR to_count IS DISTINCT FROM $10
  OR cc IS DISTINCT FROM $11 OR bcc IS DISTINCT FROM $12 OR message_id IS DISTINCT FROM $13 OR is_read IS DISTINCT FROM $14 OR is_starred IS DISTINCT FROM $15
  OR is_draft IS DISTINCT FROM $16 OR has_attachments IS DISTINCT FROM $17 OR truncated IS DISTINCT FROM $18 OR size_estimate IS DISTINCT FROM $19
  OR labels IS DISTINCT FROM $20))sql");

const Statement kMarkVersion(
    "UPDATE synced_messages SET version = $2, epoch = $3 WHERE row_id = $1 AND (version <> $2 OR epoch <> $3)");
const Statement kMarkSeen(R"sql(
UPDATE synced_messages SET epoch = $3
WHERE connected_account_id = $1 AND external_message_id = $2 AND epoch < $3)sql");
const Statement kSetLabels(R"sql(
UPDATE synced_messages SET labels = $2, is_read = $3, is_starred = $4, version = $5, epoch = CASE WHEN epoch > $6 THEN epoch ELSE $6 END,
  updated_at = $7
WHERE row_id = $1)sql");

const Statement kInsertBody("INSERT INTO message_bodies (message_row, body) VALUES ($1, $2)");
const Statement kReadBody("SELECT body FROM message_bodies WHERE message_row = $1");
const Statement kUpdateBody("UPDATE message_bodies SET body = $2 WHERE message_row = $1");

const Statement kInsertAttachment(R"sql(
INSERT INTO attachments (message_row, position, part_id, provider_id, name, mime_type, content_id, size, is_inline)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))sql");
const Statement kReadAttachments(R"sql(
SELECT part_id, name, mime_type, content_id, size, is_inline FROM attachments
WHERE message_row = $1 ORDER BY position)sql");
const Statement kDeleteAttachments("DELETE FROM attachments WHERE message_row = $1");

const Statement kFindLabel(
    "SELECT row_id, role, removed FROM labels WHERE connected_account_id = $1 AND external_id = $2");
const Statement kInsertLabel(
    "INSERT INTO labels (connected_account_id, external_id, name, role, visible) VALUES ($1, $2, $3, $4, $5) "
    "RETURNING row_id");
const Statement kReviveLabel("UPDATE labels SET removed = FALSE WHERE row_id = $1");
const Statement kUpdateLabel(R"sql(
UPDATE labels SET name = $2, role = $3, visible = $4, removed = FALSE
WHERE row_id = $1 AND (name <> $2 OR role <> $3 OR visible <> $4 OR removed <> FALSE))sql");
const Statement kListLabels(
    "SELECT row_id, external_id, total FROM labels WHERE connected_account_id = $1 AND removed = FALSE");
const Statement kRemoveLabel("UPDATE labels SET removed = TRUE WHERE row_id = $1");
const Statement kDropLabel("DELETE FROM labels WHERE row_id = $1");
const Statement kCountLabel("UPDATE labels SET total = total + $2, unread = unread + $3 WHERE row_id = $1");

const Statement kPlace("INSERT INTO message_labels (label_row, received_at, message_row) VALUES ($1, $2, $3)");
const Statement kUnplace("DELETE FROM message_labels WHERE label_row = $1 AND received_at = $2 AND message_row = $3");

const Statement kAnyTombstones("SELECT 1 FROM tombstones WHERE connected_account_id = $1 LIMIT 1");
const Statement kFindTombstone(
    "SELECT 1 FROM tombstones WHERE connected_account_id = $1 AND external_id = $2 AND epoch >= $3");

const Statement kQueue(R"sql(
INSERT INTO search_pending (message_row, stamp) VALUES ($1, $2)
ON CONFLICT (message_row) 
DO UPDATE SET stamp = CASE WHEN search_pending.stamp < excluded.stamp THEN excluded.stamp ELSE search_pending.stamp + 1 END)sql");
const Statement kUnqueue("DELETE FROM search_pending WHERE message_row = $1");
// SQLite's index keeps no text: it has to be told what to take out.
const Statement kUnindex(R"sql(
INSERT INTO message_search (message_search, rowid, account, subject, people, body)
VALUES ('delete', $1, $2, $3, $4, $5))sql",
                         "");
const Statement kUnindexRow("", "DELETE FROM message_search WHERE message_row = $1");
const Statement kReadForSearch(R"sql(
SELECT m.connected_account_id, m.subject, b.body
FROM synced_messages m JOIN message_bodies b ON b.message_row = m.row_id WHERE m.row_id = $1)sql",
                               "");

const Statement kReadForDelete("SELECT id, received_at, is_read, labels FROM synced_messages WHERE row_id = $1");
const Statement kDeleteBody("DELETE FROM message_bodies WHERE message_row = $1");
const Statement kDeleteMessage("DELETE FROM synced_messages WHERE row_id = $1");

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

MessageWriter::Stored MessageWriter::ReadStored(const Rows& rows) {
  return {.row = rows.Int(0),
          .id = rows.String(1),
          .version = static_cast<std::uint64_t>(rows.Int(2)),
          .epoch = rows.Int(3),
          .placed = {.received_at = rows.Time(4), .is_read = rows.Bool(5), .labels = ParseJsonArray(rows.Text(6))}};
}

void MessageWriter::Expect(const std::vector<mail::Message>& messages) {
  if (transaction_.dialect() == Dialect::kSqlite || messages.size() < 2) return;
  std::vector<std::string> ids;
  for (const auto& message : messages) {
    if (expected_.try_emplace(message.external_id).second) ids.push_back(message.external_id);
  }
  std::size_t missing = ids.size();
  {
    Rows rows = transaction_.Query(kFindAll, account_, ToJsonArray(ids));
    for (; rows.Step(); --missing) expected_[rows.String(7)] = ReadStored(rows);
  }
  if (missing == 0) return;
  Rows rows = transaction_.Query(kNewRows, missing);
  while (rows.Step()) new_rows_.push_back(rows.Int(0));
}

std::int64_t MessageWriter::NewRow() {
  if (new_rows_.empty()) {
    Rows rows = transaction_.Query(kNewRows, 1);
    while (rows.Step()) new_rows_.push_back(rows.Int(0));
  }
  const std::int64_t row = new_rows_.front();
  new_rows_.pop_front();
  return row;
}

std::optional<MessageWriter::Stored> MessageWriter::Find(const std::string& external_id) {
  // Known for the first look only: what comes after may have changed it.
  if (auto expected = expected_.extract(external_id)) return std::move(expected.mapped());
  Rows rows = transaction_.Query(kFind, account_, external_id);
  if (!rows.Step()) return std::nullopt;
  return ReadStored(rows);
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
  transaction_.Send(kMarkVersion, stored->row, static_cast<std::int64_t>(message.version),
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
  const std::string to = AddressesOf(message.to);
  const std::string labels = ToJsonArray(placed.labels);
  const auto insert = [&](auto run) {
    return run(id, account_, message.external_id, message.thread_id, static_cast<std::int64_t>(message.version), epoch_,
               message.received_at, message.sent_at, message.subject, message.snippet, from.name, from.address, to,
               message.to.size(), OrNull(cc), OrNull(bcc), OrNull(message.rfc822_message_id), message.is_read,
               message.is_starred, message.is_draft, !message.attachments.empty(), message.truncated,
               message.size_estimate, labels, now_);
  };
  std::int64_t row = 0;
  if (transaction_.dialect() == Dialect::kPostgres) {
    row = NewRow();
    insert([&](const auto&... values) { transaction_.Send(kInsertAs, values..., row); });
  } else {
    insert([&](const auto&... values) {
      Rows inserted = transaction_.Query(kInsert, values...);
      inserted.Step();
      row = inserted.Int(0);
    });
  }
  transaction_.Send(kInsertBody, row, Blob{content});
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
    transaction_.Send(kUpdateBody, row, Blob{content});
    QueueForSearch(row);
    changed = true;
  }
  changed |= WriteAttachments(row, message.attachments, true);
  MovePlacements(row, stored.placed, placed);
  return changed;
}

void MessageWriter::MarkSeen(const std::string& external_id) {
  transaction_.Send(kMarkSeen, account_, external_id, epoch_);
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
  transaction_.Send(kSetLabels, stored->row, ToJsonArray(placed.labels), placed.is_read, starred,
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
    transaction_.Send(kMarkVersion, stored->row, static_cast<std::int64_t>(state.version),
                      std::max(stored->epoch, epoch_));
    return Change::kNone;
  }
  transaction_.Send(kSetLabels, stored->row, ToJsonArray(placed.labels), placed.is_read, state.is_starred,
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
  if (!counts) {
    transaction_.Send(kDeleteAttachments, row);
    transaction_.Send(kDeleteBody, row);
    transaction_.Send(kDeleteMessage, row);
    return true;
  }
  (*counts)["attachments"] += transaction_.Execute(kDeleteAttachments, row);
  (*counts)["message_bodies"] += transaction_.Execute(kDeleteBody, row);
  (*counts)["message_labels"] += static_cast<std::int64_t>(placed.labels.size());
  (*counts)["synced_messages"] += transaction_.Execute(kDeleteMessage, row);
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
    transaction_.Send(kDeleteAttachments, row);
  }
  int position = 0;
  for (const auto& attachment : attachments) {
    transaction_.Send(kInsertAttachment, row, position++, attachment.part_id, attachment.provider_id, attachment.name,
                      attachment.mime_type, attachment.content_id, attachment.size, attachment.is_inline);
  }
  return replace;
}

void MessageWriter::MovePlacements(std::int64_t row, const Placed& before, const Placed& after) {
  const bool moved = before.received_at != after.received_at;
  for (const auto& label : before.labels) {
    const bool stays = std::binary_search(after.labels.begin(), after.labels.end(), label);
    if (stays && !moved && before.is_read == after.is_read) continue;
    KnownLabel& known = LabelOf(label);
    if (!stays || moved) transaction_.Send(kUnplace, known.row, before.received_at, row);
    --known.total;
    known.unread -= before.is_read ? 0 : 1;
  }
  for (const auto& label : after.labels) {
    const bool was = std::find(before.labels.begin(), before.labels.end(), label) != before.labels.end();
    if (was && !moved && before.is_read == after.is_read) continue;
    KnownLabel& known = LabelOf(label);
    if (std::exchange(known.removed, false)) transaction_.Send(kReviveLabel, known.row);
    if (!was || moved) transaction_.Send(kPlace, known.row, after.received_at, row);
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
      transaction_.Send(kInsertLabel, account_, label.external_id, label.name, RoleName(label.role), label.visible);
    } else {
      transaction_.Send(kUpdateLabel, row, label.name, RoleName(label.role), label.visible);
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
      transaction_.Send(kCountLabel, label.row, label.total, label.unread);
      label.total = label.unread = 0;
    }
  }
}

void MessageWriter::QueueForSearch(std::int64_t row) { transaction_.Send(kQueue, row, ToMicros(now_)); }

void MessageWriter::ForgetInSearch(std::int64_t row) {
  if (transaction_.dialect() == Dialect::kPostgres) {
    transaction_.Send(kUnqueue, row);
    transaction_.Send(kUnindexRow, row);
    return;
  }
  if (transaction_.Execute(kUnqueue, row) > 0) return;
  Rows rows = transaction_.Query(kReadForSearch, row);
  if (!rows.Step()) return;
  const auto message = SearchableMessage(rows.String(1), rows.Bytes(2));
  const SearchDocument document = MakeSearchDocument(rows.IdOf<ConnectedAccountId>(0), message);
  transaction_.Send(kUnindex, row, document.account, document.subject, document.people, document.body);
}

mail::Message SearchableMessage(std::string subject, std::string_view content) {
  mail::Message message;
  if (!DecodeContent(content, message)) message = {};
  message.subject = std::move(subject);
  return message;
}

}  // namespace latchkey::storage
