#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using testing::CommitFor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SampleLabels;
using testing::SampleMessage;
using ::testing::UnorderedElementsAre;

class MessageStoreLaws : public StoreConformance {
 protected:
  MessageStoreLaws() {
    auto commit = CommitFor(account);
    commit.labels = SampleLabels();
    store.Get(messages().Apply(commit));
  }
  mail::SyncCommitResult Apply(const mail::SyncCommit& commit) { return store.Get(messages().Apply(commit)); }
  mail::SyncCommitResult Upsert(const mail::Message& message, std::int64_t epoch = 1) {
    auto commit = CommitFor(account, epoch);
    commit.upserts = {message};
    return Apply(commit);
  }
  std::vector<std::string> All() { return Listed({.user_id = user.id}); }

  identity::User user = store.AddUser("ada");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
};
LATCHKEY_ON_EVERY_ENGINE(MessageStoreLaws);

TEST_P(MessageStoreLaws, AMessageComesBackAsItWasStored) {
  const auto sent = SampleMessage("m1", 5);
  EXPECT_EQ(Upsert(sent).inserted, 1);
  const auto stored = Stored(account, "m1");
  const auto& got = stored.message;
  EXPECT_EQ(got.thread_id, sent.thread_id);
  EXPECT_EQ(got.version, sent.version);
  EXPECT_EQ(got.rfc822_message_id, sent.rfc822_message_id);
  EXPECT_EQ(got.in_reply_to, sent.in_reply_to);
  EXPECT_EQ(got.references, sent.references);
  EXPECT_EQ(got.subject, sent.subject);
  ASSERT_EQ(got.to.size(), 2u);
  EXPECT_EQ(got.to[0].name, "Ada");
  EXPECT_EQ(got.to[1].address, "team@example.com");
  EXPECT_EQ(got.cc.size(), 1u);
  EXPECT_EQ(got.reply_to.at(0).address, "answers@example.org");
  EXPECT_EQ(got.sent_at, sent.sent_at);
  EXPECT_EQ(got.received_at, sent.received_at);
  EXPECT_EQ(got.text, sent.text);
  EXPECT_EQ(got.html, sent.html);
  EXPECT_THAT(got.label_ids, ElementsAre("INBOX", "UNREAD"));
  EXPECT_FALSE(got.is_read);
  EXPECT_EQ(got.size_estimate, sent.size_estimate);
  ASSERT_EQ(stored.attachments.size(), 1u);
  EXPECT_EQ(stored.attachments[0].attachment.name, "plan.pdf");
  EXPECT_EQ(stored.attachments[0].attachment.provider_id, "att-m1");
}

TEST_P(MessageStoreLaws, AVersionAboveTheSignedRangeKeepsItsOrder) {
  auto message = SampleMessage("m1", 0, 0x7fffffffffffffffULL);
  Upsert(message);
  message.version = 0x8000000000000001ULL;
  message.subject = "newer";
  EXPECT_EQ(Upsert(message).updated, 1);
  message.version = 5;
  message.subject = "older";
  EXPECT_EQ(Upsert(message).updated, 0);
  EXPECT_EQ(Stored(account, "m1").message.subject, "newer");
}

TEST_P(MessageStoreLaws, AnOlderVersionNeverReplacesANewerOne) {
  Upsert(SampleMessage("m1", 0, 10));
  auto stale = SampleMessage("m1", 0, 9);
  stale.subject = "stale";
  stale.label_ids = {"TRASH"};
  EXPECT_EQ(Upsert(stale).updated, 0);
  EXPECT_EQ(Stored(account, "m1").message.subject, "Subject of m1");
  EXPECT_EQ(LabelOf(account, "TRASH").total, 0);
}

