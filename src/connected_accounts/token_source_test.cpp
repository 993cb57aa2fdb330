#include "connected_accounts/token_source.hpp"

#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>
#include <optional>

#include "async/task_group.hpp"

#include "connected_accounts/testing/flow_fixture.hpp"
#include "connected_accounts/token_seal.hpp"
#include "storage/sqlite/connection.hpp"

namespace latchkey::connected_accounts {
namespace {

using oauth::testing::FakeProvider;

class Tokens : public testing::ConnectedAccountsFlow {
 protected:
  Tokens() { account_ = ConnectAccount(); }

  void Expire() { clock_.Advance(std::chrono::hours(2)); }
  void Answer(int status, std::string body) {
    remote_.replaced["/token"].push_back(FakeProvider::Answer(status, std::move(body)));
  }
  /// `count` callers at once; what each got.
  std::vector<Result<SecretString>> Together(int count, RefreshingTokenSource& source,
                                             const SecretString& rejected = {}) {
    std::vector<Result<SecretString>> results;
    const auto one = [&]() -> Task<void> { results.push_back(co_await source.AccessToken(account_, rejected)); };
    const auto all = [&]() -> Task<void> {
      for (int i = 0; i < count; ++i) boost::asio::co_spawn(loop_, one(), boost::asio::detached);
      co_return;
    };
    Run(all());
    return results;
  }
  int Refreshes() const { return remote_.Count("/token") - 1; }

