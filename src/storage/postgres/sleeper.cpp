#include "storage/postgres/sleeper.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "async/fiber.hpp"

namespace latchkey::storage::postgres {

using Clock = std::chrono::steady_clock;

// Shared with the timer's handler, which may be on its way when the sleeper goes.
struct Sleeper::State : std::enable_shared_from_this<Sleeper::State> {
  explicit State(boost::asio::io_context& loop) : context(loop), timer(loop) {}

  /// Deadlines are far away and nearly never reached: the timer stays where it is while it is early enough, and is set
  /// anew when it fires before its time.
  void Arm() {
    if (armed_until <= deadline) return;
    armed_until = deadline;
    timer.expires_at(deadline);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error) return;
      self->armed_until = TimePoint::max();
      if (!self->fiber) return;
      if (Clock::now() >= self->deadline) {
        self->Rouse();
      } else {
        self->Arm();
      }
    });
  }
  void Rouse() { std::exchange(fiber, nullptr)->Resume(); }

  boost::asio::io_context& context;
  boost::asio::steady_timer timer;
  TimePoint armed_until = TimePoint::max();
  TimePoint deadline{};
  Fiber* fiber = nullptr;  ///< Set while it sleeps.
  bool woken = false;
};

Sleeper::Sleeper(boost::asio::io_context& context) : state_(std::make_shared<State>(context)) {}

Sleeper::~Sleeper() { Rest(); }

void Sleeper::Rest() { state_->timer.cancel(); }

bool Sleeper::SleepUntil(TimePoint deadline) {
  if (std::exchange(state_->woken, false)) return true;
  if (Clock::now() >= deadline) return false;
  state_->deadline = deadline;
  state_->Arm();
  state_->fiber = Fiber::Current();
  Fiber::Suspend();
  return std::exchange(state_->woken, false);
}

bool Sleeper::Pause(std::chrono::milliseconds time, const bool& stop) {
  const TimePoint end = Clock::now() + time;
  while (!stop && SleepUntil(end)) {
  }
  return !stop;
}

void Sleeper::Wake() {
  state_->woken = true;
  if (!state_->fiber) return;
  if (!Fiber::Current()) return state_->Rouse();
  // One fiber does not run inside another.
  boost::asio::post(state_->context, [state = state_] {
    if (state->fiber && state->woken) state->Rouse();
  });
}

}  // namespace latchkey::storage::postgres
