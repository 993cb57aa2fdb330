#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "storage/engine.hpp"
#include "storage/postgres/address.hpp"
#include "storage/postgres/failure.hpp"
#include "storage/postgres/link.hpp"
#include "storage/postgres/statements.hpp"
#include "storage/sql.hpp"

namespace latchkey::storage::postgres {

/// One connection with its statements and its transaction, used by one fiber. Statements go into libpq's pipeline;
/// whoever needs an answer sends what is in line and suspends until it is here. Every wait ends at the deadline: the
/// connection is closed then, and PostgresError thrown.
///
/// Without Begin each statement commits by itself.
class Session final : public storage::Connection {
 public:
  Session(Loop& loop, Sleeper& sleeper, const Address& address, TypeMemory& types)
      : link_(loop, sleeper), address_(address), types_(types) {}

  /// Connects and says how it wants to be treated. Throws PostgresError.
  void Open(TimePoint deadline);
  bool open() const { return link_.open(); }
  void Close() noexcept;
  Link& link() { return link_; }
  /// The backend, as PostgreSQL numbers it.
  int backend() const { return backend_; }
  /// Changes when the server lost what it had not yet written, so that transaction ids may be given out again.
  const std::string& incarnation() const { return incarnation_; }

  struct Kind {
    bool read_only = false;
    Isolation isolation = Isolation::kSerializable;
    Durability durability = Durability::kProcess;
  };
  /// From here on everything is one transaction, that begins together with its first statement.
  void Begin(Kind kind, TimePoint deadline);
  /// Returns when the server has committed. Throws PostgresError otherwise; see commit_sent.
  void Commit();
  /// Never throws: a connection that does not answer is closed.
  void Rollback() noexcept;
  /// The first failure since Begin: nothing of the transaction can be kept any more.
  const std::optional<PostgresError>& failure() const { return failure_; }
  /// The transaction's id, once the server has given it one; nothing is written without.
  std::optional<std::int64_t> transaction_id() const { return transaction_id_; }
  /// The server has been asked to commit: when no answer came, it may have done so.
  bool commit_sent() const { return commit_sent_; }

  void SetDeadline(TimePoint deadline) { deadline_ = deadline; }
  TimePoint deadline() const { return deadline_; }

  Dialect dialect() const override { return Dialect::kPostgres; }
  void Run(const std::string& script) override;

 protected:
  std::unique_ptr<RowSource> DoQuery(std::string_view sql, std::span<const Value> values) override;
  std::int64_t DoExecute(std::string_view sql, std::span<const Value> values) override;
  void DoSend(std::string_view sql, std::span<const Value> values) override;

 private:
  /// What the server answers next, in this order.
  struct Awaited {
    enum class What { kNothing, kPrepare, kTypes, kSent, kAnswer, kTransactionId, kCommit, kSync };
    What what = What::kNothing;
    std::shared_ptr<Statement> statement;
  };

  void Greet();
  void BeginIfNeeded();
  std::shared_ptr<Statement> Prepared(std::string_view sql);
  void Put(Awaited::What what, std::shared_ptr<Statement> statement, std::span<const Value> values);
  void PutPlain(Awaited::What what, std::string_view sql);
  /// Sends everything and waits for all answers; the last kAnswer's result.
  ResultPtr RoundTrip();
  void Sync();
  ResultPtr ReadAnswers();
  void Take(const Awaited& awaited, ResultPtr result, ResultPtr& answer, std::optional<PostgresError>& failure);
  void AskTransactionId();
  void Forget(const Awaited& awaited);
  [[noreturn]] void Throw(PostgresError error);
  void CheckSent(int sent, std::string_view sql);
  void CheckUsable(std::string_view sql);

  Link link_;
  const Address& address_;
  TypeMemory& types_;
  Statements statements_{500};
  std::deque<Awaited> awaited_;
  std::size_t line_bytes_ = 0;  ///< Of the statements in line.

  TimePoint deadline_{};
  std::optional<Kind> kind_;
  bool begun_ = false;
  bool commit_sent_ = false;
  std::optional<PostgresError> failure_;
  std::optional<std::int64_t> transaction_id_;
  int backend_ = 0;
  std::string incarnation_;
  std::string durable_;  ///< synchronous_commit as the server has it, when that waits for the disk.
};

}  // namespace latchkey::storage::postgres
