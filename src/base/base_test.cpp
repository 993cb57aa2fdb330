#include <gtest/gtest.h>

#include <set>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/id.hpp"
#include "base/secret.hpp"

namespace latchkey {
namespace {

TEST(Instant, FormatsWithSixDigitsAndReadsBackAnyOffset) {
  const auto instant = ParseInstant("2026-03-01T01:02:03.4567891+02:00");
  ASSERT_TRUE(instant);
  EXPECT_EQ(FormatInstant(*instant), "2026-02-28T23:02:03.456789Z");
  EXPECT_EQ(ParseInstant(FormatInstant(*instant)), instant);
}

TEST(Instant, RefusesWhatRfc3339DoesNotAllow) {
  for (const char* text : {"", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
                           "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx", "2026-1-01T00:00:00Z"}) {
    EXPECT_FALSE(ParseInstant(text)) << text;
  }
}

TEST(Base64, ReadsItsOwnOutputForEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(Base64Decode(Base64Encode(bytes)), bytes);
    EXPECT_EQ(Base64UrlDecode(Base64UrlEncode(bytes)), bytes);
    EXPECT_EQ(HexDecode(HexEncode(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
}

TEST(Base64, AcceptsPaddedUrlSafeAndRefusesSecondSpellings) {
  EXPECT_EQ(Base64UrlDecode("Zg=="), "f");
  EXPECT_EQ(Base64UrlDecode("Zg"), "f");
  EXPECT_FALSE(Base64UrlDecode("Zh"));
  EXPECT_FALSE(Base64UrlDecode("Z"));
  EXPECT_FALSE(Base64UrlDecode("Zg="));
  EXPECT_FALSE(Base64Decode("Zg"));
  EXPECT_FALSE(Base64Decode("Z g="));
}

TEST(Uuid, IsVersionSevenAndRisesWithinOneMillisecond) {
  std::string last;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = NewUuid(Instant(std::chrono::milliseconds(1'700'000'000'000)));
    ASSERT_TRUE(IsUuid(id));
    EXPECT_EQ(id[14], '7');
    EXPECT_GT(id, last);
    last = id;
  }
}

TEST(Secret, PrintsStars) {
  const SecretString secret{std::string("hunter2")};
  EXPECT_EQ(fmt::format("{}", secret), "***");
}

TEST(Error, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  const int last = static_cast<int>(ErrorCode::kInternal);
  for (int i = 0; i <= last; ++i) names.insert(ToString(static_cast<ErrorCode>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(last) + 1);
}

}  // namespace
}  // namespace latchkey
