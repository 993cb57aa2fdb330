#include "simulator/http/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace latchkey::simulator {
namespace {

using ::testing::ElementsAre;

TEST(Request, TargetIsSplitIntoDecodedSegmentsAndQuery) {
  Request request;
  request.SetTarget("/gmail/v1/users/a%40example.com/messages?labelIds=A&labelIds=B+C&q=x%3Ay");
  EXPECT_EQ(request.path, "/gmail/v1/users/a%40example.com/messages");
  EXPECT_THAT(request.segments, ElementsAre("gmail", "v1", "users", "a@example.com", "messages"));
  EXPECT_THAT(request.query.All("labelIds"), ElementsAre("A", "B C"));
  EXPECT_EQ(request.query.Get("q"), "x:y");
  EXPECT_EQ(request.query.Find("missing"), nullptr);
}

TEST(Request, AbsoluteTargetLosesItsAuthority) {
  Request request;
  request.SetTarget("http://localhost:1/batch/gmail/v1");
  EXPECT_EQ(request.path, "/batch/gmail/v1");
}

TEST(Request, EncodedSlashStaysWithinItsSegment) {
  Request request;
  request.SetTarget("/a/b%2Fc");
  EXPECT_THAT(request.segments, ElementsAre("a", "b/c"));
}

TEST(Parameters, BrokenEscapesStayAsTheyStand) { EXPECT_EQ(Parameters::Parse("a=%zz%4").Get("a"), "%zz%4"); }

TEST(Headers, NamesCompareWithoutCaseAndSetReplacesAll) {
  Headers headers{{"X-One", "1"}, {"x-one", "2"}};
  EXPECT_EQ(headers.Get("X-ONE"), "1");
  headers.Set("x-One", "3");
  EXPECT_EQ(headers.Get("X-One"), "3");
  EXPECT_EQ(std::distance(headers.begin(), headers.end()), 1);
}

}  // namespace
}  // namespace latchkey::simulator
