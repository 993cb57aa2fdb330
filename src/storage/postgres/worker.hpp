#pragma once

#include <optional>
#include <random>

#include "async/fiber.hpp"
#include "storage/postgres/pool.hpp"
#include "storage/postgres/session.hpp"
#include "storage/postgres/sleeper.hpp"

namespace latchkey::storage::postgres {

/// One connection of the pool with the fiber that runs units on it, one after the other. Owned by the pool.
class Worker {
 public:
  Worker(Pool& pool, bool reads, bool writes);

  void Start() { fiber_.Resume(); }
  void Wake() { sleeper_.Wake(); }
  bool Takes(Pool::Kind kind) const { return kind == Pool::Kind::kRead ? reads_ : writes_; }
  bool connected() const { return session_.open(); }
  bool ended() const { return fiber_.Ended(); }
  Sleeper& sleeper() { return sleeper_; }
  void Disconnect() { session_.Close(); }

 private:
  enum class Verdict { kDone, kAgain };
  void Run();
  void Write(Pool::Job& job);
  void Read(Pool::Job& job);
  Verdict TryWrite(Pool::Job& job, std::optional<Error>& failure, Wakes& wakes);
  Verdict TryCommit(Pool::Job& job, Transaction& transaction, std::optional<Error>& failure, Wakes& wakes);
  Verdict Settle(std::int64_t transaction, TimePoint deadline);
  /// Connects when there is no connection; tries until the job's time is up. Throws PostgresError.
  void Connect(TimePoint give_up);
  /// False when there is no time left for another try.
  bool PauseBeforeTry(int tried, TimePoint deadline);

  Pool& pool_;
  const bool reads_, writes_;
  Sleeper sleeper_;
  Session session_;
  std::minstd_rand random_;
  Fiber fiber_;  // last: it uses the rest
};

}  // namespace latchkey::storage::postgres