  ConnectedAccountId account_;
};

TEST_F(Tokens, AFreshOneIsUsedAsItIs) {
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-1");
  clock_.Advance(std::chrono::minutes(50));
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-1");
  EXPECT_EQ(Refreshes(), 0);
}

TEST_F(Tokens, ItIsRefreshedAheadOfItsEnd) {
  clock_.Advance(std::chrono::minutes(56));
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-2");
  EXPECT_EQ(remote_.Field("/token", "refresh_token"), "refresh-1");
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-2");
  EXPECT_EQ(Refreshes(), 1);
}

TEST_F(Tokens, APermissionGrantedLaterIsInTheNextTokenAndElsewhereWhenItIsLookedFor) {
  const auto elsewhere = MakeTokenSource();
  const SecretString none;
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-1");
  EXPECT_EQ(Run(elsewhere->AccessToken(account_, none))->Reveal(), "access-1");
  ASSERT_EQ(Finish(Start(Request({Capability::kReadCalendar}, account_))).error, "");
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-2");
  elsewhere->Forget(account_);
  EXPECT_EQ(Run(elsewhere->AccessToken(account_, none))->Reveal(), "access-2");
}

// An imported account is known by its organisation; the grant it lives from knows whose mailbox that is.
TEST_F(Tokens, AnImportedAccountLearnsItsIdFromItsOwnGrantAndKeepsIt) {
  legacy::ImportedConnection imported{.org_name = "Example Ltd", .user_id = user_};
  ConnectedAccount& account = imported.account;
  account.id = ConnectedAccountId::New(clock_.Now());
  account.user_id = user_;
  account.provider = "google";
  account.provider_account_id = "org:Example Ltd";
  account.requested = account.granted = {Capability::kReadMail};
  imported.tokens.refresh_token = vault_.Seal(RefreshTokenContext(account), SecretString("older-refresh"));
  ASSERT_TRUE(Run(database_->legacy_imports().StoreImported(imported)));
  remote_.nonce.clear();
  remote_.subject = "subject-of-the-organisation";
  remote_.email = "office@example.com";
  // Without an ID token nothing is learned, and nothing is wrong.
  remote_.give_id_token = false;
  ASSERT_TRUE(AccessToken(account.id));
  EXPECT_EQ(Account(account.id).provider_account_id, "org:Example Ltd");
  remote_.give_id_token = true;
  Expire();
  ASSERT_TRUE(AccessToken(account.id));
  EXPECT_EQ(Account(account.id).provider_account_id, "subject-of-the-organisation");
  EXPECT_EQ(Account(account.id).email, "office@example.com");
  Expire();
  remote_.subject = "somebody-else";
  EXPECT_EQ(AccessToken(account.id).error().code, ErrorCode::kProviderUnavailable);
  EXPECT_EQ(Account(account.id).provider_account_id, "subject-of-the-organisation");
}

TEST_F(Tokens, FiftyCallersWithAnExpiredTokenCauseOneRefresh) {
  Expire();
  const auto results = Together(50, *tokens_);
  ASSERT_EQ(results.size(), 50U);
  for (const auto& result : results) EXPECT_EQ(result->Reveal(), "access-2");
  EXPECT_EQ(Refreshes(), 1);
}

TEST_F(Tokens, FiftyCallersWhoseTokenWasRefusedCauseOneRefresh) {
  const auto results = Together(50, *tokens_, SecretString("access-1"));
  for (const auto& result : results) EXPECT_EQ(result->Reveal(), "access-2");
  EXPECT_EQ(Refreshes(), 1);
  // Who comes late with the old one gets the new one.
  EXPECT_EQ(AccessToken(account_, "access-1")->Reveal(), "access-2");
  EXPECT_EQ(Refreshes(), 1);
}

TEST_F(Tokens, ACommonFailureIsAskedForOnce) {
  Expire();
  Answer(503, "<html>");
  const auto results = Together(50, *tokens_);
  for (const auto& result : results) EXPECT_EQ(result.error().code, ErrorCode::kProviderUnavailable);
  EXPECT_EQ(Refreshes(), 1);
  EXPECT_FALSE(Account(account_).fault);
  EXPECT_TRUE(AccessToken(account_));
}

TEST_F(Tokens, TwoProcessesRefreshOnce) {
  Expire();
  const auto other = MakeTokenSource();
  Signal release(loop_.get_executor());
  remote_.before_token = [&]() -> Task<void> { co_await release.Wait(std::chrono::seconds(30)); };
  std::vector<std::string> got;
  const SecretString none;
  const auto one = [&](RefreshingTokenSource& source) -> Task<void> {
    got.push_back((co_await source.AccessToken(account_, none))->Reveal());
  };
  const auto all = [&]() -> Task<void> {
    boost::asio::co_spawn(loop_, one(*tokens_), boost::asio::detached);
    boost::asio::co_spawn(loop_, one(*other), boost::asio::detached);
    while (Refreshes() == 0) co_await SleepFor(std::chrono::milliseconds(1));
    release.Raise();
  };
  Run(all());
  EXPECT_EQ(got, (std::vector<std::string>{"access-2", "access-2"}));
  EXPECT_EQ(Refreshes(), 1);
}

TEST_F(Tokens, ALeaseIsRenewedWhileTheProviderThinksAndEndsWithItsProcess) {
  Expire();
  lease_.renewed_every = std::chrono::milliseconds(1);
  const auto slow = MakeTokenSource();
  Signal release(loop_.get_executor());
  remote_.before_token = [&]() -> Task<void> { co_await release.Wait(std::chrono::seconds(30)); };
  const SecretString none;
  bool done = false;
  const auto refresh = [&]() -> Task<void> {
    EXPECT_EQ((co_await slow->AccessToken(account_, none))->Reveal(), "access-2");
    done = true;
  };
  const auto lease_end = [this] {
    storage::sqlite::Connection connection(database_path(), storage::sqlite::Connection::Mode::kReadOnly);
    auto rows = connection.Query("SELECT refresh_lease_until FROM connected_accounts WHERE id = $1", account_);
    return rows.Step() ? rows.MaybeTime(0) : std::nullopt;
  };
  const auto all = [&]() -> Task<void> {
    boost::asio::co_spawn(loop_, refresh(), boost::asio::detached);
    while (Refreshes() == 0) co_await SleepFor(std::chrono::milliseconds(1));
    // Longer than any lease: it is held all the time.
    for (int i = 0; i < 5; ++i) {
      clock_.Advance(std::chrono::seconds(5));
      while (lease_end() != clock_.Now() + lease_.lasts) co_await SleepFor(std::chrono::milliseconds(1));
    }
    const auto taken = co_await store().TryLeaseRefresh(account_, "other", clock_.Now() + lease_.lasts);
    EXPECT_FALSE(taken.value());
    release.Raise();
    while (!done) co_await SleepFor(std::chrono::milliseconds(1));
  };
  Run(all());
  EXPECT_EQ(lease_end(), std::nullopt);
  // What a process leaves that dies meanwhile is not in the way for as long as a person waits.
  remote_.before_token = nullptr;
  const RefreshingTokenSource::LeaseTimes product;
  EXPECT_LT(product.lasts, std::chrono::seconds(10));
  EXPECT_LE(2 * product.renewed_every, product.lasts) << "one lost sign of life does not end it";
  Expire();
  ASSERT_TRUE(Run(store().TryLeaseRefresh(account_, "dead", clock_.Now() + product.lasts)).value());
  clock_.Advance(product.lasts);
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-3");
}

/// No file of this process can be written while it lives: what a full disk does to the store.
class NoRoom {
 public:
  NoRoom() {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoRoom() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  NoRoom(const NoRoom&) = delete;
  NoRoom& operator=(const NoRoom&) = delete;

 private:
  rlimit before_{};
};

TEST_F(Tokens, WhatTheProviderRotatedToWaitsForTheStoreAndIsNotUsedBefore) {
  Expire();
  remote_.more_token_members = R"(,"refresh_token":"rotated")";
  std::optional<NoRoom> full;
  remote_.before_token = [&]() -> Task<void> {
    full.emplace();
    co_return;
  };
  for (int i = 0; i < 3; ++i) {
    const auto refused = AccessToken(account_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kStorageUnavailable);
  }
  EXPECT_EQ(tokens_->unsaved(), 1U);
  EXPECT_FALSE(Run(tokens_->StoreUnsaved()));
  EXPECT_EQ(Refreshes(), 1) << "the old refresh token may be dead: it must not be used again";
  full.reset();
  EXPECT_TRUE(Run(tokens_->StoreUnsaved()));
  const auto stored = Run(store().GetTokens(account_)).value();
  EXPECT_EQ(vault_.Open(RefreshTokenContext(Account(account_)), stored.refresh_token)->Reveal(), "rotated");
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-2");
  EXPECT_EQ(Refreshes(), 1);
}

TEST_F(Tokens, AnybodyWhoAsksStoresWhatWaitsFirst) {
  Expire();
  std::optional<NoRoom> full;
  remote_.before_token = [&]() -> Task<void> {
    full.emplace();
    co_return;
  };
  EXPECT_FALSE(AccessToken(account_));
  full.reset();
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-2");
  EXPECT_EQ(tokens_->unsaved(), 0U);
  EXPECT_EQ(Refreshes(), 1);
}

TEST_F(Tokens, ARefreshUnderWayIsFinishedAndStoredAlthoughItsCallerIsCancelled) {
  Expire();
  remote_.more_token_members = R"(,"refresh_token":"rotated")";
  Signal asked(loop_.get_executor());
  Signal answer(loop_.get_executor());
  remote_.before_token = [&]() -> Task<void> {
    asked.Raise();
    co_await answer.Wait(std::chrono::seconds(30));
  };
  TaskGroup callers(loop_.get_executor());
  const SecretString none;
  const auto all = [&]() -> Task<void> {
    callers.Spawn("caller", [&]() -> Task<void> { (void)co_await tokens_->AccessToken(account_, none); });
    co_await asked.Wait(std::chrono::seconds(30));
    const auto release = [&]() -> Task<void> {
      answer.Raise();
      co_return;
    };
    boost::asio::co_spawn(loop_, release, boost::asio::detached);
    co_await callers.Stop();
  };
  Run(all());
  const auto stored = Run(store().GetTokens(account_)).value();
  EXPECT_EQ(vault_.Open(RefreshTokenContext(Account(account_)), stored.refresh_token)->Reveal(), "rotated");
}

TEST_F(Tokens, ARotatedRefreshTokenIsStoredBeforeTheTokenIsUsed) {
  Expire();
  remote_.more_token_members = R"(,"refresh_token":"rotated")";
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-2");
  const auto stored = Run(store().GetTokens(account_)).value();
  const auto account = Account(account_);
  EXPECT_EQ(vault_.Open(RefreshTokenContext(account), stored.refresh_token)->Reveal(), "rotated");
  EXPECT_EQ(vault_.Open(AccessTokenContext(account), stored.access_token)->Reveal(), "access-2");
  remote_.more_token_members = "";
  Expire();
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-3");
  EXPECT_EQ(remote_.Field("/token", "refresh_token"), "rotated");
}

TEST_F(Tokens, AnEndedGrantIsThePersonsAndTheProviderIsNotAskedAgain) {
  Expire();
  Answer(400, R"({"error":"invalid_grant"})");
  EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kReauthInvalidGrant);
  EXPECT_EQ(Account(account_).fault, ErrorCode::kReauthInvalidGrant);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kReauthInvalidGrant);
  EXPECT_EQ(Refreshes(), 1);
  // Reconnecting mends it, on the same account.
  const auto finished = Finish(Start(Request({}, account_)));
  EXPECT_EQ(finished.account_id, account_);
  EXPECT_FALSE(Account(account_).fault);
  EXPECT_TRUE(AccessToken(account_));
}

TEST_F(Tokens, AProjectInTestingIsNamed) {
  remote_.more_token_members = R"(,"refresh_token_expires_in":604799)";
  ASSERT_EQ(Finish(Start(Request({}, account_))).error, "");
  remote_.more_token_members = "";
  clock_.Advance(std::chrono::days(3));
  EXPECT_TRUE(AccessToken(account_));
  clock_.Advance(std::chrono::days(4));
  Answer(400, R"({"error":"invalid_grant"})");
  EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kReauthTestMode);
  EXPECT_EQ(Account(account_).fault, ErrorCode::kReauthTestMode);
}

