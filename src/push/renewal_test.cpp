#include "push/renewal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/timer.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey::push {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

/// A provider that keeps what it was asked.
class ScriptedPush final : public PushProvider {
 public:
  explicit ScriptedPush(const Clock& clock) : clock_(clock) {}
  std::vector<Watch> wanted;
  std::vector<std::string> calls;
  std::optional<Error> create_failure, renew_failure, stop_failure, check_failure;
  bool shared = false;
  bool never_answers = false;
  std::function<Task<void>()> during_create;
  std::string secret;

  Task<Result<std::vector<Watch>>> Wanted(const connected_accounts::ConnectedAccount&) override { co_return wanted; }
  Task<Result<Granted>> Create(const Channel& channel, const SecretString& given) override {
    calls.push_back("create " + std::string(ToString(channel.service)) + " " + channel.resource);
    secret = given.Reveal();
    if (during_create) {
      const auto now = std::exchange(during_create, nullptr);
      co_await now();
    }
    if (create_failure) co_return Fail(*create_failure);
    co_return Granted{.external_id = "x" + std::to_string(++number_), .expires_at = clock_.Now() + 168h};
  }
  Task<Result<Granted>> Renew(const Channel& channel) override {
    calls.push_back("renew " + channel.external_id);
    if (renew_failure) co_return Fail(*renew_failure);
    co_return Granted{.external_id = channel.external_id, .expires_at = clock_.Now() + 168h};
  }
  Task<Result<void>> Check(const Channel&) override {
    if (check_failure) co_return Fail(*check_failure);
    co_return Result<void>();
  }
  Task<Result<void>> Stop(const Channel& channel) override {
    if (never_answers) co_await SleepFor(std::chrono::hours(1));
    calls.push_back("stop " + channel.external_id);
    if (stop_failure) co_return Fail(*stop_failure);
    co_return Result<void>();
  }
  bool HasSecret(Service) const override { return true; }
  bool IsShared(Service) const override { return shared; }
  std::chrono::seconds Ahead(Service) const override { return 24h; }

 private:
  const Clock& clock_;
  int number_ = 0;
};

class RenewalTest : public ::testing::Test {
 protected:
  RenewalTest() {
    provider_.wanted = {{.service = Service::kMail, .resource = "ada"}};
    providers_.Add("google", provider_);
  }
  PushStore& store() { return scratch_.database().push(); }
  jobs::Outcome RunOf(const connected_accounts::ConnectedAccount& account) {
    jobs::Job job;
    job.kind = kRenewKind;
    job.account_id = account.id;
    job.generation = account.generation;
    return latchkey::testing::RunTask(scratch_.loop(), renewal_.Run(job));
  }
  /// As in life: whoever is due is queued and moved on before the job runs.
  jobs::Outcome Run() {
    DueAt(scratch_.clock().Now());
    return RunOf(account_);
  }
  std::vector<Channel> Channels() { return scratch_.Get(store().List(account_.id)); }
  bool DueAt(Instant at) { return scratch_.Get(store().ScheduleDue(at, 1h, 10)) > 0; }

  storage::testing::ScratchStore scratch_;
  identity::User user_ = scratch_.AddUser("ada");
  connected_accounts::ConnectedAccount account_ = scratch_.AddAccount(user_, "ada");
  ScriptedPush provider_{scratch_.clock()};
  PushProviders providers_;
  Renewal renewal_{{store(), providers_, scratch_.database().accounts(), scratch_.clock()}};
};

TEST_F(RenewalTest, ANewAccountIsLookedAtAtOnceAndGetsItsChannel) {
  ASSERT_TRUE(DueAt(scratch_.clock().Now()));
  EXPECT_EQ(scratch_.Get(scratch_.database().jobs().List({.kind = "renew_push"})).items.size(), 1u);
  EXPECT_EQ(Run().kind, jobs::Outcome::Kind::kCompleted);
  ASSERT_THAT(Channels(), SizeIs(1));
  const Channel channel = Channels()[0];
  EXPECT_EQ(channel.state, Channel::State::kActive);
  EXPECT_EQ(channel.external_id, "x1");
  EXPECT_EQ(channel.resource, "ada");
  EXPECT_EQ(channel.secret_hash.size(), 64u);
  EXPECT_EQ(provider_.secret.find(channel.secret_hash), std::string::npos);
  EXPECT_GE(provider_.secret.size(), 43u);
  EXPECT_LE(provider_.secret.size(), 128u);
}

