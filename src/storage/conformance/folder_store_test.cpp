#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using testing::CommitFor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SampleMessage;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class FolderStoreLaws : public StoreConformance {
 protected:
  FolderStoreLaws() { Tree({"inbox", "work"}); }

  mail::FolderStore& folders() { return db().folders(); }
  mail::WriteFence Fence() const { return {.account_id = account.id, .generation = account.generation, .lease = {}}; }
  static mail::Folder FolderNamed(const std::string& id, std::int64_t total = 10) {
    mail::Folder folder;
    folder.label.external_id = id;
    folder.label.name = "Folder " + id;
    folder.label.role = id == "inbox" ? mail::Label::Role::kInbox : mail::Label::Role::kNone;
    folder.total = total;
    return folder;
  }
  void Tree(const std::vector<std::string>& ids) {
    std::vector<mail::Folder> tree;
    for (const auto& id : ids) tree.push_back(FolderNamed(id));
    store.Get(folders().ReplaceFolders(Fence(), tree));
  }
  mail::FolderCursor Cursor(const std::string& id) {
    for (auto& cursor : store.Get(folders().ListFolders(account.id))) {
      if (cursor.folder_id == id) return cursor;
    }
    return {};
  }
  static mail::Message In(const std::string& folder, const std::string& id, std::uint64_t version = 1) {
    auto message = SampleMessage(id, 0, version);
    message.label_ids = {folder};
    message.is_read = true;
    return message;
  }
  mail::FolderCommit Page(const std::string& folder, std::vector<mail::Message> messages, const std::string& link,
                          bool last = false) {
    mail::FolderCommit commit;
    commit.fence = Fence();
    commit.before = Cursor(folder);
    commit.link = link;
    commit.round_complete = last;
    commit.asked_at = store.clock().Now();
    commit.upserts = std::move(messages);
    return commit;
  }
  mail::SyncCommitResult Apply(const mail::FolderCommit& commit) { return store.Get(folders().ApplyPage(commit)); }
  void Complete(const std::string& folder, std::vector<mail::Message> messages) {
    Apply(Page(folder, std::move(messages), "delta-" + folder, true));
  }
  std::vector<std::string> Due() {
    std::vector<std::string> ids;
    for (auto& check : store.Get(folders().ListChecks(account.id, store.clock().Now(), 100))) {
      ids.push_back(check.external_id);
    }
    return ids;
  }
  mail::CheckCommit Answer() {
    mail::CheckCommit commit;
    commit.fence = Fence();
    commit.asked_at = store.clock().Now();
    commit.again_at = commit.asked_at + std::chrono::seconds(30);
    return commit;
  }
  std::vector<std::string> All() { return Listed({.user_id = user.id, .limit = 500}); }
  mail::SyncState State() { return store.Get(messages().GetSyncState(account.id)); }

  identity::User user = store.AddUser("ada");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
};
LATCHKEY_ON_EVERY_ENGINE(FolderStoreLaws);

TEST_P(FolderStoreLaws, ANewFolderBeginsARoundOfItsOwnAndQueuesTheBackfill) {
  EXPECT_NE(Cursor("inbox").round, Cursor("work").round);
  EXPECT_FALSE(Cursor("inbox").complete);
  EXPECT_EQ(Cursor("inbox").link, "");
  EXPECT_THAT(store.Get(db().jobs().Claim({.kinds = {"backfill_emails"}})), SizeIs(1));
  EXPECT_EQ(LabelOf(account, "inbox").label.role, mail::Label::Role::kInbox);
  const auto state = State();
  EXPECT_EQ(state.backfill.epoch, 1);
  EXPECT_FALSE(state.backfill.complete);
  EXPECT_EQ(state.backfill.total, 20);
  const auto before = Cursor("inbox");
  Tree({"inbox", "work"});
  EXPECT_EQ(Cursor("inbox").round, before.round) << "a tree that is the same changes nothing";
}

