#include "jobs/probe.hpp"

#include <gtest/gtest.h>

namespace latchkey::jobs {
namespace {

TEST(Probe, OneOfAllThatWaitTriesSoonAndKeepsDoingSo) {
  Probe probe;
  Instant now = FromMicros(1'800'000'000'000'000);
  EXPECT_EQ(probe.NextTry("google", now), Probe::kSoon);
  for (int others = 0; others < 100; ++others) EXPECT_EQ(probe.NextTry("google", now), Probe::kLong);
  EXPECT_EQ(probe.NextTry("microsoft", now), Probe::kSoon) << "another client, another fault";
  now += Probe::kSoon;
  EXPECT_EQ(probe.NextTry("google", now), Probe::kSoon) << "it comes back and stays the one";
  EXPECT_EQ(probe.NextTry("google", now), Probe::kLong);
}

TEST(Probe, SomebodyElseTakesOverWhenTheOneIsGone) {
  Probe probe;
  const Instant now = FromMicros(1'800'000'000'000'000);
  EXPECT_EQ(probe.NextTry("google", now), Probe::kSoon);
  EXPECT_EQ(probe.NextTry("google", now + std::chrono::minutes(10)), Probe::kSoon);
  EXPECT_EQ(probe.NextTry("google", now), Probe::kSoon) << "the clock was set back";
}

}  // namespace
}  // namespace latchkey::jobs
