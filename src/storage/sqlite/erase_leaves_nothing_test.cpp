#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/sqlite/connection.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::storage::sqlite {
namespace {

class EraseLeavesNothingTest : public ::testing::Test {
 protected:
  /// Tables with a row in which any column holds `id`, whatever the schema will look like.
  std::vector<std::string> TablesNaming(const std::string& id) {
    Connection connection(store.directory() + "/latchkey.db", Connection::Mode::kReadOnly);
    std::vector<std::string> tables, naming;
    {
      Rows rows = connection.Query(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE "
          "'%VIRTUAL%'");
      while (rows.Step()) tables.push_back(rows.String(0));
    }
    for (const auto& table : tables) {
      std::vector<std::string> columns;
      {
        Rows rows = connection.Query("SELECT name FROM pragma_table_info('" + table + "')");
        while (rows.Step()) columns.push_back(rows.String(0));
      }
      for (const auto& column : columns) {
        Rows rows =
            connection.Query("SELECT 1 FROM \"" + table + "\" WHERE instr(\"" + column + "\", $1) > 0 LIMIT 1", id);
        if (rows.Step()) naming.push_back(table + "." + column);
      }
    }
    return naming;
  }
  std::int64_t CountOf(const std::string& sql) {
    Connection connection(store.directory() + "/latchkey.db", Connection::Mode::kReadOnly);
    Rows rows = connection.Query(sql);
    rows.Step();
    return rows.Int(0);
  }
  storage::testing::ScratchStore store;
};

TEST_F(EraseLeavesNothingTest, NoTableNamesTheAccountAfterwardsButItsReceipt) {
  Database& database = store.database();
  const auto user = store.AddUser("ada");
  const auto account = store.AddAccount(user, "ada.mail");
  auto commit = storage::testing::CommitFor(account);
  commit.labels = storage::testing::SampleLabels();
  for (int i = 0; i < 20; ++i) commit.upserts.push_back(storage::testing::SampleMessage("m" + std::to_string(i), i));
  commit.deletions = {"gone"};
  commit.cursors = {{.lane = "live", .value = "1"}};
  commit.failed_items = {{.external_id = "broken", .error_code = "internal"}};
  commit.jobs = {{.kind = "fetch_emails",
                  .args = R"({"account":")" + account.id.text() + "\"}",
                  .account_id = account.id,
                  .generation = account.generation}};
  store.Get(database.messages().Apply(commit));
  store.Get(database.messages().IndexPending(10));
  const sync::Pause pause{.account_id = account.id, .service = "gmail", .until = store.clock().Now()};
  store.Get(database.pauses().KeepPause(pause));
  const calendar::WriteFence calendar_fence{.account_id = account.id, .generation = account.generation};
  const calendar::Calendar home{.external_id = "home", .name = account.id.text()};
  const auto calendars = store.Get(database.calendars().ReplaceCalendars(calendar_fence, {home}));
  calendar::CalendarCommit events{.fence = calendar_fence, .calendar_id = calendars.at(0).id};
  events.cursor = store.Get(database.calendars().BeginEpoch(calendar_fence, calendars.at(0).id, {}));
  for (int i = 0; i < 20; ++i) {
    calendar::Event event;
    event.external_id = "e" + std::to_string(i);
    event.time.start = event.time.end = store.clock().Now();
    events.upserts.push_back(event);
  }
  store.Get(database.calendars().Apply(events));
  store.Get(database.calendars().Conclude(calendar_fence, {.next_sync_at = store.clock().Now()}));
  const mail::WriteFence fence{.account_id = account.id, .generation = account.generation, .lease = {}};
  mail::Folder folder;
  folder.label.external_id = "inbox";
  store.Get(database.folders().ReplaceFolders(fence, {folder}));
  store.Get(database.folders().AddChecks(fence, {"m1"}));
  const auto job = store.Get(database.jobs().Claim({.kinds = {"fetch_emails"}})).at(0);
  store.Get(database.jobs().Finish({.job_id = job.id, .token = job.lease_token}, jobs::Outcome::Completed(), {}));
  // An audit in the middle of its work.
  store.Get(database.audits().Request(user.id, account.id));
  audit::Progress progress;
  progress.listed_from = store.clock().Now();
  store.Get(database.audits().StartService(fence, progress));
  store.Get(database.audits().AddListed(fence, progress, {"a", "b", "m1"}));
  store.Get(database.audits().CompareSome(fence, audit::Service::kMail, audit::Finding::Kind::kMissing, 10));
  push::Channel channel;
  channel.id = "channel";
  channel.account_id = account.id;
  channel.generation = account.generation;
  channel.created_at = store.clock().Now();
  store.Get(database.push().Insert(channel));
  // A mail that waits with its file.
  const auto upload = store.Get(database.outbox().BeginUpload(user.id, "a.pdf", "application/pdf")).id;
  store.Get(database.outbox().AppendUpload(user.id, upload, 0, "bytes"));
  store.Get(database.outbox().FinishUpload(user.id, upload));
  mail::OutboxStore::NewEntry letter;
  letter.entry.id = mail::OutboxId::New(store.clock().Now());
  letter.entry.user_id = user.id;
  letter.entry.account_id = account.id;
  letter.entry.send_at = store.clock().Now();
  letter.entry.mail.message_id = letter.entry.id.text() + "@example.com";
  letter.entry.mail.attachments = {{.upload = upload, .name = "a.pdf", .mime_type = "application/pdf", .size = 5}};
  letter.idempotency_key = "key";
  store.Get(database.outbox().Enqueue(letter));
  const auto naming = TablesNaming(account.id.text());
  for (const auto* table : {"audits", "audit_services", "audit_ids", "audit_findings", "account_duties",
                            "push_channels", "outbox", "uploads"})
    ASSERT_THAT(naming, ::testing::Contains(std::string(table) + ".connected_account_id"));

  store.Get(database.accounts().BeginErase(user.id, account.id));
  const auto erase = store.Get(database.jobs().Claim({.kinds = {"delete_synced_data"}})).at(0);
  while (!store.Get(database.accounts().EraseSome(account.id, 7))) {
  }
  store.Get(database.jobs().Finish({.job_id = erase.id, .token = erase.lease_token}, jobs::Outcome::Completed(), {}));

  for (const auto& place : TablesNaming(account.id.text())) EXPECT_EQ(place, "erasures.connected_account_id");
  EXPECT_EQ(CountOf("SELECT count(*) FROM synced_messages"), 0);
  EXPECT_EQ(CountOf("SELECT count(*) FROM message_bodies"), 0);
  EXPECT_EQ(CountOf("SELECT count(*) FROM attachments"), 0);
  EXPECT_EQ(CountOf("SELECT count(*) FROM message_labels"), 0);
  EXPECT_EQ(CountOf("SELECT count(*) FROM search_pending"), 0);
  EXPECT_EQ(CountOf("SELECT count(*) FROM calendar_events"), 0);
  EXPECT_EQ(CountOf("SELECT count(*) FROM calendar_cursors"), 0);
  for (const char* table : {"outbox", "outbox_attachments", "uploads", "upload_chunks"}) {
    EXPECT_EQ(CountOf(std::string("SELECT count(*) FROM ") + table), 0) << table;
  }
  EXPECT_EQ(CountOf("SELECT count(*) FROM message_search WHERE message_search MATCH 'text OR subject OR grace'"), 0);
}

}  // namespace
}  // namespace latchkey::storage::sqlite