TEST_F(Tokens, AnOperatorsFaultIsOneNoticeAndLeavesTheAccountAlone) {
  Expire();
  for (int i = 0; i < 3; ++i) {
    Answer(401, R"({"error":"invalid_client"})");
    EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kInvalidClient);
    const int asked = Refreshes();
    EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kInvalidClient);
    EXPECT_EQ(Refreshes(), asked) << "it is the same for every account: asked once in a while";
    clock_.Advance(std::chrono::seconds(10));
  }
  EXPECT_FALSE(Account(account_).fault);
  EXPECT_EQ(Run(store().ListNotices())->size(), 1U);
  EXPECT_TRUE(AccessToken(account_));
  EXPECT_TRUE(Run(store().ListNotices())->empty());
}

TEST_F(Tokens, ATokenThatStillWorksOutlivesAnOutage) {
  clock_.Advance(std::chrono::minutes(57));
  Answer(503, "");
  EXPECT_EQ(AccessToken(account_)->Reveal(), "access-1");
  // Not when it was the one that the provider refused.
  Answer(429, "");
  EXPECT_EQ(AccessToken(account_, "access-1").error().code, ErrorCode::kRateLimited);
}

TEST_F(Tokens, ARefreshAboutSomebodyElseStoresNothing) {
  const auto before = Run(store().GetTokens(account_)).value();
  Expire();
  remote_.subject = "subject-2";
  EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kProviderUnavailable);
  EXPECT_EQ(Run(store().GetTokens(account_))->version, before.version);
}

