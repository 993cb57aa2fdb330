#pragma once

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

/// Who may be kept waiting for whom.
enum class Urgency {
  kUsual,
  /// Large pieces of long work (an import, the search index, an erase): done when nothing else waits for the same
  /// thread, one piece at a time, though never held back for good.
  kBulk,
};

/// Called on the loop after a commit, before its writers go on. An empty id stands for everybody.
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
  Urgency urgency = Urgency::kUsual;
};

/// A database that runs transactions away from the loop.
///
/// Bodies are callables kept by reference (the caller's frame waits, also when it is cancelled meanwhile), take
/// (Transaction&) or (Connection&) and return a Result. A body that returns a failure or throws DatabaseError has
/// changed nothing. Everything a body needs is captured before: no clock, no loop state inside. A body may run
/// more than once (another transaction stood in its way, the connection was lost before the commit): it starts from
/// what it captured each time, and so consumes none of it.
class Engine {
  enum class Kind { kWrite, kRead, kCompute };

 public:
  virtual ~Engine() = default;

  template <class Body>
  Task<std::invoke_result_t<Body&, Transaction&>> Write(Body& body, Durability durability = Durability::kProcess,
                                                        Isolation isolation = Isolation::kSerializable,
                                                        Urgency urgency = Urgency::kUsual) {
    return Run<Kind::kWrite, std::invoke_result_t<Body&, Transaction&>>(body, durability, isolation, urgency);
  }

  template <class Body>
  Task<std::invoke_result_t<Body&, Connection&>> Read(Body& body) {
    return Run<Kind::kRead, std::invoke_result_t<Body&, Connection&>>(body, Durability::kProcess,
                                                                      Isolation::kSerializable, Urgency::kUsual);
  }

  /// Work without the database (compression) away from the loop. `body` takes nothing and returns a Result.
  template <class Body>
  Task<std::invoke_result_t<Body&>> Compute(Body& body, Urgency urgency = Urgency::kUsual) {
    return Run<Kind::kCompute, std::invoke_result_t<Body&>>(body, Durability::kProcess, Isolation::kSerializable,
                                                            urgency);
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
  /// The caller's coroutine, as a unit continues it. Its only implementation is in engine.cpp: what the loop needs for
  /// it is expensive to compile, and bodies are many.
  class Caller {
   public:
    virtual ~Caller() = default;
    virtual void Continue() = 0;
  };
  class CallersUnit : public Unit {
   public:
    void Finish() override { caller->Continue(); }
    std::unique_ptr<Caller> caller;
  };
  template <class Handler>
  class CallerOf;
  Task<void> Enter(std::unique_ptr<CallersUnit> unit, Kind kind);

  template <Kind kKind, class Body, class Outcome>
  class BodyUnit final : public CallersUnit {
   public:
    BodyUnit(Body& body, std::optional<Outcome>& outcome) : body_(body), outcome_(outcome) {}
    bool RunWrite([[maybe_unused]] Transaction& transaction) override {
      if constexpr (kKind == Kind::kWrite) outcome_ = body_(transaction);
      return outcome_ && outcome_->has_value();
    }
    void RunRead([[maybe_unused]] Connection& connection) override {
      if constexpr (kKind == Kind::kRead) outcome_ = body_(connection);
    }
    void RunCompute() override {
      if constexpr (kKind == Kind::kCompute) outcome_ = body_();
    }
    void Refuse(Error error) override { outcome_ = Outcome(Fail(std::move(error))); }

   private:
    Body& body_;
    std::optional<Outcome>& outcome_;
  };

  template <Kind kKind, class Outcome, class Body>
  Task<Outcome> Run(Body& body, Durability durability, Isolation isolation, Urgency urgency) {
    std::optional<Outcome> outcome;
    auto unit = std::make_unique<BodyUnit<kKind, Body, Outcome>>(body, outcome);
    unit->durability = durability;
    unit->isolation = isolation;
    unit->urgency = urgency;
    co_await Enter(std::move(unit), kKind);
    co_return std::move(*outcome);
  }
};

}  // namespace latchkey::storage
