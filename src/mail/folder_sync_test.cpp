#include "mail/folder_sync.hpp"

#include <gmock/gmock.h>

#include "mail/backfill.hpp"
#include "mail/mail_sync.hpp"
#include "mail/testing/nasty_folders.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::mail {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class OneMailbox final : public MailProviders {
 public:
  explicit OneMailbox(std::shared_ptr<FolderMailProvider> mailbox) : mailbox_(std::move(mailbox)) {}
  Result<std::shared_ptr<MailProvider>> For(const ConnectedAccountId&, std::string_view) override {
    return Fail(ErrorCode::kNotFound);
  }
  Result<std::shared_ptr<FolderMailProvider>> FoldersFor(const ConnectedAccountId&, std::string_view) override {
    return mailbox_;
  }

 private:
  std::shared_ptr<FolderMailProvider> mailbox_;
};

class Status final : public AccountStatus {
 public:
  Account account;
  std::vector<ErrorCode> faults;
  Task<Result<Account>> Find(const ConnectedAccountId&) override { co_return account; }
  Task<void> ReportFault(const jobs::Job&, const Error& error, std::optional<Instant>) override {
    faults.push_back(error.code);
    co_return;
  }
  Task<void> ReportSuccess(const jobs::Job&, std::string_view) override { co_return; }
  Task<void> RaiseNotice(std::string_view, const Error& error) override {
    faults.push_back(error.code);
    co_return;
  }
};

/// The jobs of one account over a real database and a mailbox that makes trouble.
class FolderSyncTest : public ::testing::TestWithParam<unsigned> {
 protected:
  FolderSyncTest() {
    status_.account = {.user_id = user_.id, .provider = "microsoft", .generation = account_.generation};
    mailbox_->AddFolder("inbox");
    mailbox_->AddFolder("work");
    mailbox_->AddFolder("deleted");
  }

