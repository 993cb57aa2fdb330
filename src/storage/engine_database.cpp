#include "storage/engine_database.hpp"

#include "storage/account_store.hpp"
#include "storage/audit_store.hpp"
#include "storage/calendar_reader.hpp"
#include "storage/calendar_store.hpp"
#include "storage/consumed_states.hpp"
#include "storage/copy/copy_database.hpp"
#include "storage/event_store.hpp"
#include "storage/folder_store.hpp"
#include "storage/identity_store.hpp"
#include "storage/job_store.hpp"
#include "storage/key_store.hpp"
#include "storage/legacy_store.hpp"
#include "storage/message_reader.hpp"
#include "storage/message_store.hpp"
#include "storage/outbox_store.hpp"
#include "storage/pause_store.hpp"
#include "storage/push_store.hpp"
#include "storage/restore_mark.hpp"

namespace latchkey::storage {
namespace {

class EngineDatabase final : public Database {
 public:
  EngineDatabase(std::unique_ptr<Engine> engine, const Clock& clock)
      : engine_(std::move(engine)),
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
        push_(*engine_),
        legacy_(*engine_, clock),
        clock_(clock) {}

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
  legacy::ImportStore& legacy_imports() override { return legacy_; }

  Task<Result<bool>> HasUnfinishedCopy() override {
    auto read = [](Connection& connection) -> Result<bool> { return copy::HasUnfinishedCopy(connection); };
    co_return co_await engine_->Read(read);
  }

  Task<Result<RestoreMark>> MarkRestored() override {
    const Instant now = clock_.Now();
    auto write = [&](Transaction& transaction) -> Result<RestoreMark> {
      return storage::MarkRestored(transaction, now, 0, {});
    };
    co_return co_await engine_->Write(write, Durability::kPower);
  }

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

  Task<void> Stop() override { co_await engine_->Drain(); }

 private:
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
  LegacyStore legacy_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Database> MakeDatabase(std::unique_ptr<Engine> engine, const Clock& clock) {
  return std::make_unique<EngineDatabase>(std::move(engine), clock);
}

}  // namespace latchkey::storage
