#include "limits/redis_seats.hpp"

#include <algorithm>
#include <utility>

#include "async/timer.hpp"
#include "base/random.hpp"

namespace latchkey::limits {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Task<Seats::Hold> RedisSeats::Take(std::string_view name, std::string_view key, int limit, int count) {
  const std::string seat = RandomToken(9);
  std::vector<std::string> held;
  // Given back also when this coroutine is cancelled while it waits for more.
  struct Guard {
    RedisSeats& owner;
    std::string name, key;
    std::vector<std::string>& held;
    bool armed = true;
    ~Guard() {
      if (armed && !held.empty()) owner.GiveBack(std::move(name), std::move(key), std::move(held));
    }
  } guard{*this, std::string(name), std::string(key), held};
  const auto until = steady_clock::now() + options_.patience;
  milliseconds pause = options_.first_pause;
  while (std::cmp_less(held.size(), count) && limiter_.sharing().state == Sharing::State::kShared) {
    std::vector<std::string> arguments = {"sit", limiter_.ClockArgument(), limiter_.process_id(),
                                          limiter_.ForgottenAfterArgument(), std::to_string(limit)};
    std::vector<std::string> wanted;
    for (int i = static_cast<int>(held.size()); i < count; ++i) wanted.push_back(seat + std::to_string(i));
    arguments.insert(arguments.end(), wanted.begin(), wanted.end());
    const auto given = co_await limiter_.RunShared(guard.name, guard.key, arguments);
    if (!given) break;
    const auto now_held = std::clamp<std::int64_t>(*given, 0, static_cast<std::int64_t>(wanted.size()));
    held.insert(held.end(), wanted.begin(), wanted.begin() + now_held);
    if (std::cmp_greater_equal(held.size(), count) || steady_clock::now() >= until) break;
    co_await SleepFor(pause);
    pause = std::min(pause * 2, options_.longest_pause);
  }
  guard.armed = false;
  if (held.empty()) co_return Hold();
  std::function<void()> give_back = [this, held_name = guard.name, held_key = guard.key, seats = held] {
    GiveBack(held_name, held_key, seats);
  };
  co_return Hold(std::move(give_back));
}

void RedisSeats::GiveBack(std::string name, std::string key, std::vector<std::string> seats) {
  auto rise = [this, name = std::move(name), key = std::move(key), seats = std::move(seats)]() -> Task<void> {
    std::vector<std::string> arguments = {"rise", limiter_.ClockArgument()};
    arguments.insert(arguments.end(), seats.begin(), seats.end());
    // Lost together with the connection, they are free as soon as this process has another name.
    co_await limiter_.RunShared(name, key, arguments);
  };
  limiter_.tasks().Spawn("redis.seats", std::move(rise));
}

}  // namespace latchkey::limits
