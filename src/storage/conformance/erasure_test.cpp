#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using testing::CommitFor;
using ::testing::IsEmpty;
using testing::SampleLabels;
using testing::SampleMessage;

class ErasureLaws : public StoreConformance {
 protected:
  /// A mailbox with rows in every table that can name an account.
  void Fill(const connected_accounts::ConnectedAccount& mailbox, int count) {
    auto commit = CommitFor(mailbox);
    commit.labels = SampleLabels();
    for (int i = 0; i < count; ++i) commit.upserts.push_back(SampleMessage("m" + std::to_string(i), i));
    commit.deletions = {"tombstone"};
    commit.cursors = {{.lane = "live", .value = "1"}};
    commit.failed_items = {{.external_id = "broken", .error_code = "malformed_reply"}};
    commit.jobs = {{.kind = "fetch_emails", .account_id = mailbox.id, .generation = mailbox.generation}};
    store.Get(messages().Apply(commit));
    store.Get(messages().IndexPending(count / 2));
    const auto job = store.Get(jobs().Claim({.kinds = {"fetch_emails"}})).at(0);
    const Error error{.code = ErrorCode::kTimeout, .detail = "x", .retry_after = {}};
    store.Get(jobs().Finish({.job_id = job.id, .token = job.lease_token}, jobs::Outcome::Discard(error), {}));
  }
  int EraseAll(const ConnectedAccountId& id, int chunk) {
    int steps = 1;
    while (!store.Get(accounts().EraseSome(id, chunk))) ++steps;
    return steps;
  }

  identity::User user = store.AddUser("ada");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
};
LATCHKEY_ON_EVERY_ENGINE(ErasureLaws);

TEST_P(ErasureLaws, TheReceiptCountsWhatWentAndTheJobIsQueuedOnce) {
  Fill(account, 7);
  const auto preview = store.Get(accounts().PreviewErase(user.id, account.id));
  EXPECT_EQ(preview.at("synced_messages"), 7);
  EXPECT_EQ(preview.at("attachments"), 7);
  EXPECT_EQ(preview.at("message_labels"), 14);
  const auto begun = store.Get(accounts().BeginErase(user.id, account.id));
  EXPECT_FALSE(begun.complete);
  EXPECT_GT(begun.total, 30);
  const auto since = store.clock().Now();
  EXPECT_EQ(store.Get(accounts().Get(user.id, account.id)).disconnecting_since, since);
  EXPECT_EQ(store.Get(accounts().BeginErase(user.id, account.id)).id, begun.id);
  EXPECT_EQ(store.Get(jobs().List({.kind = "delete_synced_data"})).items.size(), 1u);

  EXPECT_GT(EraseAll(account.id, 3), 3) << "in bounded steps";
  const auto receipt = store.Get(accounts().GetErasure(user.id, begun.id));
  EXPECT_TRUE(receipt.complete);
  EXPECT_EQ(receipt.deleted.at("synced_messages"), 7);
  EXPECT_EQ(receipt.deleted.at("message_bodies"), 7);
  EXPECT_EQ(receipt.deleted.at("message_labels"), 14);
  EXPECT_EQ(receipt.deleted.at("connected_accounts"), 1);
  EXPECT_EQ(receipt.completed_at, store.clock().Now());
  EXPECT_EQ(store.ErrorOf(accounts().GetErasure(store.AddUser("eve").id, begun.id)), ErrorCode::kNotFound);
  EXPECT_EQ(store.Get(accounts().BeginErase(user.id, account.id)).id, begun.id) << "also when all is gone";
  EXPECT_THAT(store.Get(accounts().List(user.id)), IsEmpty());
  EXPECT_TRUE(store.Get(accounts().EraseSome(account.id, 10)));
}

TEST_P(ErasureLaws, NoWriteOfOlderWorkSucceedsOnceItHasBegun) {
  Fill(account, 1);
  auto late = CommitFor(account);
  late.upserts = {SampleMessage("late")};
  store.Get(accounts().BeginErase(user.id, account.id));
  EXPECT_EQ(store.ErrorOf(messages().Apply(late)), ErrorCode::kFenced);
  EXPECT_EQ(store.ErrorOf(accounts().ReplaceTokens(account.id, account.generation, {.access_token = "x"}, 1)),
            ErrorCode::kFenced);
  EXPECT_EQ(store.ErrorOf(accounts().ClearFault(account.id, account.generation, jobs::Lease{})), ErrorCode::kFenced);
  late.fence.generation += 1;
  EXPECT_EQ(store.ErrorOf(messages().Apply(late)), ErrorCode::kFenced) << "whatever generation it claims";
  EraseAll(account.id, 100);
  EXPECT_EQ(store.ErrorOf(messages().Apply(late)), ErrorCode::kFenced);
  EXPECT_EQ(store.ErrorOf(accounts().GetForWork(account.id)), ErrorCode::kNotFound);
}

TEST_P(ErasureLaws, ALivingAccountIsNotErasedByTheSecondHalf) {
  Fill(account, 1);
  EXPECT_EQ(store.ErrorOf(accounts().EraseSome(account.id, 100)), ErrorCode::kConflict);
  EXPECT_EQ(Listed({.user_id = user.id}).size(), 1u);
}

TEST_P(ErasureLaws, OtherMailboxesAndTheirSearchStayAsTheyWere) {
  const auto kept = store.AddAccount(user, "kept.mail");
  Fill(account, 4);
  auto commit = CommitFor(kept);
  commit.upserts = {SampleMessage("mine")};
  store.Get(messages().Apply(commit));
  store.Get(messages().IndexPending(100));
  store.Get(accounts().BeginErase(user.id, account.id));
  EraseAll(account.id, 2);
  EXPECT_EQ(Listed({.user_id = user.id, .search = "mine"}).size(), 1u);
  EXPECT_EQ(Listed({.user_id = user.id, .search = "text"}).size(), 1u);
  EXPECT_EQ(store.Get(messages().GetSyncState(kept.id)).message_count, 1);
}

TEST_P(ErasureLaws, TheRunningEraseJobOutlivesItsAccountWithoutItsName) {
  Fill(account, 1);
  store.Get(accounts().BeginErase(user.id, account.id));
  const auto job = store.Get(jobs().Claim({.kinds = {"delete_synced_data"}})).at(0);
  EXPECT_EQ(job.account_id, account.id);
  store.Get(accounts().MarkRevoked(account.id));
  EraseAll(account.id, 100);
  store.Get(jobs().Finish({.job_id = job.id, .token = job.lease_token}, jobs::Outcome::Completed(), {}));
  const auto ended = store.Get(jobs().Get(job.id));
  EXPECT_EQ(ended.state, jobs::JobState::kCompleted);
  EXPECT_TRUE(ended.account_id.empty());
}

}  // namespace
}  // namespace latchkey::storage
