#include "simulator/app/schedule_timer.hpp"

#include <algorithm>

namespace latchkey::simulator {

ScheduleTimer::ScheduleTimer(boost::asio::io_context& loop, Schedule& schedule) : schedule_(schedule), timer_(loop) {
  schedule_.OnEarlier([this] { Arm(); });
  Arm();
}

void ScheduleTimer::Stop() {
  stopped_ = true;
  schedule_.OnEarlier(nullptr);
  timer_.cancel();
}

void ScheduleTimer::Arm() {
  const auto next = schedule_.next();
  if (stopped_ || !next) return;
  // Rounded up: a timer that fires a microsecond early would find nothing due and spin.
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - schedule_.Now());
  timer_.expires_after(
      std::clamp<std::chrono::milliseconds>(wait, std::chrono::milliseconds(0), std::chrono::hours(1)));
  timer_.async_wait([this](boost::system::error_code error) {
    if (error || stopped_) return;
    schedule_.RunDue();
    Arm();
  });
}

}  // namespace latchkey::simulator