TEST_F(Tokens, DamagedCiphertextFlagsThatAccountOnlyAndIsNotRetried) {
  auto sealed = Run(store().GetTokens(account_)).value();
  sealed.refresh_token.back() = sealed.refresh_token.back() == 'A' ? 'B' : 'A';
  ASSERT_TRUE(Run(store().ReplaceTokens(account_, Account(account_).generation, sealed, sealed.version)));
  Expire();
  EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kKeyUnavailable);
  EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kKeyUnavailable);
  EXPECT_EQ(Account(account_).fault, ErrorCode::kKeyUnavailable);
  EXPECT_EQ(Refreshes(), 0);
}

TEST_F(Tokens, AnErasedAccountGetsNone) {
  ASSERT_TRUE(Run(disconnect_->Begin(user_, account_)));
  EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kFenced);
  const ConnectedAccountId nobody("00000000-0000-7000-8000-000000000000");
  EXPECT_EQ(AccessToken(nobody).error().code, ErrorCode::kNotFound);
}

TEST_F(Tokens, AGrantThatOnlyEndedOnADayIsNoTestMode) {
  // The person may have granted access for a limited time.
  remote_.more_token_members = R"(,"refresh_token_expires_in":86400)";
  ASSERT_EQ(Finish(Start(Request({}, account_))).error, "");
  remote_.more_token_members = "";
  clock_.Advance(std::chrono::days(1));
  Answer(400, R"({"error":"invalid_grant"})");
  EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kReauthInvalidGrant);
}

