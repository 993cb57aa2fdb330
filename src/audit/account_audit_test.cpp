// The audit on a real database, against a mailbox that goes on living: whatever differs between the two is found,
// settled the way the provider says, and counted only when the provider said so.
#include "audit/account_audit.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/audited_mail.hpp"
#include "mail/backfill.hpp"
#include "mail/mail_sync.hpp"
#include "mail/testing/scripted_mailbox.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::audit {
namespace {

using mail::testing::ScriptedMailbox;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;
using Kind = jobs::Outcome::Kind;

class OneMailbox final : public mail::MailProviders {
 public:
  explicit OneMailbox(std::shared_ptr<ScriptedMailbox> mailbox) : mailbox_(std::move(mailbox)) {}
  Result<std::shared_ptr<mail::MailProvider>> For(const ConnectedAccountId&, std::string_view) override {
    return mailbox_;
  }

 private:
  std::shared_ptr<ScriptedMailbox> mailbox_;
};

class QuietStatus final : public mail::AccountStatus {
 public:
  Account account;
  Task<Result<Account>> Find(const ConnectedAccountId&) override { co_return account; }
  Task<void> ReportFault(const jobs::Job&, const Error&, std::optional<Instant>) override { co_return; }
  Task<void> ReportSuccess(const jobs::Job&, std::string_view) override { co_return; }
  Task<void> RaiseNotice(std::string_view, const Error&) override { co_return; }
};

class AccountAuditTest : public ::testing::Test {
 protected:
  AccountAuditTest() : user_(scratch_.AddUser("ada")), account_(scratch_.AddAccount(user_, "ada")) {
    status_.account = {.user_id = user_.id, .provider = "google", .generation = account_.generation};
    for (int i = 0; i < 40; ++i) mailbox_->Deliver();
    mailbox_->Deliver({"SPAM"});
    mailbox_->Deliver({"TRASH"});
    Sync();
    scratch_.clock().Advance(std::chrono::minutes(1));
  }

  storage::Database& database() { return scratch_.database(); }

  mail::SyncParts Parts() {
    return {database().messages(), providers_, status_, scratch_.clock(), {.commit_size = 10}};
  }

  /// Both lanes until nothing is left to do.
  void Sync() {
    const auto parts = Parts();
    mail::FaultPolicy faults(parts);
    mail::MailSync live(parts, faults);
    mail::Backfill backfill(parts, faults);
    for (int i = 0; i < 20; ++i) {
      RunOne("fetch_emails", [&](const jobs::Job& job) { return live.Run(job); });
      RunOne("backfill_emails", [&](const jobs::Job& job) { return backfill.Run(job); });
    }
  }

  /// Claims and runs a job of this kind, as the worker does; a live run is always there to be had.
  Kind RunOne(std::string_view kind, const std::function<Task<jobs::Outcome>(const jobs::Job&)>& handler) {
    if (kind == "fetch_emails") {
      const jobs::NewJob live{.kind = "fetch_emails",
                              .unique_key = jobs::AccountKey("fetch_emails", account_.id),
                              .account_id = account_.id,
                              .generation = account_.generation};
      scratch_.Get(database().jobs().Insert(live));
    }
    const auto claimed = scratch_.Get(database().jobs().Claim({.kinds = {std::string(kind)}}));
    if (claimed.empty()) return Kind::kCompleted;
    const jobs::Job& job = claimed.front();
    const auto outcome = latchkey::testing::RunTask(scratch_.loop(), handler(job));
    // Failures of the store may have ended the job already (an interrupted run is rescued by the next claim).
    scratch_.Get(
        database().jobs().Finish({.job_id = job.id, .token = job.lease_token}, outcome, scratch_.clock().Now()));
    last_outcome_ = outcome;
    return outcome.kind;
  }

  void Request() { scratch_.Get(database().audits().Request(user_.id, account_.id)); }
  Report Read() { return scratch_.Get(database().audits().Read(user_.id, account_.id)); }

  /// One turn of the audit's job and, as in life, of the live lane.
  Kind Turn(AuditOptions options = {}) {
    const auto parts = Parts();
    mail::FaultPolicy faults(parts);
    AuditedMail mail(parts, database().jobs(), database().audits());
    AccountAudit audit({database().audits(), {&mail}, status_, faults, scratch_.clock(), options});
    const auto kind = RunOne("audit_account", [&](const jobs::Job& job) { return audit.Run(job); });
    scratch_.clock().Advance(std::chrono::seconds(5));
    return kind;
  }
  Report Audit() {
    Request();
    for (int turns = 0; turns < 200; ++turns) {
      Turn();
      const auto report = Read();
      if (report.state != Report::State::kRunning) return report;
      mail::SyncParts parts = Parts();
      mail::FaultPolicy faults(parts);
      mail::MailSync live(parts, faults);
      RunOne("fetch_emails", [&](const jobs::Job& job) { return live.Run(job); });
    }
    ADD_FAILURE() << "the audit does not end";
    return Read();
  }

