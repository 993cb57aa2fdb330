// What an operator does when the machine is gone: the copy is sound although the server was at work, and after it was
// restored no mail leaves twice, no event repeats, nobody is signed in who may have signed out, and mailboxes are
// whole.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>

#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/mailbox_oracle.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class BackupAndRestore : public IntegrationTest {
 protected:
  void SetUp() override {
    IntegrationTest::SetUp();
    simulator_.Patch("/settings", bj::object{{"quota", false}});
    ada_ = NewPerson();
    ada_->SignIn();
  }

  std::string Copy() const { return directory_.Sub("copy.db"); }
  std::string Database() const { return server_.data_directory() + "/latchkey.db"; }

  FailedStart Run(const std::vector<std::string>& arguments) { return RunServer(server_.environment(), arguments); }
  void Backup() {
    const auto run = Run({"backup", "--to", Copy()});
    ASSERT_EQ(run.exit_code, 0) << run.output;
  }
  void Restore() {
    EXPECT_EQ(server_.Stop(), 0);
    const auto run = Run({"restore", "--from", Copy()});
    ASSERT_EQ(run.exit_code, 0) << run.output;
    server_.Start();
  }
  /// The same program while it runs, so that it can be killed.
  std::unique_ptr<Process> Begin(const std::vector<std::string>& arguments) {
    Process::Options options;
    options.arguments = {LATCHKEY_SERVER_PATH};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.environment = server_.environment();
    options.output_path = directory_.Sub("killed.log");
    options.working_directory = directory_.path();
    return std::make_unique<Process>(options);
  }

  void Deliver(int count, const std::string& subject) {
    bj::array messages;
    for (int i = 0; i < count; ++i) {
      auto mail = Mail(subject + " " + std::to_string(i), std::string(2000, 'x'));
      mail["message_id"] = "<" + subject + "." + std::to_string(i) + "@example.net>";
      messages.push_back(mail);
    }
    simulator_.Post(std::string("/mail/") + kAda + "/messages", bj::object{{"messages", messages}});
  }

  HttpReply PostLetter(const std::string& subject, int send_after_seconds) {
    const bj::object letter{{"account", account_},
                            {"to", bj::array{bj::object{{"address", kGrace}}}},
                            {"subject", subject},
                            {"text", "Text"},
                            {"send_after_seconds", send_after_seconds}};
    HttpCall call{.method = "POST", .url = ada_->Url("/api/v1/messages"), .headers = {}, .body = bj::serialize(letter)};
    call.headers = {"Origin: " + server_.url(), "X-CSRF-Token: " + ada_->csrf(), "Content-Type: application/json",
                    "Idempotency-Key: key-of-the-letter-" + subject};
    return ada_->SendRaw(call);
  }
  bj::value Outgoing(const std::string& id) { return ada_->Get("/api/v1/outbox/" + id).Json(); }
  std::string StateOf(const std::string& id) { return std::string(Outgoing(id).at("state").as_string()); }
  int Sent() { return simulator_.Get(std::string("/sent/") + kAda).at("total").to_number<int>(); }

  void ExpectSameMailbox() {
    const auto differences = [&](bool details) {
      auto truth = TrueMailbox(simulator_, kAda);
      if (!details) truth = WithoutDetails(std::move(truth));
      return Compare(truth, StoredMailbox(server_, *ada_, details));
    };
    if (!WaitUntil([&] { return differences(false).empty(); })) EXPECT_THAT(differences(false), IsEmpty());
    EXPECT_THAT(differences(true), IsEmpty());
  }

  TempDirectory directory_;
  std::unique_ptr<Person> ada_;
  std::string account_;
};

