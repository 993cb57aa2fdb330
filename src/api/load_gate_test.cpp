#include "api/load_gate.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace latchkey::api {
namespace {

TEST(LoadGate, TheLeastUrgentAreToldFirstAndHealthNever) {
  LoadGate gate({.sign_in = 3, .ordinary = 2, .later = 1});
  std::vector<LoadGate::Ticket> at_work;
  const auto enter = [&](Urgency urgency) {
    auto ticket = gate.Enter(urgency);
    if (!ticket) {
      EXPECT_EQ(ticket.error().code, ErrorCode::kOverloaded);
      EXPECT_TRUE(ticket.error().retry_after);
      return false;
    }
    at_work.push_back(std::move(*ticket));
    return true;
  };
  EXPECT_TRUE(enter(Urgency::kLater));
  EXPECT_FALSE(enter(Urgency::kLater));
  EXPECT_TRUE(enter(Urgency::kOrdinary));
  EXPECT_FALSE(enter(Urgency::kOrdinary));
  EXPECT_TRUE(enter(Urgency::kSignIn));
  EXPECT_FALSE(enter(Urgency::kSignIn));
  EXPECT_TRUE(enter(Urgency::kAlways));
  EXPECT_EQ(gate.at_work(), 4u);
  at_work.clear();
  EXPECT_EQ(gate.at_work(), 0u);
  EXPECT_TRUE(enter(Urgency::kLater));
}

}  // namespace
}  // namespace latchkey::api