TEST_P(MessageStoreLaws, ReplayingACommitChangesNothing) {
  auto commit = CommitFor(account);
  commit.upserts = {SampleMessage("m1"), SampleMessage("m2", 1)};
  commit.label_changes = {{.external_id = "m1", .version = 7, .added = {"STARRED"}, .removed = {"UNREAD"}}};
  EXPECT_EQ(Apply(commit).inserted, 2);
  const auto latest = store.Get(events().LatestId(account.user_id));
  const auto again = Apply(commit);
  EXPECT_EQ(again.inserted + again.updated + again.deleted, 0);
  EXPECT_EQ(store.Get(events().LatestId(account.user_id)), latest);
  EXPECT_EQ(LabelOf(account, "INBOX").total, 2);
  EXPECT_EQ(store.Get(messages().GetSyncState(account.id)).message_count, 2);
}

TEST_P(MessageStoreLaws, AnotherGenerationIsFenced) {
  auto commit = CommitFor(account);
  ++commit.fence.generation;
  commit.upserts = {SampleMessage("m1")};
  commit.cursors = {{.lane = "live", .value = "9"}};
  EXPECT_EQ(store.ErrorOf(messages().Apply(commit)), ErrorCode::kFenced);
  EXPECT_THAT(All(), IsEmpty());
  EXPECT_THAT(store.Get(messages().GetSyncState(account.id)).cursors, IsEmpty());
}

TEST_P(MessageStoreLaws, APausedAccountIsFenced) {
  store.Get(accounts().SetPaused(user.id, account.id, true));
  auto commit = CommitFor(account);
  commit.upserts = {SampleMessage("m1")};
  EXPECT_EQ(store.ErrorOf(messages().Apply(commit)), ErrorCode::kFenced);
  EXPECT_EQ(store.ErrorOf(messages().Sweep(commit.fence, 2, 10)), ErrorCode::kFenced);
  EXPECT_EQ(store.ErrorOf(messages().RecordItemFailure(commit.fence, "m1", "internal")), ErrorCode::kFenced);
}

TEST_P(MessageStoreLaws, ALostLeaseRefusesTheWholeCommit) {
  const jobs::NewJob job{.kind = "fetch_emails", .account_id = account.id, .generation = account.generation};
  store.Get(jobs().Insert(job));
  const jobs::ClaimQuery claim{.kinds = {"fetch_emails"}, .limit = 1, .lease = std::chrono::seconds(30)};
  const auto held = store.Get(jobs().Claim(claim)).at(0);
  auto commit = CommitFor(account);
  commit.fence.lease = {.job_id = held.id, .token = held.lease_token};
  commit.upserts = {SampleMessage("m1")};
  EXPECT_EQ(Apply(commit).inserted, 1);

  store.clock().Advance(std::chrono::minutes(1));
  EXPECT_EQ(store.Get(jobs().Rescue()), 1);
  commit.upserts = {SampleMessage("m2")};
  EXPECT_EQ(store.ErrorOf(messages().Apply(commit)), ErrorCode::kLeaseLost);
  EXPECT_THAT(All(), ElementsAre("m1"));
}

TEST_P(MessageStoreLaws, CursorDataAndJobsCommitTogetherOrNotAtAll) {
  auto commit = CommitFor(account);
  commit.upserts = {SampleMessage("m1")};
  commit.cursors = {{.lane = "live", .value = "100"}};
  commit.jobs = {{.kind = "index_messages", .args = std::string(5000, 'x')}};  // refused: too large
  EXPECT_EQ(store.ErrorOf(messages().Apply(commit)), ErrorCode::kInvalidArgument);
  EXPECT_THAT(All(), IsEmpty());
  EXPECT_THAT(store.Get(messages().GetSyncState(account.id)).cursors, IsEmpty());
  EXPECT_EQ(LabelOf(account, "INBOX").total, 0);

  commit.jobs = {{.kind = "index_messages"}};
  Apply(commit);
  const auto state = store.Get(messages().GetSyncState(account.id));
  ASSERT_EQ(state.cursors.size(), 1u);
  EXPECT_EQ(state.cursors[0].value, "100");
  EXPECT_EQ(store.Get(jobs().List({.kind = "index_messages"})).items.size(), 1u);
}

