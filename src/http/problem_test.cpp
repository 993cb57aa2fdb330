#include "http/problem.hpp"

#include <gtest/gtest.h>

namespace latchkey::http {
namespace {

std::string HeaderOf(const Response& response, std::string_view name) {
  for (const Header& header : response.headers) {
    if (EqualsIgnoreCase(header.name, name)) return header.value;
  }
  return {};
}

TEST(Problem, HasTheShapeOfRfc9457AndNoDetail) {
  const Error error{.code = ErrorCode::kNotFound, .detail = "row 7 of table secrets", .retry_after = std::nullopt};
  const Response response = MakeProblem(error, "REF1");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(HeaderOf(response, "content-type"), "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"about:blank","title":"Not found","status":404,"code":"not_found","ref":"REF1"})");
}

TEST(Problem, SaysWhatToChangeInARequestThatIsNotValid) {
  const Error error{.code = ErrorCode::kInvalidArgument, .detail = "limit is from 1 to 100", .retry_after = {}};
  EXPECT_EQ(MakeProblem(error, "REF1").body,
            R"({"type":"about:blank","title":"The request is not valid","status":400,"code":"invalid_argument",)"
            R"("detail":"limit is from 1 to 100","ref":"REF1"})");
}

TEST(Problem, SaysHowLongToWaitRoundedUp) {
  const Error error{.code = ErrorCode::kTooManyRequests, .detail = {}, .retry_after = std::chrono::milliseconds(1001)};
  EXPECT_EQ(HeaderOf(MakeProblem(error, "R"), "retry-after"), "2");
  EXPECT_EQ(HeaderOf(MakeProblem(ErrorCode::kTooManyRequests, "R"), "retry-after"), "1");
}

TEST(Problem, EveryCodeHasAClientOrServerStatus) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    const ProblemKind kind = ProblemOf(static_cast<ErrorCode>(code));
    EXPECT_GE(kind.status, 400);
    EXPECT_LE(kind.status, 599);
    EXPECT_FALSE(kind.title.empty());
  }
}

}  // namespace
}  // namespace latchkey::http
