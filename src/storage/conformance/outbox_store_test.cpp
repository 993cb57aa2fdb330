#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using mail::OutboxEntry;
using mail::OutboxId;
using mail::OutboxState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OutboxLaws : public StoreConformance {
 protected:
  mail::UploadId UploadOf(std::string_view content, const UserId& owner) {
    const auto id = store.Get(outbox().BeginUpload(owner, "minutes.pdf", "application/pdf")).id;
    std::int64_t position = 0;
    for (std::size_t at = 0; at < content.size(); at += 4) {
      store.Get(outbox().AppendUpload(owner, id, position++, content.substr(at, 4)));
    }
    store.Get(outbox().FinishUpload(owner, id));
    return id;
  }
  mail::OutboxStore::NewEntry NewMail(const std::string& key, const std::string& subject = "Hello") {
    mail::OutboxStore::NewEntry wanted;
    wanted.entry.id = OutboxId::New(store.clock().Now());
    wanted.entry.user_id = user.id;
    wanted.entry.account_id = account.id;
    wanted.entry.send_at = store.clock().Now();
    wanted.entry.mail.from = {.name = "Ada", .address = "ada@example.com"};
    wanted.entry.mail.to = {{.name = "Grace", .address = "grace@example.org"}};
    wanted.entry.mail.bcc = {{.name = "", .address = "secret@example.org"}};
    wanted.entry.mail.subject = subject;
    wanted.entry.mail.text = "text";
    wanted.entry.mail.html = "<p>text</p>";
    wanted.entry.mail.references = {"a@example.org", "b@example.org"};
    wanted.entry.mail.message_id = wanted.entry.id.text() + "@example.com";
    wanted.idempotency_key = key;
    wanted.request_hash = "hash of " + subject;
    return wanted;
  }
  OutboxEntry Queue(const std::string& key) { return store.Get(outbox().Enqueue(NewMail(key))).entry; }
  /// The running job of the one entry that is due.
  jobs::Lease Take() {
    const auto claimed = store.Get(jobs().Claim({.kinds = {"send_email"}}));
    if (claimed.size() != 1) throw std::runtime_error("no job");
    return {.job_id = claimed[0].id, .token = claimed[0].lease_token};
  }
  OutboxState StateOf(const OutboxId& id) { return store.Get(outbox().Get(user.id, id)).state; }

  identity::User user = store.AddUser("ada");
  identity::User other = store.AddUser("eve");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
};
LATCHKEY_ON_EVERY_ENGINE(OutboxLaws);

TEST_P(OutboxLaws, WhatIsQueuedComesBackWholeWithItsJobAndEvent) {
  auto wanted = NewMail("key-0000000000001");
  const auto upload = UploadOf("0123456789", user.id);
  wanted.entry.mail.attachments = {
      {.upload = upload, .name = "minutes.pdf", .mime_type = "application/pdf", .content_id = "", .size = 10}};
  const auto accepted = store.Get(outbox().Enqueue(wanted));
  EXPECT_FALSE(accepted.repeated);
  const auto entry = store.Get(outbox().GetForWork(accepted.entry.id));
  EXPECT_EQ(entry.state, OutboxState::kQueued);
  EXPECT_EQ(entry.mail.html, "<p>text</p>");
  EXPECT_EQ(entry.mail.bcc.at(0).address, "secret@example.org");
  EXPECT_THAT(entry.mail.references, ElementsAre("a@example.org", "b@example.org"));
  ASSERT_THAT(entry.mail.attachments, SizeIs(1));
  EXPECT_EQ(entry.mail.attachments[0].upload, upload);
  EXPECT_FALSE(entry.handed_over_at);
  EXPECT_THAT(store.Get(jobs().List({.kind = "send_email"})).items, SizeIs(1));
  EXPECT_THAT(EventTypes(user.id), ::testing::Contains("outbox.changed"));
  EXPECT_THAT(store.Get(outbox().List(user.id, {}, "", 10)).items, SizeIs(1));
  EXPECT_THAT(store.Get(outbox().List(other.id, {}, "", 10)).items, IsEmpty());
  EXPECT_EQ(store.ErrorOf(outbox().Get(other.id, entry.id)), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(outbox().Dismiss(other.id, entry.id)), ErrorCode::kNotFound);
}

