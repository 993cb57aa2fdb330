#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "storage/engine.hpp"
#include "storage/postgres/address.hpp"
#include "storage/postgres/link.hpp"
#include "storage/postgres/statements.hpp"

namespace latchkey::storage::postgres {

struct PoolOptions {
  /// At least 2: the first one serves reads alone, the second writes alone, so that neither waits behind the other.
  int connections = 10;
  /// Units that may wait for a connection; the next one is refused with kOverloaded.
  std::size_t write_queue = 1024;
  std::size_t read_queue = 1024;
  /// From the moment a unit is taken over until its caller hears, whatever the server does.
  std::chrono::milliseconds write_deadline = std::chrono::seconds(20);
  std::chrono::milliseconds read_deadline = std::chrono::seconds(10);
  /// On top of it for finding out what became of a commit whose answer was lost.
  std::chrono::milliseconds settle_deadline = std::chrono::seconds(5);
  std::chrono::milliseconds connect_deadline = std::chrono::seconds(5);
  /// How long units wait for a server that takes no connection.
  std::chrono::milliseconds patience = std::chrono::seconds(5);
  /// After that long without work all connections but two are closed.
  std::chrono::milliseconds idle = std::chrono::minutes(5);
};

/// The connections and what waits for them. Lives on the thread of the database; Enqueue and the counters may be used
/// from any thread.
class Pool {
 public:
  enum class Kind { kRead, kWrite };

  struct Job {
    std::unique_ptr<Unit> unit;
    Kind kind = Kind::kRead;
    TimePoint since{};
    TimePoint deadline{};
  };

  /// `committed` is called on the thread of the database with what a commit woke, before the unit finishes.
  Pool(Loop& loop, Address address, PoolOptions options, std::function<void(Wakes)> committed);
  ~Pool();

  /// Any thread.
  void Enqueue(Kind kind, std::unique_ptr<Unit> unit);
  /// The last write's fault; any thread.
  std::optional<ErrorCode> fault() const;

  /// Calls back on the thread of the database when every write that was there before has ended.
  void WhenWritten(std::function<void()> done);
  /// Refuses what waits, ends what runs. The fibers have ended when the loop has no more work.
  void Stop();

 private:
  friend class Worker;
  void Accept(Job job);
  bool Refused(const Job& job);
  /// What this worker does next; suspends until there is something. nullopt when everything ends.
  std::optional<Job> Next(class Worker& worker);
  std::optional<Job> Pick(const class Worker& worker);
  void WakeFor(Kind kind);
  void ArmTick();
  void Tick();
  void RefuseLate(std::deque<Job>& queue, TimePoint now);
  void Ended(const Job& job);
  void NoteWrite(const std::optional<Error>& failure);
  void NoteUp();
  void NoteDown(const Error& error);
  /// Until when somebody who began to wait then waits for a server that takes no connection.
  TimePoint GiveUpAt(const Job& job) const;

  Loop& loop_;
  const Address address_;
  const PoolOptions options_;
  std::function<void(Wakes)> committed_;
  TypeMemory types_;

  std::array<std::atomic<std::size_t>, 2> queued_{};
  std::atomic<int> fault_{-1};

  std::array<std::deque<Job>, 2> queues_;
  bool writes_first_ = false;
  std::vector<std::unique_ptr<class Worker>> workers_;
  std::vector<class Worker*> idle_;
  boost::asio::steady_timer tick_;
  bool ticking_ = false;
  std::optional<TimePoint> down_since_;
  std::optional<Error> down_with_;

  std::uint64_t accepted_writes_ = 0;
  std::size_t open_writes_ = 0;
  std::vector<std::function<void()>> drained_;
};

}  // namespace latchkey::storage::postgres