TEST_F(BackupAndRestore, ACopyMadeDuringTheFirstImportIsSoundAndGoesOnFromWhereItWas) {
  Deliver(400, "early");
  account_ = ada_->Connect(kAda, {"read_mail"});
  ASSERT_TRUE(WaitUntil([&] { return ada_->Account(account_).at("message_count").to_number<int>() > 0; }));
  const auto made = Run({"backup", "--to", Copy()});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_THAT(made.output, HasSubstr("sound copy"));
  EXPECT_THAT(made.output, HasSubstr("secrets/encryption_key"));
  EXPECT_THAT(made.output, HasSubstr("Keep it apart"));
  struct stat status{};
  ASSERT_EQ(::stat(Copy().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  const auto again = Run({"backup", "--to", Copy()});
  EXPECT_EQ(again.exit_code, 2) << again.output;
  EXPECT_THAT(again.output, HasSubstr("never overwrites"));

  const auto refused = Run({"restore", "--from", Copy()});
  EXPECT_EQ(refused.exit_code, 3) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("stop it"));
  ada_->WaitUntilImported(account_);

  Restore();
  ada_->SignIn();
  ExpectSameMailbox();
}

TEST_F(BackupAndRestore, AnOldCopyCatchesUpAndSendsNothingAgain) {
  Deliver(20, "before");
  account_ = ada_->Connect(kAda, {"read_mail", "send_mail"});
  ada_->WaitUntilImported(account_);
  // Waits for the provider, so that the copy catches it on its way.
  const bj::object busy{{"kind", "respond"}, {"payload", "gmail.backendError.500"}, {"path", "/upload/gmail/**"}};
  simulator_.Post("/faults", busy);
  const auto once = PostLetter("once", 0);
  ASSERT_EQ(once.status, 202) << once.body;
  const std::string id(once.Json().at("id").as_string());
  ASSERT_TRUE(WaitUntil([&] { return !Outgoing(id).at("error_code").is_null(); })) << Outgoing(id);
  const auto later = PostLetter("later", 60);
  ASSERT_EQ(later.status, 202) << later.body;
  const std::string unsent(later.Json().at("id").as_string());
  Backup();

  // Afterwards: the mail leaves, the mailbox changes, events are given out.
  simulator_.Delete("/faults");
  ASSERT_TRUE(WaitUntil([&] { return StateOf(id) == "sent"; })) << Outgoing(id);
  ASSERT_EQ(ada_->Send("DELETE", "/api/v1/outbox/" + unsent).status, 200);
  Deliver(15, "after");
  const auto ids = TrueMailbox(simulator_, kAda);
  simulator_.Delete(std::string("/mail/") + kAda + "/messages/" + ids.begin()->first);
  ExpectSameMailbox();
  const auto lost = DatabaseFile(Database()).Query("SELECT max(id) FROM events").at(0).at(0);
  ASSERT_EQ(Sent(), 1);

  Restore();
  EXPECT_EQ(ada_->Get("/api/v1/connected-accounts").status, 401) << "the session may have been ended in the lost time";
  ada_->SignIn();
  auto events = ada_->OpenEvents(lost);
  const auto first = events->WaitFor([](const StreamedEvent&) { return true; }, kPatience);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, "resync");
  EXPECT_GT(std::stoll(first->id), std::stoll(lost));
  ExpectSameMailbox();
  EXPECT_EQ(StateOf(id), "held");
  EXPECT_EQ(StateOf(unsent), "held");
  EXPECT_EQ(Sent(), 1);

  // The person sends both: the one that is out is found, the other one goes out now.
  EXPECT_EQ(ada_->Post("/api/v1/outbox/" + id + "/retry").status, 202);
  EXPECT_EQ(ada_->Post("/api/v1/outbox/" + unsent + "/retry").status, 202);
  EXPECT_TRUE(WaitUntil([&] { return StateOf(id) == "sent" && StateOf(unsent) == "sent"; }))
      << Outgoing(id) << Outgoing(unsent);
  EXPECT_EQ(Sent(), 2);
  for (const auto& [message, times] : simulator_.Get(std::string("/sent/") + kAda).at("by_message_id").as_object()) {
    EXPECT_EQ(times.to_number<int>(), 1) << std::string(message);
  }
}

