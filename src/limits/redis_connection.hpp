#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "async/task_group.hpp"
#include "async/timer.hpp"
#include "limits/redis_fault.hpp"
#include "limits/redis_reply.hpp"
#include "limits/redis_transport.hpp"
#include "limits/redis_url.hpp"

namespace latchkey::limits {

/// One connection to Redis with commands in a row: each is written at once, answers come back in order. The first
/// failure of any kind ends the connection and every command that waits, so no caller waits longer than one deadline.
/// Loop thread only; its coroutines belong to the task group that it was opened with.
class RedisConnection : public std::enable_shared_from_this<RedisConnection> {
 public:
  struct Options {
    /// Look-up, connection and handshake together.
    std::chrono::milliseconds connect_deadline = std::chrono::seconds(3);
    std::chrono::milliseconds command_deadline = std::chrono::milliseconds(250);
    /// Commands without an answer; one more is refused (kBusy) and the connection stays.
    std::size_t max_waiting = 1024;
    std::string ca_file;
  };
  template <class T>
  using Outcome = std::expected<T, RedisFault>;

  /// Connects, signs in and chooses the database. `tasks` must outlive the connection's use.
  static Task<Outcome<std::shared_ptr<RedisConnection>>> Open(TaskGroup& tasks, RedisAddress address, Options options);

  RedisConnection(const Executor& executor, RedisAddress address, Options options);

  /// The answer, an error reply included. Not interruptible: the deadline ends it.
  Task<Outcome<RedisReply>> Call(std::span<const std::string_view> words);

  bool open() const { return open_; }
  /// Why it is not open.
  RedisFault fault() const { return fault_; }
  /// Raised when it closes.
  Signal& closed() { return closed_; }
  /// Ends it, and all that waits, for this reason; the first reason stays.
  void Close(RedisFault fault);

 private:
  using Done = std::function<void(Outcome<RedisReply>)>;
  struct Waiting {
    std::chrono::steady_clock::time_point deadline;
    Done done;
  };

  Task<Outcome<void>> SignIn();
  Task<Outcome<void>> Require(std::span<const std::string_view> words);
  Task<void> ReadAnswers();
  Task<void> WriteCommands();
  void WatchDeadline();

  RedisAddress address_;
  Options options_;
  std::unique_ptr<RedisTransport> transport_;
  ReplyReader reader_;
  boost::asio::steady_timer deadline_;
  bool watching_ = false;
  std::deque<Waiting> waiting_;  ///< In the order of their commands.
  std::string unsent_;
  Signal to_send_, closed_;
  bool open_ = false;
  RedisFault fault_ = RedisFault::kNotTriedYet;
};

}  // namespace latchkey::limits