TEST_F(RenewalTest, AChannelIsRenewedAheadOfItsEndAndNotBefore) {
  Run();
  scratch_.clock().Advance(100h);
  Run();
  EXPECT_THAT(provider_.calls, ElementsAre("create mail ada"));
  scratch_.clock().Advance(45h);
  Run();
  EXPECT_THAT(provider_.calls, ElementsAre("create mail ada", "renew x1"));
  EXPECT_EQ(Channels()[0].expires_at, scratch_.clock().Now() + 168h);
  EXPECT_FALSE(DueAt(scratch_.clock().Now() + 11h));
  EXPECT_TRUE(DueAt(scratch_.clock().Now() + 12h)) << "somebody looks twice a day at the least";
}

TEST_F(RenewalTest, OneThatTheProviderForgotIsCreatedAgain) {
  Run();
  scratch_.clock().Advance(150h);
  provider_.renew_failure = Error{.code = ErrorCode::kGone, .detail = {}, .retry_after = {}};
  Run();
  EXPECT_THAT(provider_.calls, ElementsAre("create mail ada", "renew x1", "create mail ada"));
  ASSERT_THAT(Channels(), SizeIs(1));
  EXPECT_EQ(Channels()[0].external_id, "x2");
}

TEST_F(RenewalTest, OneThatEndedBeforeItsTimeIsNoticedAtTheNextLookAndAnOutageIsNoProof) {
  Run();
  provider_.check_failure = Error{.code = ErrorCode::kProviderUnavailable, .detail = {}, .retry_after = {}};
  Run();
  EXPECT_EQ(Channels()[0].external_id, "x1");
  provider_.check_failure = Error{.code = ErrorCode::kGone, .detail = {}, .retry_after = {}};
  Run();
  EXPECT_THAT(provider_.calls, ElementsAre("create mail ada", "create mail ada"));
  ASSERT_THAT(Channels(), SizeIs(1));
  EXPECT_EQ(Channels()[0].external_id, "x2");
}

TEST_F(RenewalTest, OneThatCannotBeExtendedIsReplacedNewFirst) {
  Run();
  scratch_.clock().Advance(150h);
  provider_.renew_failure = Error{.code = ErrorCode::kConflict, .detail = {}, .retry_after = {}};
  Run();
  EXPECT_THAT(provider_.calls, ElementsAre("create mail ada", "renew x1", "create mail ada", "stop x1"));
  ASSERT_THAT(Channels(), SizeIs(1));
  EXPECT_EQ(Channels()[0].external_id, "x2");
}

TEST_F(RenewalTest, WhatIsNotWantedAnyMoreIsStopped) {
  provider_.wanted.push_back({.service = Service::kCalendar, .resource = "work"});
  Run();
  ASSERT_THAT(Channels(), SizeIs(2));
  provider_.wanted.pop_back();
  Run();
  EXPECT_EQ(provider_.calls.back(), "stop x2");
  EXPECT_THAT(Channels(), SizeIs(1));
}

TEST_F(RenewalTest, APauseStopsPushAndResumingBringsItBack) {
  Run();
  DueAt(scratch_.clock().Now());
  scratch_.clock().Advance(1h);
  scratch_.Get(scratch_.database().accounts().SetPaused(user_.id, account_.id, true));
  EXPECT_TRUE(DueAt(scratch_.clock().Now())) << "at once";
  Run();
  EXPECT_EQ(provider_.calls.back(), "stop x1");
  EXPECT_THAT(Channels(), IsEmpty());
  scratch_.clock().Advance(1h);
  scratch_.Get(scratch_.database().accounts().SetPaused(user_.id, account_.id, false));
  EXPECT_TRUE(DueAt(scratch_.clock().Now()));
  Run();
  EXPECT_THAT(Channels(), SizeIs(1));
}

