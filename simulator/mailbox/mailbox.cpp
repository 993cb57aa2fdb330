#include "simulator/mailbox/mailbox.hpp"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "simulator/mailbox/threading.hpp"

namespace latchkey::simulator {
namespace {

constexpr std::int64_t kSubjectWindow = 7LL * 24 * 3600 * 1000;
constexpr std::size_t kMaxDeletedIds = 1'000'000;

struct DateThenId {
  std::int64_t date;
  std::uint64_t id;
  friend auto operator<=>(const DateThenId&, const DateThenId&) = default;
};

LabelSet With(const LabelSet& set, const LabelSet& added) {
  LabelSet out;
  std::ranges::set_union(set, added, std::back_inserter(out));
  return out;
}

LabelSet Without(const LabelSet& set, const LabelSet& removed) {
  LabelSet out;
  std::ranges::set_difference(set, removed, std::back_inserter(out));
  return out;
}

}  // namespace

std::string FormatId(std::uint64_t id) { return fmt::format("{:016x}", id); }

std::optional<std::uint64_t> ParseId(std::string_view text) {
  if (text.empty() || text.size() > 16) return std::nullopt;
  std::uint64_t id = 0;
  for (char c : text) {
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint64_t>(c - 'a' + 10);
    } else {
      return std::nullopt;
    }
    id = id << 4 | digit;
  }
  return id;
}

Mailbox::Mailbox(Spool& spool, std::uint64_t seed, std::uint64_t first_history_id) : spool_(spool), random_(seed) {
  history_id_ = first_history_id + NextRandom() % 1'000;
  history_.ExpireBelow(history_id_);
}

