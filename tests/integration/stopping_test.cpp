// How the real server stops, is killed, and goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tests/integration/support/database_editor.hpp"
#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/raw_client.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

/// What is promised; the measure of every test here.
constexpr seconds kStopsWithin{15};

class Stopping : public IntegrationTest {
 protected:
  std::string DatabasePath() const { return server_.data_directory() + "/latchkey.db"; }
  std::vector<std::vector<std::string>> Query(const std::string& sql) {
    return DatabaseFile(DatabasePath()).Query(sql);
  }

  /// An import whose worker hangs at the provider.
  void HangInImport(int milliseconds = 600'000) {
    bj::array mail;
    for (int i = 0; i < 20; ++i) mail.push_back(Mail("Number " + std::to_string(i)));
    simulator_.Post(std::string("/mail/") + kAda + "/messages", bj::object{{"messages", mail}});
    ada_ = NewPerson();
    ada_->SignIn();
    simulator_.Post("/faults", bj::object{{"kind", "latency"}, {"path", "/gmail/**"}, {"milliseconds", milliseconds}});
    account_ = ada_->Connect(kAda);
    ASSERT_TRUE(WaitUntil([&] { return !Query(kRunning).empty(); }));
  }
  static constexpr const char* kRunning = "SELECT id, attempt FROM jobs WHERE state = 'running'";

  std::unique_ptr<Person> ada_;
  std::string account_;
};

TEST_F(Stopping, AHangingProviderAndSlowClientsDoNotKeepItAndItsJobsAreHandedBackUncounted) {
  HangInImport();
  RawClient slow_head(server_.url());
  slow_head.Send("GET /health HTTP/1.1\r\nHost: ");
  RawClient slow_body(server_.url());
  slow_body.Send(
      "POST /auth/logout HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 1000\r\n\r\n{");
  RawClient silent(server_.url());
  const auto events = ada_->OpenEvents();
  ASSERT_EQ(events->WaitForStatus(kPatience), 200);
  server_.process().Signal(SIGTERM);
  EXPECT_EQ(server_.process().Wait(kStopsWithin), 0) << server_.log();
  EXPECT_TRUE(events->WaitForEnd(kPatience));
  EXPECT_THAT(server_.log(), HasSubstr("server.stopped"));
  EXPECT_THAT(Query(kRunning), ::testing::IsEmpty());
  const auto waiting = Query(
      "SELECT attempt, scheduled_at <= unixepoch('now') * 1000000, state FROM jobs WHERE kind = "
      "'fetch_emails' AND state IN ('available', 'scheduled')");
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0][0], "0") << "being handed back is no attempt";
  simulator_.Delete("/faults");
  server_.Start();
  ada_->WaitUntilImported(account_);
  EXPECT_EQ(ada_->Messages().size(), 20u);
}

TEST_F(Stopping, ASecondSignalEndsItAtOnce) {
  HangInImport();
  server_.environment()["LATCHKEY_DRAIN_SECONDS"] = "5";
  EXPECT_EQ(server_.Stop(), 0);
  server_.Start();
  ASSERT_TRUE(WaitUntil([&] { return !Query(kRunning).empty(); }));
  server_.process().Signal(SIGTERM);
  ASSERT_TRUE(WaitUntil([&] { return Fetch({.url = ada_->Url("/readyz")}).status == 503; }));
  server_.process().Signal(SIGINT);
  EXPECT_EQ(server_.process().Wait(kPatience), 128 + SIGINT);
  simulator_.Delete("/faults");
  server_.Start();
  ada_->WaitUntilImported(account_);
}

TEST_F(Stopping, ReadinessEndsFirstAnswersSayThatTheConnectionEndsAndStreamsWhenToComeBack) {
  auto ada = NewPerson();
  ada->SignIn();
  EXPECT_EQ(server_.Stop(), 0);
  server_.environment()["LATCHKEY_DRAIN_SECONDS"] = "5";
  server_.Start();
  RawClient kept(server_.url());
  kept.Send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(kept.ReadUntil("\"ok\""), Not(HasSubstr("Connection: close")));
  RawClient stream(server_.url());
  stream.Send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nCookie: " +
              ada->browser().CookieHeader(server_.url()) + "\r\n\r\n");
  EXPECT_THAT(stream.ReadUntil("retry: 1000"), HasSubstr(" 200 "));
  server_.process().Signal(SIGTERM);
  const HttpCall readiness{.url = ada->Url("/readyz")};
  ASSERT_TRUE(WaitUntil([&] { return Fetch(readiness).status == 503; }));
  EXPECT_FALSE(Fetch(readiness).Header("Retry-After").empty());
  // Alive and at work for whoever comes all the same.
  const auto alive = Fetch({.url = ada->Url("/livez")});
  EXPECT_EQ(alive.status, 200);
  EXPECT_EQ(alive.Header("Connection"), "close");
  EXPECT_EQ(ada->Get("/api/v1/connected-accounts").status, 200);
  kept.Send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(kept.ReadAll(), HasSubstr("Connection: close"));
  const auto end = stream.ReadAll();
  EXPECT_THAT(end, HasSubstr("retry: "));
  EXPECT_TRUE(end.ends_with("0\r\n\r\n")) << end;
  EXPECT_EQ(server_.process().Wait(kStopsWithin), 0);
}