  jobs::Job JobOf(std::string_view kind) const {
    jobs::Job job;
    job.kind = kind;
    job.account_id = account_.id;
    job.generation = account_.generation;
    job.attempt = 1;
    return job;
  }
  jobs::Outcome Live() {
    const jobs::Job job = JobOf(kFetchEmailsKind);
    return latchkey::testing::RunTask(store_.loop(), live_.Run(job));
  }
  jobs::Outcome Fill() {
    const jobs::Job job = JobOf(kBackfillKind);
    return latchkey::testing::RunTask(store_.loop(), backfill_.Run(job));
  }
  /// Both jobs until there is nothing to do, with time passing; the follow-up questions included.
  void CatchUp() {
    for (int round = 0; round < 6; ++round) {
      for (int i = 0; i < 200; ++i) {
        if (Fill().kind == jobs::Outcome::Kind::kCompleted && Live().kind == jobs::Outcome::Kind::kCompleted) break;
        store_.clock().Advance(std::chrono::seconds(5));
      }
      store_.clock().Advance(std::chrono::seconds(60));
    }
  }
  /// "folder id subject read starred" of every message stored.
  std::vector<std::string> Stored() {
    std::vector<std::string> rows;
    MessageQuery query{.user_id = user_.id, .limit = 500};
    do {
      auto list = store_.Get(store_.database().message_reader().List(query));
      for (const auto& item : list.items) {
        std::string labels;
        for (const auto& label : item.label_ids) labels += label + " ";
        rows.push_back(labels + item.external_id + " " + item.subject + (item.is_read ? " read" : " unread") +
                       (item.is_starred ? " starred" : ""));
      }
      query.cursor = list.next_cursor;
    } while (!query.cursor.empty());
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  std::vector<std::string> AtProvider() const {
    std::vector<std::string> rows;
    for (const auto& [id, item] : mailbox_->messages) {
      std::vector<std::string> labels = {item.folder};
      if (item.starred) labels.emplace_back("flagged");
      std::sort(labels.begin(), labels.end());
      std::string row;
      for (const auto& label : labels) row += label + " ";
      rows.push_back(row + id + " " + item.subject + (item.is_read ? " read" : " unread") +
                     (item.starred ? " starred" : ""));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  std::vector<std::string> StoredIds() {
    std::vector<std::string> ids;
    const MessageQuery query{.user_id = user_.id, .limit = 500};
    for (const auto& item : store_.Get(store_.database().message_reader().List(query)).items) {
      ids.push_back(item.external_id);
    }
    return ids;
  }
  BackfillState Progress() { return store_.Get(store_.database().messages().GetSyncState(account_.id)).backfill; }

  storage::testing::ScratchStore store_;
  identity::User user_ = store_.AddUser("ada");
  connected_accounts::ConnectedAccount account_ = store_.AddAccount(user_, "ada.mail");
  std::shared_ptr<testing::NastyFolders> mailbox_ = std::make_shared<testing::NastyFolders>(store_.clock(), GetParam());
  OneMailbox providers_{mailbox_};
  Status status_;
  SyncParts parts_{.store = store_.database().messages(),
                   .providers = providers_,
                   .status = status_,
                   .clock = store_.clock(),
                   .options = {}};
  FaultPolicy faults_{parts_};
  FolderSync folders_{parts_, store_.database().folders(), faults_};
  MailSync live_{parts_, faults_, &folders_};
  Backfill backfill_{parts_, faults_, &folders_};
};

TEST_P(FolderSyncTest, ReadsEverythingAndThenFollowsIt) {
  for (int i = 0; i < 30; ++i) mailbox_->Deliver(i % 3 ? "inbox" : "work");
  CatchUp();
  EXPECT_EQ(Stored(), AtProvider());
  EXPECT_TRUE(Progress().complete);
  EXPECT_EQ(Progress().done, Progress().total);
  const std::string fresh = mailbox_->Deliver("inbox");
  Live();
  EXPECT_THAT(StoredIds(), Contains(fresh));
}

TEST_P(FolderSyncTest, NewMailAppearsWhileTheFirstReadGoesOn) {
  for (int i = 0; i < 40; ++i) mailbox_->Deliver("inbox");
  Live();
  const std::string fresh = mailbox_->Deliver("inbox");
  Live();
  EXPECT_FALSE(Progress().complete);
  EXPECT_THAT(StoredIds(), Contains(fresh));
}

TEST_P(FolderSyncTest, AMovedMessageNeverDisappears) {
  const std::string id = mailbox_->Deliver("inbox");
  CatchUp();
  for (int i = 0; i < 12; ++i) {
    mailbox_->Move(id, i % 2 ? "inbox" : "work");
    if (i % 3 == 0) mailbox_->Expire("inbox");
    Live();
    EXPECT_THAT(StoredIds(), ElementsAre(id));
    Fill();
    EXPECT_THAT(StoredIds(), ElementsAre(id));
    store_.clock().Advance(std::chrono::seconds(60));
  }
  CatchUp();
  EXPECT_EQ(Stored(), AtProvider());
}

TEST_P(FolderSyncTest, AnExpiredLinkLosesNothingAndFindsWhatWentMeanwhile) {
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(mailbox_->Deliver("inbox"));
  CatchUp();
  mailbox_->Expire("inbox");
  mailbox_->Delete(ids[3]);
  Live();
  EXPECT_EQ(StoredIds().size(), 20U) << "nothing goes because a link went";
  EXPECT_FALSE(Progress().complete);
  CatchUp();
  EXPECT_EQ(Stored(), AtProvider());
  EXPECT_TRUE(Progress().complete);
}

TEST_P(FolderSyncTest, ADeletedFolderTakesWhatWasDeletedWithItAndNothingElse) {
  const std::string kept = mailbox_->Deliver("work");
  const std::string gone = mailbox_->Deliver("work");
  CatchUp();
  mailbox_->Move(kept, "deleted");
  mailbox_->DropFolder("work");
  CatchUp();
  EXPECT_THAT(StoredIds(), ElementsAre(kept));
  EXPECT_EQ(Stored(), AtProvider());
  EXPECT_FALSE(mailbox_->messages.contains(gone));
}

/// Law: whatever happens in whatever order, no message that is at the provider all the time is ever missing here once
/// it was seen, and a sync that has caught up agrees with the provider.
TEST_P(FolderSyncTest, AgreesInTheEndWhateverHappened) {
  for (int i = 0; i < 15; ++i) mailbox_->Deliver("inbox");
  const std::string witness = mailbox_->Deliver("inbox");
  bool seen = false;
  mailbox_->stirring_percent = 40;
  mailbox_->failing_percent = 10;
  mailbox_->expiring = true;
  for (int i = 0; i < 60; ++i) {
    (i % 3 == 0 ? Fill() : Live());
    store_.clock().Advance(std::chrono::milliseconds(1 + (i * 7919) % 40'000));
    if (!mailbox_->messages.contains(witness)) break;
    const bool here = !StoredIds().empty() && std::ranges::count(StoredIds(), witness) > 0;
    EXPECT_TRUE(here || !seen);
    seen = seen || here;
  }
  mailbox_->stirring_percent = 0;
  mailbox_->failing_percent = 0;
  CatchUp();
  EXPECT_EQ(Stored(), AtProvider());
  EXPECT_THAT(status_.faults, Not(Contains(ErrorCode::kInternal)));
  EXPECT_TRUE(Progress().complete);
}

TEST_P(FolderSyncTest, AMailboxThatIsErasedOrReconnectedIsNotWrittenTo) {
  mailbox_->Deliver("inbox");
  status_.account.generation += 1;
  auto job = JobOf(kFetchEmailsKind);
  job.generation = status_.account.generation;
  latchkey::testing::RunTask(store_.loop(), live_.Run(job));
  EXPECT_THAT(StoredIds(), IsEmpty());
}

TEST_P(FolderSyncTest, OfALargeTreeQuietFoldersAreAskedSeldomAndNothingStaysUnseen) {
  for (int i = 0; i < 30; ++i) mailbox_->AddFolder("archive-" + std::to_string(i));
  const std::string old = mailbox_->Deliver("archive-7");
  CatchUp();
  const auto look = [&] {
    mailbox_->asked.clear();
    while (Live().kind != jobs::Outcome::Kind::kCompleted) continue;
  };
  look();
  look();
  EXPECT_THAT(mailbox_->asked, ElementsAre(::testing::Key("inbox"))) << "nothing moved elsewhere";
  const std::string fresh = mailbox_->Deliver("archive-7");
  look();
  EXPECT_GE(mailbox_->asked["archive-7"], 1);
  EXPECT_EQ(mailbox_->asked.size(), 2U);
  EXPECT_THAT(StoredIds(), Contains(fresh));
  // A change that leaves the number of messages as it was.
  mailbox_->Touch(old);
  look();
  EXPECT_EQ(mailbox_->asked["archive-7"], 0);
  store_.clock().Advance(std::chrono::minutes(6));
  look();
  EXPECT_GE(mailbox_->asked["archive-7"], 1);
  EXPECT_EQ(mailbox_->asked.size(), mailbox_->folders.size());
  EXPECT_EQ(Stored(), AtProvider());
}

INSTANTIATE_TEST_SUITE_P(Seeds, FolderSyncTest, ::testing::Range(1U, 13U));

}  // namespace
}  // namespace latchkey::mail
