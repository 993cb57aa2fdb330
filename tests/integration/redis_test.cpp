#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <functional>
#include <memory>

#include "limits/testing/redis_server.hpp"
#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

using limits::testing::RedisServer;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPassword = "canary-redis-password-7hQ2";
constexpr const char* kSharedSecret = "one session secret for all processes 9pXw4LzT";

/// The real server with a real Redis that fails in every way: nobody's sign-in and no job may notice.
class SharedLimits : public IntegrationTest {
 protected:
  SharedLimits() {
    start_server_ = false;
    AddCanary(kPassword);
    AddCanary(kSharedSecret);
  }
  void SetUp() override {
    if (RedisServer::Program().empty()) GTEST_SKIP() << RedisServer::kMissing;
    redis_ =
        std::make_unique<RedisServer>(RedisServer::Options{.tcp = true, .arguments = {"--requirepass", kPassword}});
    IntegrationTest::SetUp();
    UseRedis(server_);
  }

  std::string Url() const {
    return std::string("redis://:") + kPassword + "@127.0.0.1:" + std::to_string(redis_->port()) + "/1";
  }
  void UseRedis(Server& server) {
    server.environment()["REDIS_URL"] = Url();
    server.environment()["SESSION_SECRET"] = kSharedSecret;
    // Budgets that are really asked, and never in the way.
    server.environment()["GOOGLE_QUOTA_UNITS_PER_MINUTE"] = "100000";
    server.environment()["GOOGLE_PROJECT_QUOTA_UNITS_PER_MINUTE"] = "1000000";
  }
  /// "shared", or the reason why not.
  std::string Sharing(Server& server) {
    HttpCall call;
    call.url = server.url() + "/readyz";
    const auto reply = Fetch(call);
    EXPECT_EQ(reply.status, 200) << reply.body;
    const auto limits = reply.Json().at("limits");
    return limits.at("shared").as_bool() ? "shared" : std::string(limits.at("reason").as_string());
  }
  bool WaitForSharing(Server& server, const std::string& state) {
    return WaitUntil([&] { return Sharing(server) == state; });
  }

  std::unique_ptr<RedisServer> redis_;
};

TEST_F(SharedLimits, NoSignInAndNoJobNoticesThatRedisFails) {
  server_.Start();
  ASSERT_TRUE(WaitForSharing(server_, "shared"));
  auto ada = NewPerson();
  ada->SignInAsAdministrator();
  simulator_.Deliver(kAda, Mail("While it works"));
  const auto account = ada->Connect(kAda);
  ada->WaitUntilImported(account);

  struct Failure {
    const char* reason;
    std::function<void()> breaks, mends;
  };
  const Failure failures[] = {
      {"unreachable", [&] { redis_->Kill(); }, [&] { redis_->Start(); }},
      {"timeout", [&] { redis_->Freeze(); }, [&] { redis_->Thaw(); }},
      {"access_denied",
       [&] {
         redis_->Kill();
         redis_->Start({"--requirepass", "another password"});
       },
       [&] {
         redis_->Kill();
         redis_->Start();
       }},
      {"full",
       [&] {
         redis_->Kill();
         redis_->Start({"--maxmemory", "1"});
       },
       [&] {
         redis_->Kill();
         redis_->Start();
       }},
      {"read_only",
       [&] {
         redis_->Kill();
         redis_->Start({"--replicaof", "127.0.0.1", "1"});
       },
       [&] {
         redis_->Kill();
         redis_->Start();
       }},
  };
  std::size_t mails = 1;
  for (const auto& failure : failures) {
    SCOPED_TRACE(failure.reason);
    failure.breaks();
    // At once, before anybody has found out.
    NewPerson(kGrace)->SignIn();
    simulator_.Deliver(kAda, Mail(failure.reason));
    EXPECT_TRUE(WaitForSharing(server_, failure.reason)) << Sharing(server_);
    NewPerson(kGrace)->SignIn();
    ++mails;
    EXPECT_TRUE(WaitUntil([&] { return ada->Messages("&account=" + account).size() == mails; }));
    failure.mends();
    EXPECT_TRUE(WaitForSharing(server_, "shared"));
  }
  const auto metrics = ada->Get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("latchkey_limits_shared 1"));
  EXPECT_THAT(metrics, HasSubstr("latchkey_limit_draws_total{kept_in=\"redis\"}"));
  for (const auto& failure : failures) {
    EXPECT_THAT(metrics, HasSubstr(std::string("latchkey_redis_failures_total{reason=\"") + failure.reason + "\"}"));
  }
  EXPECT_EQ(server_.Stop(), 0);
  EXPECT_THAT(server_.log(), HasSubstr("limits.not_shared"));
}

TEST_F(SharedLimits, TheServerStartsWithoutItsRedisAndFindsItLater) {
  redis_->Kill();
  server_.Start();
  EXPECT_TRUE(WaitForSharing(server_, "unreachable"));
  auto ada = NewPerson();
  ada->SignIn();
  redis_->Start();
  EXPECT_TRUE(WaitForSharing(server_, "shared"));
}

TEST_F(SharedLimits, TriesAtOneServerCountAtTheOther) {
  Server other(simulator_);
  UseRedis(other);
  server_.Start();
  other.Start();
  ASSERT_TRUE(WaitForSharing(server_, "shared"));
  ASSERT_TRUE(WaitForSharing(other, "shared"));
  const auto allowed = [](Server& server) {
    HttpCall call;
    call.url = server.url() + "/auth/login/google";
    const auto reply = Fetch(call);
    EXPECT_TRUE(reply.status == 429 || reply.status == 307) << reply.status;
    return reply.status != 429;
  };
  const auto tries_until_refused = [&](Server& server) {
    int tries = 0;
    while (tries < 10'000 && allowed(server)) ++tries;
    return tries;
  };
  EXPECT_GE(tries_until_refused(server_), 120);
  // By itself the other would allow 120; half of that takes half a minute to earn.
  EXPECT_LT(tries_until_refused(other), 60);
  EXPECT_EQ(other.Stop(), 0);
}

TEST_F(SharedLimits, AUrlThatCannotBeReadIsAWrongSetting) {
  const auto failed = RunServer({{"REDIS_URL", std::string("localhost:6379/") + kPassword}});
  EXPECT_EQ(failed.exit_code, 2) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("REDIS_URL (environment) is not a Redis URL"));
  EXPECT_THAT(failed.output, Not(HasSubstr(kPassword)));
}

}  // namespace
}  // namespace latchkey::integration
