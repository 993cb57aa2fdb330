#include "storage/postgres/session.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "storage/postgres/values.hpp"

namespace latchkey::storage::postgres {
namespace {

// Statements that may be in line before somebody waits for them: bounds what both sides hold.
constexpr std::size_t kMaxInLine = 256;
constexpr std::size_t kMaxLineBytes = std::size_t{4} << 20;
constexpr int kOldestServer = 150000;

// The first column is read before anything is set. A statement of a client that is gone is ended by the server within
// seconds, and so is a transaction whose owner stands still: their locks must not outlive them for long.
constexpr const char* kGreeting = R"sql(
SELECT current_setting('synchronous_commit'), (SELECT stats_reset::text FROM pg_stat_wal),
  set_config('TimeZone', 'UTC', FALSE), set_config('DateStyle', 'ISO', FALSE),
  set_config('synchronous_commit', 'off', FALSE), set_config('statement_timeout', '30s', FALSE),
  set_config('lock_timeout', '10s', FALSE), set_config('idle_in_transaction_session_timeout', '15s', FALSE),
  set_config('client_connection_check_interval', '2s', FALSE),
  set_config('standard_conforming_strings', 'on', FALSE), set_config('bytea_output', 'hex', FALSE))sql";

constexpr std::string_view kTransactionIdSql = "SELECT pg_current_xact_id_if_assigned()";

std::string_view BeginSql(const Session::Kind& kind) {
  if (kind.read_only) return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  if (kind.isolation == Isolation::kReadCommitted) return "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
  return "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE";
}

}  // namespace

void Session::Open(TimePoint deadline) {
  Close();
  SetDeadline(deadline);
  link_.Open(address_, deadline);
  try {
    Greet();
  } catch (...) {
    Close();
    throw;
  }
}

void Session::Greet() {
  if (PQserverVersion(link_.get()) < kOldestServer) {
    throw PostgresError(ErrorCode::kStorageUnavailable, PostgresError::Fate::kFinal, {},
                        fmt::format("the database server is PostgreSQL {}: version 15 or newer is needed",
                                    PQserverVersion(link_.get()) / 10000));
  }
  if (PQsendQuery(link_.get(), kGreeting) == 0) link_.Lose("greeting");
  std::optional<PostgresError> failure;
  while (auto result = link_.Next(deadline_, "greeting")) {
    if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) {
      const std::string_view configured = PQgetvalue(result.get(), 0, 0);
      durable_ = configured == "off" || configured == "local" ? "local" : configured;
      incarnation_ = PQgetvalue(result.get(), 0, 1);
    } else {
      failure = FailureOf(*result, "greeting");
    }
  }
  if (failure) throw *failure;
  backend_ = PQbackendPID(link_.get());
  if (PQenterPipelineMode(link_.get()) == 0) link_.Lose("greeting");
}

void Session::Close() noexcept {
  link_.Close();
  statements_.Clear();
  awaited_.clear();
  line_bytes_ = 0;
  begun_ = false;
}

void Session::Begin(Kind kind, TimePoint deadline) {
  kind_ = kind;
  deadline_ = deadline;
  begun_ = false;
  commit_sent_ = false;
  failure_.reset();
  transaction_id_.reset();
}

void Session::BeginIfNeeded() {
  if (!kind_ || begun_) return;
  PutPlain(Awaited::What::kNothing, BeginSql(*kind_));
  begun_ = true;
  if (!kind_->read_only && kind_->durability == Durability::kPower) {
    PutPlain(Awaited::What::kNothing, durable_ == "remote_apply"   ? "SET LOCAL synchronous_commit TO remote_apply"
                                      : durable_ == "remote_write" ? "SET LOCAL synchronous_commit TO remote_write"
                                      : durable_ == "local"        ? "SET LOCAL synchronous_commit TO local"
                                                                   : "SET LOCAL synchronous_commit TO on");
  }
}

void Session::Commit() {
  if (failure_) Throw(*failure_);
  if (!begun_) {
    kind_.reset();
    return;
  }
  // Without its id nobody could find out what became of it, should the answer be lost. Whoever waited for a statement
  // that wrote has it already.
  if (!kind_->read_only && !transaction_id_ && !awaited_.empty()) RoundTrip();
  PutPlain(Awaited::What::kCommit, "COMMIT");
  commit_sent_ = true;
  RoundTrip();
  commit_sent_ = false;
  begun_ = false;
  kind_.reset();
}

