#include "limits/redis_url.hpp"

#include <gtest/gtest.h>

namespace latchkey::limits {
namespace {

using Transport = RedisAddress::Transport;

TEST(RedisUrl, ReadsTheFormsOfOtherClients) {
  struct Case {
    std::string url;
    Transport transport;
    std::string host;
    unsigned short port;
    std::string user, password;
    int database;
    std::string display;
  };
  const Case cases[] = {
      {"redis://localhost", Transport::kTcp, "localhost", 6379, "", "", 0, "redis://localhost:6379/0"},
      {"redis://localhost:6379/0", Transport::kTcp, "localhost", 6379, "", "", 0, "redis://localhost:6379/0"},
      {"redis://redis.example.net:7000/3", Transport::kTcp, "redis.example.net", 7000, "", "", 3,
       "redis://redis.example.net:7000/3"},
      {"redis://:s%40cret@10.0.0.7/", Transport::kTcp, "10.0.0.7", 6379, "", "s@cret", 0, "redis://10.0.0.7:6379/0"},
      {"rediss://ada:p%3Aw@redis.example.net", Transport::kTls, "redis.example.net", 6379, "ada", "p:w", 0,
       "rediss://redis.example.net:6379/0"},
      {"redis://[2001:db8::1]:6380/1", Transport::kTcp, "2001:db8::1", 6380, "", "", 1, "redis://[2001:db8::1]:6380/1"},
      {"unix:///run/redis/redis.sock", Transport::kUnix, "", 6379, "", "", 0, "unix:///run/redis/redis.sock?db=0"},
      {"unix://:pw@/run/redis.sock?db=2", Transport::kUnix, "", 6379, "", "pw", 2, "unix:///run/redis.sock?db=2"},
  };
  for (const auto& expected : cases) {
    const auto address = ParseRedisUrl(expected.url);
    ASSERT_TRUE(address) << expected.url << ": " << address.error().what;
    EXPECT_EQ(address->transport, expected.transport) << expected.url;
    EXPECT_EQ(address->host, expected.host);
    EXPECT_EQ(address->port, expected.port);
    EXPECT_EQ(address->user, expected.user);
    EXPECT_EQ(address->password.Reveal(), expected.password);
    EXPECT_EQ(address->database, expected.database);
    EXPECT_EQ(address->Display(), expected.display);
  }
}

TEST(RedisUrl, RefusesTheRestWithAWordOnHowToWriteItAndNoneOfItsSecret) {
  const std::string urls[] = {
      "",
      "localhost:6379",
      "redis:localhost",
      "http://localhost:6379",
      "redis://",
      "redis://:hunter2@",
      "redis://host:port/0",
      "redis://host:70000/0",
      "redis://host:0/0",
      "redis://host/first",
      "redis://host/-1",
      "redis://host/0/1",
      "redis://host/99999999999",
      "redis://host/0?timeout=3",
      "redis://host/0#part",
      "redis://ada%3abridge.example/0",
      "redis://ada%5bbridge.example/0",
      "redis://[v1.a:b]/0",
      "redis://br%80cke.example/0",
      "redis://ada%3cb.example/0",
      "redis://hunter2@host",
      "redis://:hunter2#1@host",
      "redis://:hunter2%0d%0aFLUSHALL@host",
      "redis://:hunter2%zz@host",
      "unix://host/run/redis.sock",
      "unix:///",
      "unix:///run/redis.sock?db=",
      "unix:///run/redis.sock?db=0&x=hunter2",
      "unix:///" + std::string(120, 'a'),
      "redis://" + std::string(5000, 'a'),
  };
  for (const auto& url : urls) {
    const auto address = ParseRedisUrl(url);
    ASSERT_FALSE(address) << url;
    EXPECT_FALSE(address.error().what.empty()) << url;
    EXPECT_FALSE(address.error().remedy.empty()) << url;
    EXPECT_EQ((address.error().what + address.error().remedy).find("hunter2"), std::string::npos) << url;
  }
}

}  // namespace
}  // namespace latchkey::limits