TEST_P(OutboxLaws, TheNewestMailThatMetSomethingTellsHowSendingFares) {
  const auto facts = [&] { return store.Get(store.database().accounts().Get(user.id, account.id)).send; };
  const auto first = Queue("key-0000000000001");
  EXPECT_EQ(facts().fault, std::nullopt);
  auto lease = Take();
  store.Get(outbox().Claim(lease, first.id));
  const auto next = store.clock().Now() + std::chrono::minutes(1);
  store.Get(outbox().MarkNotSent(lease, first.id, ErrorCode::kProviderUnavailable, next));
  EXPECT_EQ(facts().fault, ErrorCode::kProviderUnavailable);
  EXPECT_EQ(facts().next_attempt_at, next);
  const auto stranger = store.AddAccount(user, "other.mail");
  EXPECT_EQ(store.Get(store.database().accounts().Get(user.id, stranger.id)).send.fault, std::nullopt);
  store.Get(outbox().Claim(lease, first.id));
  store.Get(outbox().MarkNotSent(lease, first.id, ErrorCode::kSendScopeMissing, std::nullopt));
  EXPECT_EQ(facts().fault, ErrorCode::kSendScopeMissing);
  EXPECT_EQ(facts().next_attempt_at, std::nullopt);
  store.Get(outbox().Dismiss(user.id, first.id));
  EXPECT_EQ(facts().fault, std::nullopt) << "the person has seen it";
}

TEST_P(OutboxLaws, AKeyMakesOneMailAndIsRefusedForAnother) {
  const auto first = store.Get(outbox().Enqueue(NewMail("key-0000000000001")));
  const auto again = store.Get(outbox().Enqueue(NewMail("key-0000000000001")));
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.entry.id, first.entry.id);
  EXPECT_EQ(store.ErrorOf(outbox().Enqueue(NewMail("key-0000000000001", "Other"))), ErrorCode::kIdempotencyKeyReused);
  EXPECT_EQ(store.ErrorOf(outbox().FindByKey(user.id, "key-0000000000001", "x")), ErrorCode::kIdempotencyKeyReused);
  EXPECT_EQ(store.ErrorOf(outbox().FindByKey(other.id, "key-0000000000001", "x")), ErrorCode::kNotFound);
  EXPECT_THAT(store.Get(jobs().List({.kind = "send_email"})).items, SizeIs(1));
}

TEST_P(OutboxLaws, OnlyTheQueuedCanBeTakenBack) {
  const auto undone = Queue("key-0000000000001");
  EXPECT_EQ(store.Get(outbox().Dismiss(user.id, undone.id)).state, OutboxState::kCancelled);
  EXPECT_THAT(store.Get(jobs().Claim({.kinds = {"send_email"}})), IsEmpty());
  EXPECT_THAT(store.Get(outbox().List(user.id, {}, "", 10)).items, IsEmpty());
  const auto going = Queue("key-0000000000002");
  const auto lease = Take();
  store.Get(outbox().Claim(lease, going.id));
  EXPECT_EQ(store.ErrorOf(outbox().Dismiss(user.id, going.id)), ErrorCode::kConflict);
  EXPECT_EQ(store.ErrorOf(outbox().Retry(user.id, going.id, true)), ErrorCode::kConflict);
  EXPECT_EQ(store.ErrorOf(outbox().Claim(lease, undone.id)), ErrorCode::kConflict);
}

TEST_P(OutboxLaws, IsHandedOverOnceUnlessThePersonAsksAgain) {
  const auto entry = Queue("key-0000000000001");
  const auto lease = Take();
  EXPECT_EQ(store.ErrorOf(outbox().HandOver(lease, entry.id)), ErrorCode::kConflict) << "not claimed";
  store.Get(outbox().Claim(lease, entry.id));
  store.Get(outbox().HandOver(lease, entry.id));
  EXPECT_EQ(store.ErrorOf(outbox().HandOver(lease, entry.id)), ErrorCode::kConflict);
  store.Get(outbox().MarkUndecided(lease, entry.id, false));
  EXPECT_EQ(StateOf(entry.id), OutboxState::kSending);
  store.Get(outbox().MarkUndecided(lease, entry.id, true));
  const auto unconfirmed = store.Get(outbox().Get(user.id, entry.id));
  EXPECT_EQ(unconfirmed.state, OutboxState::kUnconfirmed);
  EXPECT_EQ(unconfirmed.error, ErrorCode::kSendUnconfirmed);
  EXPECT_EQ(unconfirmed.checks, 2);
  store.Get(outbox().Retry(user.id, entry.id, false));
  EXPECT_EQ(store.ErrorOf(outbox().HandOver(lease, entry.id)), ErrorCode::kConflict) << "only looked for";
  store.Get(outbox().MarkUndecided(lease, entry.id, true));
  const auto again = store.Get(outbox().Retry(user.id, entry.id, true));
  EXPECT_TRUE(again.resend);
  EXPECT_TRUE(again.handed_over_at) << "it may still be out";
  store.Get(outbox().HandOver(lease, entry.id));
  EXPECT_EQ(store.ErrorOf(outbox().HandOver(lease, entry.id)), ErrorCode::kConflict);
}

