#pragma once

#include <functional>
#include <set>
#include <string>

#include "async/fiber.hpp"
#include "storage/engine.hpp"
#include "storage/postgres/session.hpp"
#include "storage/postgres/sleeper.hpp"

namespace latchkey::storage::postgres {

/// One connection that tells other processes what our commits woke, and hears what theirs did. Never inside a
/// transaction: NOTIFY holds a lock of the whole server while its transaction commits. Several wake-ups become one.
/// Only a hint: whoever must not miss anything looks for himself from time to time. Belongs to the loop's thread.
class Listener {
 public:
  /// `heard` is called with what other processes woke; an empty UserId stands for every user. Also when the connection
  /// was lost for a while: with everything, since nobody knows what was missed.
  Listener(Loop& loop, const Address& address, std::function<void(Wakes)> heard);

  void Start() { fiber_.Resume(); }
  void Stop() { sleeper_.Wake(); }
  /// What our own commit woke.
  void Notify(const Wakes& wakes);

 private:
  void Run();
  void Serve();
  void Hear();
  void Tell();
  void Send(const char* channel, const std::string& payload);

  Loop& loop_;
  Sleeper sleeper_;
  const Address address_;
  TypeMemory types_;
  Session session_;
  std::function<void(Wakes)> heard_;
  Wakes pending_;
  bool everybody_ = false;  ///< Too many users to name.
  TimePoint told_{};
  Fiber fiber_;  // last: it uses the rest
};

}  // namespace latchkey::storage::postgres
