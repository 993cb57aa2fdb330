#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/task.hpp"
#include "base/error.hpp"
#include "storage/sql.hpp"

namespace latchkey::storage {

/// What a write must survive. Everything survives the end of our process (kill -9) before the caller hears of it.
enum class Durability {
  /// May be undone by a power loss or a crash of the database server, together with everything committed after it:
  /// synced data with its cursor (the provider is asked again), job bookkeeping.
  kProcess,
  /// On the disk before the caller hears of it: tokens (a rotated one exists nowhere else), connections, erases,
  /// sessions, whatever a person did.
  kPower,
};

/// What a write may see of others that run at the same time. SQLite has one writer: there both mean the same.
enum class Isolation {
  /// As if it ran alone; run again when that could not be kept up.
  kSerializable,
  /// Sees what others commit meanwhile. For bodies that lock the rows they decide by.
  kReadCommitted,
};

/// Called on the loop after a commit, before the writers of that commit go on.
struct CommitHooks {
  std::function<void()> jobs_inserted;
  std::function<void(const UserId&)> events_written;
};

/// A unit of work for the database. Its end is told exactly once, by Finish: after a Run, or after Refuse. Everything
/// but Finish's continuation happens where the engine works.
class Unit {
 public:
  virtual ~Unit() = default;
  /// False when the body asks for its own changes to be undone.
  virtual bool RunWrite(Transaction&) { return false; }
  virtual void RunRead(Connection&) {}
  virtual void RunCompute() {}
  /// Replaces the result.
  virtual void Refuse(Error error) = 0;
  /// Posts the continuation to where the caller lives.
  virtual void Finish() = 0;

  Durability durability = Durability::kProcess;
  Isolation isolation = Isolation::kSerializable;
};

/// A database that runs transactions away from the loop.
///
/// Bodies are callables kept by reference (the caller's frame waits, also when it is cancelled meanwhile), take
/// (Transaction&) or (Connection&) and return a Result. A body that returns a failure or throws DatabaseError has
/// changed nothing. Everything a body needs is captured before: no clock, no loop state inside. A write's body may run
/// more than once (another transaction stood in its way, the connection was lost before the commit): it starts from
/// what it captured each time, and so consumes none of it.
class Engine {
 public:
  virtual ~Engine() = default;

  template <class Body>
  Task<std::invoke_result_t<Body&, Transaction&>> Write(Body& body, Durability durability = Durability::kProcess,
                                                        Isolation isolation = Isolation::kSerializable) {
    using Outcome = std::invoke_result_t<Body&, Transaction&>;
    std::optional<Outcome> outcome;
    co_await Enter<WriteUnit<Body, Outcome>>(body, outcome, durability, isolation);
    co_return std::move(*outcome);
  }

  template <class Body>
  Task<std::invoke_result_t<Body&, Connection&>> Read(Body& body) {
    using Outcome = std::invoke_result_t<Body&, Connection&>;
    std::optional<Outcome> outcome;
    co_await Enter<ReadUnit<Body, Outcome>>(body, outcome, Durability::kProcess, Isolation::kSerializable);
    co_return std::move(*outcome);
  }

  /// Work without the database (compression) away from the loop. `body` takes nothing and returns a Result.
  template <class Body>
  Task<std::invoke_result_t<Body&>> Compute(Body& body) {
    using Outcome = std::invoke_result_t<Body&>;
    std::optional<Outcome> outcome;
    co_await Enter<ComputeUnit<Body, Outcome>>(body, outcome, Durability::kProcess, Isolation::kSerializable);
    co_return std::move(*outcome);
  }

  /// Loop thread, before the first write.
  virtual void SetHooks(CommitHooks hooks) = 0;
  virtual int schema_version() const = 0;
  /// The last write's commit failed (disk full, server gone) and none has succeeded since. Any thread.
  virtual std::optional<ErrorCode> WriteFault() const = 0;
  /// Ends when every write that was entered before has ended, durably.
  virtual Task<void> Drain() = 0;

 protected:
  /// Takes the unit over; refuses it with kOverloaded when too many wait. Loop thread.
  virtual void EnqueueWrite(std::unique_ptr<Unit> unit) = 0;
  virtual void EnqueueRead(std::unique_ptr<Unit> unit) = 0;
  virtual void EnqueueCompute(std::unique_ptr<Unit> unit) = 0;

 private:
  enum class Kind { kWrite, kRead, kCompute };

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
    static constexpr Kind kKind = Kind::kWrite;
  };
  template <class Body, class Outcome>
  struct ReadUnit {
    template <class Handler>
    class Of final : public UnitBase<Body, Outcome, Handler> {
     public:
      using UnitBase<Body, Outcome, Handler>::UnitBase;
      void RunRead(Connection& connection) override { this->outcome_ = this->body_(connection); }
    };
    static constexpr Kind kKind = Kind::kRead;
  };
  template <class Body, class Outcome>
  struct ComputeUnit {
    template <class Handler>
    class Of final : public UnitBase<Body, Outcome, Handler> {
     public:
      using UnitBase<Body, Outcome, Handler>::UnitBase;
      void RunCompute() override { this->outcome_ = this->body_(); }
    };
    static constexpr Kind kKind = Kind::kCompute;
  };

  template <class Shape, class Body, class Outcome>
  Task<void> Enter(Body& body, std::optional<Outcome>& outcome, Durability durability, Isolation isolation) {
    auto start = [this, &body, &outcome, durability, isolation](auto handler) {
      using Concrete = typename Shape::template Of<decltype(handler)>;
      auto unit = std::make_unique<Concrete>(body, outcome, std::move(handler));
      unit->durability = durability;
      unit->isolation = isolation;
      if constexpr (Shape::kKind == Kind::kWrite) {
        EnqueueWrite(std::move(unit));
      } else if constexpr (Shape::kKind == Kind::kRead) {
        EnqueueRead(std::move(unit));
      } else {
        EnqueueCompute(std::move(unit));
      }
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(start,
                                                                                       boost::asio::use_awaitable);
  }
};

}  // namespace latchkey::storage
