#include "http/client_network.hpp"

#include <gtest/gtest.h>

namespace latchkey::http {
namespace {

TEST(ClientNetwork, IsTheAddressOrItsSlash64) {
  EXPECT_EQ(ClientNetwork("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(ClientNetwork("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(ClientNetwork("2001:db8:1:2::"), "2001:db8:1:2::/64");
  EXPECT_EQ(ClientNetwork("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(ClientNetwork("unknown"), "unknown");
}

}  // namespace
}  // namespace latchkey::http
