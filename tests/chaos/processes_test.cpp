// What holds between processes over one PostgreSQL: roles, leases, sessions, events.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <mutex>
#include <thread>

#include "tests/chaos/cluster.hpp"
#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/nginx.hpp"

namespace latchkey::chaos {
namespace {

namespace bj = boost::json;
using integration::Fetch;
using integration::HttpCall;
using integration::kAda;
using integration::kPatience;
using integration::Person;
using integration::Server;
using integration::WaitUntil;
using std::chrono::seconds;
using ::testing::IsEmpty;

class Processes : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto missing = PostgresServer::Missing() + RedisServer::Missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
    cluster_ = std::make_unique<Cluster>();
    cluster_->StartAll();
    ada_ = std::make_unique<Person>(cluster_->web(0), cluster_->simulator(), kAda);
  }

  void TearDown() override {
    if (HasFailure() && cluster_) std::cout << cluster_->logs() << std::endl;
  }

  /// Past the balancer, as the signed-in browser.
  HttpCall At(Server& server, const std::string& path) {
    HttpCall call;
    call.url = "http://localhost:" + std::to_string(server.port()) + path;
    call.headers = {"Cookie: " + ada_->browser().CookieHeader(cluster_->web(0).url())};
    return call;
  }
  std::unique_ptr<integration::EventReader> EventsAt(Server& server) {
    const auto call = At(server, "/api/v1/events");
    return std::make_unique<integration::EventReader>(call.url, call.headers);
  }

  /// An import that hangs at the provider; the job's id and its attempt.
  std::vector<std::string> HangInImport(int milliseconds) {
    bj::array mail;
    for (int i = 0; i < 10; ++i) mail.push_back(integration::Mail("Number " + std::to_string(i)));
    auto& simulator = cluster_->simulator();
    simulator.Post(std::string("/mail/") + kAda + "/messages", bj::object{{"messages", mail}});
    ada_->SignIn();
    simulator.Post("/faults", bj::object{{"kind", "latency"}, {"path", "/gmail/**"}, {"milliseconds", milliseconds}});
    account_ = ada_->Connect(kAda);
    std::vector<std::vector<std::string>> running;
    EXPECT_TRUE(WaitUntil([&] {
      running = cluster_->Query("SELECT id, attempt, lease_token FROM jobs WHERE state = 'running'");
      return !running.empty();
    }));
    return running.empty() ? std::vector<std::string>(3) : running.at(0);
  }
  /// The worker whose name is in the lease.
  Server& Holder(const std::string& lease_token) {
    for (std::size_t i = 0; i < 2; ++i) {
      const auto name = integration::ReadFile(cluster_->worker(i).data_directory() + "/workers/1");
      if (!name.empty() && lease_token.starts_with(name)) return cluster_->worker(i);
    }
    ADD_FAILURE() << "nobody's lease";
    return cluster_->worker(0);
  }
  bool TakenAgain(const std::vector<std::string>& job) {
    return !cluster_->Query("SELECT 1 FROM jobs WHERE id = '" + job[0] + "' AND attempt > " + job[1]).empty();
  }
  void ExpectImported() {
    cluster_->simulator().Delete("/faults");
    ada_->WaitUntilImported(account_);
    EXPECT_EQ(ada_->Messages().size(), 10u);
  }

  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Person> ada_;
  std::string account_;
};

TEST_F(Processes, SessionsEndEverywhereWithinFiveSeconds) {
  ada_->SignIn();
  std::vector<HttpCall> asks;
  std::vector<std::unique_ptr<integration::EventReader>> streams;
  for (std::size_t i = 0; i < 2; ++i) {
    asks.push_back(At(cluster_->web(i), "/auth/sessions"));
    streams.push_back(EventsAt(cluster_->web(i)));
    EXPECT_EQ(streams.back()->WaitForStatus(kPatience), 200);
  }
  for (const auto& ask : asks) EXPECT_EQ(Fetch(ask).status, 200);
  ASSERT_EQ(ada_->Post("/auth/logout").status, 204);
  const auto over = [&] { return Fetch(asks[0]).status == 401 && Fetch(asks[1]).status == 401; };
  EXPECT_TRUE(WaitUntil(over, seconds(5)));
  for (const auto& stream : streams) EXPECT_TRUE(stream->WaitForEnd(seconds(5)));
}

