// Two instances behind the nginx configuration that is delivered: one after the other is restarted while requests come
// in, and no request fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <mutex>
#include <thread>

#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/nginx.hpp"
#include "tests/integration/support/raw_client.hpp"

namespace latchkey::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string PortOf(const std::string& url) { return url.substr(url.rfind(':') + 1); }

class RollingRestart : public IntegrationTest {
 protected:
  RollingRestart() { start_server_ = false; }
};

TEST_F(RollingRestart, NoRequestFailsWhileOneInstanceAfterTheOtherIsRestarted) {
  if (!Nginx::Installed()) GTEST_SKIP() << "nginx is not installed";
  server_.Start();
  Server other(simulator_);
  other.Start();
  Nginx nginx(PortOf(server_.url()), PortOf(other.url()));
  const std::string rest = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  const auto exchange = [&](const std::string& request) { return nginx.Exchange(request); };
  ASSERT_TRUE(WaitUntil([&] { return exchange("GET /livez" + rest + "\r\n").starts_with("HTTP/1.1 200"); }))
      << nginx.log();
  // What anybody may ask: a read, a page, and a request with a body that must not be repeated (and is refused as such).
  const std::string requests[] = {
      "GET /auth/session" + rest + "\r\n",
      "GET /login" + rest + "Accept: text/html\r\n\r\n",
      "POST /api/v1/connect-attempts" + rest + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
  };
  const std::string expected[] = {"HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 401"};
  std::atomic<bool> done = false;
  std::atomic<int> asked = 0;
  std::mutex mutex;
  std::vector<std::string> failures;
  std::vector<std::thread> people;
  for (std::size_t kind = 0; kind < std::size(requests); ++kind) {
    people.emplace_back([&, kind] {
      while (!done) {
        const auto answer = exchange(requests[kind]);
        ++asked;
        if (answer.starts_with(expected[kind])) continue;
        const std::lock_guard lock(mutex);
        failures.push_back(answer.substr(0, answer.find("\r\n\r\n")));
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    for (Server* instance : {&server_, &other}) {
      const int before = asked;
      EXPECT_TRUE(WaitUntil([&] { return asked > before + 20; }));
      EXPECT_EQ(instance->Stop(), 0) << instance->log();
      instance->Start();
    }
  }
  const int before = asked;
  EXPECT_TRUE(WaitUntil([&] { return asked > before + 20; }));
  done = true;
  for (auto& person : people) person.join();
  EXPECT_THAT(failures, IsEmpty()) << asked << " requests\n" << nginx.log();
  std::cout << asked << " requests over six restarts, " << failures.size() << " failed\n";
  EXPECT_EQ(other.Stop(), 0);
}

TEST_F(RollingRestart, TheDeliveredConfigurationHandsEventsOnAtOnce) {
  if (!Nginx::Installed()) GTEST_SKIP() << "nginx is not installed";
  server_.Start();
  auto ada = NewPerson();
  ada->SignIn();
  Nginx nginx(PortOf(server_.url()), PortOf(server_.url()));
  ASSERT_TRUE(WaitUntil([&] { return ::access(nginx.socket().c_str(), F_OK) == 0; })) << nginx.log();
  RawClient stream = RawClient::AtFile(nginx.socket());
  stream.Send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nCookie: " +
              ada->browser().CookieHeader(server_.url()) + "\r\n\r\n");
  EXPECT_THAT(stream.ReadUntil("retry: 1000"), HasSubstr(" 200 "));
  const auto account = ada->Connect(kAda);
  EXPECT_THAT(stream.ReadUntil("connect.finished"), HasSubstr("connect.finished"));
  // The stream's end comes through as well, in order.
  server_.process().Signal(SIGTERM);
  EXPECT_THAT(stream.ReadUntil("0\r\n\r\n"), HasSubstr("retry: "));
  EXPECT_EQ(server_.process().Wait(kPatience), 0);
}

}  // namespace
}  // namespace latchkey::integration
