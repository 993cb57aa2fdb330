// Every sample payload belongs to exactly one case, and means exactly what the case says.
#include "tests/examples/example.hpp"

namespace latchkey::examples {
namespace {

const Claims& AllClaims() {
  static const Claims kClaims = [] {
    Claims claims;
    ClaimGoogleIdentity(claims);
    ClaimGmail(claims);
    ClaimCalendar(claims);
    ClaimMicrosoftIdentity(claims);
    ClaimGraphMail(claims);
    ClaimGraphErrors(claims);
    ClaimGraphCalendar(claims);
    ClaimPush(claims);
    return claims;
  }();
  return kClaims;
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& [name, checks] : AllClaims().checks()) names.push_back(name);
  return names;
}

TEST(Examples, EveryFileIsClaimedByExactlyOneCase) {
  if (All().empty()) GTEST_SKIP() << "no examples at " << Folder() << ": set LATCHKEY_EXAMPLES to run this test";
  for (const auto& [name, example] : All()) {
    const auto found = AllClaims().checks().find(name);
    EXPECT_NE(found, AllClaims().checks().end()) << name << ": nobody says what it means";
    if (found != AllClaims().checks().end()) {
      EXPECT_EQ(found->second.size(), 1u) << name << ": claimed more than once";
    }
  }
}

class EachExample : public ::testing::TestWithParam<std::string> {};

TEST_P(EachExample, MeansWhatItsCaseSays) {
  if (All().empty()) GTEST_SKIP() << "no examples at " << Folder() << ": set LATCHKEY_EXAMPLES to run this test";
  const auto found = All().find(GetParam());
  ASSERT_NE(found, All().end()) << "there is no such file";
  for (const Check& check : AllClaims().checks().at(GetParam())) check(found->second);
}

INSTANTIATE_TEST_SUITE_P(Files, EachExample, ::testing::ValuesIn(Names()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
});

}  // namespace
}  // namespace latchkey::examples
