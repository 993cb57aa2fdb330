#include "storage/sqlite/writer.hpp"

#include <algorithm>

namespace latchkey::storage::sqlite {
namespace {

Error ToError(const DatabaseError& error) {
  return Error{.code = error.error_code(), .detail = error.what(), .retry_after = {}};
}

}  // namespace

void Writer::RunBatch(std::vector<std::unique_ptr<Unit>>& units) {
  std::optional<Error> failure;
  Wakes wakes;
  if (Begin(units, failure)) {
    for (auto& unit : units) {
      if (!failure) RunOne(*unit, wakes, failure);
    }
    if (!failure) {
      try {
        connection_->Execute("COMMIT");
      } catch (const DatabaseError& error) {
        failure = ToError(error);
      }
    }
    if (failure) Rollback();
  }
  Note(failure);
  if (failure) {
    // Nothing of this batch exists: also those whose bodies succeeded must hear so.
    for (auto& unit : units) unit->Refuse(*failure);
  } else if (hooks && wakes.Any()) {
    auto wake = [known = hooks, jobs = wakes.jobs, users = std::move(wakes.users)] {
      if (jobs && known->jobs_inserted) known->jobs_inserted();
      if (!known->events_written) return;
      for (const UserId& user : users) known->events_written(user);
    };
    boost::asio::post(loop_, std::move(wake));
  }
  for (auto& unit : units) unit->Finish();
}

bool Writer::Begin(const std::vector<std::unique_ptr<Unit>>& units, std::optional<Error>& failure) {
  const bool to_disk =
      std::any_of(units.begin(), units.end(), [](const auto& unit) { return unit->durability == Durability::kPower; });
  try {
    // Only possible between transactions; one call that must reach the disk takes the batch with it.
    if (to_disk != synced_to_disk_) {
      connection_->Run(to_disk ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
      synced_to_disk_ = to_disk;
    }
    connection_->Execute("BEGIN IMMEDIATE");
    return true;
  } catch (const DatabaseError& error) {
    failure = ToError(error);
    return false;
  }
}

void Writer::RunOne(Unit& unit, Wakes& wakes, std::optional<Error>& failure) {
  try {
    connection_->Execute("SAVEPOINT unit");
    Transaction transaction(*connection_);
    bool keep = false;
    try {
      keep = unit.RunWrite(transaction);
    } catch (const DatabaseError& error) {
      unit.Refuse(ToError(error));
      // A full disk or an I/O error makes SQLite roll back everything, the units before this one included.
      if (connection_->Idle()) {
        failure = ToError(error);
        return;
      }
    } catch (const std::exception& error) {
      unit.Refuse(Error{.code = ErrorCode::kInternal, .detail = error.what(), .retry_after = {}});
    }
    if (!keep) connection_->Execute("ROLLBACK TO unit");
    connection_->Execute("RELEASE unit");
    if (!keep) return;
    wakes.Merge(transaction.TakeWakes());
  } catch (const DatabaseError& error) {
    failure = ToError(error);
  }
}

void Writer::Rollback() {
  if (connection_->Idle()) return;
  try {
    connection_->Execute("ROLLBACK");
  } catch (const SqliteError&) {
    // The next BEGIN fails and says so; there is nothing more to undo with.
  }
}

void Writer::Note(const std::optional<Error>& failure) {
  fault_.store(failure ? static_cast<int>(failure->code) : -1, std::memory_order_relaxed);
}

std::optional<ErrorCode> Writer::fault() const {
  const int code = fault_.load(std::memory_order_relaxed);
  return code < 0 ? std::nullopt : std::optional(static_cast<ErrorCode>(code));
}

}  // namespace latchkey::storage::sqlite