TEST_F(Processes, EventsReachBrowsersOfEveryProcess) {
  ada_->SignIn();
  auto one = EventsAt(cluster_->web(0));
  auto two = EventsAt(cluster_->web(1));
  ASSERT_EQ(one->WaitForStatus(kPatience), 200);
  ASSERT_EQ(two->WaitForStatus(kPatience), 200);
  ada_->Connect(kAda);
  const auto finished = [](const auto& event) { return event.type == "connect.finished"; };
  EXPECT_TRUE(one->WaitFor(finished, kPatience));
  EXPECT_TRUE(two->WaitFor(finished, kPatience));
  const auto from_worker = [](const auto& event) { return event.type.starts_with("sync."); };
  EXPECT_TRUE(one->WaitFor(from_worker, kPatience));
  EXPECT_TRUE(two->WaitFor(from_worker, kPatience));
}

TEST_F(Processes, WebQueuesWorkersWorkAndServeOnlyTheirHealth) {
  for (const auto* path : {"/livez", "/readyz"}) EXPECT_EQ(Fetch(At(cluster_->worker(0), path)).status, 200) << path;
  EXPECT_EQ(Fetch(At(cluster_->worker(0), "/metrics")).status, 401);
  for (const auto* path : {"/", "/auth/session", "/health", "/api/v1/messages", "/webhooks/microsoft"})
    EXPECT_EQ(Fetch(At(cluster_->worker(0), path)).status, 404) << path;
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(cluster_->worker(i).Stop(), 0);
  ada_->SignIn();
  const auto account = ada_->Connect(kAda);
  cluster_->simulator().Deliver(kAda, integration::Mail("Waits for a worker"));
  // Long enough for a schedule to tick and a job to be claimed, were there anybody to do so.
  std::this_thread::sleep_for(seconds(3));
  EXPECT_THAT(cluster_->Query("SELECT 1 FROM jobs WHERE attempt > 0"), IsEmpty());
  EXPECT_TRUE(ada_->Messages().empty());
  cluster_->StartAll();
  EXPECT_TRUE(WaitUntil([&] { return ada_->Messages().size() == 1u; }));
}