TEST_P(MessageStoreLaws, ADeletedMessageIsNotRevivedByAPageReadEarlier) {
  Upsert(SampleMessage("m1"));
  auto commit = CommitFor(account);
  commit.deletions = {"m1", "never-stored"};
  EXPECT_EQ(Apply(commit).deleted, 1);
  EXPECT_EQ(Upsert(SampleMessage("m1", 0, 99)).inserted, 0);
  EXPECT_EQ(Upsert(SampleMessage("never-stored", 0, 99)).inserted, 0);
  EXPECT_THAT(All(), IsEmpty());
  // The tombstone belongs to its epoch: a later full read that lists the message again is believed.
  EXPECT_EQ(Upsert(SampleMessage("m1", 0, 99), 2).inserted, 1);
}

TEST_P(MessageStoreLaws, CompletingTheBackfillForgetsItsTombstones) {
  auto commit = CommitFor(account);
  commit.deletions = {"m1"};
  Apply(commit);
  auto done = CommitFor(account);
  done.backfill = mail::BackfillState{.epoch = 1, .complete = true, .done = 0, .total = 0};
  Apply(done);
  EXPECT_EQ(Upsert(SampleMessage("m1")).inserted, 1);
}

TEST_P(MessageStoreLaws, LabelChangesApplyOnlyToOlderRowsAndKeepReadStateTrue) {
  Upsert(SampleMessage("m1", 0, 10));
  auto commit = CommitFor(account);
  commit.label_changes = {{.external_id = "m1", .version = 10, .added = {"TRASH"}, .removed = {}}};
  EXPECT_EQ(Apply(commit).updated, 0);
  commit.label_changes = {{.external_id = "m1", .version = 11, .added = {"STARRED"}, .removed = {"UNREAD"}}};
  EXPECT_EQ(Apply(commit).updated, 1);
  const auto message = Stored(account, "m1").message;
  EXPECT_THAT(message.label_ids, ElementsAre("INBOX", "STARRED"));
  EXPECT_TRUE(message.is_read);
  EXPECT_TRUE(message.is_starred);
  EXPECT_EQ(message.version, 11u);
}

TEST_P(MessageStoreLaws, SeveralChangesOfOneRecordAllApply) {
  Upsert(SampleMessage("m1", 0, 10));
  auto commit = CommitFor(account);
  commit.label_changes = {{.external_id = "m1", .version = 11, .added = {"TRASH"}, .removed = {}},
                          {.external_id = "m1", .version = 11, .added = {}, .removed = {"INBOX"}}};
  Apply(commit);
  EXPECT_THAT(Stored(account, "m1").message.label_ids, ElementsAre("TRASH", "UNREAD"));
}

TEST_P(MessageStoreLaws, LabelCountsFollowEveryChange) {
  auto commit = CommitFor(account);
  commit.upserts = {SampleMessage("m1"), SampleMessage("m2", 1), SampleMessage("m3", 2)};
  Apply(commit);
  EXPECT_EQ(LabelOf(account, "INBOX").total, 3);
  EXPECT_EQ(LabelOf(account, "INBOX").unread, 3);

  commit = CommitFor(account);
  commit.label_changes = {{.external_id = "m1", .version = 2, .added = {}, .removed = {"UNREAD"}},
                          {.external_id = "m2", .version = 2, .added = {"Label_1"}, .removed = {"INBOX"}}};
  commit.deletions = {"m3"};
  Apply(commit);
  EXPECT_EQ(LabelOf(account, "INBOX").total, 1);
  EXPECT_EQ(LabelOf(account, "INBOX").unread, 0);
  EXPECT_EQ(LabelOf(account, "Label_1").total, 1);
  EXPECT_EQ(LabelOf(account, "Label_1").unread, 1);
  EXPECT_EQ(LabelOf(account, "UNREAD").total, 1);
  const mail::MessageQuery inbox{.user_id = user.id, .account_id = account.id, .label_id = "INBOX"};
  EXPECT_THAT(Listed(inbox), ElementsAre("m1"));
}

TEST_P(MessageStoreLaws, AMessageThatMovesInTimeMovesInEveryList) {
  auto commit = CommitFor(account);
  commit.upserts = {SampleMessage("old", 1), SampleMessage("draft", 2)};
  Apply(commit);
  Upsert(SampleMessage("draft", 0, 2));
  EXPECT_THAT(All(), ElementsAre("old", "draft"));
  const mail::MessageQuery inbox{.user_id = user.id, .account_id = account.id, .label_id = "INBOX"};
  EXPECT_THAT(Listed(inbox), ElementsAre("old", "draft"));
}

