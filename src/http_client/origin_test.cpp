#include "http_client/origin.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>

namespace latchkey::http_client {
namespace {

TEST(ParseOrigin, IsTheSameForEverySpellingOfAnOrigin) {
  for (const char* url : {"https://api.example.com", "https://API.Example.com/", "HTTPS://api.example.com:443/a?b#c"}) {
    const auto origin = ParseOrigin(url);
    ASSERT_TRUE(origin) << url;
    EXPECT_EQ(origin->text, "https://api.example.com");
    EXPECT_TRUE(origin->tls);
    EXPECT_FALSE(origin->loopback);
  }
  EXPECT_EQ(ParseOrigin("https://api.example.com:8443/x")->text, "https://api.example.com:8443");
}

TEST(ParseOrigin, AllowsPlainHttpOnLoopbackOnly) {
  for (const char* url : {"http://localhost:8000/", "http://127.0.0.1:1/", "http://127.3.4.5/", "http://[::1]:80/"}) {
    const auto origin = ParseOrigin(url);
    ASSERT_TRUE(origin) << url;
    EXPECT_TRUE(origin->loopback);
  }
  for (const char* url :
       {"http://example.com/", "http://127.0.0.1.example.com/", "http://10.0.0.1/", "http://[::2]/"}) {
    const auto origin = ParseOrigin(url);
    ASSERT_FALSE(origin) << url;
    EXPECT_EQ(origin.error().code, ErrorCode::kForbidden) << url;
  }
}

TEST(ParseOrigin, RefusesEverythingElse) {
  for (const char* url :
       {"", "/path", "example.com", "ftp://example.com/", "https://", "https:///x", "https://a@b.example/",
        "https://exa%6dple.com/", "https://a b/", "https://example.com:99999/", "javascript:alert(1)"}) {
    const auto origin = ParseOrigin(url);
    ASSERT_FALSE(origin) << url;
    EXPECT_EQ(origin.error().code, ErrorCode::kInvalidArgument) << url;
  }
}

AddressKind Kind(const char* text) {
  sockaddr_storage storage{};
  if (std::strchr(text, ':')) {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    EXPECT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  } else {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, text, &address.sin_addr), 1);
  }
  return KindOf(reinterpret_cast<sockaddr&>(storage));
}

TEST(KindOf, KnowsWhatIsReachableFromEverywhere) {
  for (const char* text : {"8.8.8.8", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"}) {
    EXPECT_EQ(Kind(text), AddressKind::kPublic) << text;
  }
  for (const char* text : {"127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_EQ(Kind(text), AddressKind::kLoopback) << text;
  }
  for (const char* text : {"0.0.0.0", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
                           "192.168.1.1", "224.0.0.1", "255.255.255.255", "::", "fe80::1", "fd00::1", "ff02::1",
                           "2001:db8::1", "2002:7f00:1::", "64:ff9b::a00:1", "::ffff:10.0.0.1"}) {
    EXPECT_EQ(Kind(text), AddressKind::kPrivate) << text;
  }
}

}  // namespace
}  // namespace latchkey::http_client
