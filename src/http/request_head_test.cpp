#include "http/request_head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace latchkey::http {
namespace {

/// The status a head is refused with; 0 when it is accepted.
int Refused(std::string_view head) {
  const auto parsed = ParseRequestHead(head, HeadLimits());
  return parsed ? 0 : parsed.error().status;
}

std::string WithFields(std::string_view fields) {
  return "POST /x HTTP/1.1\r\nHost: a.example\r\n" + std::string(fields) + "\r\n";
}

TEST(RequestHead, ReadsAnOrdinaryRequest) {
  const std::string text = "GET /a?b=c HTTP/1.1\r\nHost: a.example:80\r\nX-Empty:\r\nx-padded: \t v w\t \r\n\r\n";
  const auto head = ParseRequestHead(text, HeadLimits());
  ASSERT_TRUE(head) << head.error().reason;
  EXPECT_EQ(head->method, Method::kGet);
  EXPECT_EQ(head->target, "/a?b=c");
  EXPECT_EQ(head->host, "a.example:80");
  ASSERT_EQ(head->fields.size(), 3u);
  EXPECT_EQ(head->fields[1].second, "");
  EXPECT_EQ(head->fields[2].second, "v w");
  EXPECT_TRUE(head->keep_alive);
  EXPECT_FALSE(head->chunked);
  EXPECT_EQ(head->content_length, std::nullopt);
}

TEST(RequestHead, KnowsWhetherTheConnectionStays) {
  const auto keeps = [](std::string_view version, std::string_view connection) {
    const std::string text =
        "GET / " + std::string(version) + "\r\nHost: a\r\nConnection: " + std::string(connection) + "\r\n\r\n";
    return ParseRequestHead(text, HeadLimits())->keep_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1", "upgrade"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Close"));
  EXPECT_FALSE(keeps("HTTP/1.1", "keep-alive, close"));
  EXPECT_FALSE(keeps("HTTP/1.0", "upgrade"));
  EXPECT_TRUE(keeps("HTTP/1.0", "x, Keep-Alive"));
}

