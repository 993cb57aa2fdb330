// The audit of calendars on a real database: single events, series and exceptions of the selected calendars.
#include "audit/audited_calendars.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/account_audit.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::audit {
namespace {

using calendar::Event;
using calendar::EventKind;
using ::testing::UnorderedElementsAre;

/// Two calendars at a provider like Google: one window, masters and exceptions by name.
class ScriptedCalendars final : public calendar::CalendarProvider {
 public:
  std::map<std::string, std::map<std::string, Event>> events;
  int reads = 0;

  Task<Result<std::vector<calendar::Calendar>>> ListCalendars() override {
    std::vector<calendar::Calendar> all;
    for (const auto& [id, held] : events) {
      calendar::Calendar one;
      one.external_id = id;
      one.name = id;
      one.time_zone = "UTC";
      all.push_back(std::move(one));
    }
    co_return all;
  }
  Task<Result<std::vector<calendar::Window>>> Windows(const calendar::Calendar&, const std::vector<calendar::Window>&,
                                                      Instant, bool) override {
    co_return std::vector<calendar::Window>{calendar::Window{}};
  }
  Task<Result<calendar::ChangePage>> Changes(const calendar::Calendar& asked, const calendar::Window&,
                                             const std::string& token) override {
    calendar::ChangePage page;
    if (token.empty()) {
      for (const auto& [id, event] : events[asked.external_id]) page.events.push_back(event);
    }
    page.next_token = "token";
    co_return page;
  }
  Task<Result<Event>> GetEvent(const calendar::Calendar& asked, const std::string& id) override {
    ++reads;
    const auto found = events[asked.external_id].find(id);
    if (found == events[asked.external_id].end()) co_return Fail(ErrorCode::kGone);
    co_return found->second;
  }
  Task<Result<calendar::EventIdPage>> ListIds(const calendar::Calendar& asked, const std::vector<calendar::Window>&,
                                              const std::string& page) override {
    // One id to a page.
    calendar::EventIdPage ids;
    const auto& held = events[asked.external_id];
    const auto at = page.empty() ? held.begin() : held.find(page);
    if (at == held.end()) co_return ids;
    ids.ids.push_back(at->first);
    if (std::next(at) != held.end()) ids.next_page = std::next(at)->first;
    co_return ids;
  }
  bool windows_are_parts() const override { return false; }
};

class OneProvider final : public calendar::CalendarProviders {
 public:
  explicit OneProvider(std::shared_ptr<ScriptedCalendars> calendars) : calendars_(std::move(calendars)) {}
  Result<std::shared_ptr<calendar::CalendarProvider>> For(const ConnectedAccountId&, std::string_view) override {
    return calendars_;
  }

