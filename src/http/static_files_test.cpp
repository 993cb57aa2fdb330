#include "http/static_files.hpp"

#include <gtest/gtest.h>

namespace latchkey::http {
namespace {

constexpr Asset kAssets[] = {
    {.path = "/index.html",
     .content_type = "text/html; charset=utf-8",
     .etag = "\"1a\"",
     .identity = "plain",
     .gzip = "gz",
     .brotli = "br"},
    {.path = "/assets/a-1f.png", .content_type = "image/png", .etag = "\"2b\"", .identity = "png", .immutable = true},
};

std::string HeaderOf(const Response& response, std::string_view name) {
  for (const Header& header : response.headers) {
    if (EqualsIgnoreCase(header.name, name)) return header.value;
  }
  return {};
}

Request Get(std::string path, std::vector<Header> headers = {}) {
  Request request;
  request.path = std::move(path);
  request.headers = std::move(headers);
  return request;
}

TEST(StaticFiles, NegotiateTheEncoding) {
  const StaticFiles files(kAssets);
  const std::pair<const char*, const char*> table[] = {{"", "plain"},
                                                       {"gzip", "gz"},
                                                       {"gzip, deflate, br", "br"},
                                                       {"br;q=0, gzip", "gz"},
                                                       {"br;q=0.0,gzip;q=0.000", "plain"},
                                                       {"*", "br"},
                                                       {"*;q=0", "plain"},
                                                       {"br;q=0.001", "br"},
                                                       {"GZIP", "gz"},
                                                       {"br ; q=0", "plain"},
                                                       {"brx", "plain"},
                                                       {"*, br;q=0", "gz"}};
  for (const auto& [accept, body] : table) {
    const auto response = files.TryServe(Get("/index.html", {{"Accept-Encoding", accept}}));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->static_body, body) << accept;
    EXPECT_EQ(HeaderOf(*response, "vary"), "Accept-Encoding");
    EXPECT_EQ(HeaderOf(*response, "content-encoding"), response->static_body == "br"   ? "br"
                                                       : response->static_body == "gz" ? "gzip"
                                                                                       : "");
  }
}

TEST(StaticFiles, AnswerConditionalRequests) {
  const StaticFiles files(kAssets);
  for (const char* tag : {"\"1a\"", "W/\"1a\"", "\"x\", W/\"1a\"", "*"}) {
    const auto response = files.TryServe(Get("/index.html", {{"If-None-Match", tag}}));
    EXPECT_EQ(response->status, 304) << tag;
    EXPECT_EQ(response->static_body, "");
    EXPECT_EQ(HeaderOf(*response, "etag"), "W/\"1a\"");
  }
  EXPECT_EQ(files.TryServe(Get("/index.html", {{"If-None-Match", "\"1b\""}}))->status, 200);
}

TEST(StaticFiles, OnlyHashedNamesAreImmutable) {
  const StaticFiles files(kAssets);
  EXPECT_EQ(HeaderOf(*files.TryServe(Get("/index.html")), "cache-control"), "no-cache");
  EXPECT_EQ(HeaderOf(*files.TryServe(Get("/assets/a-1f.png")), "cache-control"), "public, max-age=31536000, immutable");
}

TEST(StaticFiles, ServeNothingElse) {
  const StaticFiles files(kAssets);
  EXPECT_FALSE(files.TryServe(Get("/none")));
  Request post = Get("/index.html");
  post.method = Method::kPost;
  EXPECT_FALSE(files.TryServe(post));
}

}  // namespace
}  // namespace latchkey::http
