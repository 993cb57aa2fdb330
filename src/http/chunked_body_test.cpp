#include "http/chunked_body.hpp"

#include <gtest/gtest.h>

namespace latchkey::http {
namespace {

TEST(ChunkedBody, DecodesTheSameHoweverItIsCutUp) {
  const std::string_view text = "5\r\nhello\r\n00A\r\n, 10 bytes\r\n000\r\n\r\n";
  for (std::size_t step = 1; step <= text.size() + 5; ++step) {
    ChunkedBody chunks(100);
    std::string input(text);
    input += "NEXT";
    std::size_t begin = 0;
    while (!chunks.done()) {
      const auto used = chunks.Feed(std::string_view(input).substr(begin, step));
      ASSERT_TRUE(used) << step;
      begin += *used;
    }
    EXPECT_EQ(chunks.body(), "hello, 10 bytes");
    EXPECT_EQ(begin, text.size()) << "the next request is left alone";
  }
}

TEST(ChunkedBody, RefusesEverythingElse) {
  for (const char* text : {"\r\n", "x\r\n", "5;a=b\r\nhello\r\n", "5 \r\nhello\r\n", " 5\r\nhello\r\n", "0x5\r\n",
                           "+5\r\n", "5\nhello\r\n", "5\r\nhelloX", "5\r\nhello\n", "5\r\nhello\rX",
                           "0\r\nA: b\r\n\r\n", "0\r\n\n", "0\r\n\rX", "5\rX", "fffffffffffffffff\r\n"}) {
    ChunkedBody chunks(100);
    const auto used = chunks.Feed(text);
    ASSERT_FALSE(used) << text;
    EXPECT_EQ(used.error().status, 400);
  }
}

TEST(ChunkedBody, LimitsTheDecodedBody) {
  ChunkedBody exact(5);
  EXPECT_TRUE(exact.Feed("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"));
  EXPECT_TRUE(exact.done());
  ChunkedBody over(5);
  EXPECT_EQ(over.Feed("2\r\nab\r\n4\r\n").error().status, 413);
  ChunkedBody huge(5);
  EXPECT_EQ(huge.Feed("ffffffffffff\r\n").error().status, 413);
}

}  // namespace
}  // namespace latchkey::http