TEST_F(RenewalTest, WhatBecomesDueDuringALookIsNotForgotten) {
  DueAt(scratch_.clock().Now());
  scratch_.clock().Advance(30min);
  provider_.during_create = [&]() -> Task<void> {
    (void)co_await scratch_.database().accounts().SetPaused(user_.id, account_.id, true);
  };
  RunOf(account_);
  EXPECT_TRUE(DueAt(scratch_.clock().Now())) << "paused while the channel was being made";
  Run();
  EXPECT_THAT(Channels(), IsEmpty());
}

TEST_F(RenewalTest, AWatchThatOthersShareIsNotStopped) {
  provider_.shared = true;
  const auto grace = scratch_.AddUser("grace");
  const auto same_mailbox = scratch_.AddAccount(grace, "ada");
  Run();
  RunOf(same_mailbox);
  provider_.calls.clear();
  provider_.wanted.clear();
  Run();
  EXPECT_THAT(provider_.calls, IsEmpty());
  EXPECT_THAT(Channels(), IsEmpty());
  RunOf(same_mailbox);
  EXPECT_THAT(provider_.calls, ElementsAre("stop x2"));
}

TEST_F(RenewalTest, AFailureIsTriedAgainAndHarmsNothing) {
  provider_.create_failure =
      Error{.code = ErrorCode::kRateLimited, .detail = {}, .retry_after = std::chrono::minutes(40)};
  EXPECT_EQ(Run().kind, jobs::Outcome::Kind::kCompleted);
  EXPECT_THAT(Channels(), IsEmpty());
  EXPECT_FALSE(DueAt(scratch_.clock().Now() + 39min));
  EXPECT_TRUE(DueAt(scratch_.clock().Now() + 40min));
  const auto account = scratch_.Get(scratch_.database().accounts().GetForWork(account_.id));
  EXPECT_FALSE(account.fault) << "push is no condition of anything";
}

TEST_F(RenewalTest, AChannelWhoseCreatorDiedIsForgotten) {
  Channel channel;
  channel.id = "half";
  channel.account_id = account_.id;
  channel.generation = account_.generation;
  channel.resource = "ada";
  channel.created_at = scratch_.clock().Now();
  scratch_.Get(store().Insert(channel));
  scratch_.clock().Advance(10min);
  Run();
  ASSERT_THAT(Channels(), SizeIs(1));
  EXPECT_EQ(Channels()[0].external_id, "x1");
}

TEST_F(RenewalTest, DisconnectingStopsWhatItCanAndDoesNotWaitForMore) {
  Run();
  scratch_.Get(scratch_.database().accounts().BeginErase(user_.id, account_.id));
  DueAt(scratch_.clock().Now() + 24h);
  const jobs::JobFilter waiting{.state = jobs::JobState::kAvailable, .kind = "renew_push"};
  EXPECT_THAT(scratch_.Get(scratch_.database().jobs().List(waiting)).items, IsEmpty()) << "nothing is made any more";
  latchkey::testing::RunTask(scratch_.loop(), renewal_.StopAll(account_.id, 1s));
  EXPECT_EQ(provider_.calls.back(), "stop x1");
  EXPECT_THAT(Channels(), IsEmpty());
}

TEST_F(RenewalTest, AProviderThatDoesNotAnswerHoldsUpNoErase) {
  Run();
  provider_.never_answers = true;
  latchkey::testing::RunTask(scratch_.loop(), renewal_.StopAll(account_.id, 1ms));
  EXPECT_THAT(provider_.calls, ElementsAre("create mail ada"));
}

TEST_F(RenewalTest, NoChannelIsMadeForAnAccountThatWentMeanwhile) {
  Channel channel;
  channel.id = "late";
  channel.account_id = account_.id;
  channel.generation = account_.generation;
  channel.created_at = scratch_.clock().Now();
  scratch_.Get(scratch_.database().accounts().BeginErase(user_.id, account_.id));
  EXPECT_EQ(scratch_.ErrorOf(store().Insert(channel)), ErrorCode::kFenced);
}

}  // namespace
}  // namespace latchkey::push
