#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.hpp"

namespace latchkey::simulator {

/// Work for later, by the simulator's clock: redelivery of pushes, delayed dispatch, ends of channels. It runs when the
/// machine's time reaches it (the program's timer calls RunDue) and at once when the control API advances the clock
/// past it, so that a test never waits. Loop thread only; the clock outlives it.
class Schedule {
 public:
  using Action = std::move_only_function<void()>;
  using Ticket = std::uint64_t;

  /// Entries at a time; more is a client gone wild.
  static constexpr std::size_t kMaxEntries = 100'000;

  explicit Schedule(const Clock& clock) : clock_(clock) {}

  /// Runs `action` once at `due`, or at the next RunDue when that has passed. Entries of one instant run in the order
  /// they were added. 0 when there are too many already: the action is dropped.
  Ticket At(Instant due, Action action);
  /// False when it ran already, or never was.
  bool Cancel(Ticket ticket);
  /// Runs what is due, also what is added meanwhile for the past. Returns how many ran.
  std::size_t RunDue();
  /// When the next entry is due.
  std::optional<Instant> next() const;
  std::size_t size() const { return entries_.size(); }
  Instant Now() const { return clock_.Now(); }

  /// Called whenever `next` may have become earlier, so that a timer can be set anew.
  void OnEarlier(std::function<void()> rearm) { rearm_ = std::move(rearm); }

 private:
  const Clock& clock_;
  Ticket last_ticket_ = 0;
  std::map<std::pair<Instant, Ticket>, Action> entries_;
  std::map<Ticket, Instant> due_of_;
  std::function<void()> rearm_;
};

}  // namespace latchkey::simulator