std::uint64_t Mailbox::NextRandom() {
  random_ += 0x9E3779B97F4A7C15ULL;  // splitmix64
  std::uint64_t z = random_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

std::uint64_t Mailbox::NextHistoryId() {
  // Gaps as recorded: most steps are small, some are not.
  const std::uint64_t roll = NextRandom();
  return history_id_ += roll % 4 == 0 ? 1 + (roll >> 8) % 40 : 1 + (roll >> 8) % 3;
}

std::uint64_t Mailbox::NewMessageId(std::int64_t internal_date) {
  // As Gmail's look: milliseconds in front, twenty bits of something behind.
  const auto time = static_cast<std::uint64_t>(std::max<std::int64_t>(internal_date, 1)) & ((1ULL << 43) - 1);
  std::uint64_t id = time << 20 | (NextRandom() & 0xFFFFF);
  while (id == 0 || slots_by_id_.Find(id)) ++id;
  return id;
}

std::uint32_t Mailbox::PickThread(const Addition& addition, std::uint64_t message_id) {
  const ThreadingKeys keys = ReadThreadingKeys(addition.raw);
  std::optional<std::uint32_t> found;
  const auto accept = [&](std::optional<std::uint32_t> thread) {
    // Gmail keeps a conversation together only while its subject stays the same.
    if (!found && thread && threads_[*thread].live > 0 && threads_[*thread].subject_hash == keys.subject) {
      found = thread;
    }
  };
  if (addition.thread_id) {
    found = threads_by_id_.Find(*addition.thread_id);
    if (found && threads_[*found].live == 0) found.reset();
  }
  if (addition.composed) {
    const bool answers = found && std::ranges::any_of(keys.references, [&](std::uint64_t reference) {
                           return threads_by_reference_.Find(reference) == found;
                         });
    if (!answers || threads_[*found].subject_hash != keys.subject) found.reset();
  } else {
    for (const std::uint64_t reference : keys.references) accept(threads_by_reference_.Find(reference));
    // A parent that comes after its answer.
    if (keys.message_id != 0) accept(threads_by_reference_.Find(keys.message_id));
  }
  if (!addition.composed && keys.is_reply && keys.references.empty() && keys.subject != 0) {
    const std::optional<std::uint32_t> same = threads_by_subject_.Find(keys.subject);
    if (same && std::abs(threads_[*same].last_date - addition.internal_date) < kSubjectWindow) accept(same);
  }
  if (!found) {
    found = static_cast<std::uint32_t>(threads_.size());
    threads_.push_back({.id = message_id, .subject_hash = keys.subject, .last_date = addition.internal_date});
    threads_by_id_.Set(message_id, *found);
  }
  if (keys.message_id != 0) threads_by_reference_.Set(keys.message_id, *found);
  for (const std::uint64_t reference : keys.references) {
    if (!threads_by_reference_.Find(reference)) threads_by_reference_.Set(reference, *found);
  }
  if (keys.subject != 0) threads_by_subject_.Set(keys.subject, *found);
  return *found;
}

void Mailbox::LinkIntoThread(std::uint32_t slot, std::uint32_t thread) {
  ThreadEntry& entry = threads_[thread];
  StoredMessage& message = messages_[slot];
  message.thread = thread;
  message.next_in_thread = 0;
  if (entry.live++ == 0) ++live_threads_;
  entry.last_date = std::max(entry.last_date, message.internal_date);
  const auto key = [](const StoredMessage& m) { return DateThenId{m.internal_date, m.id}; };
  if (entry.first == 0 || key(messages_[entry.last - 1]) < key(message)) {
    (entry.first == 0 ? entry.first : messages_[entry.last - 1].next_in_thread) = slot + 1;
    entry.last = slot + 1;
    return;
  }
  std::uint32_t* link = &entry.first;
  while (*link != 0 && key(messages_[*link - 1]) < key(message)) link = &messages_[*link - 1].next_in_thread;
  message.next_in_thread = *link;
  *link = slot + 1;
}

void Mailbox::UnlinkFromThread(std::uint32_t slot) {
  ThreadEntry& entry = threads_[messages_[slot].thread];
  std::uint32_t previous = 0;
  std::uint32_t* link = &entry.first;
  while (*link != slot + 1) {
    previous = *link;
    link = &messages_[*link - 1].next_in_thread;
  }
  *link = messages_[slot].next_in_thread;
  if (entry.last == slot + 1) entry.last = previous;
  if (--entry.live == 0) --live_threads_;
}

void Mailbox::Record(HistoryKind kind, const StoredMessage& message, LabelSetId changed, std::uint64_t history_id) {
  history_.Append({.history_id = history_id,
                   .message_id = message.id,
                   .thread_id = ThreadId(message),
                   .labels = message.labels,
                   .changed = changed,
                   .kind = kind});
}

void Mailbox::Changed(const LabelSet& touched) const {
  if (listener_) listener_(touched);
}

const StoredMessage& Mailbox::Add(const Addition& addition) {
  StoredMessage message;
  const bool reserved = addition.id != 0 && !slots_by_id_.Find(addition.id);
  message.id = reserved ? addition.id : NewMessageId(addition.internal_date);
  message.history_id = NextHistoryId();
  message.internal_date = addition.internal_date;
  message.offset = spool_.Append(addition.raw);
  message.size = static_cast<std::uint32_t>(addition.raw.size());
  message.labels = labels_.Intern(addition.labels);
  const std::uint32_t thread = PickThread(addition, message.id);
  std::uint32_t slot = static_cast<std::uint32_t>(messages_.size());
  if (free_slots_.empty()) {
    messages_.push_back(message);
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    messages_[slot] = message;
  }
  slots_by_id_.Set(message.id, slot);
  LinkIntoThread(slot, thread);
  if (!order_.empty()) {
    const StoredMessage& newest = messages_[order_.back()];
    if (DateThenId{message.internal_date, message.id} < DateThenId{newest.internal_date, newest.id}) {
      order_sorted_ = false;
    }
  }
  order_.push_back(slot);
  ++live_messages_;
  if (addition.in_history) {
    Record(HistoryKind::kMessageAdded, messages_[slot], 0, message.history_id);
    // Now and then Gmail adds a record that says nothing but the message's id.
    if (NextRandom() % 8 == 0) {
      messages_[slot].history_id = NextHistoryId();
      Record(HistoryKind::kTouched, messages_[slot], 0, messages_[slot].history_id);
    }
    Changed(addition.labels);
  } else {
    history_.ExpireBelow(history_id_);
  }
  return messages_[slot];
}

const StoredMessage* Mailbox::Find(std::uint64_t id) const {
  const std::optional<std::uint32_t> slot = id == 0 ? std::nullopt : slots_by_id_.Find(id);
  return slot ? &messages_[*slot] : nullptr;
}

bool Mailbox::ApplyLabels(std::span<const std::uint64_t> ids, const LabelSet& labels, bool add, LabelSet& touched) {
  std::uint64_t history_id = 0;
  for (const std::uint64_t id : ids) {
    const std::optional<std::uint32_t> slot = slots_by_id_.Find(id);
    if (!slot) continue;
    StoredMessage& message = messages_[*slot];
    const LabelSet before = labels_.Set(message.labels);
    LabelSet after = add ? With(before, labels) : Without(before, labels);
    if (after == before) continue;
    const LabelSet difference = add ? Without(after, before) : Without(before, after);
    touched = With(With(touched, before), difference);
    if (history_id == 0) history_id = NextHistoryId();
    message.labels = labels_.Intern(std::move(after));
    message.history_id = history_id;
    const LabelSetId changed = labels_.Intern(difference);
    Record(add ? HistoryKind::kLabelsAdded : HistoryKind::kLabelsRemoved, message, changed, history_id);
  }
  return history_id != 0;
}

bool Mailbox::Modify(std::span<const std::uint64_t> ids, const LabelSet& add, const LabelSet& remove) {
  LabelSet add_sorted = add;
  LabelSet remove_sorted = remove;
  std::ranges::sort(add_sorted);
  std::ranges::sort(remove_sorted);
  LabelSet touched;
  const bool added = !add_sorted.empty() && ApplyLabels(ids, add_sorted, true, touched);
  const bool removed = !remove_sorted.empty() && ApplyLabels(ids, remove_sorted, false, touched);
  if (added || removed) Changed(touched);
  return added || removed;
}

void Mailbox::Trash(std::span<const std::uint64_t> ids) { Modify(ids, {LabelTable::kTrash}, {LabelTable::kInbox}); }

std::size_t Mailbox::Delete(std::span<const std::uint64_t> ids) {
  std::unordered_set<std::uint32_t> gone;
  LabelSet touched;
  std::uint64_t history_id = 0;
  for (const std::uint64_t id : ids) {
    const std::optional<std::uint32_t> slot = id == 0 ? std::nullopt : slots_by_id_.Find(id);
    if (!slot) continue;
    if (history_id == 0) history_id = NextHistoryId();
    Record(HistoryKind::kMessageDeleted, messages_[*slot], 0, history_id);
    touched = With(touched, labels_.Set(messages_[*slot].labels));
    UnlinkFromThread(*slot);
    slots_by_id_.Erase(id);
    if (deleted_.size() < kMaxDeletedIds) deleted_.push_back(id);
    gone.insert(*slot);
    --live_messages_;
  }
  if (gone.empty()) return 0;
  std::erase_if(order_, [&](std::uint32_t slot) { return gone.contains(slot); });
  for (const std::uint32_t slot : gone) {
    messages_[slot] = StoredMessage{};
    free_slots_.push_back(slot);
  }
  Changed(touched);
  return gone.size();
}

void Mailbox::DeleteLabel(LabelIndex label) {
  std::vector<std::uint64_t> ids;
  for (const std::uint32_t slot : order_) {
    if (Has(messages_[slot], label)) ids.push_back(messages_[slot].id);
  }
  Modify(ids, {}, {label});
  labels_.at(label).deleted = true;
}

void Mailbox::ExpireHistory() {
  NextHistoryId();
  history_.ExpireBelow(history_id_);
}

}  // namespace latchkey::simulator