TEST_F(Tokens, ThePersonIsToldOncePerEpisode) {
  const auto told = [&] {
    int count = 0;
    for (const auto& event : Run(database_->events().ListAfter(user_, 0, 1000)).value()) {
      count += event.type == "account.needs_reauth" ? 1 : 0;
    }
    return count;
  };
  Expire();
  Answer(400, R"({"error":"invalid_grant"})");
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(AccessToken(account_));
  EXPECT_EQ(told(), 1);
  // A call that was under way ends well with the old token, another is told to wait: the grant is dead all the same.
  const auto generation = Account(account_).generation;
  ASSERT_TRUE(Run(store().ClearFault(account_, generation, jobs::Lease{})));
  ASSERT_TRUE(Run(store().SetFault(account_, generation, ErrorCode::kRateLimited, clock_.Now(), jobs::Lease{})));
  EXPECT_EQ(Account(account_).fault, ErrorCode::kReauthInvalidGrant);
  ASSERT_TRUE(Run(store().SetFault(account_, generation, ErrorCode::kNoRefreshToken, std::nullopt, jobs::Lease{})));
  EXPECT_EQ(told(), 1);
  EXPECT_EQ(Refreshes(), 1);
  ASSERT_EQ(Finish(Start(Request({}, account_))).error, "");
  Expire();
  Answer(400, R"({"error":"invalid_grant"})");
  EXPECT_FALSE(AccessToken(account_));
  EXPECT_EQ(told(), 2);
}

TEST_F(Tokens, AWaitThatTheTokenEndpointAskedForSurvivesARestart) {
  Expire();
  remote_.replaced["/token"].push_back(FakeProvider::Answer(429, "", {{"Retry-After", "60"}}));
  EXPECT_EQ(AccessToken(account_).error().code, ErrorCode::kRateLimited);
  EXPECT_EQ(Refreshes(), 1);
  pauses_ = std::make_unique<sync::ProviderPauses>(database_->pauses(), clock_);
  tokens_ = MakeTokenSource();
  const auto waiting = AccessToken(account_);
  EXPECT_EQ(waiting.error().code, ErrorCode::kRateLimited);
  EXPECT_EQ(waiting.error().retry_after, std::chrono::seconds(60));
  EXPECT_EQ(Refreshes(), 1) << "no call inside the window";
  clock_.Advance(std::chrono::seconds(60));
  EXPECT_TRUE(AccessToken(account_));
}