  void Execute(const std::string& sql) {
    storage::sqlite::Connection connection(scratch_.directory() + "/latchkey.db",
                                           storage::sqlite::Connection::Mode::kReadWrite);
    connection.Run(sql);
  }
  std::vector<std::string> StoredIds() {
    storage::sqlite::Connection connection(scratch_.directory() + "/latchkey.db",
                                           storage::sqlite::Connection::Mode::kReadOnly);
    std::vector<std::string> ids;
    auto rows = connection.Query("SELECT external_message_id FROM synced_messages");
    while (rows.Step()) ids.push_back(rows.String(0));
    return ids;
  }
  std::int64_t Count(const std::string& table) {
    storage::sqlite::Connection connection(scratch_.directory() + "/latchkey.db",
                                           storage::sqlite::Connection::Mode::kReadOnly);
    auto rows = connection.Query("SELECT count(*) FROM " + table);
    rows.Step();
    return rows.Int(0);
  }
  /// What the provider has.
  std::vector<std::string> TrueIds() {
    std::vector<std::string> ids;
    for (const auto& [id, message] : mailbox_->messages()) ids.push_back(id);
    return ids;
  }
  std::string SomeId(std::size_t at) { return TrueIds().at(at); }
  void LoseRow(const std::string& id) {
    Execute("DELETE FROM synced_messages WHERE external_message_id = '" + id + "'");
  }
  std::vector<std::string> Events() {
    std::vector<std::string> types;
    for (const auto& event : scratch_.Get(database().events().ListAfter(user_.id, 0, 1000)))
      types.push_back(event.type);
    return types;
  }

