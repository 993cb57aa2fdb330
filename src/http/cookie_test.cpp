#include "http/cookie.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace latchkey::http {
namespace {

TEST(FormatSetCookie, IsStrictAndBoundToTheHostByDefault) {
  EXPECT_EQ(FormatSetCookie({.name = "__Host-s", .value = "abc"}),
            "__Host-s=abc; Path=/; Secure; HttpOnly; SameSite=Strict");
}

TEST(FormatSetCookie, WritesWhatIsAskedFor) {
  EXPECT_EQ(FormatSetCookie({.name = "t",
                             .value = "",
                             .same_site = SameSite::kLax,
                             .secure = false,
                             .http_only = false,
                             .max_age = std::chrono::seconds(0)}),
            "t=; Path=/; Max-Age=0; SameSite=Lax");
}

TEST(FormatSetCookie, RefusesWhatACookieCannotHold) {
  for (const char* value : {"a;b", "a b", "a,b", "a\"b", "a\\b", "a\r\nSet-Cookie: x=y", "\x7f", "\xc3\xa9"}) {
    EXPECT_THROW(FormatSetCookie({.name = "s", .value = value}), std::invalid_argument) << value;
  }
  for (const char* name : {"", "a b", "a=b", "a;", "\n"}) {
    EXPECT_THROW(FormatSetCookie({.name = name, .value = "v"}), std::invalid_argument) << name;
  }
  EXPECT_THROW(FormatSetCookie({.name = "__Host-s", .value = "v", .secure = false}), std::invalid_argument);
}

TEST(FindCookie, ComparesNamesByteByByte) {
  EXPECT_EQ(FindCookie("a=1; __Host-s=x; b=2", "__Host-s"), "x");
  EXPECT_EQ(FindCookie("__host-s=x", "__Host-s"), std::nullopt);
  EXPECT_EQ(FindCookie("x__Host-s=x", "__Host-s"), std::nullopt);
  EXPECT_EQ(FindCookie("__Host-s =x", "__Host-s"), std::nullopt);
  EXPECT_EQ(FindCookie("__Host-s", "__Host-s"), std::nullopt);
  EXPECT_EQ(FindCookie("", "__Host-s"), std::nullopt);
}

TEST(FindCookie, FindsNobodyWhenTheHeaderIsAmbiguous) {
  EXPECT_EQ(FindCookie("s=1; s=2", "s"), std::nullopt);
  EXPECT_EQ(FindCookie("s=; s=2", "s"), std::nullopt);
  EXPECT_EQ(FindCookie("s=1; s=1", "s"), "1");
}

TEST(FindCookie, FindsNobodyWhenTheValueIsNotOne) {
  for (const char* header : {"s=\"1\"", "s=a b", "s=a,b", "s=a\\b", "s=1\x7f", "s=\xc3\xa9", "s=1 ; t=2"}) {
    EXPECT_EQ(FindCookie(header, "s"), std::nullopt) << header;
  }
}

}  // namespace
}  // namespace latchkey::http
