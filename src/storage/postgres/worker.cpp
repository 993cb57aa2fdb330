#include "storage/postgres/worker.hpp"

#include <algorithm>

#include "telemetry/log.hpp"

namespace latchkey::storage::postgres {
namespace {

using Clock = std::chrono::steady_clock;
using Fate = PostgresError::Fate;
using std::chrono::milliseconds;

constexpr int kMaxTries = 10;

Error ToError(const DatabaseError& error) {
  return Error{.code = error.error_code(), .detail = error.what(), .retry_after = {}};
}

bool MayTryAgain(Fate fate) { return fate == Fate::kRetry || fate == Fate::kLost; }

}  // namespace

Worker::Worker(Pool& pool, bool reads, bool writes)
    : pool_(pool),
      reads_(reads),
      writes_(writes),
      sleeper_(pool.loop_.context),
      session_(pool.loop_, sleeper_, pool.address_, pool.types_),
      random_(std::random_device()()),
      fiber_([this] { Run(); }) {}

void Worker::Run() {
  while (auto job = pool_.Next(*this)) {
    if (job->kind == Pool::Kind::kWrite) {
      Write(*job);
    } else {
      Read(*job);
    }
  }
  session_.Close();
  sleeper_.Rest();
}

void Worker::Connect(TimePoint give_up) {
  milliseconds delay(20);
  while (!session_.open()) {
    std::optional<PostgresError> failure;
    try {
      session_.Open(std::min(give_up, Clock::now() + pool_.options_.connect_deadline));
    } catch (const PostgresError& error) {
      failure = error;
    }
    if (!failure) break;
    pool_.NoteDown(ToError(*failure));
    if (failure->fate() == Fate::kFinal || pool_.loop_.stopping || Clock::now() + delay >= give_up) throw *failure;
    sleeper_.Pause(delay + milliseconds(random_() % 20), pool_.loop_.stopping);
    delay = std::min(delay * 2, milliseconds(500));
  }
  pool_.NoteUp();
}

bool Worker::PauseBeforeTry(int tried, TimePoint deadline) {
  if (tried >= kMaxTries) return false;
  // Twice as long each time, and never in step with whoever stood in the way.
  const auto most = std::min(milliseconds(2) * (1 << tried), milliseconds(500));
  const auto delay = milliseconds(1) + milliseconds(random_() % static_cast<unsigned>(most.count()));
  if (Clock::now() + delay >= deadline) return false;
  return sleeper_.Pause(delay, pool_.loop_.stopping);
}

void Worker::Write(Pool::Job& job) {
  std::optional<Error> failure;
  Wakes wakes;
  for (int tried = 1; TryWrite(job, failure, wakes) == Verdict::kAgain; ++tried) {
    if (!PauseBeforeTry(tried, job.deadline)) {
      job.unit->Refuse(*failure);
      break;
    }
  }
  pool_.NoteWrite(failure);
  if (wakes.Any()) pool_.committed_(std::move(wakes));
  job.unit->Finish();
  pool_.Ended(job);
}

Worker::Verdict Worker::TryWrite(Pool::Job& job, std::optional<Error>& failure, Wakes& wakes) {
  failure.reset();
  Unit& unit = *job.unit;
  try {
    Connect(pool_.GiveUpAt(job));
  } catch (const PostgresError& error) {
    failure = ToError(error);
    unit.Refuse(*failure);
    return Verdict::kDone;
  }
  session_.Begin({.read_only = false, .isolation = unit.isolation, .durability = unit.durability}, job.deadline);
  Transaction transaction(session_);
  bool keep = false;
  std::optional<Error> thrown;
  try {
    keep = unit.RunWrite(transaction);
  } catch (const DatabaseError& error) {
    thrown = ToError(error);
  } catch (const std::exception& error) {
    thrown = Error{.code = ErrorCode::kInternal, .detail = error.what(), .retry_after = {}};
  }
  if (const auto& broken = session_.failure(); broken && MayTryAgain(broken->fate())) {
    // Whatever the body made of it: it decided by what another transaction has overtaken.
    failure = ToError(*broken);
    session_.Rollback();
    return Verdict::kAgain;
  }
  if (keep && !thrown) return TryCommit(job, transaction, failure, wakes);
  session_.Rollback();
  if (thrown) unit.Refuse(*thrown);
  if (thrown && thrown->code != ErrorCode::kAlreadyExists && thrown->code != ErrorCode::kConflict) failure = thrown;
  return Verdict::kDone;
}

Worker::Verdict Worker::TryCommit(Pool::Job& job, Transaction& transaction, std::optional<Error>& failure,
                                  Wakes& wakes) {
  std::optional<PostgresError> broken;
  try {
    session_.Commit();
  } catch (const PostgresError& error) {
    broken = error;
  } catch (const DatabaseError& error) {
    broken = PostgresError(error.error_code(), Fate::kFinal, {}, error.what());
  }
  const bool unheard = broken && session_.commit_sent() && !session_.open();
  if (unheard && session_.transaction_id()) {
    const auto transaction_id = *session_.transaction_id();
    const auto deadline = std::max(job.deadline, Clock::now()) + pool_.options_.settle_deadline;
    try {
      if (Settle(transaction_id, deadline) == Verdict::kDone) {
        broken.reset();
      } else if (Clock::now() < job.deadline) {
        failure = ToError(*broken);
        return Verdict::kAgain;
      }
    } catch (const DatabaseError& error) {
      log::Warn("storage.commit_unknown", {{"detail", error.what()}});
      failure = Error{.code = ErrorCode::kStorageUnavailable,
                      .detail =
                          "the database's answer to a commit was lost: the change may have happened, look before "
                          "asking for it again",
                      .retry_after = {}};
      job.unit->Refuse(*failure);
      return Verdict::kDone;
    }
  }
  if (!broken) {
    wakes = transaction.TakeWakes();
    return Verdict::kDone;
  }
  failure = ToError(*broken);
  session_.Rollback();
  if (MayTryAgain(broken->fate())) return Verdict::kAgain;
  job.unit->Refuse(*failure);
  return Verdict::kDone;
}

/// kDone when the transaction was committed, kAgain when it is certain that it was not. Throws when nobody can tell.
Worker::Verdict Worker::Settle(std::int64_t transaction, TimePoint deadline) {
  const std::string incarnation = session_.incarnation();
  const int backend = session_.backend();
  // The transaction is over for the session, whatever became of it: what is asked now stands outside of it.
  session_.Rollback();
  for (;;) {
    try {
      Connect(deadline);
      if (session_.incarnation() != incarnation) {
        // After a crash ids of what was lost are given out again: this one may be another transaction's.
        throw DatabaseError(ErrorCode::kStorageUnavailable, "the database server has crashed meanwhile");
      }
      session_.SetDeadline(deadline);
      Rows rows = session_.Query("SELECT pg_xact_status($1::text::xid8)", std::to_string(transaction));
      rows.Step();
      if (rows.Text(0) == "committed") return Verdict::kDone;
      if (rows.Text(0) == "aborted") return Verdict::kAgain;
      if (rows.Text(0) != "in progress") {
        throw DatabaseError(ErrorCode::kStorageUnavailable, "the database does not know the transaction any more");
      }
      // The old backend has not noticed that nobody listens.
      session_.Execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND pid <> pg_backend_pid()", backend);
    } catch (const PostgresError& error) {
      if (!MayTryAgain(error.fate()) || Clock::now() >= deadline) throw;
    }
    if (!sleeper_.Pause(milliseconds(50), pool_.loop_.stopping) || Clock::now() >= deadline) {
      throw DatabaseError(ErrorCode::kTimeout, "the transaction has not ended");
    }
  }
}

void Worker::Read(Pool::Job& job) {
  Unit& unit = *job.unit;
  for (int tried = 1;; ++tried) {
    std::optional<Error> failure;
    try {
      Connect(pool_.GiveUpAt(job));
      session_.Begin({.read_only = true}, job.deadline);
      unit.RunRead(session_);
    } catch (const DatabaseError& error) {
      failure = ToError(error);
    } catch (const std::exception& error) {
      failure = Error{.code = ErrorCode::kInternal, .detail = error.what(), .retry_after = {}};
    }
    const auto& broken = session_.failure();
    if (failure && broken && MayTryAgain(broken->fate())) {
      session_.Rollback();
      if (PauseBeforeTry(tried, job.deadline)) continue;
    }
    if (failure) unit.Refuse(std::move(*failure));
    break;
  }
  unit.Finish();
  pool_.Ended(job);
  // The caller has its answer; the snapshot goes after.
  session_.Rollback();
}

}  // namespace latchkey::storage::postgres