void Session::Rollback() noexcept {
  kind_.reset();
  if (std::exchange(begun_, false) && open()) {
    deadline_ = std::max(deadline_, std::chrono::steady_clock::now() + std::chrono::seconds(2));
    try {
      // What is still in line may fail; the way back stands behind a sync of its own and is not skipped then.
      if (!awaited_.empty()) Sync();
      PutPlain(Awaited::What::kNothing, "ROLLBACK");
      RoundTrip();
    } catch (const std::exception&) {
      // Told by what comes next.
    }
    if (open() && PQtransactionStatus(link_.get()) != PQTRANS_IDLE) Close();
  }
}

void Session::Throw(PostgresError error) {
  if (!failure_) failure_ = error;
  if (error.fate() == PostgresError::Fate::kLost || error.fate() == PostgresError::Fate::kTimeout) Close();
  throw error;
}

void Session::CheckUsable(std::string_view sql) {
  // A transaction that has failed takes nothing more; what was wrong is worth more than "it has failed".
  if (kind_ && failure_) throw *failure_;
  if (!open()) Throw(LostConnection(nullptr, sql));
}

void Session::CheckSent(int sent, std::string_view sql) {
  if (sent == 0) Throw(LostConnection(link_.get(), sql));
}

std::shared_ptr<Statement> Session::Prepared(std::string_view sql) {
  if (auto known = statements_.Find(sql)) return known;
  auto statement = statements_.Add(sql);
  const std::vector<Oid>* types = types_.Find(sql);
  PGconn* connection = link_.get();
  if (types) statement->types = *types;
  const int sent = PQsendPrepare(connection, statement->name.c_str(), statement->text.c_str(),
                                 static_cast<int>(statement->types.size()),
                                 statement->types.empty() ? nullptr : statement->types.data());
  awaited_.push_back({.what = Awaited::What::kPrepare, .statement = statement});
  CheckSent(sent, sql);
  if (!types) {
    // Only the server knows what its parameters are.
    awaited_.push_back({.what = Awaited::What::kTypes, .statement = statement});
    CheckSent(PQsendDescribePrepared(connection, statement->name.c_str()), sql);
    RoundTrip();
    types_.Keep(sql, statement->types);
  }
  if (const auto excess = statements_.TakeExcess()) {
    const std::string deallocate = "DEALLOCATE " + excess->name;
    awaited_.push_back({.what = Awaited::What::kNothing, .statement = excess});
    CheckSent(PQsendQueryParams(connection, deallocate.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 1), sql);
  }
  return statement;
}

void Session::Put(Awaited::What what, std::shared_ptr<Statement> statement, std::span<const Value> values) {
  const Parameters parameters(values, statement->types, statement->text);
  const int sent = PQsendQueryPrepared(link_.get(), statement->name.c_str(), parameters.count(), parameters.values(),
                                       parameters.lengths(), parameters.formats(), 1);
  line_bytes_ += parameters.bytes();
  awaited_.push_back({.what = what, .statement = statement});
  CheckSent(sent, statement->text);
}

void Session::PutPlain(Awaited::What what, std::string_view sql) {
  auto statement = statements_.Find(sql);
  if (!statement) {
    if (!types_.Find(sql)) types_.Keep(sql, {});
    statement = Prepared(sql);
  }
  Put(what, std::move(statement), {});
}

std::unique_ptr<RowSource> Session::DoQuery(std::string_view sql, std::span<const Value> values) {
  CheckUsable(sql);
  BeginIfNeeded();
  auto statement = Prepared(sql);
  Put(Awaited::What::kAnswer, statement, values);
  return std::make_unique<ResultRows>(RoundTrip(), statement->text);
}

std::int64_t Session::DoExecute(std::string_view sql, std::span<const Value> values) {
  CheckUsable(sql);
  BeginIfNeeded();
  Put(Awaited::What::kAnswer, Prepared(sql), values);
  const ResultPtr result = RoundTrip();
  const std::string_view count = PQcmdTuples(result.get());
  std::int64_t changed = 0;
  std::from_chars(count.data(), count.data() + count.size(), changed);
  return changed;
}

void Session::DoSend(std::string_view sql, std::span<const Value> values) {
  CheckUsable(sql);
  BeginIfNeeded();
  Put(Awaited::What::kSent, Prepared(sql), values);
  if (awaited_.size() >= kMaxInLine || line_bytes_ >= kMaxLineBytes) RoundTrip();
}

void Session::AskTransactionId() {
  if (kind_ && begun_ && !kind_->read_only && !commit_sent_ && !transaction_id_) {
    PutPlain(Awaited::What::kTransactionId, kTransactionIdSql);
  }
}