TEST_P(OutboxLaws, AnotherWorkersLeaseWritesNothingButSentIsAFact) {
  const auto entry = Queue("key-0000000000001");
  const auto lease = Take();
  const jobs::Lease stranger{.job_id = lease.job_id, .token = "stolen"};
  EXPECT_EQ(store.ErrorOf(outbox().Claim(stranger, entry.id)), ErrorCode::kLeaseLost);
  store.Get(outbox().Claim(lease, entry.id));
  EXPECT_EQ(store.ErrorOf(outbox().HandOver(stranger, entry.id)), ErrorCode::kLeaseLost);
  EXPECT_EQ(store.ErrorOf(outbox().NoteDraft(stranger, entry.id, "d")), ErrorCode::kLeaseLost);
  EXPECT_EQ(store.ErrorOf(outbox().MarkSent(entry.id, "m1", "t1")), ErrorCode::kConflict) << "never handed over";
  store.Get(outbox().HandOver(lease, entry.id));
  EXPECT_EQ(store.ErrorOf(outbox().MarkNotSent(stranger, entry.id, ErrorCode::kTimeout, std::nullopt)),
            ErrorCode::kLeaseLost);
  store.Get(outbox().MarkSent(entry.id, "m1", "t1"));
  store.Get(outbox().MarkSent(entry.id, "m1", "t1"));
  EXPECT_EQ(store.ErrorOf(outbox().MarkUndecided(lease, entry.id, true)), ErrorCode::kConflict);
  EXPECT_EQ(StateOf(entry.id), OutboxState::kSent);
  EXPECT_THAT(store.Get(jobs().List({.kind = "fetch_emails"})).items, SizeIs(1)) << "the copy is fetched";
}

TEST_P(OutboxLaws, WhatIsSentKeepsItsFilesUntilItsCopyIsThereAndIsUnconfirmedWithoutOne) {
  const auto upload = UploadOf("0123456789", user.id);
  auto wanted = NewMail("key-0000000000001");
  wanted.entry.mail.attachments = {{.upload = upload, .name = "a", .mime_type = "text/plain", .size = 10}};
  const auto entry = store.Get(outbox().Enqueue(wanted)).entry;
  const auto lease = Take();
  const jobs::Lease stranger{.job_id = lease.job_id, .token = "stolen"};
  const auto held = [&] { return store.Get(outbox().Get(user.id, entry.id)).mail.attachments.at(0).upload; };
  store.Get(outbox().Claim(lease, entry.id));
  store.Get(outbox().HandOver(lease, entry.id));
  EXPECT_EQ(store.ErrorOf(outbox().NoteMissing(lease, entry.id, true)), ErrorCode::kConflict) << "not sent";
  EXPECT_EQ(store.ErrorOf(outbox().Proven(lease, entry.id)), ErrorCode::kConflict) << "not sent";
  store.Get(outbox().MarkSent(entry.id, "m1", "t1"));
  EXPECT_EQ(held(), upload);
  EXPECT_EQ(store.ErrorOf(outbox().NoteMissing(stranger, entry.id, true)), ErrorCode::kLeaseLost);
  EXPECT_EQ(store.ErrorOf(outbox().Proven(stranger, entry.id)), ErrorCode::kLeaseLost);
  store.Get(outbox().NoteMissing(lease, entry.id, false));
  EXPECT_EQ(StateOf(entry.id), OutboxState::kSent);
  EXPECT_EQ(store.Get(outbox().Get(user.id, entry.id)).checks, 1);
  store.Get(outbox().NoteMissing(lease, entry.id, true));
  const auto missing = store.Get(outbox().Get(user.id, entry.id));
  EXPECT_EQ(missing.state, OutboxState::kUnconfirmed);
  EXPECT_EQ(missing.error, ErrorCode::kSendUnconfirmed);
  EXPECT_FALSE(missing.sent_at);
  EXPECT_EQ(held(), upload) << "the person may send it again";
  store.Get(outbox().MarkSent(entry.id, "m1", "t1"));
  EXPECT_EQ(store.Get(outbox().Get(user.id, entry.id)).checks, 0);
  store.Get(outbox().Proven(lease, entry.id));
  EXPECT_TRUE(held().empty());
}