TEST_P(MessageStoreLaws, AVanishedLabelLeavesListsAndMessagesAndComesBackWithANewUse) {
  auto message = SampleMessage("m1");
  message.label_ids = {"INBOX", "Label_1"};
  Upsert(message);
  auto labels = SampleLabels();
  labels.pop_back();
  auto commit = CommitFor(account);
  commit.labels = labels;
  Apply(commit);
  EXPECT_EQ(LabelOf(account, "Label_1").total, 0);
  EXPECT_THAT(Stored(account, "m1").message.label_ids, ElementsAre("INBOX"));

  commit = CommitFor(account);
  commit.label_changes = {{.external_id = "m1", .version = 5, .added = {}, .removed = {"Label_1"}}};
  Apply(commit);
  EXPECT_EQ(LabelOf(account, "Label_1").label.external_id, "");
  message.version = 6;
  Upsert(message);
  EXPECT_EQ(LabelOf(account, "Label_1").total, 1);
}

TEST_P(MessageStoreLaws, AMessageMayNameALabelBeforeTheListDoes) {
  auto message = SampleMessage("m1");
  message.label_ids = {"Label_new"};
  Upsert(message);
  EXPECT_EQ(LabelOf(account, "Label_new").total, 1);
  auto labels = SampleLabels();
  labels.push_back({.external_id = "Label_new", .name = "New"});
  auto commit = CommitFor(account);
  commit.labels = labels;
  Apply(commit);
  EXPECT_EQ(LabelOf(account, "Label_new").label.name, "New");
  EXPECT_EQ(LabelOf(account, "Label_new").total, 1);
}

TEST_P(MessageStoreLaws, TheSweepTakesOnlyWhatTheEpochDidNotSee) {
  auto commit = CommitFor(account, 1);
  commit.upserts = {SampleMessage("kept"), SampleMessage("again", 1), SampleMessage("gone", 2),
                    SampleMessage("gone2", 3)};
  Apply(commit);
  auto second = CommitFor(account, 2);
  second.seen = {"kept"};
  second.upserts = {SampleMessage("again", 1), SampleMessage("new", 4)};
  Apply(second);
  const auto known = store.Get(messages().FindKnown(account.id, 2, {"kept", "gone", "nowhere"}));
  ASSERT_EQ(known.size(), 2u);
  EXPECT_TRUE(known[0].seen_in_epoch);
  EXPECT_FALSE(known[1].seen_in_epoch);

  EXPECT_EQ(store.Get(messages().Sweep(second.fence, 2, 1)), 1);
  EXPECT_EQ(store.Get(messages().Sweep(second.fence, 2, 10)), 1);
  EXPECT_EQ(store.Get(messages().Sweep(second.fence, 2, 10)), 0);
  EXPECT_THAT(All(), UnorderedElementsAre("kept", "again", "new"));
  EXPECT_EQ(store.Get(messages().GetSyncState(account.id)).message_count, 3);
}

TEST_P(MessageStoreLaws, AFullReadThatWasOvertakenWritesNothingAnyMore) {
  auto newer = CommitFor(account, 2);
  newer.backfill = mail::BackfillState{.epoch = 2};
  Apply(newer);
  auto overtaken = CommitFor(account, 1);
  overtaken.upserts = {SampleMessage("late")};
  EXPECT_EQ(store.ErrorOf(messages().Apply(overtaken)), ErrorCode::kConflict);
  EXPECT_THAT(All(), IsEmpty());
}

TEST_P(MessageStoreLaws, LiveChangesCountAsSeenInTheirEpoch) {
  Upsert(SampleMessage("m1", 0, 1), 1);
  auto commit = CommitFor(account, 2);
  commit.label_changes = {{.external_id = "m1", .version = 3, .added = {"STARRED"}, .removed = {}}};
  Apply(commit);
  EXPECT_EQ(store.Get(messages().Sweep(commit.fence, 2, 10)), 0);
}

