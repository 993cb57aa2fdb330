// A copy is one instant of a database that goes on, or it does not exist; a restore is the former database or the
// restored one, whenever it is killed, and never lets the past happen twice.

#include "storage/sqlite/backup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/migrations.hpp"
#include "storage/sqlite/restore.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::storage::sqlite {
namespace {

namespace fs = std::filesystem;
using storage::testing::CommitFor;
using storage::testing::SampleLabels;
using storage::testing::SampleMessage;
using storage::testing::ScratchStore;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() : user_(store_.AddUser("ada")), account_(store_.AddAccount(user_, "ada.mail")) {
    auto labels = CommitFor(account_);
    labels.labels = SampleLabels();
    store_.Get(store_.database().messages().Apply(labels));
  }

  std::string Database() const { return store_.directory() + "/latchkey.db"; }
  std::string Copy() const { return store_.directory() + "/copy.db"; }

  /// One page of mail and the cursor that belongs to it.
  void CommitPage() {
    ++page_;
    auto commit = CommitFor(account_);
    for (int i = 0; i < 5; ++i) {
      commit.upserts.push_back(SampleMessage("p" + std::to_string(page_) + "-" + std::to_string(i), page_));
    }
    commit.cursors = {{.lane = "backfill", .value = std::to_string(page_)}};
    store_.Get(store_.database().messages().Apply(commit));
  }

  Result<DatabaseFacts> MakeBackup(Progress progress = {}) {
    BackupOptions options;
    options.source = Database();
    options.target = Copy();
    options.pages_per_step = 4;
    options.progress = std::move(progress);
    return Backup(options);
  }

  RestoreOptions Restoring() {
    RestoreOptions options;
    options.source = Copy();
    options.database = Database();
    options.now = store_.clock().Now();
    return options;
  }

  static std::vector<std::string> Column(const std::string& path, std::string_view sql) {
    Connection connection(path, Connection::Mode::kReadWrite);
    std::vector<std::string> values;
    Rows rows = connection.Query(sql);
    while (rows.Step()) values.push_back(rows.String(0));
    return values;
  }

  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(store_.directory())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  /// The end of a child that runs `body`; it must not outlive it.
  template <class Body>
  static int InChild(Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
  }

  ScratchStore store_;
  identity::User user_;
  connected_accounts::ConnectedAccount account_;
  int page_ = 0;
};

TEST_F(BackupTest, ACopyBesideCommitsIsTheInstantItBegan) {
  CommitPage();
  int steps = 0;
  const auto facts = MakeBackup([&](std::int64_t, std::int64_t) {
    ++steps;
    CommitPage();
  });
  ASSERT_TRUE(facts) << facts.error().detail;
  EXPECT_GT(steps, 5) << "the copy must have met commits";
  EXPECT_EQ(facts->messages, 5);
  EXPECT_EQ(facts->users, 1);
  EXPECT_EQ(facts->accounts, 1);
  EXPECT_THAT(Column(Copy(), "SELECT value FROM sync_cursors WHERE lane = 'backfill'"), ElementsAre("1"));
  EXPECT_EQ(store_.Get(store_.database().messages().GetSyncState(account_.id)).message_count, 5 * page_);
}

TEST_F(BackupTest, ACopyIsOneFileForItsOwnerAlone) {
  ASSERT_TRUE(MakeBackup());
  struct stat status{};
  ASSERT_EQ(::stat(Copy().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  store_.Close();
  EXPECT_THAT(Files(), UnorderedElementsAre("latchkey.db", "latchkey.db.lock", "copy.db"));
}

TEST_F(BackupTest, ACopyNeverOverwrites) {
  std::ofstream(Copy()) << "precious";
  const auto refused = MakeBackup();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyExists);
  std::string text;
  std::ifstream(Copy()) >> text;
  EXPECT_EQ(text, "precious");
  // Also when the name was taken while it copied.
  fs::remove(Copy());
  const auto late = MakeBackup([&](std::int64_t, std::int64_t) { std::ofstream(Copy()) << "precious"; });
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(fs::file_size(Copy()), 8u);
}

TEST_F(BackupTest, ADamagedDatabaseGivesNoCopy) {
  for (int i = 0; i < 20; ++i) CommitPage();
  store_.Close();
  std::fstream file(Database(), std::ios::in | std::ios::out | std::ios::binary);
  for (int page = 20; page < 40; ++page) {
    file.seekp(page * 8192);
    file << std::string(4000, '\x5A');
  }
  file.close();
  const auto facts = MakeBackup();
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, ErrorCode::kStorageUnavailable) << facts.error().detail;
  EXPECT_FALSE(fs::exists(Copy()));
}

