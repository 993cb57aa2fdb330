#include "crypto/key_ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "async/testing.hpp"

namespace latchkey::crypto {
namespace {

class MemoryKeyStore final : public KeyStore {
 public:
  Task<Result<std::vector<KeyCheck>>> ListKeyChecks() override { co_return checks; }
  Task<Result<void>> InsertKeyCheck(const KeyCheck& check) override {
    checks.push_back(check);
    co_return Result<void>();
  }
  Task<Result<std::vector<SealedRow>>> ListSealedRows(std::string_view after, int limit) override {
    std::vector<SealedRow> page;
    for (const SealedRow& row : rows) {
      if (row.account_id > after && page.size() < static_cast<std::size_t>(limit)) page.push_back(row);
    }
    co_return page;
  }
  Task<Result<bool>> ReplaceSealedRow(const SealedRow& row) override {
    if (writes_left == 0) co_return Fail(ErrorCode::kStorageUnavailable);
    --writes_left;
    for (SealedRow& stored : rows) {
      if (stored.account_id != row.account_id || stored.version != row.version) continue;
      stored = row;
      co_return true;
    }
    co_return false;
  }

  std::vector<KeyCheck> checks;
  std::vector<SealedRow> rows;
  int writes_left = 1000;
};

SecretString Key(char fill) { return SecretString(std::string(32, fill)); }
Vault MakeVault(std::vector<SecretString> keys) { return Vault::Make(std::move(keys)).value(); }

class KeyRing : public ::testing::Test {
 protected:
  void AddAccount(const Vault& vault, const std::string& id) {
    KeyStore::SealedRow row{.account_id = id, .user_id = "u", .provider = "google", .version = 3};
    row.access_token = vault.Seal(Context(id, "access_token"), SecretString("access " + id));
    row.refresh_token = vault.Seal(Context(id, "refresh_token"), SecretString("refresh " + id));
    store_.rows.push_back(std::move(row));
  }
  static SealContext Context(const std::string& id, std::string_view column) {
    return {.table = "connected_accounts", .column = column, .account_id = id, .user_id = "u", .provider = "google"};
  }
  template <class T>
  T Run(Task<T> task) {
    return latchkey::testing::RunTask(loop_, std::move(task));
  }

  boost::asio::io_context loop_;
  MemoryKeyStore store_;
  const Vault a_ = MakeVault({Key('a')});
  const Vault b_ = MakeVault({Key('b')});
  const Vault both_ = MakeVault({Key('b'), Key('a')});
};

TEST_F(KeyRing, TheFirstStartStoresACheckValueAndLaterOnesAccept) {
  ASSERT_TRUE(Run(CheckKeysAtStart(store_, a_)));
  ASSERT_EQ(store_.checks.size(), 1U);
  ASSERT_TRUE(Run(CheckKeysAtStart(store_, a_)));
  EXPECT_EQ(store_.checks.size(), 1U);
  ASSERT_TRUE(Run(CheckKeysAtStart(store_, both_)));
  EXPECT_EQ(store_.checks.size(), 2U);
}

TEST_F(KeyRing, AMissingKeyIsRefusedWithItsIdAndTheNumberOfAccountsAndChangesNothing) {
  ASSERT_TRUE(Run(CheckKeysAtStart(store_, a_)));
  AddAccount(a_, "1");
  AddAccount(a_, "2");
  const auto refused = Run(CheckKeysAtStart(store_, b_));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kKeyUnavailable);
  EXPECT_NE(refused.error().detail.find(a_.ActiveKeyId()), std::string::npos);
  EXPECT_NE(refused.error().detail.find("2 accounts"), std::string::npos);
  EXPECT_EQ(store_.checks.size(), 1U);
}

TEST_F(KeyRing, ADamagedCheckValueIsRefused) {
  store_.checks.push_back({.key_id = a_.ActiveKeyId(), .check_value = "lk1." + a_.ActiveKeyId() + ".AAAA"});
  EXPECT_EQ(Run(CheckKeysAtStart(store_, a_)).error().code, ErrorCode::kKeyUnavailable);
}

TEST_F(KeyRing, AnOldKeyWithoutTokensMayGo) {
  ASSERT_TRUE(Run(CheckKeysAtStart(store_, a_)));
  EXPECT_TRUE(Run(CheckKeysAtStart(store_, b_)));
}

TEST_F(KeyRing, StatusCountsAccountsPerKey) {
  AddAccount(a_, "1");
  AddAccount(both_, "2");
  AddAccount(MakeVault({Key('z')}), "3");
  const auto uses = Run(ReportKeyUse(store_, both_)).value();
  ASSERT_EQ(uses.size(), 3U);
  EXPECT_TRUE(uses[0].active && uses[0].in_ring && uses[0].accounts == 1);
  EXPECT_TRUE(!uses[1].active && uses[1].in_ring && uses[1].accounts == 1);
  EXPECT_TRUE(!uses[2].in_ring && uses[2].accounts == 1);
}

TEST_F(KeyRing, RotationSealsEverythingUnderTheFirstKeyAndResumesAfterBeingCut) {
  for (int i = 0; i < 450; ++i) AddAccount(a_, "account-" + std::to_string(1000 + i));
  store_.writes_left = 300;
  EXPECT_FALSE(Run(RotateKeys(store_, both_)));
  store_.writes_left = 1000;
  const auto rotation = Run(RotateKeys(store_, both_)).value();
  EXPECT_EQ(rotation.accounts, 450);
  EXPECT_EQ(rotation.rewritten, 150);
  EXPECT_TRUE(rotation.damaged.empty());
  EXPECT_TRUE(Run(VerifyStoredValues(store_, b_)).value().damaged.empty());
  EXPECT_EQ(b_.Open(Context("account-1449", "refresh_token"), store_.rows.back().refresh_token).value().Reveal(),
            "refresh account-1449");
  EXPECT_EQ(Run(RotateKeys(store_, both_)).value().rewritten, 0);
}

TEST_F(KeyRing, DamagedValuesAreNamedAndLeftAlone) {
  AddAccount(a_, "1");
  AddAccount(a_, "2");
  store_.rows[0].refresh_token.back() = store_.rows[0].refresh_token.back() == 'A' ? 'B' : 'A';
  const std::string before = store_.rows[0].refresh_token;
  EXPECT_EQ(Run(VerifyStoredValues(store_, both_)).value().damaged, std::vector<std::string>{"1"});
  const auto rotation = Run(RotateKeys(store_, both_)).value();
  EXPECT_EQ(rotation.damaged, std::vector<std::string>{"1"});
  EXPECT_EQ(rotation.rewritten, 1);
  EXPECT_EQ(store_.rows[0].refresh_token, before);
}

}  // namespace
}  // namespace latchkey::crypto