TEST(RequestHead, RefusesAmbiguousFraming) {
  EXPECT_EQ(Refused(WithFields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(Refused(WithFields("Content-Length: 5\r\nContent-Length: 5\r\n")), 400);
  EXPECT_EQ(Refused(WithFields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(Refused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  for (const char* value : {"5, 5", "+5", "-1", "0x5", "5 5", "", "1e3", "99999999999999999999", "5\t6"}) {
    EXPECT_EQ(Refused(WithFields("Content-Length: " + std::string(value) + "\r\n")), 400) << value;
  }
  for (const char* value : {"gzip", "identity", "gzip, chunked", "chunked, gzip", "xchunked", "chunked;q=1", ""}) {
    EXPECT_EQ(Refused(WithFields("Transfer-Encoding: " + std::string(value) + "\r\n")), 501) << value;
  }
  EXPECT_EQ(Refused(WithFields("Transfer-Encoding: CHUNKED\r\n")), 0);
  EXPECT_EQ(Refused(WithFields("Content-Length: 005\r\n")), 0);
}

TEST(RequestHead, RefusesUnclearHosts) {
  EXPECT_EQ(Refused("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(Refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"), 400);
  for (const char* host : {"", "a b", "a,b", "u@a", "a/b", "a:b", "a:123456", "[::1", "[]", "[g::]", "[::1]x", ":80",
                           "a?b", "a#b", "\xc3\xa9.example", "a:80:90", "a\\b"}) {
    EXPECT_EQ(Refused("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  }
  for (const char* host : {"a", "a.example", "127.0.0.1:8000", "[::1]", "[::1]:8000", "localhost:", "a_b.example"}) {
    EXPECT_EQ(Refused("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 0) << host;
  }
}

TEST(RequestHead, RefusesBadFieldSyntax) {
  for (const char* fields :
       {"X : y\r\n", " X: y\r\n", "X: a\r\n folded\r\n", "X: a\r\n\tfolded\r\n", ": y\r\n", "X\r\n", "X y: z\r\n",
        "X\xc3\xa9: y\r\n",
        "X: a\x01"
        "b\r\n",
        "X: a\x7f\r\n", "X: a\rb\r\n", "X: a\nY: b\r\n", "X: a\n\r\n", "\r: x\r\n", "X\t: y\r\n", "(X): y\r\n"}) {
    EXPECT_EQ(Refused(WithFields(fields)), 400) << fields;
  }
  EXPECT_EQ(Refused(WithFields(std::string_view("X: a\0b\r\n", 8))), 400);
  EXPECT_EQ(Refused(WithFields("X: \xc3\xa9\r\n")), 0);
}

TEST(RequestHead, RefusesBadRequestLines) {
  for (const char* line : {"GET  / HTTP/1.1", "GET /", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET\t/ HTTP/1.1",
                           "GET / http/1.1", "GET / HTTP/11", "GET / HTTP/1.x", "G(T / HTTP/1.1", "GET /a b HTTP/1.1",
                           "GET /#f HTTP/1.1", "GET /\xc3\xa9 HTTP/1.1", "GET /\x7f HTTP/1.1", "GET /\" HTTP/1.1",
                           "ABCDEFGHIJKLMNOPQ / HTTP/1.1", "", "GET"}) {
    EXPECT_EQ(Refused(std::string(line) + "\r\nHost: a\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(Refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(Refused("PRI * HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(Refused("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(Refused("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
}

TEST(RequestHead, TakesTheAbsoluteFormOnlyForTheHostThatHostNames) {
  const std::string text = "GET http://A.example/p?q HTTP/1.1\r\nHost: a.example\r\n\r\n";
  const auto head = ParseRequestHead(text, HeadLimits());
  ASSERT_TRUE(head);
  EXPECT_EQ(head->target, "/p?q");
  for (const char* target : {"http://b.example/", "http://a.example:81/", "http://u@a.example/", "ftp://a.example/",
                             "a.example:80", "a.example", "http://a.example?x", "http:///", "http://a.example\\@b/"}) {
    EXPECT_EQ(Refused("GET " + std::string(target) + " HTTP/1.1\r\nHost: a.example\r\n\r\n"), 400) << target;
  }
  EXPECT_EQ(Refused("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(Refused("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
}

TEST(RequestHead, LimitsFieldsAndTarget) {
  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "X: y\r\n";
  EXPECT_EQ(Refused(WithFields(fields)), 0);
  EXPECT_EQ(Refused(WithFields(fields + "X: y\r\n")), 431);
  const std::string target(8 << 10, 'a');
  EXPECT_EQ(Refused("GET /" + target.substr(1) + " HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  EXPECT_EQ(Refused("GET /" + target + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
}

TEST(RequestHead, KnowsOneExpectation) {
  const std::string text = WithFields("Expect: 100-Continue\r\nContent-Length: 1\r\n");
  EXPECT_TRUE(ParseRequestHead(text, HeadLimits())->expects_continue);
  EXPECT_EQ(Refused(WithFields("Expect: 200-ok\r\n")), 417);
}

TEST(Target, DecodesPathAndQueryOnce) {
  const auto target = ParseTarget("/a%20b/%252e?x=1%2B2&y=a+b&x=&z&&=e&%C3%A9=%0A");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a b/%2e");
  const std::vector<std::pair<std::string, std::string>> expected = {{"x", "1+2"}, {"y", "a b"}, {"x", ""},
                                                                     {"z", ""},    {"", "e"},    {"\xc3\xa9", "\n"}};
  EXPECT_EQ(target->query, expected);
}

TEST(Target, RefusesPathsWithTwoReadings) {
  for (const char* target :
       {"/a%2Fb", "/a%2fb", "/a%5Cb", "/a\\b",    "/a/../b", "/..",  "/.",    "/a/.", "/a/./b",  "/%2e%2e/b",
        "/%2E/b", "/.%2e",  "/a%00",  "/a%0d%0a", "/a%",     "/a%4", "/a%zz", "/%ff", "/%c0%af", "/%7f"}) {
    EXPECT_FALSE(ParseTarget(target)) << target;
  }
  for (const char* target : {"/.well-known/x", "/a/..b", "/a...", "/a//b", "/%E4%BD%A0"}) {
    EXPECT_TRUE(ParseTarget(target)) << target;
  }
}

TEST(Target, RefusesBrokenQueries) {
  for (const char* query : {"a=%", "a=%0", "a=%00", "a=%ff", "%zz=1", "a=%1b"}) {
    EXPECT_FALSE(ParseTarget("/?" + std::string(query))) << query;
  }
  std::string many = "/?";
  for (int i = 0; i < 100; ++i) many += "a=1&";
  EXPECT_TRUE(ParseTarget(many));
  EXPECT_FALSE(ParseTarget(many + "a=1"));
}

}  // namespace
}  // namespace latchkey::http
