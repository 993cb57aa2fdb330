#include "tests/integration/support/contract.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Validate(std::string_view schema, std::string_view value) {
  return Contract::Shared().Validate(bj::parse(value), bj::parse(schema));
}

TEST(ContractChecker, AcceptsWhatFits) {
  EXPECT_THAT(
      Validate(R"({"type":"object","required":["a"],"properties":{"a":{"type":["string","null"]}}})", R"({"a":null})"),
      IsEmpty());
  EXPECT_THAT(Validate(R"({"oneOf":[{"type":"integer","minimum":0},{"type":"null"}]})", "3"), IsEmpty());
  EXPECT_THAT(Validate(R"({"type":"object","additionalProperties":{"type":"integer"}})", R"({"x":1})"), IsEmpty());
}

TEST(ContractChecker, RefusesMissingUnknownAndMistypedMembers) {
  constexpr auto kSchema = R"({"type":"object","required":["a"],"properties":{"a":{"type":"string"}}})";
  EXPECT_THAT(Validate(kSchema, "{}"), Contains(HasSubstr("lacks a")));
  EXPECT_THAT(Validate(kSchema, R"({"a":"x","b":1})"), Contains(HasSubstr("does not know: b")));
  EXPECT_THAT(Validate(kSchema, R"({"a":1})"), Contains(HasSubstr("type")));
}

TEST(ContractChecker, KnowsMembersOfAllPartsOfAnAllOf) {
  constexpr auto kSchema = R"({"allOf":[{"type":"object","properties":{"a":{"type":"string"}}},
                                        {"type":"object","properties":{"b":{"type":"integer"}}}]})";
  EXPECT_THAT(Validate(kSchema, R"({"a":"x","b":1})"), IsEmpty());
  EXPECT_THAT(Validate(kSchema, R"({"a":"x","c":1})"), Contains(HasSubstr("does not know: c")));
}

TEST(ContractChecker, ChecksFormatsEnumsAndBounds) {
  EXPECT_THAT(Validate(R"({"type":"string","format":"uuid"})", R"("x")"), Contains(HasSubstr("no id")));
  EXPECT_THAT(Validate(R"({"type":"string","format":"date-time"})", R"("yesterday")"),
              Contains(HasSubstr("no instant")));
  EXPECT_THAT(Validate(R"({"enum":["a","b"]})", R"("c")"), Contains(HasSubstr("enum")));
  EXPECT_THAT(Validate(R"({"type":"integer","minimum":0})", "-1"), Contains(HasSubstr("minimum")));
}

TEST(ContractChecker, RefusesStatusesAndTypesThatTheContractDoesNotName) {
  HttpCall call;
  call.url = "http://localhost:1/health";
  HttpReply reply;
  reply.status = 201;
  EXPECT_THAT(Contract::Shared().Check(call, reply), Contains(HasSubstr("does not know this status")));
  reply.status = 200;
  reply.headers = {{"Content-Type", "text/plain"}};
  EXPECT_THAT(Contract::Shared().Check(call, reply), Contains(HasSubstr("content type")));
  call.url = "http://localhost:1/api/v1/no-such-thing";
  EXPECT_THAT(Contract::Shared().Check(call, reply), Contains(HasSubstr("no such operation")));
}

// Runs after every test of the program: an operation that none of them showed was not held against the contract.
class EveryOperationWasExercised : public ::testing::Environment {
 public:
  void TearDown() override {
    const auto& unit = *::testing::UnitTest::GetInstance();
    if (unit.test_to_run_count() != unit.total_test_count()) return;  // A filter chose some.
    EXPECT_THAT(Contract::Shared().NeverExercised(), IsEmpty());
  }
};
[[maybe_unused]] const auto* const kEnvironment = ::testing::AddGlobalTestEnvironment(new EveryOperationWasExercised);

}  // namespace
}  // namespace latchkey::integration