TEST_P(OutboxLaws, TheSentCopyIsTheMessageThatTheSyncBrings) {
  const auto entry = Queue("key-0000000000001");
  const auto lease = Take();
  store.Get(outbox().Claim(lease, entry.id));
  store.Get(outbox().HandOver(lease, entry.id));
  store.Get(outbox().MarkSent(entry.id, "m1", "t1"));
  EXPECT_TRUE(store.Get(outbox().Get(user.id, entry.id)).synced.empty());
  auto commit = testing::CommitFor(account);
  commit.labels = testing::SampleLabels();
  commit.upserts = {testing::SampleMessage("m1")};
  // Where the draft keeps its id when it is sent, it proves nothing.
  commit.upserts[0].is_draft = true;
  store.Get(messages().Apply(commit));
  EXPECT_TRUE(store.Get(outbox().Get(user.id, entry.id)).synced.empty());
  commit = testing::CommitFor(account);
  commit.upserts = {testing::SampleMessage("m1")};
  ++commit.upserts[0].version;
  store.Get(messages().Apply(commit));
  EXPECT_EQ(store.Get(outbox().Get(user.id, entry.id)).synced, Stored(account, "m1").id);
}

TEST_P(OutboxLaws, WhatWasCertainlyNotSentIsQueuedAgainOrFailsAndCanBeRetried) {
  const auto entry = Queue("key-0000000000001");
  const auto lease = Take();
  store.Get(outbox().Claim(lease, entry.id));
  store.Get(outbox().NoteDraft(lease, entry.id, "draft"));
  store.Get(outbox().HandOver(lease, entry.id));
  const auto later = store.clock().Now() + std::chrono::minutes(1);
  store.Get(outbox().MarkNotSent(lease, entry.id, ErrorCode::kRateLimited, later));
  auto waiting = store.Get(outbox().Get(user.id, entry.id));
  EXPECT_EQ(waiting.state, OutboxState::kQueued);
  EXPECT_EQ(waiting.error, ErrorCode::kRateLimited);
  EXPECT_EQ(waiting.send_at, later);
  EXPECT_FALSE(waiting.handed_over_at);
  store.Get(outbox().Claim(lease, entry.id));
  store.Get(outbox().MarkNotSent(lease, entry.id, ErrorCode::kSendRejected, std::nullopt));
  EXPECT_EQ(StateOf(entry.id), OutboxState::kFailed);
  store.Get(jobs().Finish(lease, jobs::Outcome::Completed(), store.clock().Now()));
  EXPECT_EQ(store.Get(outbox().Retry(user.id, entry.id, false)).state, OutboxState::kQueued);
  EXPECT_THAT(store.Get(jobs().Claim({.kinds = {"send_email"}})), SizeIs(1));
}

TEST_P(OutboxLaws, AnEntryThatLostItsJobGetsOneAgain) {
  const auto entry = Queue("key-0000000000001");
  EXPECT_EQ(store.Get(outbox().Requeue(10)), 0);
  const auto job = store.Get(jobs().List({.kind = "send_email"})).items.at(0);
  store.Get(jobs().Cancel(job.id));
  EXPECT_EQ(store.Get(outbox().Requeue(10)), 1);
  EXPECT_THAT(store.Get(jobs().Claim({.kinds = {"send_email"}})), SizeIs(1));
  EXPECT_EQ(store.Get(outbox().Requeue(10)), 0);
}

