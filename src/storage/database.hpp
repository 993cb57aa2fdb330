#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "async/task.hpp"
#include "audit/audit_store.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "calendar/calendar_store.hpp"
#include "connected_accounts/account_store.hpp"
#include "crypto/key_store.hpp"
#include "events/event.hpp"
#include "identity/identity_store.hpp"
#include "jobs/job_store.hpp"
#include "legacy/import_store.hpp"
#include "mail/folder_store.hpp"
#include "mail/message_store.hpp"
#include "mail/outbox.hpp"
#include "oauth/consumed_states.hpp"
#include "push/push_store.hpp"
#include "sync/provider_pause.hpp"

namespace latchkey::storage {

struct RestoreMark;

struct DatabaseOptions {
  /// "sqlite:PATH", a plain path, or "postgresql://USER:PASSWORD@HOST:PORT/DATABASE".
  std::string url;
  int readers = 2;
  /// To PostgreSQL, at most; at least 2.
  int connections = 10;
};

/// What /readyz tells of the database.
struct DatabaseHealth {
  bool ready = false;
  int schema_version = 0;
  /// Why it is not ready: kDiskFull, kStorageUnavailable, kOverloaded, kTimeout.
  std::optional<ErrorCode> fault;
};

/// The whole database behind its ports. Opened before the loop runs and destroyed after it has ended; its methods
/// belong to the loop thread.
class Database {
 public:
  /// Opens and migrates; blocks. `clock` must outlive the database. The error's detail is meant for the operator: it
  /// names the file and what to do, and holds no secret.
  static Result<std::unique_ptr<Database>> Open(const DatabaseOptions& options, Executor loop, const Clock& clock);
  virtual ~Database() = default;

  virtual mail::MessageStore& messages() = 0;
  virtual mail::MessageReader& message_reader() = 0;
  virtual calendar::CalendarStore& calendars() = 0;
  virtual calendar::CalendarReader& calendar_reader() = 0;
  virtual mail::FolderStore& folders() = 0;
  virtual connected_accounts::AccountStore& accounts() = 0;
  virtual identity::IdentityStore& identity() = 0;
  virtual oauth::ConsumedStates& consumed_states() = 0;
  virtual mail::OutboxStore& outbox() = 0;
  virtual crypto::KeyStore& keys() = 0;
  virtual jobs::JobStore& jobs() = 0;
  virtual events::EventStore& events() = 0;
  virtual sync::PauseStore& pauses() = 0;
  virtual audit::AuditStore& audits() = 0;
  virtual push::PushStore& push() = 0;
  virtual legacy::ImportStore& legacy_imports() = 0;

  /// After the database was put back to an earlier state by its own means, before a server starts: see
  /// restore_mark.hpp.
  virtual Task<Result<RestoreMark>> MarkRestored() = 0;
  /// True while a copy into this database has not ended (copy/copy_database.hpp): nothing may be started on it.
  virtual Task<Result<bool>> HasUnfinishedCopy() = 0;

  /// Called on the loop after each commit that made jobs runnable; after one that wrote events, with each user they are
  /// for. Set both before the first write.
  virtual void OnCommit(std::function<void()> jobs_ready, std::function<void(const UserId&)> events_written) = 0;

  virtual Task<DatabaseHealth> Health() = 0;
  /// Finishes what is queued. Nothing may be asked of the database afterwards.
  virtual Task<void> Stop() = 0;
};

}  // namespace latchkey::storage
