#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "simulator/schedule.hpp"

namespace latchkey::simulator {

/// Runs a schedule's entries when the machine's time reaches them. Loop thread only; the schedule outlives it.
class ScheduleTimer {
 public:
  ScheduleTimer(boost::asio::io_context& loop, Schedule& schedule);
  ~ScheduleTimer() { Stop(); }

  /// Nothing runs from now on, and the loop is no longer kept alive.
  void Stop();

 private:
  void Arm();

  Schedule& schedule_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
};

}  // namespace latchkey::simulator