TEST_P(MessageStoreLaws, FailedItemsAreCountedSetAsideAndForgottenWhenTheyRecover) {
  const auto fence = CommitFor(account).fence;
  EXPECT_EQ(store.Get(messages().RecordItemFailure(fence, "m1", "malformed_reply")), 1);
  EXPECT_EQ(store.Get(messages().RecordItemFailure(fence, "m1", "malformed_reply")), 2);
  auto commit = CommitFor(account);
  commit.failed_items = {{.external_id = "m1", .error_code = "malformed_reply"}};
  Apply(commit);
  EXPECT_EQ(store.Get(messages().RecordItemFailure(fence, "m1", "malformed_reply")), 3);
  commit = CommitFor(account);
  commit.recovered_items = {"m1"};
  Apply(commit);
  EXPECT_EQ(store.Get(messages().RecordItemFailure(fence, "m1", "malformed_reply")), 1);
}

TEST_P(MessageStoreLaws, LiveWorkNamesMessagesABackfillOnlyItsProgress) {
  const auto start = store.Get(events().LatestId(account.user_id));
  Upsert(SampleMessage("live"));
  auto page = CommitFor(account);
  page.upserts = {SampleMessage("b1", 1), SampleMessage("b2", 2)};
  page.backfill = mail::BackfillState{.epoch = 1, .done = 2, .total = 9};
  Apply(page);
  auto deletion = CommitFor(account);
  deletion.deletions = {"b1"};
  Apply(deletion);
  EXPECT_THAT(EventTypes(user.id, start), ElementsAre("message.upserted", "sync.progress", "message.deleted"));
}

TEST_P(MessageStoreLaws, TheAccountShowsWhatTheSyncDid) {
  auto commit = CommitFor(account);
  commit.upserts = {SampleMessage("m1")};
  commit.backfill = mail::BackfillState{.epoch = 1, .done = 1, .total = 4, .started_at = store.clock().Now()};
  Apply(commit);
  auto shown = store.Get(accounts().Get(user.id, account.id));
  EXPECT_FALSE(shown.backfill_complete);
  EXPECT_EQ(shown.backfill_done, 1);
  EXPECT_EQ(shown.backfill_total, 4);
  EXPECT_EQ(shown.epoch, 1);
  EXPECT_EQ(shown.message_count, 1);
  commit = CommitFor(account);
  commit.backfill = mail::BackfillState{.epoch = 1, .complete = true, .done = 4, .total = 4};
  commit.synced_at = store.clock().Now();
  Apply(commit);
  shown = store.Get(accounts().Get(user.id, account.id));
  EXPECT_TRUE(shown.backfill_complete);
  EXPECT_EQ(shown.last_success_at, store.clock().Now());
}

TEST_P(MessageStoreLaws, ARefusedTransactionDoesNotTouchTheOthersOfItsBatch) {
  auto good = CommitFor(account);
  good.upserts = {SampleMessage("good")};
  auto fenced = CommitFor(account);
  fenced.fence.generation += 1;
  fenced.upserts = {SampleMessage("fenced")};
  auto other = CommitFor(account);
  other.upserts = {SampleMessage("other", 1)};
  // Queued together, so that they share a commit.
  std::vector<std::optional<bool>> ended(3);
  const std::vector<const mail::SyncCommit*> commits{&good, &fenced, &other};
  for (std::size_t i = 0; i < commits.size(); ++i) {
    auto run = [](mail::MessageStore& target, const mail::SyncCommit& commit,
                  std::optional<bool>& result) -> Task<void> { result = (co_await target.Apply(commit)).has_value(); };
    boost::asio::co_spawn(store.loop(), run(messages(), *commits[i], ended[i]), boost::asio::detached);
  }
  store.loop().restart();
  store.loop().run();
  EXPECT_EQ(ended[0], true);
  EXPECT_EQ(ended[1], false);
  EXPECT_EQ(ended[2], true);
  EXPECT_THAT(All(), ElementsAre("other", "good"));
}

}  // namespace
}  // namespace latchkey::storage
