#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "simulator/mailbox/history.hpp"
#include "simulator/mailbox/id_map.hpp"
#include "simulator/mailbox/labels.hpp"
#include "simulator/mailbox/spool.hpp"

namespace latchkey::simulator {

/// "19dda58832469c79": ids of messages and threads as Gmail shows them.
std::string FormatId(std::uint64_t id);
std::optional<std::uint64_t> ParseId(std::string_view text);

/// What the index keeps of one message (56 bytes); all else is read from the raw bytes when somebody asks.
struct StoredMessage {
  std::uint64_t id = 0;  ///< 0: the slot is free.
  std::uint64_t history_id = 0;
  std::int64_t internal_date = 0;  ///< Milliseconds since 1970.
  std::uint64_t offset = 0;        ///< Into the spool.
  std::uint32_t size = 0;          ///< Raw bytes.
  LabelSetId labels = 0;
  std::uint32_t thread = 0;          ///< Index of the thread.
  std::uint32_t next_in_thread = 0;  ///< Slot + 1 of the next message, oldest first; 0 at the end.
};

/// One person's mail at the simulated Gmail: messages, threads, labels and their history. Not synchronised: loop thread
/// only. Pointers to messages are valid until the next change. Every arbitrary choice comes from the seed.
class Mailbox {
 public:
  /// `spool` outlives the mailbox. History ids begin a little above `first_history_id`: whoever makes a mailbox anew
  /// under an old name gives a higher one, so that ids issued by the old mailbox count as expired.
  Mailbox(Spool& spool, std::uint64_t seed, std::uint64_t first_history_id = 10'000);

  struct Addition {
    std::string_view raw;
    LabelSet labels;
    std::int64_t internal_date = 0;          ///< Milliseconds since 1970.
    std::optional<std::uint64_t> thread_id;  ///< Of an existing message; absent: found by References and subject.
    std::uint64_t id = 0;                    ///< One from ReserveId; 0: a new one.
    /// Written through the API: it joins the thread that it names, if it answers a message of it under the same subject
    /// (discovery document, Message.threadId), and begins one of its own otherwise.
    bool composed = false;
    bool in_history = true;  ///< False while a mailbox is filled before anybody could look.
  };
  const StoredMessage& Add(const Addition& addition);
  /// The id that a message of that date will have when it is added later, unless one in a million takes it first.
  std::uint64_t ReserveId(std::int64_t internal_date) { return NewMessageId(internal_date); }

  const StoredMessage* Find(std::uint64_t id) const;
  std::string Raw(const StoredMessage& message) const { return spool_.Read(message.offset, message.size); }
  std::uint64_t ThreadId(const StoredMessage& message) const { return threads_[message.thread].id; }
  std::vector<std::string> LabelIds(const StoredMessage& message) const { return labels_.Ids(message.labels); }
  bool Has(const StoredMessage& message, LabelIndex label) const { return labels_.Contains(message.labels, label); }

  /// Adds, then removes labels of messages that exist, as one step of the history. True when anything changed.
  bool Modify(std::span<const std::uint64_t> ids, const LabelSet& add, const LabelSet& remove);
  /// TRASH goes on and INBOX comes off, in two records, as recorded.
  void Trash(std::span<const std::uint64_t> ids);
  void Untrash(std::span<const std::uint64_t> ids) { Modify(ids, {}, {LabelTable::kTrash}); }
  /// Permanent; unknown ids are skipped. Returns the number of messages that went.
  std::size_t Delete(std::span<const std::uint64_t> ids);
  /// Takes a user label off every message and out of the table.
  void DeleteLabel(LabelIndex label);

  /// Slots of all messages, oldest first: sorted by internal date, then by id.
  const std::vector<std::uint32_t>& Order() const;
  const StoredMessage& Slot(std::uint32_t slot) const { return messages_[slot]; }
  /// Position in Order() of the first message that is not older than (date, id).
  std::size_t PositionOf(std::int64_t internal_date, std::uint64_t id) const;

  /// Messages of a thread, oldest first; empty when there is no such thread.
  std::vector<const StoredMessage*> Thread(std::uint64_t thread_id) const;
  /// Messages whose Message-ID is `message_id` (with angle brackets).
  std::vector<const StoredMessage*> FindByMessageId(std::string_view message_id) const;

  LabelTable& labels() { return labels_; }
  const LabelTable& labels() const { return labels_; }
  const HistoryLog& history() const { return history_; }
  /// The mailbox's present historyId.
  std::uint64_t history_id() const { return history_id_; }
  /// From now on no start id issued so far is answered.
  void ExpireHistory();

  std::size_t message_count() const { return live_messages_; }
  std::size_t thread_count() const { return live_threads_; }
  struct Counters {
    std::size_t messages = 0, unread = 0, threads = 0, threads_unread = 0;
  };
  Counters CountLabel(LabelIndex label) const;
  const std::vector<std::uint64_t>& deleted_ids() const { return deleted_; }

  /// Called after each change with the labels of the messages it touched. One listener; it may not change the mailbox.
  void OnChange(std::function<void(const LabelSet& touched)> listener) { listener_ = std::move(listener); }

 private:
  struct ThreadEntry {
    std::uint64_t id = 0;
    std::uint64_t subject_hash = 0;
    std::int64_t last_date = 0;
    std::uint32_t first = 0;  ///< Slot + 1.
    std::uint32_t last = 0;
    std::uint32_t live = 0;
  };

  std::uint64_t NextRandom();
  std::uint64_t NextHistoryId();
  std::uint64_t NewMessageId(std::int64_t internal_date);
  std::uint32_t PickThread(const Addition& addition, std::uint64_t message_id);
  void LinkIntoThread(std::uint32_t slot, std::uint32_t thread);
  void UnlinkFromThread(std::uint32_t slot);
  void Record(HistoryKind kind, const StoredMessage& message, LabelSetId changed, std::uint64_t history_id);
  void Changed(const LabelSet& touched) const;
  bool ApplyLabels(std::span<const std::uint64_t> ids, const LabelSet& labels, bool add, LabelSet& touched);

  Spool& spool_;
  std::uint64_t random_;
  LabelTable labels_;
  HistoryLog history_;
  std::uint64_t history_id_ = 0;
  std::vector<StoredMessage> messages_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<ThreadEntry> threads_;
  IdMap slots_by_id_;
  IdMap threads_by_id_;
  IdMap threads_by_reference_;  ///< Hash of a Message-ID, seen or only referred to.
  IdMap threads_by_subject_;    ///< Hash of a base subject; the latest thread that has it.
  mutable std::vector<std::uint32_t> order_;
  mutable bool order_sorted_ = true;
  std::vector<std::uint64_t> deleted_;
  std::size_t live_messages_ = 0;
  std::size_t live_threads_ = 0;
  std::function<void(const LabelSet&)> listener_;
};

}  // namespace latchkey::simulator
