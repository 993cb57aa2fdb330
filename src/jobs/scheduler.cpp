#include "jobs/scheduler.hpp"

#include <boost/system/system_error.hpp>
#include <exception>
#include <utility>

#include "async/timer.hpp"
#include "telemetry/log.hpp"

namespace latchkey::jobs {

void Scheduler::Every(std::string_view name, std::chrono::milliseconds interval,
                      std::function<Task<Result<void>>()> duty) {
  group_.Spawn(name,
               [name = std::string(name), interval, duty = std::move(duty)] { return Repeat(name, interval, duty); });
}

Task<void> Scheduler::Repeat(std::string name, std::chrono::milliseconds interval,
                             std::function<Task<Result<void>>()> duty) {
  for (;;) {
    try {
      const auto done = co_await duty();
      if (!done) {
        log::Warn("scheduler.duty_failed",
                  {{"duty", name}, {"error_code", ToString(done.error().code)}, {"detail", done.error().detail}});
      }
    } catch (const boost::system::system_error&) {
      throw;  // The scheduler stops.
    } catch (const std::exception& failure) {
      log::Failure("scheduler.duty_exception", {{"duty", name}, {"detail", failure.what()}});
    }
    co_await SleepFor(interval);
  }
}

}  // namespace latchkey::jobs