TEST_P(FolderStoreLaws, APageAndItsLinkCommitTogetherOrNotAtAll) {
  Apply(Page("inbox", {In("inbox", "a"), In("inbox", "b")}, "next"));
  EXPECT_EQ(Cursor("inbox").link, "next");
  EXPECT_EQ(Cursor("inbox").done, 2);
  auto stale = Page("inbox", {In("inbox", "c")}, "other");
  stale.before.link = "";
  EXPECT_EQ(store.ErrorOf(folders().ApplyPage(stale)), ErrorCode::kConflict);
  stale = Page("inbox", {In("inbox", "c")}, "other");
  stale.before.round += 1;
  EXPECT_EQ(store.ErrorOf(folders().ApplyPage(stale)), ErrorCode::kConflict);
  stale = Page("inbox", {In("inbox", "c")}, "other");
  stale.fence.generation += 1;
  EXPECT_EQ(store.ErrorOf(folders().ApplyPage(stale)), ErrorCode::kFenced);
  EXPECT_THAT(All(), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(Cursor("inbox").link, "next");
}

TEST_P(FolderStoreLaws, TheImportIsCompleteWhenEveryFolderIs) {
  Complete("inbox", {In("inbox", "a")});
  EXPECT_FALSE(State().backfill.complete);
  EXPECT_EQ(State().backfill.total, 11) << "what was read to its end counts as it was";
  Complete("work", {In("work", "b")});
  const auto state = State();
  EXPECT_TRUE(state.backfill.complete);
  EXPECT_EQ(state.backfill.done, 2);
  EXPECT_EQ(state.backfill.total, 2);
  EXPECT_EQ(state.message_count, 2);
  EXPECT_TRUE(state.backfill.completed_at);
}

TEST_P(FolderStoreLaws, LeavingAFolderIsAQuestionAndNoDeletion) {
  Complete("inbox", {In("inbox", "a"), In("inbox", "b")});
  auto page = Page("inbox", {}, "delta2");
  page.removed = {"a", "unknown"};
  Apply(page);
  EXPECT_THAT(All(), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(Due(), ElementsAre("a"));
}

TEST_P(FolderStoreLaws, AMoveIsNoDeletionWhicheverFolderSpeaksFirst) {
  Complete("inbox", {In("inbox", "a", 1)});
  Complete("work", {});
  // The folder it came to first.
  Apply(Page("work", {In("work", "a", 2)}, "w2"));
  auto left = Page("inbox", {}, "i2");
  left.removed = {"a"};
  Apply(left);
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_THAT(Stored(account, "a").message.label_ids, ElementsAre("work"));
  // The folder it left first: then the answer by id, then the folder it came to.
  left = Page("work", {}, "w3");
  left.removed = {"a"};
  Apply(left);
  EXPECT_THAT(Due(), ElementsAre("a"));
  auto answer = Answer();
  answer.states = {In("inbox", "a", 3)};
  store.Get(folders().ApplyChecks(answer));
  EXPECT_THAT(Stored(account, "a").message.label_ids, ElementsAre("inbox"));
  EXPECT_THAT(Due(), IsEmpty());
  store.clock().Advance(std::chrono::minutes(1));
  EXPECT_THAT(Due(), ElementsAre("a")) << "until its folder has told of it";
  Apply(Page("inbox", {In("inbox", "a", 4)}, "i3"));
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_EQ(LabelOf(account, "inbox").total, 1);
  EXPECT_EQ(LabelOf(account, "work").total, 0);
}

TEST_P(FolderStoreLaws, WhatIsFoundTwiceInOnePlaceIsBelieved) {
  Complete("inbox", {In("inbox", "a", 1)});
  auto left = Page("inbox", {}, "i2");
  left.removed = {"a"};
  Apply(left);
  for (std::uint64_t version = 2; version < 4; ++version) {
    EXPECT_THAT(Due(), ElementsAre("a"));
    auto answer = Answer();
    answer.states = {In("work", "a", version)};
    store.Get(folders().ApplyChecks(answer));
    store.clock().Advance(std::chrono::minutes(1));
  }
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_THAT(Stored(account, "a").message.label_ids, ElementsAre("work"));
}

TEST_P(FolderStoreLaws, AConfirmedDeletionStaysAgainstPagesAskedForBeforeIt) {
  Complete("inbox", {In("inbox", "a")});
  auto early = Page("inbox", {In("inbox", "a", 9)}, "i2");
  store.clock().Advance(std::chrono::seconds(1));
  auto answer = Answer();
  answer.gone = {"a"};
  EXPECT_EQ(store.Get(folders().ApplyChecks(answer)).deleted, 1);
  EXPECT_EQ(Apply(early).inserted, 0);
  EXPECT_THAT(All(), IsEmpty());
  EXPECT_EQ(State().message_count, 0);
  // One asked for later knows better: the provider has brought it back.
  store.clock().Advance(std::chrono::seconds(1));
  EXPECT_EQ(Apply(Page("inbox", {In("inbox", "a", 10)}, "i3")).inserted, 1);
}

TEST_P(FolderStoreLaws, AnOlderAnswerNeverReplacesANewerOne) {
  Complete("inbox", {In("inbox", "a", 5)});
  Apply(Page("work", {In("work", "a", 4)}, "w2"));
  EXPECT_THAT(Stored(account, "a").message.label_ids, ElementsAre("inbox"));
  auto answer = Answer();
  answer.states = {In("work", "a", 3)};
  store.Get(folders().ApplyChecks(answer));
  EXPECT_THAT(Stored(account, "a").message.label_ids, ElementsAre("inbox"));
}

TEST_P(FolderStoreLaws, ARoundThatBeginsAgainKeepsEverythingAndAsksForWhatItDidNotSee) {
  Complete("inbox", {In("inbox", "a"), In("inbox", "b"), In("inbox", "c")});
  Complete("work", {In("work", "d")});
  const auto expired = Cursor("inbox");
  store.Get(folders().RestartFolder(Fence(), expired));
  store.Get(folders().RestartFolder(Fence(), expired));
  EXPECT_GT(Cursor("inbox").round, expired.round);
  EXPECT_FALSE(Cursor("inbox").complete);
  EXPECT_EQ(State().backfill.epoch, 2) << "once, however often it is said";
  EXPECT_FALSE(State().backfill.complete);
  EXPECT_THAT(All(), SizeIs(4));
  Apply(Page("inbox", {In("inbox", "a")}, "next"));
  EXPECT_THAT(Due(), IsEmpty()) << "not before its end";
  // One is in a folder that was read meanwhile.
  Apply(Page("work", {In("work", "c", 2)}, "w2"));
  Apply(Page("inbox", {}, "delta", true));
  EXPECT_THAT(Due(), ElementsAre("b"));
  EXPECT_THAT(All(), SizeIs(4));
  EXPECT_TRUE(State().backfill.complete);
}

TEST_P(FolderStoreLaws, AFolderThatIsGoneLeavesItsMessagesAsQuestions) {
  Complete("inbox", {In("inbox", "a")});
  Complete("work", {In("work", "b"), In("work", "c")});
  Tree({"inbox"});
  EXPECT_EQ(Cursor("work").folder_id, "");
  EXPECT_THAT(Due(), UnorderedElementsAre("b", "c"));
  EXPECT_THAT(All(), SizeIs(3));
  auto answer = Answer();
  answer.gone = {"b"};
  answer.states = {In("inbox", "c", 2)};
  store.Get(folders().ApplyChecks(answer));
  EXPECT_THAT(All(), UnorderedElementsAre("a", "c"));
}

TEST_P(FolderStoreLaws, WhatWasToldInPartIsReadWhole) {
  auto page = Page("inbox", {}, "next");
  page.incomplete = {"a"};
  Apply(page);
  const auto checks = store.Get(folders().ListChecks(account.id, store.clock().Now(), 10));
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_TRUE(checks[0].whole);
  EXPECT_FALSE(checks[0].stored);
  auto answer = Answer();
  answer.upserts = {In("inbox", "a")};
  EXPECT_EQ(store.Get(folders().ApplyChecks(answer)).inserted, 1);
  EXPECT_THAT(Due(), IsEmpty());
}

TEST_P(FolderStoreLaws, WhatCannotBeReadIsSetAsideAndComesBack) {
  store.Get(folders().AddChecks(Fence(), {"bad"}));
  auto answer = Answer();
  answer.set_aside = {{.external_id = "bad", .error_code = "malformed_reply"}};
  store.Get(folders().ApplyChecks(answer));
  EXPECT_THAT(Due(), IsEmpty());
  EXPECT_THAT(store.Get(messages().ListSetAside(account.id, 10)), ElementsAre("bad"));
  Complete("inbox", {In("inbox", "bad")});
  EXPECT_THAT(store.Get(messages().ListSetAside(account.id, 10)), IsEmpty());
}

TEST_P(FolderStoreLaws, CategoriesAndFlagsAreLabelsOfTheirOwnKindAndOutliveTheTree) {
  auto message = In("inbox", "a");
  message.label_ids = {"category:Red", "flagged", "inbox"};
  message.is_read = false;
  Complete("inbox", {message});
  Tree({"inbox", "work", "more"});
  const auto category = LabelOf(account, "category:Red");
  EXPECT_EQ(category.label.name, "Red");
  EXPECT_EQ(category.label.role, mail::Label::Role::kCategory);
  EXPECT_EQ(category.total, 1);
  EXPECT_EQ(LabelOf(account, "flagged").label.role, mail::Label::Role::kStarred);
  EXPECT_EQ(LabelOf(account, "inbox").unread, 1);
  EXPECT_THAT(Listed({.user_id = user.id, .label_id = "inbox"}), ElementsAre("a"));
  EXPECT_THAT(Listed({.user_id = user.id, .label_id = "starred"}), ElementsAre("a"));
}

TEST_P(FolderStoreLaws, CatchingUpSaysWhenAndQueuesWhatIsLeft) {
  for (const auto& job : store.Get(db().jobs().Claim({.kinds = {"backfill_emails"}}))) {
    store.Get(db().jobs().Finish({.job_id = job.id, .token = job.lease_token}, jobs::Outcome::Completed(), {}));
  }
  const Instant now = store.clock().Now();
  store.Get(folders().CaughtUp(Fence(), now, now + std::chrono::seconds(60)));
  EXPECT_THAT(store.Get(db().jobs().Claim({.kinds = {"backfill_emails"}})), SizeIs(1));
  auto fence = Fence();
  fence.generation += 1;
  EXPECT_EQ(store.ErrorOf(folders().CaughtUp(fence, now, now)), ErrorCode::kFenced);
}

}  // namespace
}  // namespace latchkey::storage
