#include "limits/redis_limiter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "async/run_until.hpp"
#include "limits/testing/redis_server.hpp"

namespace latchkey::limits {
namespace {

using State = Sharing::State;
using std::chrono::microseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;
using testing::RedisServer;

constexpr int kBurst = 20;

/// A limiter as one process has it. Several of them in a test are several processes.
class Process {
 public:
  struct Wish {
    std::string secret = "a secret of all processes";
    const Clock* server_clock = nullptr;
    std::chrono::milliseconds deadline = 2s;
    std::size_t max_waiting = 1024;
    std::string ca_file;
  };
  Process(boost::asio::io_context& loop, const RedisAddress& address, const Clock& clock, const Wish& wish)
      : loop_(loop), limiter_(loop.get_executor(), address, clock, metrics_, OptionsOf(wish)) {
    limiter_.Start();
  }
  ~Process() {
    auto stop = [this]() -> Task<bool> {
      co_await limiter_.Stop();
      co_return true;
    };
    RunUntil(loop_, stop());
  }

  bool Take(std::string_view key = "key") { return RunUntil(loop_, TakeOne(key)); }
  Task<bool> TakeOne(std::string_view key) {
    // Nothing worth mentioning is earned while a test runs.
    const Draw draw{.name = "test", .key = key, .rate = {.per_minute = 0.001, .burst = kBurst}};
    const std::span<const Draw> draws(&draw, 1);
    co_return co_await limiter_.Take(draws) == microseconds(0);
  }
  int TakeAll(std::string_view key = "key") {
    int count = 0;
    while (Take(key)) ++count;
    return count;
  }

  bool WaitFor(State state) { return RunUntil(loop_, Reach(state, {})); }
  bool WaitForLost(std::string_view reason) { return RunUntil(loop_, Reach(State::kLost, reason)); }
  std::uint64_t draws(const char* kept_in) {
    return metrics_.GetCounter("latchkey_limit_draws_total", "", {{"kept_in", kept_in}}).value();
  }

  RedisLimiter& limiter() { return limiter_; }
  metrics::Registry& metrics() { return metrics_; }

 private:
  static RedisLimiter::Options OptionsOf(const Wish& wish) {
    return {.connection = {.connect_deadline = 10s,
                           .command_deadline = wish.deadline,
                           .max_waiting = wish.max_waiting,
                           .ca_file = wish.ca_file},
            .heartbeat = 50ms,
            .first_pause = 10ms,
            .longest_pause = 50ms,
            .key_secret = SecretString(wish.secret),
            .server_clock = wish.server_clock};
  }
  Task<bool> Reach(State state, std::string_view reason) {
    const auto reached = [&] {
      const auto now = limiter_.sharing();
      return now.state == state && (reason.empty() || now.reason == reason);
    };
    for (int changes = 0; changes < 200 && !reached(); ++changes) co_await limiter_.changed().Wait(500ms);
    co_return reached();
  }

  boost::asio::io_context& loop_;
  metrics::Registry metrics_;
  RedisLimiter limiter_;
};

class RedisLimiterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (RedisServer::Program().empty()) GTEST_SKIP() << RedisServer::kMissing;
  }
  RedisServer& StartServer(RedisServer::Options options = {}) {
    server_ = std::make_unique<RedisServer>(std::move(options));
    return *server_;
  }
  std::unique_ptr<Process> NewProcess(const RedisAddress& address, const Process::Wish& wish = {}) {
    return std::make_unique<Process>(loop_, address, clock_, wish);
  }
  std::unique_ptr<Process> NewProcess(const Process::Wish& wish = {}) { return NewProcess(server_->address(), wish); }
  /// A server with one process that shares its limits over it.
  std::unique_ptr<Process> Shared(const Process::Wish& wish = {}) {
    if (!server_) StartServer();
    auto process = NewProcess(wish);
    EXPECT_TRUE(process->WaitFor(State::kShared));
    return process;
  }
  /// What happens when Redis fails in this way while it is in use: the bucket is answered from memory, the state says
  /// why, and when the cause is gone the limits are shared again.
  void Survives(const std::function<void()>& breaks, std::string_view reason, const std::function<void()>& mends,
                const Process::Wish& wish = {}) {
    auto process = Shared(wish);
    EXPECT_TRUE(process->Take());
    breaks();
    EXPECT_EQ(process->TakeAll("another"), kBurst);
    EXPECT_TRUE(process->WaitForLost(reason)) << process->limiter().sharing().reason;
    EXPECT_FALSE(process->limiter().sharing().remedy.empty());
    EXPECT_THAT(process->metrics().Render(), HasSubstr("latchkey_limits_shared 0"));
    EXPECT_TRUE(process->Take());
    mends();
    EXPECT_TRUE(process->WaitFor(State::kShared));
    EXPECT_THAT(process->metrics().Render(), HasSubstr("latchkey_limits_shared 1"));
    const auto before = process->draws("redis");
    EXPECT_TRUE(process->Take("third"));
    EXPECT_EQ(process->draws("redis"), before + 1);
  }

  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  std::unique_ptr<RedisServer> server_;
};

