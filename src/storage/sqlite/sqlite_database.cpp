#include "storage/sqlite/sqlite_database.hpp"

#include <fmt/format.h>

#include "storage/account_store.hpp"
#include "storage/audit_store.hpp"
#include "storage/calendar_reader.hpp"
#include "storage/calendar_store.hpp"
#include "storage/consumed_states.hpp"
#include "storage/event_store.hpp"
#include "storage/folder_store.hpp"
#include "storage/identity_store.hpp"
#include "storage/job_store.hpp"
#include "storage/key_store.hpp"
#include "storage/message_reader.hpp"
#include "storage/message_store.hpp"
#include "storage/outbox_store.hpp"
#include "storage/pause_store.hpp"
#include "storage/push_store.hpp"
#include "storage/sqlite/process_lock.hpp"

namespace latchkey::storage::sqlite {
namespace {

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(std::unique_ptr<Engine> engine, ProcessLock lock, const Clock& clock)
      : lock_(std::move(lock)),
        engine_(std::move(engine)),
        messages_(*engine_, clock),
        reader_(*engine_),
        calendars_(*engine_, clock),
        calendar_reader_(*engine_),
        folders_(*engine_, clock),
        outbox_(*engine_, clock),
        accounts_(*engine_, clock),
        identity_(*engine_, clock),
        consumed_states_(*engine_),
        keys_(*engine_, clock),
        jobs_(*engine_, clock),
        events_(*engine_),
        pauses_(*engine_),
        audits_(*engine_, clock),
        push_(*engine_) {}

  mail::MessageStore& messages() override { return messages_; }
  mail::MessageReader& message_reader() override { return reader_; }
  calendar::CalendarStore& calendars() override { return calendars_; }
  calendar::CalendarReader& calendar_reader() override { return calendar_reader_; }
  mail::FolderStore& folders() override { return folders_; }
  mail::OutboxStore& outbox() override { return outbox_; }
  connected_accounts::AccountStore& accounts() override { return accounts_; }
  identity::IdentityStore& identity() override { return identity_; }
  oauth::ConsumedStates& consumed_states() override { return consumed_states_; }
  crypto::KeyStore& keys() override { return keys_; }
  jobs::JobStore& jobs() override { return jobs_; }
  events::EventStore& events() override { return events_; }
  sync::PauseStore& pauses() override { return pauses_; }
  audit::AuditStore& audits() override { return audits_; }
  push::PushStore& push() override { return push_; }

  void OnCommit(std::function<void()> jobs_ready, std::function<void(const UserId&)> events_written) override {
    CommitHooks hooks{.jobs_inserted = std::move(jobs_ready), .events_written = std::move(events_written)};
    engine_->SetHooks(std::move(hooks));
  }

  Task<DatabaseHealth> Health() override {
    DatabaseHealth health{.schema_version = engine_->schema_version(), .fault = engine_->WriteFault()};
    auto read = [](Connection& connection) -> Result<bool> {
      return connection.Query("SELECT 1 FROM event_horizon").Step();
    };
    const auto answered = co_await engine_->Read(read);
    if (!answered) health.fault = answered.error().code;
    health.ready = !health.fault;
    co_return health;
  }

  Task<void> Stop() override {
    // The writer serves in order: when this has come through, so has everything before it.
    auto last = [](Transaction&) -> Result<void> { return {}; };
    (void)co_await engine_->Write(last, Durability::kPower);
  }

 private:
  ProcessLock lock_;
  std::unique_ptr<Engine> engine_;
  MessageStore messages_;
  MessageReader reader_;
  CalendarStore calendars_;
  CalendarReader calendar_reader_;
  FolderStore folders_;
  OutboxStore outbox_;
  AccountStore accounts_;
  IdentityStore identity_;
  ConsumedStates consumed_states_;
  KeyStore keys_;
  JobStore jobs_;
  EventStore events_;
  PauseStore pauses_;
  AuditStore audits_;
  PushStore push_;
};

/// Gives back all running jobs: right only when no other process can be at work.
Result<void> RescueAllJobs(const std::string& path, Instant now) {
  constexpr Instant kAnyLease = Instant::max();
  constexpr int kAtOnce = 1000;
  try {
    Connection connection(path, Connection::Mode::kReadWrite);
    Transaction transaction(connection);
    for (int rescued = kAtOnce; rescued == kAtOnce;) {
      connection.Execute("BEGIN IMMEDIATE");
      rescued = RescueJobs(transaction, kAnyLease, kAtOnce, now);
      connection.Execute("COMMIT");
    }
    return {};
  } catch (const SqliteError& error) {
    return Fail(error.error_code(), error.what());
  }
}

}  // namespace

Result<std::unique_ptr<Database>> OpenDatabase(const std::string& path, const DatabaseOptions& options, Executor loop,
                                               const Clock& clock) {
  const Instant now = clock.Now();
  ProcessLock lock(path + ".lock");
  EngineOptions engine_options{.path = path, .readers = options.readers};
  auto engine = Engine::Open(std::move(engine_options), std::move(loop), now);
  if (!engine) {
    return Fail(engine.error().code, fmt::format("cannot open the database {}: {}", path, engine.error().detail));
  }
  if (lock.Alone()) {
    // No other process lives: whoever held these jobs is dead, nobody has to wait for leases to run out.
    if (auto rescued = RescueAllJobs(path, now); !rescued) return Fail(std::move(rescued.error()));
  }
  lock.Share();
  return std::unique_ptr<Database>(new SqliteDatabase(std::move(*engine), std::move(lock), clock));
}

}  // namespace latchkey::storage::sqlite