TEST_F(BackupAndRestore, AMailThatIsDiscardedAfterARestoreNeverLeaves) {
  account_ = ada_->Connect(kAda, {"read_mail", "send_mail"});
  ada_->WaitUntilImported(account_);
  const auto accepted = PostLetter("never", 60);
  ASSERT_EQ(accepted.status, 202) << accepted.body;
  const std::string id(accepted.Json().at("id").as_string());
  Backup();
  Restore();
  ada_->SignIn();
  EXPECT_EQ(ada_->Send("DELETE", "/api/v1/outbox/" + id).Json().at("state").as_string(), "cancelled");
  EXPECT_EQ(Sent(), 0);
}

TEST_F(BackupAndRestore, ACursorThatTheProviderForgotHealsAfterARestore) {
  Deliver(10, "before");
  account_ = ada_->Connect(kAda, {"read_mail"});
  ada_->WaitUntilImported(account_);
  Backup();
  Deliver(10, "after");
  const auto ids = TrueMailbox(simulator_, kAda);
  simulator_.Delete(std::string("/mail/") + kAda + "/messages/" + ids.begin()->first);
  EXPECT_EQ(server_.Stop(), 0);
  simulator_.Post(std::string("/mail/") + kAda + "/expire-history", bj::object{});
  const auto run = Run({"restore", "--from", Copy()});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  server_.Start();
  ada_->SignIn();
  ExpectSameMailbox();
}

TEST_F(BackupAndRestore, WithoutTheRightKeyNothingIsRestored) {
  account_ = ada_->Connect(kAda, {"read_mail"});
  ada_->WaitUntilImported(account_);
  Backup();
  EXPECT_EQ(server_.Stop(), 0);
  auto environment = server_.environment();
  environment["ENCRYPTION_KEY"] = "8d1f4b6a2c9e7f305b8a1d4c6e9f20735a8b1c4d7e0f3265988a1b4c7d0e3f62";
  const auto refused = RunServer(environment, {"restore", "--from", Copy()});
  EXPECT_EQ(refused.exit_code, 5) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("Put the key of that installation back"));
  EXPECT_THAT(refused.output, Not(HasSubstr("8d1f4b6a")));
  server_.Start();
  EXPECT_EQ(ada_->Get("/api/v1/connected-accounts").status, 200) << "nothing was changed";
}

TEST_F(BackupAndRestore, KilledInTheMiddleNeitherLeavesAHalfFile) {
  Deliver(200, "mail");
  account_ = ada_->Connect(kAda, {"read_mail"});
  ada_->WaitUntilImported(account_);
  const auto draft_of = [](const std::string& folder, const std::string& part) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().filename().string().find(part) != std::string::npos) return true;
    }
    return false;
  };
  auto backup = Begin({"backup", "--to", Copy()});
  WaitUntil([&] { return draft_of(directory_.path(), ".partial-") || backup->Poll(); });
  backup->Kill();
  // Either it was quick and the copy is whole, or there is none and the next one takes its draft away.
  if (!fs::exists(Copy())) Backup();
  EXPECT_FALSE(draft_of(directory_.path(), ".partial-"));
  EXPECT_THAT(DatabaseFile(Copy()).Query("PRAGMA integrity_check"),
              ::testing::ElementsAre(::testing::ElementsAre("ok")));

  EXPECT_EQ(server_.Stop(), 0);
  for (int round = 0; round < 3; ++round) {
    auto restore = Begin({"restore", "--from", Copy()});
    // A little further in every round: the draft, the draft at work, the former database aside.
    const char* const signs[] = {".restoring", ".restoring-wal", ".before-restore-"};
    WaitUntil([&] { return draft_of(server_.data_directory(), signs[round]) || restore->Poll(); });
    restore->Kill();
    server_.Start();
    ada_->SignIn();
    EXPECT_EQ(ada_->Messages().size(), 200U);
    EXPECT_EQ(server_.Stop(), 0);
  }
  const auto run = Run({"restore", "--from", Copy()});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  server_.Start();
  ada_->SignIn();
  ExpectSameMailbox();
}

}  // namespace
}  // namespace latchkey::integration