ResultPtr Session::RoundTrip() {
  AskTransactionId();
  Sync();
  return ReadAnswers();
}

void Session::Sync() {
  CheckSent(PQpipelineSync(link_.get()), "sync");
  awaited_.push_back({.what = Awaited::What::kSync, .statement = nullptr});
}

ResultPtr Session::ReadAnswers() {
  line_bytes_ = 0;
  ResultPtr answer;
  std::optional<PostgresError> failure;
  while (!awaited_.empty()) {
    const Awaited& next = awaited_.front();
    ResultPtr result;
    try {
      result = link_.Next(deadline_, next.statement ? std::string_view(next.statement->text) : "sync");
    } catch (const PostgresError& error) {
      // What the server said last explains more than that it hung up.
      if (failure && failure->fate() == PostgresError::Fate::kLost) Throw(*failure);
      Throw(error);
    }
    if (!result) {
      awaited_.pop_front();  // the end of one command's results
    } else if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
      awaited_.pop_front();
    } else {
      Take(next, std::move(result), answer, failure);
    }
    if (failure && !failure->sqlstate().empty() && PQstatus(link_.get()) == CONNECTION_BAD) Throw(*failure);
  }
  if (failure) Throw(std::move(*failure));
  return answer;
}

void Session::Take(const Awaited& awaited, ResultPtr result, ResultPtr& answer, std::optional<PostgresError>& failure) {
  using Kind = Awaited::What;
  const std::string_view sql = awaited.statement ? std::string_view(awaited.statement->text) : "sync";
  switch (PQresultStatus(result.get())) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
      break;
    case PGRES_PIPELINE_ABORTED:
      Forget(awaited);
      return;
    default:
      Forget(awaited);
      if (!failure) failure = FailureOf(*result, sql);
      if (kind_ && kind_->read_only && failure->sqlstate() == "25006") {
        failure = PostgresError(ErrorCode::kInternal, PostgresError::Fate::kFinal, "25006", failure->what());
      }
      return;
  }
  switch (awaited.what) {
    case Kind::kTypes:
      for (int i = 0; i < PQnparams(result.get()); ++i) {
        awaited.statement->types.push_back(PQparamtype(result.get(), i));
      }
      break;
    case Kind::kAnswer:
      answer = std::move(result);
      break;
    case Kind::kTransactionId:
      if (PQntuples(result.get()) == 1 && !PQgetisnull(result.get(), 0, 0)) {
        const std::string_view bytes(PQgetvalue(result.get(), 0, 0),
                                     static_cast<std::size_t>(PQgetlength(result.get(), 0, 0)));
        transaction_id_ = ReadInt(PQftype(result.get(), 0), bytes, sql);
      }
      break;
    case Kind::kCommit:
      // A transaction that had failed is rolled back, and PostgreSQL calls that a success.
      if (std::string_view(PQcmdStatus(result.get())) != "COMMIT" && !failure) {
        failure = PostgresError(ErrorCode::kInternal, PostgresError::Fate::kFinal, {},
                                "a body went on after a statement that had failed, nothing of it is kept");
      }
      break;
    default:
      break;
  }
}

void Session::Forget(const Awaited& awaited) {
  if (awaited.what != Awaited::What::kPrepare && awaited.what != Awaited::What::kTypes) return;
  statements_.Remove(*awaited.statement);
  types_.Forget(awaited.statement->text);
}

void Session::Run(const std::string& script) {
  CheckUsable(script);
  BeginIfNeeded();
  if (!awaited_.empty()) RoundTrip();
  PGconn* connection = link_.get();
  if (PQexitPipelineMode(connection) == 0) Throw(LostConnection(connection, script));
  CheckSent(PQsendQuery(connection, script.c_str()), script);
  std::optional<PostgresError> failure;
  try {
    while (auto result = link_.Next(deadline_, script)) {
      const auto status = PQresultStatus(result.get());
      const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
      if (!good && !failure) failure = FailureOf(*result, script);
    }
  } catch (const PostgresError& error) {
    Throw(failure.value_or(error));
  }
  if (failure) {
    if (failure->fate() == PostgresError::Fate::kFinal || failure->fate() == PostgresError::Fate::kRetry) {
      PQenterPipelineMode(connection);
    }
    Throw(std::move(*failure));
  }
  if (PQenterPipelineMode(connection) == 0) Throw(LostConnection(connection, script));
}

}  // namespace latchkey::storage::postgres
