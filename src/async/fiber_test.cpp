#include "async/fiber.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace latchkey {
namespace {

TEST(Fiber, RunsInTurnsWithItsResumer) {
  std::string order;
  Fiber fiber([&] {
    order += "a";
    Fiber::Suspend();
    order += "b";
    Fiber::Suspend();
    order += "c";
  });
  EXPECT_EQ(order, "") << "not before the first Resume";
  for (const char* mark : {"1", "2", "3"}) {
    fiber.Resume();
    order += mark;
  }
  EXPECT_EQ(order, "a1b2c3");
  EXPECT_TRUE(fiber.Ended());
  fiber.Resume();
  EXPECT_EQ(order, "a1b2c3");
}

TEST(Fiber, KnowsWhereItRuns) {
  Fiber* seen = nullptr;
  Fiber fiber([&] { seen = Fiber::Current(); });
  EXPECT_EQ(Fiber::Current(), nullptr);
  fiber.Resume();
  EXPECT_EQ(seen, &fiber);
  EXPECT_EQ(Fiber::Current(), nullptr);
}

TEST(Fiber, OneThatNeverBeganLeavesNothingBehind) {
  auto kept = std::make_shared<int>(1);
  {
    Fiber fiber([kept] { FAIL(); });
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(Fiber, WhatABodyHoldsGoesAtItsEnd) {
  auto kept = std::make_shared<int>(1);
  Fiber fiber([kept] {
    const auto copy = kept;
    Fiber::Suspend();
  });
  fiber.Resume();
  EXPECT_EQ(kept.use_count(), 3);
  fiber.Resume();
  EXPECT_EQ(kept.use_count(), 1);
}

/// Throws, and suspends at every stage of the exception's life.
void ThrowInTurns(const std::string& text, std::string& caught) {
  struct SuspendsWhenUnwound {
    ~SuspendsWhenUnwound() {
      EXPECT_EQ(std::uncaught_exceptions(), 1);
      Fiber::Suspend();
      EXPECT_EQ(std::uncaught_exceptions(), 1);
    }
  };
  try {
    const SuspendsWhenUnwound unwound;
    throw std::runtime_error(text);
  } catch (const std::runtime_error& error) {
    Fiber::Suspend();
    try {
      throw;  // what is thrown again is this fiber's, whatever others caught meanwhile
    } catch (const std::runtime_error& again) {
      Fiber::Suspend();
      caught = again.what();
    }
  }
}

TEST(Fiber, ExceptionsOfSeveralDoNotMix) {
  std::array<std::string, 3> caught;
  std::vector<std::unique_ptr<Fiber>> fibers;
  for (std::size_t i = 0; i < caught.size(); ++i) {
    fibers.push_back(std::make_unique<Fiber>([&, i] { ThrowInTurns("of fiber " + std::to_string(i), caught[i]); }));
  }
  for (int round = 0; round < 4; ++round) {
    for (auto& fiber : fibers) fiber->Resume();
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    EXPECT_EQ(std::current_exception(), nullptr);
  }
  for (std::size_t i = 0; i < caught.size(); ++i) {
    EXPECT_TRUE(fibers[i]->Ended());
    EXPECT_EQ(caught[i], "of fiber " + std::to_string(i));
  }
}

int Deep(int depth) {
  std::array<volatile char, 1000> frame{};
  frame[0] = static_cast<char>(depth);
  if (depth == 0) {
    Fiber::Suspend();
    return frame[0];
  }
  return Deep(depth - 1) + frame[0] - static_cast<char>(depth);
}

TEST(Fiber, StacksAreLargeAndUsedAgain) {
  for (int round = 0; round < 100; ++round) {
    std::vector<std::unique_ptr<Fiber>> fibers;
    for (int i = 0; i < 4; ++i) {
      fibers.push_back(std::make_unique<Fiber>([] { EXPECT_EQ(Deep(100), 0); }));
      fibers.back()->Resume();
    }
    for (auto& fiber : fibers) fiber->Resume();
    for (auto& fiber : fibers) EXPECT_TRUE(fiber->Ended());
  }
}

TEST(Fiber, EachThreadHasItsOwn) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 100; ++round) {
        int steps = 0;
        Fiber fiber([&] {
          for (int step = 0; step < 10; ++step) {
            ++steps;
            Fiber::Suspend();
          }
        });
        while (!fiber.Ended()) fiber.Resume();
        EXPECT_EQ(steps, 10);
      }
    });
  }
}

TEST(FiberDeathTest, AnOverflowMeetsTheGuardPage) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Fiber fiber([] { Deep(1 << 20); });
        fiber.Resume();
      },
      "");
}

}  // namespace
}  // namespace latchkey
