// Which drafts a job may have removed, at a moment when the person decides otherwise.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs/retry_policy.hpp"
#include "mail/send_job.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::sending {
namespace {

using mail::Leftovers;
using mail::OutboxState;
using mail::SendOutcome;
using ::testing::ElementsAre;

/// Makes a draft, is refused, and cannot remove anything.
class RefusedSender final : public mail::MailSender {
 public:
  std::vector<Leftovers> asked;

  mail::SendLimits Limits() const override { return {}; }
  Task<Result<std::vector<mail::SendAddress>>> ListAddresses() override {
    co_return Fail(ErrorCode::kMissingScope, "not asked for here");
  }
  Task<SendOutcome> Send(const mail::OutboxEntry&, mail::SendJournal& journal) override {
    auto noted = co_await journal.NoteDraft("draft");
    if (!noted) co_return SendOutcome::NotSent(std::move(noted.error()));
    co_return SendOutcome::NotSent({.code = ErrorCode::kSendRejected, .detail = "refused", .retry_after = {}});
  }
  Task<SendOutcome> Reconcile(const mail::OutboxEntry&) override {
    co_return SendOutcome::Undecided({.code = ErrorCode::kSendUnconfirmed, .detail = "not there", .retry_after = {}});
  }
  Task<Result<void>> CleanUp(const mail::OutboxEntry&, Leftovers which) override {
    asked.push_back(which);
    co_return Fail(ErrorCode::kProviderUnavailable, "away");
  }
};

class OneSender final : public mail::MailSenders {
 public:
  std::shared_ptr<RefusedSender> sender = std::make_shared<RefusedSender>();
  Result<std::shared_ptr<mail::MailSender>> For(const ConnectedAccountId&, std::string_view) override { return sender; }
};

class Status final : public mail::AccountStatus {
 public:
  Account account;
  std::function<Task<void>()> meanwhile;

  Task<Result<Account>> Find(const ConnectedAccountId&) override {
    if (meanwhile) co_await std::exchange(meanwhile, nullptr)();
    co_return account;
  }
  Task<void> ReportFault(const jobs::Job&, const Error&, std::optional<Instant>) override { co_return; }
  Task<void> ReportSuccess(const jobs::Job&, std::string_view) override { co_return; }
  Task<void> RaiseNotice(std::string_view, const Error&) override { co_return; }
};

class LeftoversTest : public ::testing::Test {
 protected:
  LeftoversTest() { status_.account = {.user_id = user_.id, .provider = "google", .generation = account_.generation}; }

  mail::OutboxId Queue() {
    mail::OutboxStore::NewEntry wanted;
    wanted.entry.id = mail::OutboxId::New(store_.clock().Now());
    wanted.entry.user_id = user_.id;
    wanted.entry.account_id = account_.id;
    wanted.entry.send_at = store_.clock().Now();
    wanted.entry.mail.from = {.name = "Ada", .address = "ada@example.com"};
    wanted.entry.mail.to = {{.name = "Grace", .address = "grace@example.org"}};
    wanted.entry.mail.message_id = wanted.entry.id.text() + "@example.com";
    wanted.idempotency_key = "key-of-this-mail";
    return store_.Get(outbox_.Enqueue(wanted)).entry.id;
  }
  /// The next run of the job, after whatever it waits for.
  void Run() {
    auto& jobs = store_.database().jobs();
    const Instant now = store_.clock().Now();
    const Instant due = store_.Get(jobs.NextDue()).value_or(now);
    store_.clock().Advance(std::max<std::chrono::microseconds>(due - now, std::chrono::seconds(0)));
    const jobs::Job job = store_.Get(jobs.Claim({.kinds = {std::string(mail::kSendEmailKind)}})).at(0);
    mail::SendJob sending({.outbox = outbox_, .senders = senders_, .accounts = status_, .clock = store_.clock()});
    const auto outcome = latchkey::testing::RunTask(store_.loop(), sending.Run(job));
    const jobs::Lease lease{.job_id = job.id, .token = job.lease_token};
    store_.Get(jobs.Finish(lease, outcome, jobs::RetryPolicy().NextRun(job, outcome, store_.clock().Now())));
  }

  storage::testing::ScratchStore store_;
  identity::User user_ = store_.AddUser("ada");
  connected_accounts::ConnectedAccount account_ = store_.AddAccount(user_, "ada.mail");
  mail::OutboxStore& outbox_ = store_.database().outbox();
  OneSender senders_;
  Status status_;
};

TEST_F(LeftoversTest, TheDraftOfAMailThatIsTriedAgainMeanwhileIsLeftAlone) {
  const auto id = Queue();
  Run();
  EXPECT_EQ(store_.Get(outbox_.Get(user_.id, id)).state, OutboxState::kFailed);
  EXPECT_THAT(senders_.sender->asked, ElementsAre(Leftovers::kAll));
  status_.meanwhile = [&]() -> Task<void> { (void)co_await outbox_.Retry(user_.id, id, false); };
  Run();
  EXPECT_EQ(store_.Get(outbox_.Get(user_.id, id)).state, OutboxState::kQueued);
  EXPECT_THAT(senders_.sender->asked, ElementsAre(Leftovers::kAll, Leftovers::kBesideDraft));
}

}  // namespace
}  // namespace latchkey::sending
