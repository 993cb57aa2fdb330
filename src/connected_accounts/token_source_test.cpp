#include "connected_accounts/token_source.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "connected_accounts/testing/flow_fixture.hpp"
#include "connected_accounts/token_seal.hpp"

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

}  // namespace
}  // namespace latchkey::connected_accounts
