#include "images/image_proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <deque>

#include "async/testing.hpp"
#include "images/image_type.hpp"

namespace latchkey::images {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;

const std::string kPng = "\x89PNG\r\n\x1a\n the rest"s;

class ScriptedHttp final : public http_client::HttpClient {
 public:
  struct Answer {
    int status = 200;
    std::string body;
    std::string location;
    std::optional<ErrorCode> failure;
  };
  std::deque<Answer> script;
  std::vector<http_client::HttpRequest> requests;

  Task<Result<http_client::HttpResponse>> Send(const http_client::HttpRequest& request) override {
    requests.push_back(request);
    if (script.empty()) co_return Fail(ErrorCode::kInternal);
    const Answer answer = script.front();
    script.pop_front();
    if (answer.failure) co_return Fail(*answer.failure);
    http_client::HttpResponse response{.status = answer.status, .headers = {}, .body = answer.body};
    if (!answer.location.empty()) response.headers.emplace_back("Location", answer.location);
    co_return response;
  }
  std::vector<std::string> urls() const {
    std::vector<std::string> all;
    for (const auto& request : requests) all.push_back(request.url);
    return all;
  }
};

class ImageProxyTest : public ::testing::Test {
 protected:
  Result<Image> Fetch(const std::string& url) {
    const auto ticket = proxy_.Open(proxy_.Seal(user_, message_, url));
    if (!ticket) return Fail(ticket.error());
    return latchkey::testing::RunTask(loop_, proxy_.Fetch(*ticket));
  }

  boost::asio::io_context loop_;
  ManualClock clock_{FromMicros(1'800'000'000'000'000)};
  ScriptedHttp http_;
  ImageProxy proxy_{loop_.get_executor(), http_,
                    crypto::SealedBox(SecretString("0123456789abcdef0123456789abcdef"), "image"), clock_};
  const UserId user_{"01890000-0000-7000-8000-000000000001"};
  const MessageId message_{"01890000-0000-7000-8000-000000000002"};
};

TEST_F(ImageProxyTest, AnImageIsFetchedWithNothingOfTheReader) {
  http_.script = {{.body = kPng}};
  const auto image = Fetch("https://cdn.example/a b.png?x=1#fragment");
  ASSERT_TRUE(image) << image.error().detail;
  EXPECT_EQ(image->media_type, "image/png");
  EXPECT_EQ(image->bytes, kPng);
  ASSERT_THAT(http_.urls(), ElementsAre("https://cdn.example/a%20b.png?x=1"));
  const auto& request = http_.requests[0];
  EXPECT_EQ(request.max_response_bytes, 5u << 20);
  for (const auto& [name, value] : request.headers) EXPECT_EQ(name, "Accept");
}

TEST_F(ImageProxyTest, ATokenNamesItsReaderAndEnds) {
  const std::string token = proxy_.Seal(user_, message_, "https://cdn.example/a.png");
  const auto ticket = proxy_.Open(token);
  ASSERT_TRUE(ticket);
  EXPECT_EQ(ticket->user_id, user_);
  EXPECT_EQ(ticket->message_id, message_);
  EXPECT_EQ(token.find("cdn"), std::string::npos);
  auto altered = token;
  altered[altered.size() / 2] = altered[altered.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(proxy_.Open(altered));
  EXPECT_FALSE(proxy_.Open(""));
  const crypto::SealedBox other(SecretString("0123456789abcdef0123456789abcdef"), "oauth transaction");
  EXPECT_FALSE(proxy_.Open(other.Seal("u\nm\nhttps://cdn.example/", clock_.Now() + std::chrono::hours(1))));
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(proxy_.Open(token).error().code, ErrorCode::kNotFound);
}

TEST_F(ImageProxyTest, WhatIsNoWebAddressIsNeverSealed) {
  for (const auto* url :
       {"file:///etc/passwd", "ftp://example.com/a", "javascript:alert(1)", "//example.com/a", "", "data:x"})
    EXPECT_EQ(proxy_.Seal(user_, message_, url), "") << url;
  EXPECT_EQ(proxy_.Seal(user_, message_, "https://example.com/" + std::string(3000, 'x')), "");
}

TEST_F(ImageProxyTest, OnlyTheBytesSayWhatIsAnImage) {
  for (const std::string& body : {"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"s, "<html>"s, ""s,
                                  "\x89PNG"s, "RIFF1234AVI LIST"s}) {
    http_.script = {{.body = body}};
    EXPECT_EQ(Fetch("https://cdn.example/a.png").error().code, ErrorCode::kNotFound) << body;
  }
  EXPECT_EQ(ImageTypeOf("GIF89a..."), "image/gif");
  EXPECT_EQ(ImageTypeOf("\xff\xd8\xff\xe0"s), "image/jpeg");
  EXPECT_EQ(ImageTypeOf("RIFF1234WEBPVP8 "), "image/webp");
}

TEST_F(ImageProxyTest, RedirectsAreRequestsOfTheirOwnAndFew) {
  http_.script = {
      {.status = 302, .location = "/b.png"}, {.status = 301, .location = "//other.example/c"}, {.body = kPng}};
  ASSERT_TRUE(Fetch("https://cdn.example/a/a.png"));
  EXPECT_THAT(http_.urls(),
              ElementsAre("https://cdn.example/a/a.png", "https://cdn.example/b.png", "https://other.example/c"));
  http_.script.assign(9, {.status = 302, .location = "/again"});
  EXPECT_EQ(Fetch("https://cdn.example/loop").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(http_.script.size(), 5u) << "four requests, and no more";
  for (const auto* location : {"file:///etc/passwd", "http://cdn.example/plain", "", "gopher://x"}) {
    http_.script = {{.status = 302, .location = location}, {.body = kPng}};
    EXPECT_EQ(Fetch("https://cdn.example/x").error().code, ErrorCode::kNotFound) << location;
  }
}

TEST_F(ImageProxyTest, ARefusedHostIsNoImageAndASilentOneIsSaidToBe) {
  http_.script = {{.failure = ErrorCode::kForbidden}};
  EXPECT_EQ(Fetch("http://169.254.169.254/latest").error().code, ErrorCode::kNotFound);
  http_.script = {{.failure = ErrorCode::kMalformedReply}};
  EXPECT_EQ(Fetch("https://cdn.example/huge").error().code, ErrorCode::kNotFound);
  http_.script = {{.failure = ErrorCode::kTimeout}};
  EXPECT_EQ(Fetch("https://cdn.example/slow").error().code, ErrorCode::kTimeout);
  http_.script = {{.status = 404}};
  EXPECT_EQ(Fetch("https://cdn.example/gone").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace latchkey::images
