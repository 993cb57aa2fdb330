#include "connected_accounts/disconnect.hpp"

#include "connected_accounts/testing/flow_fixture.hpp"

namespace latchkey::connected_accounts {
namespace {

using oauth::testing::FakeProvider;

class DisconnectFlow : public testing::ConnectedAccountsFlow {
 protected:
  /// Claims and runs the next due job of `kind`.
  std::optional<jobs::Outcome> RunJob(const std::string& kind) {
    const jobs::ClaimQuery query{.kinds = {kind}, .limit = 1};
    const auto claimed = Run(database_->jobs().Claim(query)).value();
    if (claimed.empty()) return std::nullopt;
    auto outcome = kind == kRevokeGrant ? Run(disconnect_->RevokeGrant(claimed[0]))
                                        : Run(disconnect_->DeleteSyncedData(claimed[0]));
    const jobs::Lease lease{.job_id = claimed[0].id, .token = claimed[0].lease_token};
    Run(database_->jobs().Finish(lease, outcome, clock_.Now() + std::chrono::minutes(1)));
    return outcome;
  }
};

TEST_F(DisconnectFlow, RevokesErasesAndLeavesAReceipt) {
  const auto account = ConnectAccount();
  const auto receipt = Run(disconnect_->Begin(user_, account)).value();
  EXPECT_FALSE(receipt.complete);
  EXPECT_EQ(Run(disconnect_->Begin(user_, account))->id, receipt.id);
  EXPECT_EQ(RunJob("delete_synced_data")->kind, jobs::Outcome::Kind::kCompleted);
  EXPECT_EQ(remote_.revoked, std::vector<std::string>{"refresh-1"});
  const auto done = Run(disconnect_->Receipt(user_, receipt.id)).value();
  EXPECT_TRUE(done.complete);
  EXPECT_TRUE(done.revoked_at_provider);
  EXPECT_EQ(done.deleted.at("connected_accounts"), 1);
  EXPECT_EQ(Run(store().GetForWork(account)).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(Run(store().List(user_))->empty());
  EXPECT_FALSE(RunJob(std::string(kRevokeGrant)));
}

TEST_F(DisconnectFlow, AGrantThatAnotherConnectionSharesStays) {
  const auto mine = ConnectAccount();
  const UserId me = user_;
  std::tie(user_, session_) = SignInAs("person-2");
  ConnectAccount();
  ASSERT_TRUE(Run(disconnect_->Begin(me, mine)));
  EXPECT_EQ(RunJob("delete_synced_data")->kind, jobs::Outcome::Kind::kCompleted);
  EXPECT_TRUE(remote_.revoked.empty());
}

TEST_F(DisconnectFlow, ASilentProviderDoesNotHoldUpTheEraseAndIsAskedAgain) {
  const auto account = ConnectAccount();
  remote_.replaced["/revoke"] = {FakeProvider::Answer(503, ""), FakeProvider::Answer(503, "")};
  const auto receipt = Run(disconnect_->Begin(user_, account)).value();
  EXPECT_EQ(RunJob("delete_synced_data")->kind, jobs::Outcome::Kind::kCompleted);
  EXPECT_TRUE(Run(disconnect_->Receipt(user_, receipt.id))->complete);
  EXPECT_FALSE(Run(disconnect_->Receipt(user_, receipt.id))->revoked_at_provider);
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_EQ(RunJob(std::string(kRevokeGrant))->kind, jobs::Outcome::Kind::kRetry);
  clock_.Advance(std::chrono::minutes(2));
  EXPECT_EQ(RunJob(std::string(kRevokeGrant))->kind, jobs::Outcome::Kind::kCompleted);
  EXPECT_EQ(remote_.revoked, std::vector<std::string>{"refresh-1"});
  EXPECT_TRUE(Run(disconnect_->Receipt(user_, receipt.id))->revoked_at_provider);
}

TEST_F(DisconnectFlow, ALateRevocationSparesAMailboxThatWasConnectedAgain) {
  const auto account = ConnectAccount();
  remote_.replaced["/revoke"] = {FakeProvider::Answer(503, "")};
  ASSERT_TRUE(Run(disconnect_->Begin(user_, account)));
  ASSERT_TRUE(RunJob("delete_synced_data"));
  EXPECT_NE(ConnectAccount(), account);
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_EQ(RunJob(std::string(kRevokeGrant))->kind, jobs::Outcome::Kind::kCompleted);
  EXPECT_TRUE(remote_.revoked.empty());
}

TEST_F(DisconnectFlow, OnlyTheOwnerMay) {
  const auto account = ConnectAccount();
  const auto stranger = SignInAs("person-2").first;
  EXPECT_EQ(Run(disconnect_->Begin(stranger, account)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Run(disconnect_->Preview(stranger, account)).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(Run(disconnect_->Preview(user_, account)));
}

TEST_F(DisconnectFlow, AJobForALivingAccountErasesNothing) {
  jobs::Job job;
  job.account_id = ConnectAccount();
  EXPECT_EQ(Run(disconnect_->DeleteSyncedData(job)).kind, jobs::Outcome::Kind::kDiscard);
  EXPECT_TRUE(Run(store().GetForWork(job.account_id)));
}

}  // namespace
}  // namespace latchkey::connected_accounts
