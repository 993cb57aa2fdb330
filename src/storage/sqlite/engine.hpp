#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>

#include "async/task.hpp"
#include "base/error.hpp"
#include "storage/sqlite/connection.hpp"

namespace latchkey::storage::sqlite {

/// What a write must survive. Everything survives the end of the process (kill -9): the log is in the kernel's hands
/// before the caller hears of it.
enum class Durability {
  /// May be undone by a power loss, together with everything committed after it: synced data with its cursor (the
  /// provider is asked again), job bookkeeping.
  kProcess,
  /// On the disk before the caller hears of it: tokens (a rotated one exists nowhere else), connections, erases,
  /// sessions, whatever a person did.
  kPower,
};

/// A write transaction as its body sees it: the connection, and whom to wake after the commit.
class Transaction {
 public:
  explicit Transaction(Connection& connection) : connection_(connection) {}

  template <class... Values>
  Rows Query(std::string_view sql, const Values&... values) {
    return connection_.Query(sql, values...);
  }
  template <class... Values>
  std::int64_t Execute(std::string_view sql, const Values&... values) {
    return connection_.Execute(sql, values...);
  }
  std::int64_t LastInsertRow() const { return connection_.LastInsertRow(); }
  Connection& connection() { return connection_; }

  void WakeJobs() { wake_jobs_ = true; }
  void WakeEvents(const UserId& user) { wake_users_.insert(user); }

 private:
  friend class Writer;
  Connection& connection_;
  bool wake_jobs_ = false;
  std::set<UserId> wake_users_;
};

/// Called on the loop after a commit, before the writers of that commit go on.
struct CommitHooks {
  std::function<void()> jobs_inserted;
  std::function<void(const UserId&)> events_written;
};

struct EngineOptions {
  std::string path;
  int readers = 2;
  /// Writes that may wait; the next one is refused with kOverloaded.
  std::size_t write_queue = 1024;
  std::size_t read_queue = 1024;
  /// Writes that share one commit.
  std::size_t batch = 128;
  /// For one read, from the moment it starts.
  std::chrono::milliseconds read_deadline = std::chrono::seconds(10);
};

/// A unit of work on a database thread. Exactly one of its ends is told: Finish after Run (and, for writes, the
/// commit), with Refuse before it when it failed. All but Finish's continuation run on that thread.
class Unit {
 public:
  virtual ~Unit() = default;
  /// False when the body asks for its own changes to be undone.
  virtual bool RunWrite(Transaction&) { return false; }
  virtual void RunRead(Connection&) {}
  /// Replaces the result.
  virtual void Refuse(Error error) = 0;
  /// Posts the continuation to where the caller lives.
  virtual void Finish() = 0;
  Durability durability = Durability::kProcess;
};

/// One SQLite file: a writer thread that puts many small transactions of different callers into one commit, each in a
/// savepoint of its own, and a pool of reader threads with snapshots. No statement runs on the loop.
///
/// Bodies are callables kept by reference (the caller's frame waits, also when it is cancelled meanwhile), run on a
/// database thread, take (Transaction&) or (Connection&) and return a Result. A body that returns a failure or throws
/// SqliteError has changed nothing. Everything a body needs is captured before: no clock, no loop state inside.
class Engine {
 public:
  /// Opens, migrates, and starts the threads. `loop` is where hooks are called. Blocks; call before serving.
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options, Executor loop, Instant now);
  /// Ends the threads after what is queued. Blocks for at most that long.
  ~Engine();

  template <class Body>
  Task<std::invoke_result_t<Body&, Transaction&>> Write(Body& body, Durability durability = Durability::kProcess) {
    using Outcome = std::invoke_result_t<Body&, Transaction&>;
    std::optional<Outcome> outcome;
    co_await Enter<WriteUnit<Body, Outcome>>(body, outcome, durability);
    co_return std::move(*outcome);
  }

  template <class Body>
  Task<std::invoke_result_t<Body&, Connection&>> Read(Body& body) {
    using Outcome = std::invoke_result_t<Body&, Connection&>;
    std::optional<Outcome> outcome;
    co_await Enter<ReadUnit<Body, Outcome>>(body, outcome, Durability::kProcess);
    co_return std::move(*outcome);
  }

  /// Work without the database (compression) on a reader thread. `body` takes nothing and returns a Result.
  template <class Body>
  Task<std::invoke_result_t<Body&>> Compute(Body& body) {
    auto wrapped = [&body](Connection&) { return body(); };
    co_return co_await Read(wrapped);
  }

  /// Loop thread, before the first write.
  void SetHooks(CommitHooks hooks);
  int schema_version() const;
  /// The last write's commit failed (disk full, I/O error) and none has succeeded since. Any thread.
  std::optional<ErrorCode> WriteFault() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);

  template <class Body, class Outcome, class Handler>
  class UnitBase : public Unit {
   public:
    UnitBase(Body& body, std::optional<Outcome>& outcome, Handler handler)
        : body_(body),
          outcome_(outcome),
          home_(boost::asio::prefer(boost::asio::get_associated_executor(handler),
                                    boost::asio::execution::outstanding_work.tracked)),
          handler_(std::move(handler)) {}
    void Refuse(Error error) override { outcome_ = Outcome(Fail(std::move(error))); }
    void Finish() override { boost::asio::post(home_, std::move(handler_)); }

   protected:
    using Home =
        std::decay_t<decltype(boost::asio::prefer(boost::asio::get_associated_executor(std::declval<Handler&>()),
                                                  boost::asio::execution::outstanding_work.tracked))>;
    Body& body_;
    std::optional<Outcome>& outcome_;
    Home home_;
    Handler handler_;
  };
  // Named by Enter with the handler added as last argument.
  template <class Body, class Outcome>
  struct WriteUnit {
    template <class Handler>
    class Of final : public UnitBase<Body, Outcome, Handler> {
     public:
      using UnitBase<Body, Outcome, Handler>::UnitBase;
      bool RunWrite(Transaction& transaction) override {
        this->outcome_ = this->body_(transaction);
        return this->outcome_->has_value();
      }
    };
    static constexpr bool kWrites = true;
  };
  template <class Body, class Outcome>
  struct ReadUnit {
    template <class Handler>
    class Of final : public UnitBase<Body, Outcome, Handler> {
     public:
      using UnitBase<Body, Outcome, Handler>::UnitBase;
      void RunRead(Connection& connection) override { this->outcome_ = this->body_(connection); }
    };
    static constexpr bool kWrites = false;
  };

  template <class Shape, class Body, class Outcome>
  Task<void> Enter(Body& body, std::optional<Outcome>& outcome, Durability durability) {
    auto start = [this, &body, &outcome, durability](auto handler) {
      using Concrete = typename Shape::template Of<decltype(handler)>;
      auto unit = std::make_unique<Concrete>(body, outcome, std::move(handler));
      unit->durability = durability;
      if constexpr (Shape::kWrites) {
        EnqueueWrite(std::move(unit));
      } else {
        EnqueueRead(std::move(unit));
      }
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(start,
                                                                                       boost::asio::use_awaitable);
  }

  void EnqueueWrite(std::unique_ptr<Unit> unit);
  void EnqueueRead(std::unique_ptr<Unit> unit);

  std::unique_ptr<Impl> impl_;
};

}  // namespace latchkey::storage::sqlite
