#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "simulator/mailbox/labels.hpp"

namespace latchkey::simulator {

enum class HistoryKind : std::uint8_t {
  kMessageAdded,
  kMessageDeleted,
  kLabelsAdded,
  kLabelsRemoved,
  kTouched,  ///< Something Gmail does not name: such records carry messages[] alone (seen in recordings).
};

struct HistoryEvent {
  std::uint64_t history_id = 0;  ///< Events of one operation share it: they are one record of history.list.
  std::uint64_t message_id = 0;
  std::uint64_t thread_id = 0;
  LabelSetId labels = 0;   ///< Of the message after the change.
  LabelSetId changed = 0;  ///< The labels added or removed.
  HistoryKind kind = HistoryKind::kTouched;
};

/// What happened in a mailbox, oldest first, over a window that ends: by size, or when a test lets it expire.
class HistoryLog {
 public:
  /// About 40 bytes each. Gmail forgets by age ("at least a week"); here the number bounds the memory as well.
  static constexpr std::size_t kMaxEvents = 1'000'000;

  void Append(HistoryEvent event);
  /// Start ids below `floor` are no longer answered.
  void ExpireBelow(std::uint64_t floor);
  /// False: the records behind `start` are (partly) forgotten, the caller answers 404.
  bool Covers(std::uint64_t start) const { return start >= floor_; }
  std::uint64_t floor() const { return floor_; }

  /// Events with history_id > start, oldest first.
  std::deque<HistoryEvent>::const_iterator After(std::uint64_t start) const;
  std::deque<HistoryEvent>::const_iterator end() const { return events_.end(); }

 private:
  std::deque<HistoryEvent> events_;
  std::uint64_t floor_ = 0;
};

}  // namespace latchkey::simulator