TEST_F(Processes, ADeadWorkersJobGoesOnElsewhereWithinFortyFiveSeconds) {
  const auto job = HangInImport(600'000);
  Holder(job[2]).Kill();
  EXPECT_TRUE(WaitUntil([&] { return TakenAgain(job); }, seconds(45)));
  ExpectImported();
}

TEST_F(Processes, ADeadWorkersJobGoesOnWithinTenSecondsOfItsRestart) {
  const auto job = HangInImport(600'000);
  auto& holder = Holder(job[2]);
  holder.Kill();
  holder.Start();
  EXPECT_TRUE(WaitUntil([&] { return TakenAgain(job); }, seconds(10)));
  ExpectImported();
}

TEST_F(Processes, AStoppedWorkersJobIsTakenByTheOtherAtOnceAndUncounted) {
  const auto job = HangInImport(600'000);
  EXPECT_EQ(Holder(job[2]).Stop(), 0);
  const auto elsewhere = [&] {
    return !cluster_
                ->Query("SELECT 1 FROM jobs WHERE id = '" + job[0] + "' AND state = 'running' AND attempt = " + job[1] +
                        " AND lease_token <> '" + job[2] + "'")
                .empty();
  };
  EXPECT_TRUE(WaitUntil(elsewhere, seconds(10)));
  ExpectImported();
}

TEST_F(Processes, WhatAFrozenAndThawedWorkerWritesIsRefused) {
  const auto job = HangInImport(8'000);
  auto& holder = Holder(job[2]);
  holder.process().Signal(SIGSTOP);
  EXPECT_TRUE(WaitUntil([&] { return TakenAgain(job); }, seconds(45)));
  holder.process().Signal(SIGCONT);
  EXPECT_TRUE(WaitUntil([&] {
    const auto log = holder.log();
    return log.find("jobs.lease_lost") != std::string::npos || log.find("job.report_refused") != std::string::npos;
  }));
  ExpectImported();
  EXPECT_THAT(cluster_->Query("SELECT external_message_id FROM synced_messages GROUP BY 1 HAVING count(*) > 1"),
              IsEmpty());
}

TEST_F(Processes, ARollingRestartUnderLoadFailsNoRequestAndDoesNoWorkTwice) {
  if (!integration::Nginx::Installed()) GTEST_SKIP() << "nginx is not installed";
  ada_->SignIn();
  const auto account = ada_->Connect(kAda, {"read_mail", "send_mail"});
  ada_->WaitUntilImported(account);
  const auto home = cluster_->web(0).url();
  integration::Nginx nginx(std::to_string(cluster_->web(0).port()), std::to_string(cluster_->web(1).port()));
  const std::string head = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nOrigin: " + home +
                           "\r\nX-CSRF-Token: " + ada_->csrf() + "\r\nCookie: " + ada_->browser().CookieHeader(home) +
                           "\r\n";
  ASSERT_TRUE(WaitUntil([&] { return nginx.Exchange("GET /livez" + head + "\r\n").starts_with("HTTP/1.1 200"); }))
      << nginx.log();
  std::atomic<bool> done = false;
  std::atomic<int> read = 0, sent = 0;
  std::mutex mutex;
  std::vector<std::string> failures;
  const auto expect = [&](const std::string& answer, std::string_view start) {
    if (answer.starts_with(start)) return true;
    const std::lock_guard lock(mutex);
    failures.push_back(answer.substr(0, 1000));
    return false;
  };
  std::thread reader([&] {
    while (!done) read += expect(nginx.Exchange("GET /api/v1/messages" + head + "\r\n"), "HTTP/1.1 200") ? 1 : 0;
  });
  std::thread writer([&] {
    for (int number = 1; !done; ++number) {
      const auto subject = "Order " + std::to_string(number);
      const bj::object letter{{"account", account},
                              {"to", bj::array{bj::object{{"address", "grace@example.org"}}}},
                              {"subject", subject},
                              {"text", "Once.\n"}};
      const auto body = bj::serialize(letter);
      const auto request =
          "POST /api/v1/messages" + head + "Content-Type: application/json\r\nIdempotency-Key: restarts-under-load-" +
          std::to_string(number) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
      sent += expect(nginx.Exchange(request), "HTTP/1.1 202") ? 1 : 0;
      // Below the limit of mails a person may hand in.
      std::this_thread::sleep_for(std::chrono::milliseconds(600));
    }
  });
  for (int round = 0; round < 2; ++round) {
    for (Server* each : {&cluster_->web(0), &cluster_->worker(0), &cluster_->web(1), &cluster_->worker(1)}) {
      const int before = read;
      EXPECT_TRUE(WaitUntil([&] { return read > before + 5; }));
      EXPECT_EQ(each->Stop(), 0) << each->log();
      each->Start();
    }
  }
  done = true;
  reader.join();
  writer.join();
  EXPECT_THAT(failures, IsEmpty()) << nginx.log();
  std::cout << read << " reads and " << sent << " mails over eight restarts\n";
  const auto left = [&] { return cluster_->simulator().Get(std::string("/sent/") + kAda); };
  EXPECT_TRUE(WaitUntil([&] { return left().at("total").to_number<int>() >= sent; }));
  EXPECT_TRUE(WaitUntil([&] {
    return cluster_->Query("SELECT 1 FROM jobs WHERE kind = 'send_email' AND finalized_at IS NULL").empty();
  }));
  const auto out = left();
  EXPECT_EQ(out.at("total").to_number<int>(), sent);
  for (const auto& [id, times] : out.at("by_message_id").as_object()) EXPECT_EQ(times.to_number<int>(), 1) << id;
}

}  // namespace
}  // namespace latchkey::chaos
