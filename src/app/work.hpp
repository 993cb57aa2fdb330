#pragma once

#include <optional>

#include "audit/account_audit.hpp"
#include "audit/audited_calendars.hpp"
#include "audit/audited_mail.hpp"
#include "calendar/calendar_sync.hpp"
#include "connected_accounts/account_store.hpp"
#include "connected_accounts/disconnect.hpp"
#include "connected_accounts/token_source.hpp"
#include "events/event.hpp"
#include "identity/identity_store.hpp"
#include "jobs/right_of_way.hpp"
#include "jobs/scheduler.hpp"
#include "jobs/worker.hpp"
#include "mail/backfill.hpp"
#include "mail/fault_policy.hpp"
#include "mail/folder_sync.hpp"
#include "mail/index_messages.hpp"
#include "mail/mail_sync.hpp"
#include "mail/send_job.hpp"
#include "mail/sync_parts.hpp"
#include "push/renewal.hpp"

namespace latchkey::app {

/// The background half: which job kind is whose, and the recurring duties. Loop thread; Stop() before destruction.
class Work {
 public:
  struct Parts {
    Executor executor;
    jobs::RightOfWay& right_of_way;
    jobs::JobStore& jobs;
    connected_accounts::AccountStore& accounts;
    identity::IdentityStore& identities;
    events::EventStore& events;
    audit::AuditStore& audits;
    mail::FolderStore& folders;
    push::PushStore& push_channels;
    push::Renewal& push;
    bool push_configured = false;
    connected_accounts::Disconnect& disconnect;
    connected_accounts::RefreshingTokenSource& tokens;
    sync::PauseStore& pauses;
    mail::MailSenders& senders;
    mail::OutboxStore& outbox;
    /// See jobs::WorkerOptions::name.
    std::string worker_name;
    const Clock& clock;
    mail::SyncParts sync;
    calendar::CalendarSyncParts calendars;
  };
  explicit Work(const Parts& parts);

  void Start();
  /// Something became due.
  void Wake() { worker_.Wake(); }
  /// No job is taken any more; what runs goes on until Stop.
  void StopClaiming() { worker_.StopClaiming(); }
  Task<void> Stop();

 private:
  /// `handler` runs with the right of way when the job is of those that somebody waits for.
  void Register(std::string_view kind, jobs::Handler handler, int at_most);
  Task<Result<void>> QueueDueMailboxes();
  Task<Result<void>> QueueDueCalendars();
  Task<Result<void>> QueueDueAudits();
  Task<Result<void>> QueueDuePush();
  Task<jobs::Outcome> DeleteSyncedData(const jobs::Job& job);
  Task<Result<void>> RescueJobs();
  Task<Result<void>> QueueUnusedGrants();
  Task<Result<void>> RequeueMail();
  Task<Result<void>> Prune();

  Parts parts_;
  mail::FaultPolicy faults_;
  mail::FolderSync folders_;
  mail::MailSync live_;
  mail::Backfill backfill_;
  mail::IndexMessages index_;
  calendar::CalendarSync calendars_;
  audit::AuditedMail audited_mail_;
  audit::AuditedCalendars audited_calendars_;
  audit::AccountAudit audit_;
  mail::SendJob send_;
  jobs::Worker worker_;
  jobs::Scheduler scheduler_;
};

}  // namespace latchkey::app
