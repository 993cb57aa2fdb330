#include "http/trusted_proxies.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace latchkey::http {
namespace {

boost::asio::ip::address Address(const char* text) { return boost::asio::ip::make_address(text); }

TEST(TrustedProxies, BelieveForwardedAddressesFromTrustedPeersOnly) {
  const TrustedProxies proxies({"10.0.0.0/8", "::1", "2001:db8::/32"});
  const std::vector<Header> headers = {{"X-Forwarded-For", "192.0.2.9, 198.51.100.7"}};
  EXPECT_EQ(proxies.ClientAddress(Address("10.1.2.3"), headers), "198.51.100.7");
  EXPECT_EQ(proxies.ClientAddress(Address("::1"), headers), "198.51.100.7");
  EXPECT_EQ(proxies.ClientAddress(Address("::ffff:10.1.2.3"), headers), "198.51.100.7");
  EXPECT_EQ(proxies.ClientAddress(Address("11.1.2.3"), headers), "11.1.2.3");
  EXPECT_EQ(TrustedProxies({}).ClientAddress(Address("10.1.2.3"), headers), "10.1.2.3");
}

TEST(TrustedProxies, WalkBackwardsThroughTheirOwnKind) {
  const TrustedProxies proxies({"10.0.0.0/8"});
  const std::vector<Header> headers = {{"X-Forwarded-For", "192.0.2.1, 198.51.100.7"},
                                       {"x-forwarded-for", "10.0.0.2 ,10.0.0.3"}};
  EXPECT_EQ(proxies.ClientAddress(Address("10.0.0.1"), headers), "198.51.100.7");
  EXPECT_EQ(proxies.ClientAddress(Address("10.0.0.1"), {}), "10.0.0.1");
}

TEST(TrustedProxies, StopAtWhatIsNoAddress) {
  const TrustedProxies proxies({"10.0.0.0/8"});
  EXPECT_EQ(proxies.ClientAddress(Address("10.0.0.1"), {{"X-Forwarded-For", "192.0.2.1, evil, 10.0.0.2"}}), "10.0.0.2");
}

TEST(TrustedProxies, RefuseWhatIsNoNetwork) {
  for (const char* text : {"", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129", "10.0.0.0/-1"}) {
    EXPECT_THROW(TrustedProxies({text}), std::invalid_argument) << text;
  }
}

TEST(TrustedProxies, ComparePrefixesBitByBit) {
  const TrustedProxies proxies({"192.168.16.0/20", "0.0.0.0/32", "2001:db8:8000::/33"});
  EXPECT_TRUE(proxies.Contains(Address("192.168.31.255")));
  EXPECT_FALSE(proxies.Contains(Address("192.168.32.0")));
  EXPECT_TRUE(proxies.Contains(Address("2001:db8:ffff::1")));
  EXPECT_FALSE(proxies.Contains(Address("2001:db8:7fff::1")));
}

}  // namespace
}  // namespace latchkey::http