TEST_F(Stopping, ADatabaseThatDoesNotAnswerDoesNotKeepIt) {
  HangInImport();
  {
    // Another program holds the file, and does not let go.
    DatabaseEditor holder(DatabasePath());
    holder.Execute("BEGIN IMMEDIATE");
    server_.process().Signal(SIGTERM);
    EXPECT_EQ(server_.process().Wait(kStopsWithin), 0) << server_.log();
  }
  simulator_.Delete("/faults");
  server_.Start();
  ada_->WaitUntilImported(account_);
}

TEST_F(Stopping, AKilledWorkersJobGoesOnWithinTenSecondsOfTheRestart) {
  HangInImport();
  const auto before = Query(kRunning).at(0);
  server_.Kill();
  simulator_.Delete("/faults");
  server_.Start();
  const auto again = [&] {
    return !Query("SELECT 1 FROM jobs WHERE id = '" + before[0] + "' AND attempt > " + before[1]).empty();
  };
  EXPECT_TRUE(WaitUntil(again, seconds(10)));
  ada_->WaitUntilImported(account_);
  EXPECT_EQ(ada_->Messages().size(), 20u);
}

TEST_F(Stopping, AWorkerThatSleptWhileAnotherTookItsJobWritesNothing) {
  HangInImport(5'000);
  const auto job = Query(kRunning).at(0)[0];
  // Asleep while no write of its own is under way, another worker's claim is put into its place.
  for (bool taken = false; !taken;) {
    server_.process().Signal(SIGSTOP);
    DatabaseEditor other(DatabasePath());
    taken = other.TryExecute(
        "UPDATE jobs SET lease_token = 'another', lease_until = lease_until + 3600000000 WHERE id = '" + job +
        "' AND state = 'running'");
    if (!taken) server_.process().Signal(SIGCONT);
  }
  const auto before = Query(
      "SELECT (SELECT count(*) FROM synced_messages), (SELECT count(*) FROM sync_cursors), "
      "(SELECT coalesce(fault_code, '') FROM connected_accounts)");
  simulator_.Delete("/faults");
  simulator_.Post("/faults",
                  bj::object{{"kind", "respond"}, {"payload", "gmail.authError.401"}, {"path", "/gmail/**"}});
  server_.process().Signal(SIGCONT);
  ASSERT_TRUE(WaitUntil([&] { return server_.log().find("job.report_refused") != std::string::npos; }));
  EXPECT_EQ(Query("SELECT lease_token, state FROM jobs WHERE id = '" + job + "'").at(0),
            (std::vector<std::string>{"another", "running"}));
  EXPECT_EQ(Query("SELECT (SELECT count(*) FROM synced_messages), (SELECT count(*) FROM sync_cursors), "
                  "(SELECT coalesce(fault_code, '') FROM connected_accounts)"),
            before);
}

TEST_F(Stopping, ASecondServerOverTheSameFileIsRefusedInWords) {
  auto elsewhere = server_.environment();
  elsewhere["LATCHKEY_LISTEN"] = "127.0.0.1:0";
  const auto second = RunServer(elsewhere);
  EXPECT_EQ(second.exit_code, 3) << second.output;
  EXPECT_THAT(second.output, HasSubstr("PostgreSQL"));
  EXPECT_EQ(NewPerson()->Get("/readyz").status, 200);
}

TEST_F(Stopping, HalfAServerNeedsASharedDatabase) {
  for (const auto* role : {"web", "worker"}) {
    const auto failed = RunServer({{"LATCHKEY_ROLE", role}});
    EXPECT_EQ(failed.exit_code, 2) << failed.output;
    EXPECT_THAT(failed.output, HasSubstr("SQLite"));
    EXPECT_THAT(failed.output, HasSubstr("PostgreSQL"));
  }
}

}  // namespace
}  // namespace latchkey::integration