 private:
  std::shared_ptr<ScriptedCalendars> calendars_;
};

class CalendarStatus final : public calendar::AccountStatus {
 public:
  Account account{.provider = "google", .may_work = true};
  Task<Result<Account>> Find(const ConnectedAccountId&) override { co_return account; }
  Task<void> ReportFault(const jobs::Job&, const Error&) override { co_return; }
  Task<void> RaiseNotice(std::string_view, const Error&) override { co_return; }
  Task<void> ResolveNotice(std::string_view) override { co_return; }
};

class MailStatus final : public mail::AccountStatus {
 public:
  Account account;
  Task<Result<Account>> Find(const ConnectedAccountId&) override { co_return account; }
  Task<void> ReportFault(const jobs::Job&, const Error&, std::optional<Instant>) override { co_return; }
  Task<void> ReportSuccess(const jobs::Job&, std::string_view) override { co_return; }
  Task<void> RaiseNotice(std::string_view, const Error&) override { co_return; }
};

class NoMail final : public mail::MailProviders {
 public:
  Result<std::shared_ptr<mail::MailProvider>> For(const ConnectedAccountId&, std::string_view) override {
    return Fail(ErrorCode::kNotFound);
  }
};

class AuditedCalendarsTest : public ::testing::Test {
 protected:
  AuditedCalendarsTest() {
    calendar_status_.account.generation = account_.generation;
    mail_status_.account = {.user_id = user_.id, .provider = "google", .generation = account_.generation};
    for (const char* id : {"a", "b", "c"}) Add("home", id, EventKind::kSingle);
    Add("work", "series", EventKind::kMaster);
    Add("work", "series_1", EventKind::kException);
    Visit();
    scratch_.clock().Advance(std::chrono::minutes(1));
  }
  Event Add(const std::string& calendar, const std::string& id, EventKind kind) {
    Event event;
    event.external_id = id;
    event.kind = kind;
    event.title = "Title of " + id;
    event.time.start = scratch_.clock().Now() + std::chrono::hours(24);
    event.time.end = event.time.start + std::chrono::hours(1);
    event.time.zone = "UTC";
    if (kind == EventKind::kMaster) event.recurrence = {"RRULE:FREQ=DAILY;COUNT=3"};
    if (kind == EventKind::kException) {
      event.series_id = "series";
      event.original_start = event.time.start;
    }
    provider_->events[calendar][id] = event;
    return event;
  }
  calendar::CalendarSyncParts Parts() {
    return {scratch_.database().calendars(), providers_, calendar_status_, scratch_.clock(), {}};
  }
  jobs::Job Claim(const std::string& kind) {
    const jobs::NewJob job{.kind = kind,
                           .unique_key = jobs::AccountKey(kind, account_.id),
                           .account_id = account_.id,
                           .generation = account_.generation};
    scratch_.Get(scratch_.database().jobs().Insert(job));
    return scratch_.Get(scratch_.database().jobs().Claim({.kinds = {kind}})).at(0);
  }
  void End(const jobs::Job& job, const jobs::Outcome& outcome) {
    scratch_.Get(scratch_.database().jobs().Finish({.job_id = job.id, .token = job.lease_token}, outcome,
                                                   scratch_.clock().Now()));
  }
  void Visit() {
    const auto parts = Parts();
    calendar::CalendarSync sync(parts);
    for (int i = 0; i < 4; ++i) {
      const auto job = Claim("fetch_calendar");
      End(job, latchkey::testing::RunTask(scratch_.loop(), sync.Run(job)));
    }
  }
  ServiceReport Audit() {
    scratch_.Get(scratch_.database().audits().Request(user_.id, account_.id));
    const auto parts = Parts();
    const mail::SyncParts mail_parts{scratch_.database().messages(), no_mail_, mail_status_, scratch_.clock(), {}};
    mail::FaultPolicy faults(mail_parts);
    AuditedCalendars calendars(parts, scratch_.database().jobs(), scratch_.database().audits());
    AccountAudit audit({scratch_.database().audits(), {&calendars}, mail_status_, faults, scratch_.clock(), {}});
    for (int turns = 0; turns < 50; ++turns) {
      const auto job = Claim("audit_account");
      End(job, latchkey::testing::RunTask(scratch_.loop(), audit.Run(job)));
      report_ = scratch_.Get(scratch_.database().audits().Read(user_.id, account_.id));
      if (report_.state != Report::State::kRunning) return report_.services.at(Service::kCalendar);
      scratch_.clock().Advance(std::chrono::seconds(5));
      Visit();
    }
    ADD_FAILURE() << "the audit does not end";
    return {};
  }
  void Execute(const std::string& sql) {
    storage::sqlite::Connection(scratch_.directory() + "/latchkey.db", storage::sqlite::Connection::Mode::kReadWrite)
        .Run(sql);
  }
  std::vector<std::string> StoredIds() {
    storage::sqlite::Connection connection(scratch_.directory() + "/latchkey.db",
                                           storage::sqlite::Connection::Mode::kReadOnly);
    std::vector<std::string> ids;
    auto rows = connection.Query("SELECT external_event_id FROM calendar_events");
    while (rows.Step()) ids.push_back(rows.String(0));
    return ids;
  }

  storage::testing::ScratchStore scratch_;
  std::shared_ptr<ScriptedCalendars> provider_ = std::make_shared<ScriptedCalendars>();
  OneProvider providers_{provider_};
  CalendarStatus calendar_status_;
  MailStatus mail_status_;
  NoMail no_mail_;
  identity::User user_ = scratch_.AddUser("ada");
  connected_accounts::ConnectedAccount account_ = scratch_.AddAccount(user_, "ada");
  Report report_;
};

TEST_F(AuditedCalendarsTest, CalendarsThatAgreeAreComplete) {
  const auto report = Audit();
  EXPECT_EQ(report_.state, Report::State::kComplete);
  EXPECT_EQ(report.provider_count, 5);
  EXPECT_EQ(report.stored_count, 5);
  EXPECT_EQ(provider_->reads, 0);
}

TEST_F(AuditedCalendarsTest, AnEventThatWasLostComesBackAndAStrayGoes) {
  Execute("DELETE FROM calendar_events WHERE external_event_id IN ('b', 'series_1')");
  Execute("UPDATE calendar_events SET external_event_id = 'stray' WHERE external_event_id = 'c'");
  const auto report = Audit();
  EXPECT_EQ(report_.state, Report::State::kComplete);
  EXPECT_EQ(report.fetched_count, 3);
  EXPECT_EQ(report.surplus_count, 1);
  EXPECT_EQ(report.missing_count, 0);
  EXPECT_THAT(StoredIds(), UnorderedElementsAre("a", "b", "c", "series", "series_1"));
}

TEST_F(AuditedCalendarsTest, ACalendarThatIsNotSelectedIsNotCompared) {
  Execute("UPDATE calendars SET selected = 0 WHERE external_id = 'work'");
  Execute("DELETE FROM calendar_events WHERE external_event_id LIKE 'series%'");
  const auto report = Audit();
  EXPECT_EQ(report_.state, Report::State::kComplete);
  EXPECT_EQ(report.provider_count, 3);
}

}  // namespace
}  // namespace latchkey::audit