TEST_F(BackupTest, KilledAtAnyStepACopyIsNotThereAndItsDraftGoesWithTheNext) {
  for (int i = 0; i < 5; ++i) CommitPage();
  store_.Close();
  for (int kill_at = 1; kill_at < 12; kill_at += 3) {
    const int status = InChild([&] {
      int steps = 0;
      (void)MakeBackup([&](std::int64_t, std::int64_t) {
        if (++steps == kill_at) ::raise(SIGKILL);
      });
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_FALSE(fs::exists(Copy()));
  }
  ASSERT_TRUE(MakeBackup());
  EXPECT_THAT(Files(), UnorderedElementsAre("latchkey.db", "latchkey.db.lock", "copy.db"));
}

class RestoreTest : public BackupTest {
 protected:
  /// A mail of the outbox in this state, with a job where it is still on its way.
  void InsertMail(const std::string& id, const std::string& state) {
    Connection connection(Database(), Connection::Mode::kReadWrite);
    const bool open = state == "queued" || state == "sending";
    const bool error = state == "failed" || state == "unconfirmed";
    connection.Execute(
        "INSERT INTO outbox (id, user_id, connected_account_id, state, error_code, idempotency_key, request_hash, "
        "subject, content, message_id, relation, handed_over_at, created_at, send_at, sent_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $1, '', '', '', $1, 'new', $6, 1000, 1000, $7, 1000)",
        id, user_id(), account_.id, state, error ? std::optional("send_unconfirmed") : std::nullopt,
        state == "sent" || state == "unconfirmed" ? std::optional(2000) : std::nullopt,
        state == "sent" ? std::optional(3000) : std::nullopt);
    if (!open) return;
    connection.Execute(
        "INSERT INTO jobs (id, kind, priority, state, max_attempts, unique_key, created_at, scheduled_at, lease_token, "
        "lease_until) VALUES ($1, 'send_email', 1, $2, 5, $3, 0, 0, $4, $5)",
        "job-" + id, state == "queued" ? "available" : "running", "send_email:" + id,
        state == "sending" ? std::optional("lease") : std::nullopt,
        state == "sending" ? std::optional(5) : std::nullopt);
  }
  UserId user_id() const { return user_.id; }

  void WriteEvents(int count) {
    Connection connection(Database(), Connection::Mode::kReadWrite);
    for (int i = 0; i < count; ++i) {
      connection.Execute("INSERT INTO events (type, user_id, created_at) VALUES ('message.upserted', $1, 0)", user_.id);
    }
  }
};

TEST_F(RestoreTest, GoesBackToTheCopyAndKeepsWhatItReplaces) {
  CommitPage();
  ASSERT_TRUE(MakeBackup());
  CommitPage();
  store_.Close();
  std::vector<std::string> steps;
  auto options = Restoring();
  options.progress = [&](std::string_view step) { steps.emplace_back(step); };
  const auto restored = Restore(options);
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_THAT(steps, ElementsAre("copying", "checking", "migrating", "marking", "setting_aside", "putting_in_place"));
  EXPECT_THAT(Column(restored->set_aside, "SELECT count(*) FROM synced_messages"), ElementsAre("10"));
  store_.Reopen();
  EXPECT_EQ(store_.Get(store_.database().messages().GetSyncState(account_.id)).message_count, 5);
  EXPECT_EQ(store_.Get(store_.database().messages().GetSyncState(account_.id)).cursors.at(0).value, "1");
}

TEST_F(RestoreTest, KilledAtAnyStepItIsTheFormerOrTheRestoredDatabase) {
  CommitPage();
  ASSERT_TRUE(MakeBackup());
  CommitPage();
  store_.Close();
  for (int kill_at = 1; kill_at <= 6; ++kill_at) {
    const int status = InChild([&] {
      int steps = 0;
      auto options = Restoring();
      options.progress = [&](std::string_view) {
        if (++steps == kill_at) ::raise(SIGKILL);
      };
      (void)Restore(options);
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    store_.Reopen();
    EXPECT_EQ(store_.Get(store_.database().messages().GetSyncState(account_.id)).message_count, 10) << kill_at;
    store_.Close();
  }
  ASSERT_TRUE(Restore(Restoring()));
  store_.Reopen();
  EXPECT_EQ(store_.Get(store_.database().messages().GetSyncState(account_.id)).message_count, 5);
  EXPECT_FALSE(fs::exists(Database() + ".restoring"));
}

TEST_F(RestoreTest, IsRefusedWhileAServerRuns) {
  ASSERT_TRUE(MakeBackup());
  const auto refused = Restore(Restoring());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("stop it"));
}

TEST_F(RestoreTest, ReplacesADamagedDatabaseAndKeepsItsLogToo) {
  CommitPage();
  ASSERT_TRUE(MakeBackup());
  store_.Close();
  std::ofstream(Database()) << "no database at all";
  std::ofstream(Database() + "-wal") << "nor a log";
  const auto restored = Restore(Restoring());
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_TRUE(fs::exists(restored->set_aside));
  store_.Reopen();
  EXPECT_EQ(store_.Get(store_.database().messages().GetSyncState(account_.id)).message_count, 5);
}

TEST_F(RestoreTest, RefusesWhatIsNoSoundCopyOrWhatItsOwnerRefuses) {
  ASSERT_TRUE(MakeBackup());
  store_.Close();
  auto options = Restoring();
  options.accept = [](const DatabaseFacts&) -> Result<void> { return Fail(ErrorCode::kKeyUnavailable, "no key"); };
  EXPECT_EQ(Restore(options).error().code, ErrorCode::kKeyUnavailable);
  options = Restoring();
  options.source = store_.directory() + "/nothing";
  EXPECT_EQ(Restore(options).error().code, ErrorCode::kNotFound);
  options.source = Database();
  EXPECT_EQ(Restore(options).error().code, ErrorCode::kInvalidArgument);
  std::ofstream(store_.directory() + "/text") << "this is not a database";
  options.source = store_.directory() + "/text";
  EXPECT_EQ(Restore(options).error().code, ErrorCode::kStorageUnavailable);
  {
    Connection newer(Copy(), Connection::Mode::kReadWrite);
    newer.Run("INSERT INTO schema_migrations VALUES (9999, 'from the future', 0)");
  }
  const auto refused = Restore(Restoring());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("newer program"));
  // None of them changed anything.
  EXPECT_THAT(Column(Database(), "SELECT count(*) FROM sessions"), ElementsAre("1"));
}

TEST_F(RestoreTest, ACopyOfAnOlderProgramIsMigrated) {
  store_.Close();
  {
    Connection old(Copy(), Connection::Mode::kReadWrite);
    ASSERT_TRUE(Migrate(old, Migrations().first(3), Instant()));
  }
  const auto restored = Restore(Restoring());
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_EQ(restored->facts.schema_version, 3);
  EXPECT_EQ(restored->schema_version, Migrations().back().version);
}

TEST_F(RestoreTest, MailOnItsWayIsHeldAndItsJobsAreGone) {
  for (const char* state : {"queued", "sending", "sent", "failed", "unconfirmed", "cancelled"}) {
    InsertMail(state, state);
  }
  ASSERT_TRUE(MakeBackup());
  store_.Close();
  const auto restored = Restore(Restoring());
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_EQ(restored->facts.unfinished_mails, 2);
  EXPECT_EQ(restored->mark.held_mails, 3);
  EXPECT_THAT(Column(Database(), "SELECT id || ' ' || state FROM outbox ORDER BY id"),
              ElementsAre("cancelled cancelled", "failed held", "queued held", "sending held", "sent sent",
                          "unconfirmed unconfirmed"));
  // Looked for from the instant they were written before anybody sends them.
  EXPECT_THAT(Column(Database(), "SELECT DISTINCT handed_over_at FROM outbox WHERE state = 'held'"),
              ElementsAre("1000"));
  EXPECT_THAT(Column(Database(), "SELECT DISTINCT state FROM jobs WHERE kind = 'send_email'"),
              ElementsAre("cancelled"));
  store_.Reopen();
  EXPECT_EQ(store_.Get(store_.database().outbox().Requeue(100)), 0) << "nobody queues them behind the person's back";
}

TEST_F(RestoreTest, EventIdsGoOnAboveWhatTheLostTimeGaveOut) {
  WriteEvents(10);
  ASSERT_TRUE(MakeBackup());
  WriteEvents(5000);
  const auto lost = store_.Get(store_.database().events().LatestId(user_.id));
  store_.Close();
  const auto restored = Restore(Restoring());
  ASSERT_TRUE(restored) << restored.error().detail;
  store_.Reopen();
  auto& events = store_.database().events();
  EXPECT_GT(store_.Get(events.LatestId(user_.id)), lost);
  // Whoever was somewhere before, in the copied time or in the lost one, begins anew.
  EXPECT_EQ(store_.ErrorOf(events.ListAfter(user_.id, lost, 10)), ErrorCode::kGone);
  EXPECT_EQ(store_.ErrorOf(events.ListAfter(user_.id, 3, 10)), ErrorCode::kGone);
  const auto floor = store_.Get(events.LatestId(user_.id));
  WriteEvents(1);
  EXPECT_EQ(store_.Get(events.ListAfter(user_.id, floor, 10)).at(0).id, floor + 1);
  store_.Close();
  // A second restore of the same copy, by a clock that stands still.
  const auto again = Restore(Restoring());
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_GT(again->mark.event_floor, floor);
}

TEST_F(RestoreTest, NoSessionOrRefreshTokenComesBack) {
  {
    Connection connection(Database(), Connection::Mode::kReadWrite);
    connection.Execute(
        "INSERT INTO oauth_refresh_tokens (id, user_id, family, expires_at, created_at) VALUES ('f', $1, 'f', 9, 1)",
        user_.id);
  }
  ASSERT_TRUE(MakeBackup());
  store_.Close();
  const auto restored = Restore(Restoring());
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_EQ(restored->mark.ended_sessions, 1);
  EXPECT_EQ(restored->mark.revoked_families, 1);
  EXPECT_THAT(Column(Database(), "SELECT id FROM sessions"), IsEmpty());
  EXPECT_THAT(Column(Database(), "SELECT is_revoked FROM oauth_refresh_tokens"), ElementsAre("1"));
}

TEST_F(RestoreTest, WhatWasErasedSinceTheCopyIsErasedAgain) {
  CommitPage();
  ASSERT_TRUE(MakeBackup());
  const auto receipt = store_.Get(store_.database().accounts().BeginErase(user_.id, account_.id));
  while (!store_.Get(store_.database().accounts().EraseSome(account_.id, 1000))) {
  }
  store_.Close();
  const auto restored = Restore(Restoring());
  ASSERT_TRUE(restored) << restored.error().detail;
  EXPECT_EQ(restored->mark.erased_again, 1);
  store_.Reopen();
  EXPECT_TRUE(store_.Get(store_.database().accounts().Get(user_.id, account_.id)).disconnecting);
  EXPECT_THAT(Column(Database(), "SELECT state FROM jobs WHERE kind = 'delete_synced_data'"), ElementsAre("available"));
  while (!store_.Get(store_.database().accounts().EraseSome(account_.id, 1000))) {
  }
  EXPECT_TRUE(store_.Get(store_.database().accounts().GetErasure(user_.id, receipt.id)).complete);
  EXPECT_THAT(Column(Database(), "SELECT count(*) FROM synced_messages"), ElementsAre("0"));
}

}  // namespace
}  // namespace latchkey::storage::sqlite