TEST_F(Tokens, AnIdleGrantIsUsedBeforeItDiesAlsoWhilePaused) {
  const auto queue = [&] { return Run(store().ScheduleUnused(clock_.Now() - kUnusedFor, 10, kRefreshGrant)).value(); };
  ASSERT_TRUE(Run(store().SetPaused(user_, account_, true)));
  clock_.Advance(std::chrono::days(29));
  EXPECT_EQ(queue(), 0);
  clock_.Advance(std::chrono::days(2));
  EXPECT_EQ(queue(), 1);
  EXPECT_EQ(queue(), 1) << "once in the queue however often it is asked for";
  const jobs::JobFilter filter{.state = std::nullopt, .kind = std::string(kRefreshGrant)};
  const auto jobs = Run(database_->jobs().List(filter)).value().items;
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(Run(tokens_->KeepAlive(jobs[0])).kind, jobs::Outcome::Kind::kCompleted);
  EXPECT_EQ(Refreshes(), 1);
  EXPECT_EQ(queue(), 0);
  EXPECT_EQ(Run(tokens_->KeepAlive(jobs[0])).kind, jobs::Outcome::Kind::kCompleted);
  EXPECT_EQ(Refreshes(), 1) << "used a moment ago";
}

TEST_F(Tokens, AnIdleGrantThatIsDeadIsToldOnceAndLeftAlone) {
  ASSERT_TRUE(Run(store().SetPaused(user_, account_, true)));
  clock_.Advance(std::chrono::days(31));
  ASSERT_EQ(Run(store().ScheduleUnused(clock_.Now() - kUnusedFor, 10, kRefreshGrant)), 1);
  const jobs::JobFilter filter{.state = std::nullopt, .kind = std::string(kRefreshGrant)};
  const auto job = Run(database_->jobs().List(filter)).value().items.at(0);
  Answer(400, R"({"error":"invalid_grant"})");
  EXPECT_EQ(Run(tokens_->KeepAlive(job)).kind, jobs::Outcome::Kind::kCompleted);
  EXPECT_EQ(Account(account_).fault, ErrorCode::kReauthInvalidGrant) << "although it is paused";
  EXPECT_EQ(Run(store().ScheduleUnused(clock_.Now() - kUnusedFor, 10, kRefreshGrant)), 0);
  ASSERT_TRUE(Run(store().SetPaused(user_, account_, false)));
  EXPECT_FALSE(AccessToken(account_));
  EXPECT_EQ(Refreshes(), 1);
}

TEST_F(Tokens, ADemandOfTheProviderGoesIntoTheNextSignInAndEndsWithIt) {
  const std::string challenge = R"({"access_token":{"nbf":{"essential":true,"value":"1772000000"}}})";
  const auto claims = [&] {
    const auto attempt = Run(connect_->CreateAttempt(Request({}, account_))).value();
    const std::string url = Run(connect_->BuildAuthorizeUrl(user_, attempt.id, "/"))->authorize_url;
    return oauth::testing::FormField(url.substr(url.find('?') + 1), "claims");
  };
  EXPECT_EQ(claims(), "");
  Run(tokens_->RequireSignIn(account_, ErrorCode::kMfaRequired, challenge));
  EXPECT_EQ(Account(account_).fault, ErrorCode::kMfaRequired);
  EXPECT_EQ(AccessToken(account_, "access-1").error().code, ErrorCode::kMfaRequired);
  EXPECT_EQ(Refreshes(), 0) << "asking again is of no use";
  EXPECT_EQ(claims(), challenge);
  ASSERT_EQ(Finish(Start(Request({}, account_))).error, "");
  EXPECT_FALSE(Account(account_).fault);
  EXPECT_EQ(claims(), "");
}

TEST_F(Tokens, AGrantThatAnAdministratorMendedIsFoundByTryingAgain) {
  Expire();
  const auto generation = Account(account_).generation;
  ASSERT_TRUE(
      Run(store().SetFault(account_, generation, ErrorCode::kAdminConsentRequired, std::nullopt, jobs::Lease{})));
  EXPECT_TRUE(AccessToken(account_));
  EXPECT_FALSE(Account(account_).fault);
}

}  // namespace
}  // namespace latchkey::connected_accounts
