#include "simulator/mailbox/history.hpp"

#include <algorithm>

namespace latchkey::simulator {

void HistoryLog::Append(HistoryEvent event) {
  events_.push_back(event);
  if (events_.size() > kMaxEvents) ExpireBelow(events_.front().history_id);
}

void HistoryLog::ExpireBelow(std::uint64_t floor) {
  floor_ = std::max(floor_, floor);
  while (!events_.empty() && events_.front().history_id <= floor_) events_.pop_front();
}

std::deque<HistoryEvent>::const_iterator HistoryLog::After(std::uint64_t start) const {
  return std::ranges::upper_bound(events_, start, {}, &HistoryEvent::history_id);
}

}  // namespace latchkey::simulator
