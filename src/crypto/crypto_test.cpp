#include <gtest/gtest.h>

#include <string>

#include "base/encoding.hpp"
#include "crypto/fernet.hpp"
#include "crypto/hash.hpp"
#include "crypto/password.hpp"
#include "crypto/sealed_box.hpp"
#include "crypto/secret_strength.hpp"
#include "crypto/strict_json.hpp"

namespace latchkey::crypto {
namespace {

std::string Hex(std::string_view text) { return HexDecode(text).value(); }

TEST(Hash, HkdfGivesTheVectorsOfRfc5869) {
  EXPECT_EQ(HexEncode(HkdfSha256(Hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), Hex("000102030405060708090a0b0c"),
                                 Hex("f0f1f2f3f4f5f6f7f8f9"), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  std::string secret;
  std::string salt;
  std::string info;
  for (int i = 0; i < 80; ++i) {
    secret += static_cast<char>(i);
    salt += static_cast<char>(0x60 + i);
    info += static_cast<char>(0xb0 + i);
  }
  EXPECT_EQ(
      HexEncode(HkdfSha256(secret, salt, info, 82)),
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8"
      "367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(HexEncode(HkdfSha256(std::string(22, '\x0b'), "", "", 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hash, DigestsGiveKnownValues) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231 test case 2.
  EXPECT_EQ(HexEncode(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Hash, ConstantTimeComparisonComparesAllBytes) {
  EXPECT_TRUE(EqualConstantTime("abc", "abc"));
  EXPECT_FALSE(EqualConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualConstantTime("abc", "abcd"));
  EXPECT_TRUE(EqualConstantTime("", ""));
}

TEST(Hash, KeysOfTwoPurposesDiffer) {
  const SecretString secret("0c6d2f0a9b8e4d7193f5a6b7c8d9e0f1");
  EXPECT_NE(DeriveKey(secret, "a").Reveal(), DeriveKey(secret, "b").Reveal());
  EXPECT_EQ(DeriveKey(secret, "a").Reveal().size(), 32U);
}

TEST(Fernet, ReadsTheTokenOfTheSpecification) {
  // github.com/fernet/spec, verify.json (the age check does not apply to values at rest).
  const std::string key = Base64UrlDecode("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").value();
  const std::string token =
      "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
  EXPECT_TRUE(LooksLikeFernet(token));
  EXPECT_EQ(FernetOpen(key, token), "hello");
}

TEST(Fernet, RefusesTheInvalidTokensOfTheSpecification) {
  // github.com/fernet/spec, invalid.json: wrong mac, too short, bad base64, payload size, padding errors.
  const std::string key = Base64UrlDecode("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").value();
  for (const char* token :
       {"gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==",
        "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==", ""}) {
    EXPECT_EQ(FernetOpen(key, token), std::nullopt) << token;
  }
  EXPECT_EQ(FernetOpen("short", "gAAAAA"), std::nullopt);
}

class SealedBoxTest : public ::testing::Test {
 protected:
  const SecretString secret_{"4f7c2b9d8e1a6f3052c7d8e9fa0b1c2d"};
  const Instant now_ = ParseInstant("2026-03-01T10:00:00Z").value();
  const SealedBox box_{secret_, "test"};
};

TEST_F(SealedBoxTest, OpensWhatItSealedUntilItExpires) {
  const std::string sealed = box_.Seal("hello", now_ + std::chrono::minutes(10));
  EXPECT_EQ(box_.Open(sealed, now_).value(), "hello");
  EXPECT_EQ(box_.Open(sealed, now_ + std::chrono::minutes(10)).error().code, ErrorCode::kStateExpired);
  EXPECT_NE(sealed, box_.Seal("hello", now_ + std::chrono::minutes(10)));
}

TEST_F(SealedBoxTest, RefusesAlteredTextAndOtherPurposesAndKeys) {
  const std::string sealed = box_.Seal("hello", now_ + std::chrono::minutes(10));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string altered = sealed;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(box_.Open(altered, now_)) << i;
  }
  EXPECT_EQ(SealedBox(secret_, "other").Open(sealed, now_).error().code, ErrorCode::kStateMismatch);
  EXPECT_FALSE(SealedBox(SecretString("another secret of thirty-two bytes"), "test").Open(sealed, now_));
  EXPECT_FALSE(box_.Open("", now_));
  EXPECT_FALSE(box_.Open(std::string(100'000, 'A'), now_));
}

TEST(Password, HashesWithTheStatedCostAndComparesEveryByte) {
  const SecretString password(std::string(64, 'p') + "last");
  const std::string hash = HashPassword(password);
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << hash;
  EXPECT_TRUE(PasswordMatches(password, hash));
  EXPECT_FALSE(PasswordMatches(SecretString(std::string(64, 'p') + "lost"), hash));
  EXPECT_FALSE(PasswordMatches(password, "not a hash"));
  EXPECT_FALSE(PasswordNeedsRehash(hash));
  EXPECT_TRUE(PasswordNeedsRehash("$argon2id$v=19$m=4096,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"));
}

TEST(SecretStrength, RefusesShortSampleAndMonotonousSecrets) {
  for (const char* bad : {"", "short", "your_jwt_secret_key_change_in_production", "your_session_secret_key",
                          "YOUR_SESSION_SECRET_KEY_AND_SOME_MORE_OF_IT", "changeme-changeme-changeme-changeme",
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "abababababababababababababababababab"}) {
    EXPECT_EQ(CheckSecretStrength(SecretString(bad)).error().code, ErrorCode::kInvalidArgument) << bad;
  }
  EXPECT_TRUE(CheckSecretStrength(SecretString("kJ7mQ2xV9pL4sT8wZ1cB6nH3dF5gR0yA")));
}

TEST(SecretStrength, SaysWhatIsWrongWithoutTheValue) {
  const auto refused = CheckSecretStrength(SecretString("changeme-changeme-changeme-changeme"));
  EXPECT_EQ(refused.error().detail.find("changeme"), std::string::npos);
}

TEST(StrictJson, RefusesWhatTwoReadersCouldReadDifferently) {
  const std::pair<std::string, JsonFault> cases[] = {
      {R"({"a":1,"a":2})", JsonFault::kDuplicateMember},
      {R"({"a":1,"\u0061":2})", JsonFault::kDuplicateMember},
      {R"({"x":[{"b":1,"b":1}]})", JsonFault::kDuplicateMember},
      {R"([1])", JsonFault::kNotObject},
      {R"({"a":1}x)", JsonFault::kNotJson},
      {R"({"a":1,})", JsonFault::kNotJson},
      {R"({"a":)", JsonFault::kNotJson},
      {"", JsonFault::kNotJson},
      {"{\"a\":\"\xff\"}", JsonFault::kNotJson},
      {std::string(40, '['), JsonFault::kNotJson},
      {"{\"a\":\"" + std::string(2000, 'x') + "\"}", JsonFault::kTooLarge},
  };
  for (const auto& [text, expected] : cases) {
    JsonFault fault{};
    EXPECT_FALSE(ParseStrictObject(text, 1000, fault)) << text;
    EXPECT_EQ(fault, expected) << text;
  }
  JsonFault fault{};
  const auto object = ParseStrictObject(R"({"a":{"k":"1"},"b":{"k":"2"},"k":"3"})", 1000, fault);
  ASSERT_TRUE(object);
  EXPECT_EQ(StringMember(*object, "k"), "3");
  EXPECT_EQ(StringMember(*object, "a"), std::nullopt);
}

}  // namespace
}  // namespace latchkey::crypto
