// The reading half of Mailbox.
#include <algorithm>
#include <tuple>
#include <unordered_set>

#include "simulator/mailbox/mailbox.hpp"
#include "simulator/mailbox/threading.hpp"
#include "simulator/mime/header.hpp"

namespace latchkey::simulator {

const std::vector<std::uint32_t>& Mailbox::Order() const {
  if (!order_sorted_) {
    std::ranges::sort(order_, [this](std::uint32_t a, std::uint32_t b) {
      const StoredMessage& x = messages_[a];
      const StoredMessage& y = messages_[b];
      return std::tie(x.internal_date, x.id) < std::tie(y.internal_date, y.id);
    });
    order_sorted_ = true;
  }
  return order_;
}

std::size_t Mailbox::PositionOf(std::int64_t internal_date, std::uint64_t id) const {
  const std::vector<std::uint32_t>& order = Order();
  const auto found = std::ranges::lower_bound(order, std::tuple(internal_date, id), {}, [this](std::uint32_t slot) {
    return std::tuple(messages_[slot].internal_date, messages_[slot].id);
  });
  return static_cast<std::size_t>(found - order.begin());
}

std::vector<const StoredMessage*> Mailbox::Thread(std::uint64_t thread_id) const {
  std::vector<const StoredMessage*> out;
  const std::optional<std::uint32_t> thread = thread_id == 0 ? std::nullopt : threads_by_id_.Find(thread_id);
  if (!thread) return out;
  for (std::uint32_t link = threads_[*thread].first; link != 0; link = messages_[link - 1].next_in_thread) {
    out.push_back(&messages_[link - 1]);
  }
  return out;
}

std::vector<const StoredMessage*> Mailbox::FindByMessageId(std::string_view message_id) const {
  std::vector<const StoredMessage*> out;
  const std::optional<std::uint32_t> thread = threads_by_reference_.Find(HashText(message_id));
  if (!thread) return out;
  for (const StoredMessage* message : Thread(threads_[*thread].id)) {
    const std::string raw = Raw(*message);
    if (mime::DecodeText(mime::ParseHeaderBlock(raw).Get("Message-ID")) == message_id) out.push_back(message);
  }
  return out;
}

Mailbox::Counters Mailbox::CountLabel(LabelIndex label) const {
  Counters counters;
  // Whether a set has the label and UNREAD is decided once per set, not once per message.
  std::vector<std::uint8_t> marks(labels_.set_count());
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const auto set = static_cast<LabelSetId>(i);
    if (labels_.Contains(set, label)) marks[i] = labels_.Contains(set, LabelTable::kUnread) ? 2 : 1;
  }
  std::vector<std::uint8_t> threads(threads_.size());
  for (const std::uint32_t slot : order_) {
    const std::uint8_t mark = marks[messages_[slot].labels];
    if (mark == 0) continue;
    ++counters.messages;
    if (mark == 2) ++counters.unread;
    std::uint8_t& thread = threads[messages_[slot].thread];
    if (thread == 0) ++counters.threads;
    if (mark == 2 && thread < 2) ++counters.threads_unread;
    thread = std::max(thread, mark);
  }
  return counters;
}

}  // namespace latchkey::simulator
