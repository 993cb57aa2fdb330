#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>

namespace latchkey::storage::postgres {

using TimePoint = std::chrono::steady_clock::time_point;

/// How one fiber waits on the loop of the database: for a wake-up, with a deadline. Belongs to that loop's thread.
class Sleeper {
 public:
  explicit Sleeper(boost::asio::io_context& context);
  ~Sleeper();
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  /// Inside the fiber. True when woken, also by a Wake that came before; false when the deadline passed.
  bool SleepUntil(TimePoint deadline);
  /// Inside the fiber: that time, whoever wakes meanwhile. False when `stop` became true.
  bool Pause(std::chrono::milliseconds time, const bool& stop);
  /// From a handler of the loop, or from another fiber.
  void Wake();
  /// At the fiber's end: nothing keeps the loop running for its sake.
  void Rest();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace latchkey::storage::postgres