  storage::testing::ScratchStore scratch_;
  std::shared_ptr<ScriptedMailbox> mailbox_ = std::make_shared<ScriptedMailbox>(7);
  OneMailbox providers_{mailbox_};
  QuietStatus status_;
  identity::User user_;
  connected_accounts::ConnectedAccount account_;
  jobs::Outcome last_outcome_;
};

TEST_F(AccountAuditTest, AMailboxThatAgreesIsCompleteAsOfTheStartOfTheList) {
  const auto before = scratch_.clock().Now();
  const auto report = Audit();
  EXPECT_EQ(report.state, Report::State::kComplete);
  EXPECT_EQ(report.as_of, before);
  const auto& mail = report.services.at(Service::kMail);
  EXPECT_EQ(mail.provider_count, 42) << "spam and trash too";
  EXPECT_EQ(mail.stored_count, 42);
  EXPECT_EQ(mail.missing_count + mail.surplus_count + mail.fetched_count, 0);
  EXPECT_EQ(Count("audit_ids"), 0) << "the list does not stay";
  EXPECT_EQ(std::ranges::count(Events(), "audit.finished"), 1);
}

TEST_F(AccountAuditTest, ARowThatWasLostBehindTheSyncsBackIsFoundAndRestored) {
  const auto lost = SomeId(3), also = SomeId(20);
  LoseRow(lost);
  LoseRow(also);
  Sync();
  ASSERT_EQ(StoredIds().size(), 40u) << "the sync by itself cannot know";
  const auto report = Audit();
  EXPECT_EQ(report.state, Report::State::kComplete);
  const auto& mail = report.services.at(Service::kMail);
  EXPECT_EQ(mail.missing_count, 0);
  EXPECT_EQ(mail.fetched_count, 2);
  EXPECT_THAT(mail.missing, IsEmpty());
  EXPECT_THAT(StoredIds(), UnorderedElementsAreArray(TrueIds()));
}

TEST_F(AccountAuditTest, ARowWhoseTombstoneWasWrongComesBack) {
  const auto lost = SomeId(5);
  LoseRow(lost);
  Execute("INSERT INTO tombstones VALUES ('" + account_.id.text() + "', '" + lost + "', 9)");
  const auto report = Audit();
  EXPECT_EQ(report.services.at(Service::kMail).fetched_count, 1);
  EXPECT_THAT(StoredIds(), UnorderedElementsAreArray(TrueIds()));
}

TEST_F(AccountAuditTest, AStrayRowIsAskedForAndRemovedOnlyBecauseTheProviderSaysItIsGone) {
  auto commit = storage::testing::CommitFor(account_);
  commit.epoch = 1;
  commit.upserts = {storage::testing::SampleMessage("ffff00")};
  scratch_.Get(database().messages().Apply(commit));
  mailbox_->calls.clear();
  const auto report = Audit();
  EXPECT_EQ(report.state, Report::State::kComplete);
  EXPECT_EQ(report.services.at(Service::kMail).surplus_count, 1);
  EXPECT_EQ(mailbox_->calls["state"] + mailbox_->calls["get"], 1) << "a direct read, and of this one alone";
  EXPECT_THAT(StoredIds(), UnorderedElementsAreArray(TrueIds()));
}

TEST_F(AccountAuditTest, ARowThatTheListLeftOutButTheProviderHasStays) {
  Request();
  // Arrives while the list is being read, and is stored by the live lane before the two are compared.
  bool delivered = false;
  mailbox_->while_waiting = [&] {
    if (mailbox_->calls["list"] >= 2 && !std::exchange(delivered, true)) {
      const auto id = mailbox_->Deliver();
      auto commit = storage::testing::CommitFor(account_);
      commit.upserts = {mailbox_->messages().at(id)};
      mail::MessageStore& store = database().messages();
      boost::asio::co_spawn(
          scratch_.loop(), [&store, commit]() -> Task<void> { (void)co_await store.Apply(commit); },
          boost::asio::detached);
    }
  };
  const auto report = Audit();
  ASSERT_TRUE(delivered);
  EXPECT_EQ(report.state, Report::State::kComplete);
  EXPECT_EQ(report.services.at(Service::kMail).surplus_count, 0);
  EXPECT_THAT(StoredIds(), UnorderedElementsAreArray(TrueIds()));
}

TEST_F(AccountAuditTest, AMessageDeletedAtTheProviderDuringTheAuditIsNotReportedMissing) {
  const auto id = SomeId(10);
  LoseRow(id);
  Request();
  ASSERT_EQ(Turn(), Kind::kSnooze) << "differences wait for the live lane";
  mailbox_->Delete(id);
  const auto report = Audit();
  EXPECT_EQ(report.state, Report::State::kComplete);
  const auto& mail = report.services.at(Service::kMail);
  EXPECT_EQ(mail.missing_count + mail.fetched_count, 0);
  EXPECT_THAT(StoredIds(), UnorderedElementsAreArray(TrueIds()));
}

TEST_F(AccountAuditTest, WhatIsOnlyOnItsWayIsNoDifference) {
  const auto late = mailbox_->Deliver();
  mailbox_->Delete(SomeId(0));
  const auto report = Audit();
  EXPECT_EQ(report.state, Report::State::kComplete);
  const auto& mail = report.services.at(Service::kMail);
  EXPECT_EQ(mail.missing_count + mail.surplus_count + mail.fetched_count, 0) << "the live lane brought it";
  EXPECT_THAT(StoredIds(), UnorderedElementsAreArray(TrueIds()));
  EXPECT_THAT(StoredIds(), ::testing::Contains(late));
}

TEST_F(AccountAuditTest, AMessageThatCannotBeHadIsNamed) {
  const auto id = SomeId(8);
  LoseRow(id);
  mailbox_->failure = [&](std::string_view what, const std::string& asked) -> std::optional<Error> {
    if (what != "get" || asked != id) return std::nullopt;
    return Error{.code = ErrorCode::kMalformedReply, .detail = {}, .retry_after = {}};
  };
  const auto report = Audit();
  EXPECT_EQ(report.state, Report::State::kIncomplete);
  const auto& mail = report.services.at(Service::kMail);
  EXPECT_EQ(mail.missing_count, 1);
  EXPECT_EQ(mail.fetched_count, 0);
  EXPECT_THAT(mail.missing, ElementsAre(id));
  // The next one finds it, and says so.
  mailbox_->failure = nullptr;
  EXPECT_EQ(Audit().state, Report::State::kComplete);
}

TEST_F(AccountAuditTest, AKilledAuditGoesOnWhereItWas) {
  for (const std::size_t at : {2u, 9u, 17u, 30u}) LoseRow(SomeId(at));
  Request();
  const AuditOptions in_small_steps{.longest_run = std::chrono::milliseconds(1), .compare_chunk = 5, .check_chunk = 1};
  // Time passes with every call: each turn does one step, and each step is another process's.
  mailbox_->while_waiting = [&] { scratch_.clock().Advance(std::chrono::milliseconds(1)); };
  int lists = 0;
  for (int turns = 0; turns < 300 && Read().state == Report::State::kRunning; ++turns) {
    Turn(in_small_steps);
    scratch_.Close();
    scratch_.Reopen();
    if (turns % 3 == 0) Sync();
    lists = mailbox_->calls["list"];
  }
  const auto report = Read();
  EXPECT_EQ(report.state, Report::State::kComplete);
  EXPECT_EQ(report.services.at(Service::kMail).missing_count, 0);
  EXPECT_EQ(report.services.at(Service::kMail).fetched_count, 4);
  EXPECT_EQ(report.services.at(Service::kMail).provider_count, 42);
  EXPECT_THAT(StoredIds(), UnorderedElementsAreArray(TrueIds()));
  // The full read's pages and the audit's own, each once.
  EXPECT_EQ(lists, 2 * 6);
}

TEST_F(AccountAuditTest, AnExpiredPageTokenStartsTheListOver) {
  bool failed = false;
  mailbox_->failure = [&](std::string_view what, const std::string& page) -> std::optional<Error> {
    if (what != "list" || page.empty() || std::exchange(failed, true)) return std::nullopt;
    return Error{.code = ErrorCode::kCursorExpired, .detail = {}, .retry_after = {}};
  };
  const auto report = Audit();
  EXPECT_TRUE(failed);
  EXPECT_EQ(report.state, Report::State::kComplete);
  EXPECT_EQ(report.services.at(Service::kMail).provider_count, 42);
}

TEST_F(AccountAuditTest, AnAccountThatLostItsAccessEndsTheAuditWithTheReason) {
  mailbox_->failure = [&](std::string_view what, const std::string&) -> std::optional<Error> {
    if (what != "list") return std::nullopt;
    return Error{.code = ErrorCode::kReauthInvalidGrant, .detail = {}, .retry_after = {}};
  };
  const auto report = Audit();
  EXPECT_EQ(report.state, Report::State::kFailed);
  EXPECT_EQ(report.error_code, "reauth_invalid_grant");
}

TEST_F(AccountAuditTest, AnImportThatIsNotCompleteIsWaitedFor) {
  mailbox_->ExpireHistory();
  mail::SyncParts parts = Parts();
  mail::FaultPolicy faults(parts);
  mail::MailSync live(parts, faults);
  RunOne("fetch_emails", [&](const jobs::Job& job) { return live.Run(job); });
  Request();
  EXPECT_EQ(Turn(), Kind::kSnooze);
  EXPECT_EQ(last_outcome_.delay, std::chrono::minutes(1));
  Sync();
  EXPECT_EQ(Audit().state, Report::State::kComplete);
}

TEST_F(AccountAuditTest, AskingTwiceIsOneAuditAndAStrangerSeesNone) {
  Request();
  Request();
  EXPECT_EQ(scratch_.Get(database().jobs().List({.kind = "audit_account"})).items.size(), 1u);
  const auto eve = scratch_.AddUser("eve");
  EXPECT_EQ(scratch_.ErrorOf(database().audits().Request(eve.id, account_.id)), ErrorCode::kNotFound);
  EXPECT_EQ(scratch_.ErrorOf(database().audits().Read(eve.id, account_.id)), ErrorCode::kNotFound);
  EXPECT_EQ(scratch_.Get(database().audits().Read(user_.id, account_.id)).state, Report::State::kRunning);
}

TEST_F(AccountAuditTest, EveryAccountIsAuditedWeeklyAtItsOwnTime) {
  auto& audits = database().audits();
  const auto other = scratch_.AddAccount(user_, "other");
  const auto start = scratch_.clock().Now();
  EXPECT_EQ(scratch_.Get(audits.ScheduleDue(start, kAuditInterval, 10)), 0) << "not at once";
  EXPECT_EQ(scratch_.Get(audits.ScheduleDue(start + 2 * kAuditInterval, kAuditInterval, 10)), 2);
  EXPECT_EQ(scratch_.Get(audits.ScheduleDue(start + 2 * kAuditInterval, kAuditInterval, 10)), 0);
  EXPECT_EQ(scratch_.Get(database().jobs().List({.kind = "audit_account"})).items.size(), 2u);
  EXPECT_EQ(Read().state, Report::State::kRunning);
  EXPECT_EQ(scratch_.Get(audits.ScheduleDue(start + 3 * kAuditInterval, kAuditInterval, 10)), 2);
  EXPECT_EQ(scratch_.Get(database().jobs().List({.kind = "audit_account"})).items.size(), 2u);
}

}  // namespace
}  // namespace latchkey::audit
