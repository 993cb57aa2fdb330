#include "simulator/schedule.hpp"

namespace latchkey::simulator {

Schedule::Ticket Schedule::At(Instant due, Action action) {
  if (entries_.size() >= kMaxEntries) return 0;
  const Ticket ticket = ++last_ticket_;
  entries_.emplace(std::pair(due, ticket), std::move(action));
  due_of_.emplace(ticket, due);
  if (rearm_ && entries_.begin()->first.second == ticket) rearm_();
  return ticket;
}

bool Schedule::Cancel(Ticket ticket) {
  const auto found = due_of_.find(ticket);
  if (found == due_of_.end()) return false;
  entries_.erase({found->second, ticket});
  due_of_.erase(found);
  return true;
}

std::size_t Schedule::RunDue() {
  std::size_t count = 0;
  while (!entries_.empty() && entries_.begin()->first.first <= clock_.Now()) {
    auto entry = entries_.extract(entries_.begin());
    due_of_.erase(entry.key().second);
    entry.mapped()();
    ++count;
  }
  return count;
}

std::optional<Instant> Schedule::next() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.begin()->first.first;
}

}  // namespace latchkey::simulator
