// The audit with real programs: rows that vanish behind the server's back come back, strays go, and a kill in the
// middle changes nothing about the answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/mailbox_oracle.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::IsEmpty;

class Audit : public IntegrationTest {
 protected:
  void SetUp() override {
    IntegrationTest::SetUp();
    bj::array messages;
    for (int i = 0; i < 60; ++i) {
      auto mail = Mail("Subject " + std::to_string(i));
      mail["message_id"] = "<audit." + std::to_string(i) + "@example.net>";
      if (i % 10 == 0) mail["label_ids"] = bj::array{i % 20 == 0 ? "SPAM" : "TRASH"};
      messages.push_back(std::move(mail));
    }
    simulator_.Post(std::string("/mail/") + kAda + "/messages", bj::object{{"messages", std::move(messages)}});
    ada_ = NewPerson();
    ada_->SignIn();
    account_ = ada_->Connect(kAda);
    ada_->WaitUntilImported(account_);
  }

  std::string Path() const { return "/api/v1/connected-accounts/" + account_ + "/audit"; }
  bj::object Report() { return bj::parse(ada_->Get(Path()).body).as_object(); }
  bj::object Finished() {
    WaitUntil([&] { return Report().at("state") != "running"; });
    return Report();
  }
  static std::int64_t Count(const bj::object& report, std::string_view name) {
    return report.at("mail").at(name).to_number<std::int64_t>();
  }
  /// Rows vanish, with all that hangs on them, and nobody is told.
  void Lose(int count) {
    Execute("DELETE FROM synced_messages WHERE row_id IN (SELECT row_id FROM synced_messages LIMIT " +
            std::to_string(count) +
            ");"
            "DELETE FROM message_labels WHERE message_row NOT IN (SELECT row_id FROM synced_messages);"
            "UPDATE labels SET unread = 0, total = (SELECT count(*) FROM message_labels p WHERE p.label_row = "
            "labels.row_id);"
            "UPDATE labels SET unread = (SELECT count(*) FROM message_labels p JOIN synced_messages m "
            "ON m.row_id = p.message_row WHERE p.label_row = labels.row_id AND m.is_read = 0)");
  }
  void Execute(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((server_.data_directory() + "/latchkey.db").c_str(), &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 10'000);
    sqlite3_exec(database, "PRAGMA foreign_keys = ON", nullptr, nullptr, nullptr);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_close(database);
  }
  std::vector<std::string> Differences() {
    return Compare(WithoutDetails(TrueMailbox(simulator_, kAda)), StoredMailbox(server_, *ada_, false));
  }

  std::unique_ptr<Person> ada_;
  std::string account_;
};

TEST_F(Audit, LostRowsComeBackAndStraysGo) {
  EXPECT_EQ(Report().at("state"), "never");
  auto events = ada_->OpenEvents();
  ASSERT_EQ(ada_->Post(Path()).status, 202);
  auto report = Finished();
  EXPECT_EQ(report.at("state"), "complete") << bj::serialize(report);
  EXPECT_EQ(Count(report, "provider_count"), 60) << "spam and trash too";
  EXPECT_EQ(Count(report, "stored_count"), 60);
  EXPECT_TRUE(events->WaitFor([](const StreamedEvent& event) { return event.type == "audit.finished"; }, kPatience));

  Lose(7);
  Execute(
      "UPDATE synced_messages SET external_message_id = 'ffffffffffffff' WHERE row_id = "
      "(SELECT max(row_id) FROM synced_messages)");
  ASSERT_EQ(ada_->Post(Path()).status, 202);
  report = Finished();
  EXPECT_EQ(report.at("state"), "complete") << bj::serialize(report);
  EXPECT_EQ(Count(report, "fetched_count"), 8);
  EXPECT_EQ(Count(report, "surplus_count"), 1);
  EXPECT_EQ(Count(report, "missing_count"), 0);
  EXPECT_THAT(Differences(), IsEmpty());
  DatabaseFile database(server_.data_directory() + "/latchkey.db");
  EXPECT_EQ(database.Query("SELECT count(*) FROM audit_ids")[0][0], "0");
}

TEST_F(Audit, AKilledAuditEndsAsIfNothingHadHappened) {
  Lose(30);
  simulator_.Post("/faults",
                  bj::object{{"kind", "latency"}, {"path", "/gmail/**"}, {"milliseconds", 40}, {"count", 60}});
  ASSERT_EQ(ada_->Post(Path()).status, 202);
  for (int kills = 0; kills < 3; ++kills) {
    WaitUntil([&] { return Report().at("state") == "running"; }, std::chrono::milliseconds(100));
    server_.Kill();
    server_.Start();
  }
  const auto report = Finished();
  EXPECT_EQ(report.at("state"), "complete") << bj::serialize(report);
  EXPECT_EQ(Count(report, "provider_count"), 60);
  EXPECT_EQ(Count(report, "missing_count"), 0);
  EXPECT_THAT(Differences(), IsEmpty());
}

TEST_F(Audit, AnotherPersonsAccountIsNotThere) {
  auto grace = NewPerson(kGrace);
  grace->SignIn();
  EXPECT_EQ(grace->Get(Path()).status, 404);
  EXPECT_EQ(grace->Post(Path()).status, 404);
  ada_->Post("/api/v1/connected-accounts/" + account_ + "/pause");
  EXPECT_EQ(ada_->Post(Path()).status, 409) << "nothing is fetched for a paused account";
}

}  // namespace
}  // namespace latchkey::integration
