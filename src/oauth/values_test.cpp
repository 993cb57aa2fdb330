#include "oauth/values.hpp"

#include <gtest/gtest.h>

#include <set>

namespace latchkey::oauth {
namespace {

TEST(Pkce, GivesTheChallengeOfRfc7636AppendixB) {
  const auto verifier = PkceVerifier::Parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  ASSERT_TRUE(verifier);
  EXPECT_EQ(verifier->Challenge().text(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST(Pkce, VerifiersHaveTheLengthAndAlphabetOfSection41) {
  EXPECT_FALSE(PkceVerifier::Parse(std::string(42, 'a')));
  EXPECT_TRUE(PkceVerifier::Parse(std::string(43, 'a')));
  EXPECT_TRUE(PkceVerifier::Parse(std::string(128, '~')));
  EXPECT_FALSE(PkceVerifier::Parse(std::string(129, 'a')));
  EXPECT_FALSE(PkceVerifier::Parse(std::string(43, '+')));
  EXPECT_TRUE(PkceVerifier::Parse(PkceVerifier::Generate().secret().Reveal()));
}

TEST(State, IsNewEachTimeAndReadsBackOnlyInItsOwnForm) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(State::Generate().text());
  EXPECT_EQ(seen.size(), 1000U);
  const State state = State::Generate();
  EXPECT_EQ(State::Parse(state.text()).value(), state);
  EXPECT_FALSE(State::Parse(state.text() + "A"));
  EXPECT_FALSE(State::Parse(""));
  EXPECT_FALSE(State::Parse(std::string(43, '=')));
}

}  // namespace
}  // namespace latchkey::oauth