TEST_F(RedisLimiterTest, ProcessesTogetherNeverTakeMoreThanTheRate) {
  StartServer();
  ManualClock time{FromMicros(1'800'000'000'000'000)};
  const auto first = Shared({.server_clock = &time});
  const auto second = Shared({.server_clock = &time});
  const Rate rate{.per_minute = 360, .burst = 240, .surplus_per_minute = 240, .minute_limit = 600};
  const Draw draws[] = {{.name = "account", .key = "a", .rate = rate, .units = 5},
                        {.name = "project", .key = "", .rate = {.per_minute = 6000, .burst = 6000}, .units = 5}};
  constexpr std::size_t kMinute = 240;
  std::vector<int> of_tick;
  for (std::size_t tick = 0; tick < 3 * kMinute; ++tick) {
    int taken = 0;
    // Both ask at once, as long as one of them gets something.
    for (int got = 1; got > 0; taken += got) {
      got = 0;
      auto ask = [&](Process& process) -> Task<bool> {
        if (co_await process.limiter().Take(draws) == microseconds(0)) ++got;
        co_return true;
      };
      int running = 2;
      for (Process* process : {first.get(), second.get()}) {
        boost::asio::co_spawn(loop_, ask(*process), [&](const std::exception_ptr&, bool) { --running; });
      }
      while (running > 0) loop_.run_one();
    }
    of_tick.push_back(5 * taken);
    time.Advance(250ms);
  }
  EXPECT_EQ(first->draws("memory") + second->draws("memory"), 0U);
  EXPECT_GT(std::min(first->draws("redis"), second->draws("redis")), 100U);
  const auto in_minute = [&](std::size_t begin) {
    return std::accumulate(of_tick.begin() + static_cast<long>(begin),
                           of_tick.begin() + static_cast<long>(begin + kMinute), 0);
  };
  EXPECT_GE(in_minute(kMinute), 560);
  for (std::size_t begin = 0; begin + kMinute <= of_tick.size(); ++begin) {
    ASSERT_LE(in_minute(begin), 600) << "in the minute from tick " << begin;
  }
}

TEST_F(RedisLimiterTest, TheServersClockCountsAndNotThatOfAProcess) {
  StartServer();
  ManualClock ahead(clock_.Now() + std::chrono::hours(24 * 365));
  Process early(loop_, server_->address(), clock_, {});
  Process late(loop_, server_->address(), ahead, {});
  ASSERT_TRUE(early.WaitFor(State::kShared));
  ASSERT_TRUE(late.WaitFor(State::kShared));
  EXPECT_TRUE(late.Take());
  EXPECT_EQ(early.TakeAll(), kBurst - 1);
  EXPECT_EQ(late.TakeAll(), 0);
}

TEST_F(RedisLimiterTest, KeysTellNobodyAnythingAndGoAwayByThemselves) {
  const auto process = Shared();
  for (const char* key : {"192.0.2.7", "ada@example.com", "01931f30-1111-7000-8000-000000000001"}) process->Take(key);
  const auto keys = server_->Do({"EVAL", "return table.concat(redis.call('KEYS', '*'), ' ')", "0"}).text;
  EXPECT_THAT(keys, HasSubstr("latchkey:limit:test:"));
  for (const char* part : {"192", "ada", "example", "01931f30"}) EXPECT_THAT(keys, Not(HasSubstr(part)));
  const auto lasting = server_->Do(
      {"EVAL", "for _, k in ipairs(redis.call('KEYS', '*')) do if redis.call('PTTL', k) < 0 then return k end end",
       "0"});
  EXPECT_EQ(lasting.kind, RedisReply::Kind::kNothing) << lasting.text;
}

TEST_F(RedisLimiterTest, InstallationsWithOtherSecretsDoNotMeet) {
  const auto ours = Shared();
  const auto theirs = Shared({.secret = "another installation"});
  EXPECT_EQ(ours->TakeAll(), kBurst);
  EXPECT_EQ(theirs->TakeAll(), kBurst);
  EXPECT_EQ(ours->limiter().processes(), 1);
}

TEST_F(RedisLimiterTest, AProcessLeftAloneKeepsToItsShare) {
  const auto first = Shared();
  const auto second = Shared();
  // The heartbeat tells: nobody draws meanwhile.
  auto both_known = [&]() -> Task<bool> {
    for (int i = 0; i < 500 && first->limiter().processes() != 2; ++i) co_await SleepFor(20ms);
    co_return first->limiter().processes() == 2 && second->limiter().processes() == 2;
  };
  ASSERT_TRUE(RunUntil(loop_, both_known()));
  EXPECT_TRUE(first->Take("begun"));
  server_->Kill();
  ASSERT_TRUE(first->WaitFor(State::kLost));
  ASSERT_TRUE(second->WaitFor(State::kLost));
  EXPECT_EQ(first->TakeAll("fresh"), kBurst / 2);
  EXPECT_EQ(second->TakeAll("fresh"), kBurst / 2);
  // What it took while the limits were shared is not given to it again.
  EXPECT_EQ(first->TakeAll("begun"), kBurst / 2 - 1);
}

TEST_F(RedisLimiterTest, SurvivesThatRedisIsKilled) {
  Survives([&] { server_->Kill(); }, "unreachable", [&] { server_->Start(); });
}

TEST_F(RedisLimiterTest, SurvivesThatRedisIsFull) {
  Survives([&] { server_->Do({"CONFIG", "SET", "maxmemory", "1"}); }, "full",
           [&] { server_->Do({"CONFIG", "SET", "maxmemory", "0"}); });
}

TEST_F(RedisLimiterTest, SurvivesThatRedisIsReadOnly) {
  Survives([&] { server_->Do({"REPLICAOF", "127.0.0.1", "1"}); }, "read_only",
           [&] { server_->Do({"REPLICAOF", "NO", "ONE"}); });
}

TEST_F(RedisLimiterTest, SurvivesThatRedisIsPaused) {
  Survives([&] { server_->Do({"CLIENT", "PAUSE", "600000", "WRITE"}); }, "timeout",
           [&] { server_->Do({"CLIENT", "UNPAUSE"}); }, {.deadline = 250ms});
}

TEST_F(RedisLimiterTest, SurvivesThatRedisIsFrozen) {
  Survives([&] { server_->Freeze(); }, "timeout", [&] { server_->Thaw(); }, {.deadline = 250ms});
}

TEST_F(RedisLimiterTest, SurvivesThatItsPasswordIsChanged) {
  Survives(
      [&] {
        // Those that are signed in stay so: only a new connection finds out.
        server_->Kill();
        server_->Start({"--requirepass", "other"});
      },
      "access_denied",
      [&] {
        server_->Kill();
        server_->Start();
      });
}

TEST_F(RedisLimiterTest, FlushedItBeginsAgainWithoutAFailure) {
  const auto process = Shared();
  EXPECT_EQ(process->TakeAll(), kBurst);
  server_->Do({"FLUSHALL"});
  server_->Do({"SCRIPT", "FLUSH"});
  EXPECT_EQ(process->TakeAll(), kBurst);
  EXPECT_EQ(process->limiter().sharing().state, State::kShared);
  EXPECT_EQ(process->draws("memory"), 0U);
}

TEST_F(RedisLimiterTest, AValueThatIsNotOursCountsAsNone) {
  const auto process = Shared();
  EXPECT_EQ(process->TakeAll(), kBurst);
  for (const char* value : {"garbage", "", "\xc0", "\x93\x01\x02"}) {
    server_->Do({"EVAL",
                 "for _, k in ipairs(redis.call('KEYS', 'latchkey:limit:*')) do redis.call('SET', k, ARGV[1]) end "
                 "return 1",
                 "0", value});
    EXPECT_EQ(process->TakeAll(), kBurst) << value;
  }
  EXPECT_EQ(process->draws("memory"), 0U);
}

TEST_F(RedisLimiterTest, OnlyTheFirstWaitForAFrozenServer) {
  const auto process = Shared({.deadline = 250ms});
  server_->Freeze();
  EXPECT_TRUE(process->Take());
  ASSERT_EQ(process->limiter().sharing().state, State::kLost);
  // Nothing here waits for anything: what is ready to run is enough.
  int answered = 0;
  for (int i = 0; i < 10; ++i) {
    boost::asio::co_spawn(loop_, process->TakeOne("key"), [&](const std::exception_ptr&, bool) { ++answered; });
  }
  loop_.poll();
  EXPECT_EQ(answered, 10);
  server_->Thaw();
}

TEST_F(RedisLimiterTest, ABoundedNumberWaitsAndTheOthersAreAnsweredFromMemory) {
  const auto process = Shared({.deadline = 5s, .max_waiting = 4});
  server_->Freeze();
  int answered = 0;
  for (int i = 0; i < 10; ++i) {
    boost::asio::co_spawn(loop_, process->TakeOne("key"), [&](const std::exception_ptr&, bool) { ++answered; });
  }
  while (answered < 6) loop_.run_one();
  EXPECT_EQ(process->draws("memory"), 6U);
  EXPECT_EQ(process->limiter().sharing().state, State::kShared);
  server_->Thaw();
  while (answered < 10) loop_.run_one();
  EXPECT_EQ(process->draws("redis"), 4U);
}

TEST_F(RedisLimiterTest, WithoutRedisAtTheStartItWorksAndFindsItLater) {
  StartServer().Kill();
  const auto process = NewProcess();
  // Half of the burst: whoever sets up a Redis has more than one process.
  EXPECT_EQ(process->TakeAll(), kBurst / 2);
  EXPECT_TRUE(process->WaitForLost("unreachable"));
  server_->Start();
  EXPECT_TRUE(process->WaitFor(State::kShared));
}

TEST_F(RedisLimiterTest, SignsInChoosesItsDatabaseAndWritesNoPasswordAnywhere) {
  StartServer({.tcp = true});
  // What docs/settings.md says is enough.
  server_->Do({"ACL",      "SETUSER",  "ada",   "on",    ">hunter2", "~latchkey:*", "+select",           "+eval",
               "+evalsha", "+time",    "+get",  "+set",  "+zadd",    "+zrem",       "+zremrangebyscore", "+zcard",
               "+zscore",  "+hgetall", "+hset", "+hdel", "+pexpire"});
  ::testing::internal::CaptureStderr();
  RedisAddress address =
      ParseRedisUrl("redis://ada:hunter2@127.0.0.1:" + std::to_string(server_->port()) + "/3").value();
  {
    const auto process = NewProcess(address);
    EXPECT_TRUE(process->WaitFor(State::kShared));
    EXPECT_TRUE(process->Take());
    EXPECT_EQ(server_->Do({"EVAL", "redis.call('SELECT', 3) return redis.call('DBSIZE')", "0"}).number, 2);
  }
  address.password = SecretString("hunter3");
  {
    const auto process = NewProcess(address);
    EXPECT_TRUE(process->WaitForLost("access_denied"));
    EXPECT_TRUE(process->Take());
  }
  const auto log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("access_denied"));
  EXPECT_THAT(log, Not(HasSubstr("hunter")));
}

TEST_F(RedisLimiterTest, TellsOneLineForEachChange) {
  ::testing::internal::CaptureStderr();
  {
    const auto process = Shared();
    server_->Kill();
    ASSERT_TRUE(process->WaitForLost("unreachable"));
    auto some_attempts = []() -> Task<bool> {
      co_await SleepFor(300ms);
      co_return true;
    };
    RunUntil(loop_, some_attempts());
    server_->Start();
    ASSERT_TRUE(process->WaitFor(State::kShared));
  }
  const auto log = ::testing::internal::GetCapturedStderr();
  const auto count = [&](std::string_view event) {
    int found = 0;
    for (auto at = log.find(event); at != std::string::npos; at = log.find(event, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("limits.shared"), 2) << log;
  // The end of the connection, and that no other comes about.
  EXPECT_LE(count("limits.not_shared"), 2) << log;
}

TEST_F(RedisLimiterTest, SpeaksTlsWithAServerItTrusts) {
  const auto scratch = std::make_unique<RedisServer>();
  const auto file = [&](const char* name) { return scratch->folder() + "/" + name; };
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
      "/CN=localhost -addext subjectAltName=DNS:localhost -keyout " +
      file("key.pem") + " -out " + file("cert.pem") + " 2>" + file("openssl.log");
  ASSERT_EQ(std::system(command.c_str()), 0);
  StartServer({.tcp = true, .certificate = file("cert.pem"), .key = file("key.pem")});
  const std::string port = std::to_string(server_->port());
  const auto address = ParseRedisUrl("rediss://localhost:" + port).value();
  {
    const auto process = NewProcess(address, {.ca_file = file("cert.pem")});
    EXPECT_TRUE(process->WaitFor(State::kShared));
    EXPECT_EQ(process->TakeAll(), kBurst);
    EXPECT_EQ(process->draws("memory"), 0U);
  }
  EXPECT_TRUE(NewProcess(address)->WaitForLost("tls_failed"));
  const auto other_name = ParseRedisUrl("rediss://127.0.0.1:" + port).value();
  EXPECT_TRUE(NewProcess(other_name, {.ca_file = file("cert.pem")})->WaitForLost("tls_failed"));
  EXPECT_TRUE(NewProcess(address, {.ca_file = file("nothing.pem")})->WaitForLost("tls_failed"));
}

TEST_F(RedisLimiterTest, WhatIsNoRedisIsSaidSo) {
  using boost::asio::ip::tcp;
  tcp::acceptor acceptor(loop_, {boost::asio::ip::address_v4::loopback(), 0});
  auto serve = [&]() -> Task<void> {
    for (;;) {
      auto socket = co_await acceptor.async_accept(boost::asio::use_awaitable);
      const std::string answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
      co_await boost::asio::async_write(socket, boost::asio::buffer(answer), boost::asio::use_awaitable);
    }
  };
  boost::asio::co_spawn(loop_, serve(), boost::asio::detached);
  RedisAddress address;
  address.host = "127.0.0.1";
  address.port = acceptor.local_endpoint().port();
  const auto process = NewProcess(address);
  EXPECT_TRUE(process->WaitForLost("not_redis"));
  EXPECT_TRUE(process->Take());
  acceptor.close();
}

TEST_F(RedisLimiterTest, StoppedInTheMiddleItAnswersThoseWhoWait) {
  auto process = Shared({.deadline = 20s});
  server_->Freeze();
  int answered = 0;
  for (int i = 0; i < 3; ++i) {
    boost::asio::co_spawn(loop_, process->TakeOne("key"), [&](const std::exception_ptr&, bool) { ++answered; });
  }
  loop_.poll();
  EXPECT_EQ(answered, 0);
  auto stop = [&]() -> Task<bool> {
    co_await process->limiter().Stop();
    co_return true;
  };
  RunUntil(loop_, stop());
  while (answered < 3) loop_.run_one();
  server_->Thaw();
}

}  // namespace
}  // namespace latchkey::limits
