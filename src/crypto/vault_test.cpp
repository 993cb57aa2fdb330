#include "crypto/vault.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/encoding.hpp"

namespace latchkey::crypto {
namespace {

SecretString Key(char fill) { return SecretString(std::string(32, fill)); }

Vault MakeVault(std::vector<SecretString> keys) { return Vault::Make(std::move(keys)).value(); }

constexpr SealContext kContext{.table = "connected_accounts",
                               .column = "access_token",
                               .account_id = "account-1",
                               .user_id = "user-1",
                               .provider = "google"};

TEST(Vault, OpensWhatItSealedUnderANewNonceEachTime) {
  const Vault vault = MakeVault({Key('a')});
  const std::string sealed = vault.Seal(kContext, SecretString("token"));
  EXPECT_TRUE(sealed.starts_with("lk1." + vault.ActiveKeyId() + "."));
  EXPECT_EQ(vault.Open(kContext, sealed).value().Reveal(), "token");
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(vault.Seal(kContext, SecretString("token")));
  EXPECT_EQ(seen.size(), 100U);
}

TEST(Vault, AMovedValueDoesNotOpen) {
  const Vault vault = MakeVault({Key('a')});
  const std::string sealed = vault.Seal(kContext, SecretString("token"));
  SealContext other = kContext;
  other.table = "users";
  EXPECT_EQ(vault.Open(other, sealed).error().code, ErrorCode::kInternal);
  other = kContext;
  other.column = "refresh_token";
  EXPECT_FALSE(vault.Open(other, sealed));
  other = kContext;
  other.account_id = "account-2";
  EXPECT_FALSE(vault.Open(other, sealed));
  other = kContext;
  other.user_id = "user-2";
  EXPECT_FALSE(vault.Open(other, sealed));
  other = kContext;
  other.provider = "microsoft";
  EXPECT_FALSE(vault.Open(other, sealed));
  // The parts may not slide into each other.
  other = kContext;
  other.account_id = "account-1user-1";
  other.user_id = "";
  EXPECT_FALSE(vault.Open(other, sealed));
}

TEST(Vault, DamagedAndUnknownTextIsRefusedWithoutFallback) {
  const Vault vault = MakeVault({Key('a')});
  const std::string sealed = vault.Seal(kContext, SecretString("token"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string altered = sealed;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(vault.Open(kContext, altered)) << i;
  }
  for (const char* text :
       {"", "token", "lk1", "lk1..", "lk2.0123456789abcdef.AAAA", "lk1.0123456789abcdef.", "gAAAAA"}) {
    EXPECT_FALSE(vault.Open(kContext, text)) << text;
  }
}

TEST(Vault, TheFirstKeyEncryptsAndAllDecrypt) {
  const Vault old_ring = MakeVault({Key('a')});
  const std::string sealed = old_ring.Seal(kContext, SecretString("token"));
  const Vault rotated = MakeVault({Key('b'), Key('a')});
  EXPECT_EQ(rotated.Open(kContext, sealed).value().Reveal(), "token");
  EXPECT_TRUE(rotated.IsLegacy(sealed));
  const std::string renewed = rotated.Seal(kContext, SecretString("token"));
  EXPECT_FALSE(rotated.IsLegacy(renewed));
  EXPECT_EQ(Vault::KeyIdOf(renewed), rotated.KeyIds()[0]);
  const auto refused = old_ring.Open(kContext, renewed);
  EXPECT_EQ(refused.error().code, ErrorCode::kKeyUnavailable);
  EXPECT_NE(refused.error().detail.find(rotated.ActiveKeyId()), std::string::npos);
}

TEST(Vault, CheckValuesProveTheKey) {
  const Vault a = MakeVault({Key('a')});
  const Vault both = MakeVault({Key('b'), Key('a')});
  EXPECT_TRUE(both.VerifyCheckValue(a.MakeCheckValue()));
  EXPECT_TRUE(both.VerifyCheckValue(both.MakeCheckValue(both.KeyIds()[1])));
  EXPECT_EQ(a.VerifyCheckValue(both.MakeCheckValue()).error().code, ErrorCode::kKeyUnavailable);
  EXPECT_FALSE(a.VerifyCheckValue("lk1.damaged"));
  EXPECT_FALSE(a.VerifyCheckValue(a.Seal(kContext, SecretString("token"))));
}

TEST(Vault, OpensFernetValuesOfTheFormerKey) {
  const auto key = Vault::ParseKey("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=");
  ASSERT_TRUE(key);
  const Vault vault = MakeVault({Key('n'), *key});
  const std::string token =
      "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
  EXPECT_EQ(vault.Open(kContext, token).value().Reveal(), "hello");
  EXPECT_TRUE(vault.IsLegacy(token));
  EXPECT_EQ(MakeVault({Key('n')}).Open(kContext, token).error().code, ErrorCode::kKeyUnavailable);
}

TEST(Vault, RefusesRingsThatCannotWork) {
  EXPECT_EQ(Vault::Make({}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(Vault::Make({SecretString("short")}));
  EXPECT_FALSE(Vault::Make({Key('a'), Key('b'), Key('a')}));
}

TEST(Vault, ReadsKeysInHexAndBothBase64Forms) {
  const std::string bytes = std::string(31, '\xfb') + '\xff';
  EXPECT_EQ(Vault::ParseKey(HexEncode(bytes)).value().Reveal(), bytes);
  EXPECT_EQ(Vault::ParseKey(Base64Encode(bytes)).value().Reveal(), bytes);
  EXPECT_EQ(Vault::ParseKey(Base64UrlEncode(bytes)).value().Reveal(), bytes);
  EXPECT_TRUE(Vault::ParseKey(Vault::GenerateKey().Reveal()));
  for (const char* bad : {"", "your_encryption_key_base64_encoded", "AAAA", "zz"}) {
    EXPECT_EQ(Vault::ParseKey(bad).error().code, ErrorCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace latchkey::crypto
