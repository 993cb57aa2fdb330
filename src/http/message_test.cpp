#include "http/message.hpp"

#include <gtest/gtest.h>

namespace latchkey::http {
namespace {

TEST(Request, FindsHeadersWhateverTheirCaseAndNoneThatIsRepeated) {
  Request request;
  request.headers = {{"X-One", "1"}, {"X-Two", "a"}, {"x-two", "b"}, {"Accept", "a"}, {"Accept", "b"}};
  EXPECT_EQ(request.FindHeader("x-ONE"), "1");
  EXPECT_EQ(request.FindHeader("X-Two"), std::nullopt);
  EXPECT_EQ(request.FindHeader("Accept"), "a");
  EXPECT_EQ(request.FindHeader("X-Three"), std::nullopt);
}

TEST(Request, TwoCookieLinesNameNobody) {
  Request request;
  request.headers = {{"Cookie", "s=1"}, {"Cookie", "t=2"}};
  EXPECT_EQ(request.FindCookie("s"), std::nullopt);
  request.headers.pop_back();
  EXPECT_EQ(request.FindCookie("s"), "1");
}

TEST(Request, KnowsRepeatedQueryParameters) {
  Request request;
  request.query = {{"code", "1"}, {"state", "x"}, {"code", "2"}};
  EXPECT_EQ(request.FindQuery("code"), "1");
  EXPECT_TRUE(request.HasRepeatedQuery("code"));
  EXPECT_FALSE(request.HasRepeatedQuery("state"));
  EXPECT_EQ(request.FindQuery("none"), std::nullopt);
}

TEST(IsMediaType, LooksAtTheTypeAlone) {
  EXPECT_TRUE(IsMediaType("application/json", "application/json"));
  EXPECT_TRUE(IsMediaType("Application/JSON ; charset=utf-8", "application/json"));
  EXPECT_FALSE(IsMediaType("application/jsonx", "application/json"));
  EXPECT_FALSE(IsMediaType("text/plain; application/json", "application/json"));
  EXPECT_FALSE(IsMediaType("", "application/json"));
}

TEST(Response, SetReplacesAndAddRepeats) {
  Response response;
  response.AddHeader("Set-Cookie", "a=1");
  response.AddHeader("Set-Cookie", "b=2");
  response.SetHeader("X", "1");
  response.SetHeader("x", "2");
  ASSERT_EQ(response.headers.size(), 3u);
  EXPECT_EQ(response.headers[2].value, "2");
}

}  // namespace
}  // namespace latchkey::http