TEST_P(OutboxLaws, UploadsComeInOrderBelongToOnePersonAndEnd) {
  const auto id = store.Get(outbox().BeginUpload(user.id, "a.txt", "text/plain")).id;
  store.Get(outbox().AppendUpload(user.id, id, 0, "one"));
  EXPECT_EQ(store.ErrorOf(outbox().AppendUpload(user.id, id, 0, "two")), ErrorCode::kConflict);
  EXPECT_EQ(store.ErrorOf(outbox().AppendUpload(other.id, id, 1, "two")), ErrorCode::kNotFound);
  auto wanted = NewMail("key-0000000000001");
  wanted.entry.mail.attachments = {{.upload = id, .name = "a.txt", .mime_type = "text/plain", .size = 3}};
  EXPECT_EQ(store.ErrorOf(outbox().Enqueue(wanted)), ErrorCode::kConflict) << "incomplete";
  EXPECT_EQ(store.ErrorOf(outbox().FindByKey(user.id, "key-0000000000001", "x")), ErrorCode::kNotFound);
  EXPECT_EQ(store.Get(outbox().FinishUpload(user.id, id)).size, 3);
  EXPECT_EQ(store.ErrorOf(outbox().AppendUpload(user.id, id, 1, "late")), ErrorCode::kNotFound);
  EXPECT_EQ(store.Get(outbox().ReadUpload(id, 0)), "one");
  EXPECT_EQ(store.Get(outbox().ReadUpload(id, 1)), "");
  const auto entry = store.Get(outbox().Enqueue(wanted)).entry;
  EXPECT_EQ(store.ErrorOf(outbox().DeleteUpload(user.id, id)), ErrorCode::kConflict);
  store.clock().Advance(std::chrono::hours(25));
  store.Get(outbox().Prune(store.clock().Now() - std::chrono::hours(24 * 30), 100));
  EXPECT_EQ(store.Get(outbox().ReadUpload(id, 0)), "one") << "a mail holds it";
  store.Get(outbox().Dismiss(user.id, entry.id));
  store.Get(outbox().Prune(store.clock().Now() - std::chrono::hours(24 * 30), 100));
  EXPECT_EQ(store.ErrorOf(outbox().ReadUpload(id, 0)), ErrorCode::kGone);
}

TEST_P(OutboxLaws, OneAccountsFileIsNotAttachedToAnothersMail) {
  const auto second = store.AddAccount(user, "second.mail");
  const auto upload = UploadOf("x", user.id);
  auto wanted = NewMail("key-0000000000001");
  wanted.entry.mail.attachments = {{.upload = upload, .name = "a", .mime_type = "text/plain", .size = 1}};
  store.Get(outbox().Enqueue(wanted));
  auto elsewhere = NewMail("key-0000000000002");
  elsewhere.entry.account_id = second.id;
  elsewhere.entry.mail.attachments = wanted.entry.mail.attachments;
  EXPECT_EQ(store.ErrorOf(outbox().Enqueue(elsewhere)), ErrorCode::kConflict);
}

TEST_P(OutboxLaws, EraseTakesTheOutboxAlong) {
  const auto upload = UploadOf("0123456789", user.id);
  auto wanted = NewMail("key-0000000000001");
  wanted.entry.mail.attachments = {{.upload = upload, .name = "a", .mime_type = "text/plain", .size = 10}};
  const auto entry = store.Get(outbox().Enqueue(wanted)).entry;
  const auto lease = Take();
  store.Get(outbox().Claim(lease, entry.id));
  const auto begun = store.Get(accounts().BeginErase(user.id, account.id));
  EXPECT_EQ(store.ErrorOf(outbox().HandOver(lease, entry.id)), ErrorCode::kFenced) << "not sent after the erase";
  EXPECT_EQ(store.ErrorOf(outbox().Enqueue(NewMail("key-0000000000002"))), ErrorCode::kFenced);
  while (!store.Get(accounts().EraseSome(account.id, 2))) {
  }
  const auto receipt = store.Get(accounts().GetErasure(user.id, begun.id));
  EXPECT_EQ(receipt.deleted.at("outbox"), 1);
  EXPECT_EQ(receipt.deleted.at("outbox_attachments"), 1);
  EXPECT_EQ(receipt.deleted.at("upload_chunks"), 3);
  EXPECT_EQ(receipt.deleted.at("uploads"), 1);
  EXPECT_EQ(store.ErrorOf(outbox().Get(user.id, entry.id)), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace latchkey::storage
