#pragma once

#include <libpq-fe.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string_view>

#include "storage/postgres/address.hpp"
#include "storage/postgres/result_rows.hpp"
#include "storage/postgres/sleeper.hpp"

namespace latchkey::storage::postgres {

/// The thread of the database, as what runs on it sees it.
struct Loop {
  boost::asio::io_context context;
  /// For what blocks in libraries: finding a host by its name.
  boost::asio::thread_pool* helpers = nullptr;
  /// Everything ends: no wait lasts any longer.
  bool stopping = false;
};

/// One libpq connection without a call that blocks: whoever waits for the server suspends its fiber, until the answer
/// is here or the deadline passed. Whatever fails closes it at once, without asking the server. Used by one fiber.
class Link {
 public:
  Link(Loop& loop, Sleeper& sleeper) : loop_(loop), sleeper_(sleeper) {}
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Throws PostgresError; the link is closed then.
  void Open(const Address& address, TimePoint deadline);
  bool open() const { return connection_ != nullptr; }
  void Close() noexcept;
  PGconn* get() const { return connection_; }

  /// Sends what is queued and waits for the next result; null where libpq marks the end of one command's results.
  /// Throws PostgresError (kLost, kTimeout) and is closed then.
  ResultPtr Next(TimePoint deadline, std::string_view doing);
  /// Waits until something arrived or the sleeper was woken, and reads what there is. False when the deadline passed;
  /// throws PostgresError when the connection is lost.
  bool Receive(TimePoint deadline, std::string_view doing);
  /// The connection broke: closed, and thrown.
  [[noreturn]] void Lose(std::string_view doing);

 private:
  struct Watch;
  void Start(const Address& address, TimePoint deadline);
  void WatchSocket();
  /// Suspends until the socket is ready, once, or something else woke us. False at the deadline.
  bool Await(bool read, bool write, TimePoint deadline);
  [[noreturn]] void Abandon(std::string_view doing);

  Loop& loop_;
  Sleeper& sleeper_;
  PGconn* connection_ = nullptr;
  std::shared_ptr<Watch> watch_;
};

}  // namespace latchkey::storage::postgres
