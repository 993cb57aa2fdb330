#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mail/message.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// The rows of one account's mailbox, written inside one transaction: messages with their bodies, attachments,
/// placements, counters and place in the search queue are always changed together here. Call Flush() before the
/// transaction ends. Writer thread.
class MessageWriter {
 public:
  MessageWriter(Transaction& transaction, ConnectedAccountId account, std::int64_t epoch, Instant now);

  /// kStale: a newer version is stored.
  enum class Change { kNone, kStale, kInserted, kUpdated };
  /// Tombstones count from this mark on instead of from the epoch, for whoever keeps them by another order.
  void RespectTombstonesFrom(std::int64_t mark) { tombstone_mark_ = mark; }
  /// Says what Upsert will be called with, so that it can be looked up in one go. Right before those calls.
  void Expect(const std::vector<mail::Message>& messages);
  /// `content`: EncodeContent(message).
  Change Upsert(const mail::Message& message, const std::string& content);
  void MarkSeen(const std::string& external_id);
  Change ChangeLabels(const mail::LabelChange& change);
  /// Where a stored message is now and how it is marked; the content stays. kNone when it is not stored.
  Change Restate(const mail::Message& state);
  /// True when there was such a message.
  bool Delete(const std::string& external_id);
  /// Deletes by key; `counts`, when given, learns the rows gone per table.
  bool DeleteRow(std::int64_t row, std::map<std::string, std::int64_t>* counts = nullptr);
  void ReplaceLabels(const std::vector<mail::Label>& labels);
  /// Writes the labels' counters.
  void Flush();

  /// Ids of what became visible or changed, and of what went, in order.
  const std::vector<std::string>& upserted_ids() const { return upserted_ids_; }
  const std::vector<std::string>& deleted_ids() const { return deleted_ids_; }

 private:
  /// What placements and counters depend on.
  struct Placed {
    Instant received_at{};
    bool is_read = true;
    std::vector<std::string> labels;
  };
  struct Stored {
    std::int64_t row = 0;
    std::string id;
    std::uint64_t version = 0;
    std::int64_t epoch = 0;
    Placed placed;
  };
  struct KnownLabel {
    std::int64_t row = 0;
    std::string role;
    bool removed = false;
    std::int64_t total = 0, unread = 0;  ///< Differences, not yet written.
  };

  static Stored ReadStored(const Rows& rows);
  /// A key for a message to insert.
  std::int64_t NewRow();
  std::optional<Stored> Find(const std::string& external_id);
  bool Buried(const std::string& external_id);
  void Insert(const mail::Message& message, const std::string& content, Placed placed);
  bool Update(const Stored& stored, const mail::Message& message, const std::string& content, Placed placed);
  bool WriteAttachments(std::int64_t row, const std::vector<mail::Attachment>& attachments, bool replace);
  void MovePlacements(std::int64_t row, const Placed& before, const Placed& after);
  KnownLabel& LabelOf(const std::string& external_id);
  void QueueForSearch(std::int64_t row);
  /// Takes the message out of the search index or out of its queue. Before its stored text changes.
  void ForgetInSearch(std::int64_t row);

  Transaction& transaction_;
  const ConnectedAccountId account_;
  const std::int64_t epoch_;
  const Instant now_;
  std::int64_t tombstone_mark_;
  std::optional<bool> any_tombstones_;
  /// What is stored of messages that are about to be looked for; nothing for a new one.
  std::map<std::string, std::optional<Stored>> expected_;
  std::deque<std::int64_t> new_rows_;
  std::map<std::string, KnownLabel> labels_;
  /// Versions before this transaction's label changes: several changes of one record carry the same version.
  std::map<std::string, std::uint64_t> versions_before_;
  std::vector<std::string> upserted_ids_, deleted_ids_;
};

/// What of a stored message search needs, for the text that is indexed or was. A content that cannot be read counts as
/// an empty one: the same both times.
mail::Message SearchableMessage(std::string subject, std::string_view content);

}  // namespace latchkey::storage
