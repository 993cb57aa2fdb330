#include "http_client/curl_http_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <stdexcept>

#include "async/testing.hpp"
#include "async/timer.hpp"
#include "http_client/scripted_server.hpp"

namespace latchkey::http_client {
namespace {

using namespace std::chrono_literals;
using ::latchkey::testing::RunTask;
using testing::ReadHead;
using testing::ScriptedServer;
using testing::tcp;
using testing::WriteAll;

constexpr auto kNever = std::chrono::hours(10);

/// Answers every request of a connection with the same bytes.
ScriptedServer::Script Always(std::string answer) {
  return [answer](tcp::socket& socket) -> Task<void> {
    std::string buffer;
    while (true) {
      co_await ReadHead(socket, buffer);
      co_await WriteAll(socket, answer);
    }
  };
}

std::string Ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\nX-Test: a\r\n\r\n" +
         std::string(body);
}

class CurlHttpClientTest : public ::testing::Test {
 protected:
  void Serve(ScriptedServer::Script script) {
    server_ = std::make_unique<ScriptedServer>(loop_.get_executor(), std::move(script));
    ClientOptions options = options_;
    options.allowed_origins = {server_->origin()};
    client_ = std::make_unique<CurlHttpClient>(loop_.get_executor(), options);
    request_.url = server_->origin() + "/path?code=secret";
  }

  void Run(Task<void> test) {
    auto guarded = [](Task<void> body, ScriptedServer* server) -> Task<void> {
      co_await std::move(body);
      if (server) co_await server->Stop();
    };
    RunTask(loop_, guarded(std::move(test), server_.get()));
  }

  Result<HttpResponse> SendOne() {
    Result<HttpResponse> result = Fail(ErrorCode::kInternal);
    auto test = [&]() -> Task<void> { result = co_await client_->Send(request_); };
    Run(test());
    return result;
  }

  ErrorCode SendFailing() {
    const auto result = SendOne();
    EXPECT_FALSE(result) << result->status;
    return result ? ErrorCode::kInternal : result.error().code;
  }

  boost::asio::io_context loop_;
  ClientOptions options_;
  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<CurlHttpClient> client_;
  HttpRequest request_;
};

TEST_F(CurlHttpClientTest, ReturnsStatusHeadersAndBody) {
  Serve(Always(Ok("hello")));
  const auto response = SendOne();
  ASSERT_TRUE(response) << response.error().detail;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->Header("x-TEST"), "a");
  EXPECT_EQ(response->Header("absent"), "");
}

TEST_F(CurlHttpClientTest, AnyStatusIsAValueAndRedirectsAreNotFollowed) {
  Serve(Always("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"));
  const auto response = SendOne();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(response->Header("location"), "/elsewhere");
}

TEST_F(CurlHttpClientTest, SendsMethodHeadersAndBodyAsTheyAreAndNothingElse) {
  std::string head, body(3, '\0');
  Serve([&](tcp::socket& socket) -> Task<void> {
    std::string buffer;
    head = co_await ReadHead(socket, buffer);
    while (buffer.size() < 3) co_await socket.async_wait(tcp::socket::wait_read, boost::asio::use_awaitable);
    body = buffer;
    co_await WriteAll(socket, Ok(""));
  });
  request_.method = "PUT";
  request_.body = "a=b";
  request_.headers = {{"Content-Type", "text/plain"}, {"X-Empty", ""}, {"Authorization", "Bearer t"}};
  ASSERT_TRUE(SendOne());
  EXPECT_TRUE(head.starts_with("PUT /path?code=secret HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("Authorization: Bearer t\r\n"), std::string::npos);
  EXPECT_NE(head.find("X-Empty:"), std::string::npos);
  EXPECT_NE(head.find("Content-Type: text/plain\r\n"), std::string::npos);
  EXPECT_EQ(head.find("Accept-Encoding"), std::string::npos);
  EXPECT_EQ(head.find("Expect"), std::string::npos);
  EXPECT_EQ(head.find("Cookie"), std::string::npos);
  EXPECT_EQ(body, "a=b");
}

TEST_F(CurlHttpClientTest, AHandleUsedAgainForgetsTheRequestBefore) {
  std::vector<std::string> heads;
  Serve([&](tcp::socket& socket) -> Task<void> {
    std::string buffer;
    while (true) {
      heads.push_back(co_await ReadHead(socket, buffer));
      buffer.clear();
      co_await WriteAll(socket, Ok("x"));
    }
  });
  auto test = [&]() -> Task<void> {
    request_.method = "DELETE";
    request_.headers = {{"X-First", "1"}};
    EXPECT_TRUE((co_await client_->Send(request_)).has_value());
    request_ = HttpRequest{.url = request_.url};
    const auto second = co_await client_->Send(request_);
    EXPECT_TRUE(second.has_value());
    EXPECT_EQ(second->body, "x");
    EXPECT_EQ(second->headers.size(), 2u);
  };
  Run(test());
  ASSERT_EQ(heads.size(), 2u);
  EXPECT_TRUE(heads[0].starts_with("DELETE "));
  EXPECT_TRUE(heads[1].starts_with("GET "));
  EXPECT_EQ(heads[1].find("X-First"), std::string::npos);
  EXPECT_EQ(server_->connections(), 1) << "the connection is kept alive";
}

TEST_F(CurlHttpClientTest, PostsNeverShareAConnection) {
  Serve(Always(Ok("x")));
  auto test = [&]() -> Task<void> {
    EXPECT_TRUE((co_await client_->Send(request_)).has_value());
    request_.method = "POST";
    EXPECT_TRUE((co_await client_->Send(request_)).has_value());
    EXPECT_TRUE((co_await client_->Send(request_)).has_value());
  };
  Run(test());
  EXPECT_EQ(server_->connections(), 3);
}

TEST_F(CurlHttpClientTest, RefusesHostsThatAreNotOnTheAllowList) {
  Serve(Always(Ok("x")));
  const std::string allowed = server_->origin();
  auto test = [&]() -> Task<void> {
    for (const std::string& url : {std::string("http://127.0.0.1:1/"), std::string("https://127.0.0.1/"),
                                   allowed + "@evil.example/", allowed + ".evil.example/", allowed + "\\@evil.example/",
                                   std::string("file:///etc/passwd"), std::string("")}) {
      request_.url = url;
      const auto result = co_await client_->Send(request_);
      EXPECT_FALSE(result.has_value()) << url;
      if (!result) {
        EXPECT_EQ(result.error().code, ErrorCode::kForbidden) << url;
      }
    }
  };
  Run(test());
  EXPECT_EQ(server_->connections(), 0);
}

// Addresses that strangers named: none of them may lead to this machine or into its network.
TEST_F(CurlHttpClientTest, WithoutAListPublicAddressesAloneAreReached) {
  Serve(Always(Ok("x")));
  ClientOptions options;
  options.any_public_host = true;
  client_ = std::make_unique<CurlHttpClient>(loop_.get_executor(), options);
  const std::string port = server_->origin().substr(server_->origin().rfind(':'));
  auto test = [&]() -> Task<void> {
    for (const std::string& url :
         {server_->origin() + "/", "http://localhost" + port + "/", std::string("http://127.0.0.1/"),
          std::string("http://[::1]/"), std::string("http://2130706433/"), std::string("http://0x7f.1/"),
          std::string("http://10.0.0.1/"), std::string("https://192.168.1.1/"), std::string("http://172.16.0.1/"),
          std::string("http://169.254.169.254/latest/meta-data"), std::string("http://0.0.0.0/"),
          std::string("http://[::ffff:127.0.0.1]/"), std::string("http://[fe80::1]/"), std::string("http://[fd00::1]/"),
          std::string("https://203.0.113.1:8443/"), std::string("ftp://203.0.113.1/"),
          std::string("https://a@203.0.113.1/")}) {
      request_.url = url;
      const auto result = co_await client_->Send(request_);
      EXPECT_FALSE(result.has_value()) << url;
      if (result) continue;
      EXPECT_TRUE(result.error().code == ErrorCode::kForbidden || result.error().code == ErrorCode::kInvalidArgument)
          << url << " " << ToString(result.error().code) << " " << result.error().detail;
    }
  };
  Run(test());
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(CurlHttpClientTest, AllowsOriginsLearnedLater) {
  Serve(Always(Ok("x")));
  ClientOptions none;
  client_ = std::make_unique<CurlHttpClient>(loop_.get_executor(), none);
  EXPECT_FALSE(client_->Allow("http://example.com/token"));
  ASSERT_TRUE(client_->Allow(server_->origin() + "/token"));
  EXPECT_TRUE(SendOne());
}

TEST_F(CurlHttpClientTest, AnswersThatStopShortAreFailures) {
  Serve([](tcp::socket& socket) -> Task<void> {
    std::string buffer;
    co_await ReadHead(socket, buffer);
    co_await WriteAll(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  });
  EXPECT_EQ(SendFailing(), ErrorCode::kProviderUnavailable);
}

TEST_F(CurlHttpClientTest, ChunkedAnswersThatStopShortAreFailures) {
  Serve([](tcp::socket& socket) -> Task<void> {
    std::string buffer;
    co_await ReadHead(socket, buffer);
    co_await WriteAll(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  });
  EXPECT_EQ(SendFailing(), ErrorCode::kProviderUnavailable);
}

TEST_F(CurlHttpClientTest, ConnectionsResetOrClosedWithoutAnswerAreFailures) {
  Serve([](tcp::socket& socket) -> Task<void> {
    std::string buffer;
    co_await ReadHead(socket, buffer);
    socket.set_option(boost::asio::socket_base::linger(true, 0));
    socket.close();
  });
  bool left = false;
  request_.may_have_left = &left;
  EXPECT_EQ(SendFailing(), ErrorCode::kProviderUnavailable);
  EXPECT_TRUE(left);
}

TEST_F(CurlHttpClientTest, NobodyListeningIsAFailure) {
  Serve(Always(""));
  auto stop = [&]() -> Task<void> { co_await server_->Stop(); };
  RunTask(loop_, stop());
  server_.reset();
  bool left = true;
  request_.may_have_left = &left;
  EXPECT_EQ(SendFailing(), ErrorCode::kProviderUnavailable);
  EXPECT_FALSE(left);
}

TEST_F(CurlHttpClientTest, AnswersThatAreNotHttpAreMalformed) {
  Serve(Always("SSH-2.0-OpenSSH_9.2\r\n"));
  EXPECT_EQ(SendFailing(), ErrorCode::kMalformedReply);
}

TEST_F(CurlHttpClientTest, TooLargeAnswersAreCut) {
  request_.max_response_bytes = 1000;
  Serve(Always(Ok(std::string(1001, 'x'))));
  EXPECT_EQ(SendFailing(), ErrorCode::kMalformedReply);
}

TEST_F(CurlHttpClientTest, AnswersOfExactlyTheLimitPass) {
  request_.max_response_bytes = 1000;
  Serve(Always(Ok(std::string(1000, 'x'))));
  EXPECT_TRUE(SendOne());
}

TEST_F(CurlHttpClientTest, HeaderFloodsAreCut) {
  std::string answer = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 100; ++i) answer += "X-Flood: " + std::string(1000, 'x') + "\r\n";
  Serve(Always(answer + "Content-Length: 0\r\n\r\n"));
  EXPECT_EQ(SendFailing(), ErrorCode::kMalformedReply);
}

TEST_F(CurlHttpClientTest, SilenceEndsWithTheDeadline) {
  request_.timeout = 30ms;
  Serve(Always(""));
  EXPECT_EQ(SendFailing(), ErrorCode::kTimeout);
}

TEST_F(CurlHttpClientTest, ADrippingAnswerEndsWithTheDeadline) {
  request_.timeout = 50ms;
  Serve([](tcp::socket& socket) -> Task<void> {
    std::string buffer;
    co_await ReadHead(socket, buffer);
    co_await WriteAll(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (true) {
      co_await SleepFor(1ms);
      co_await WriteAll(socket, "x");
    }
  });
  EXPECT_EQ(SendFailing(), ErrorCode::kTimeout);
}

TEST_F(CurlHttpClientTest, ACancelledTaskEndsItsTransfer) {
  bool hung_up = false;
  bool returned = false;
  TaskGroup group(loop_.get_executor());
  Signal asked(loop_.get_executor()), closed(loop_.get_executor());
  Serve([&](tcp::socket& socket) -> Task<void> {
    std::string buffer;
    co_await ReadHead(socket, buffer);
    asked.Raise();
    char byte;
    boost::system::error_code error;
    co_await socket.async_read_some(boost::asio::buffer(&byte, 1),
                                    boost::asio::redirect_error(boost::asio::use_awaitable, error));
    hung_up = error.failed();
    closed.Raise();
  });
  request_.timeout = kNever;
  auto test = [&]() -> Task<void> {
    group.Spawn("sender", [&]() -> Task<void> {
      const auto result = co_await client_->Send(request_);
      returned = !result && result.error().code == ErrorCode::kCancelled;
    });
    EXPECT_TRUE(co_await asked.Wait(10s));
    co_await group.Stop();
    EXPECT_TRUE(co_await closed.Wait(10s));
  };
  Run(test());
  EXPECT_TRUE(returned);
  EXPECT_TRUE(hung_up);
}

TEST_F(CurlHttpClientTest, KeepsToItsNumberOfTransfersAndServesTheRestInOrder) {
  options_.max_in_flight_per_origin = 2;
  int inside = 0, most = 0;
  Serve([&](tcp::socket& socket) -> Task<void> {
    std::string buffer;
    while (true) {
      co_await ReadHead(socket, buffer);
      most = std::max(most, ++inside);
      for (int i = 0; i < 20; ++i) co_await boost::asio::post(boost::asio::use_awaitable);
      --inside;
      co_await WriteAll(socket, Ok("x"));
    }
  });
  TaskGroup group(loop_.get_executor());
  std::vector<int> order;
  Signal done(loop_.get_executor());
  for (int i = 0; i < 10; ++i) {
    group.Spawn("sender", [&, i]() -> Task<void> {
      EXPECT_TRUE((co_await client_->Send(request_)).has_value());
      order.push_back(i);
      if (order.size() == 10) done.Raise();
    });
  }
  auto test = [&]() -> Task<void> { EXPECT_TRUE(co_await done.Wait(10s)); };
  Run(test());
  EXPECT_LE(most, 2);
  EXPECT_LE(server_->connections(), 2);
  EXPECT_EQ(order.size(), 10u);
}

TEST_F(CurlHttpClientTest, AFullQueueIsAnErrorAtOnce) {
  options_.max_in_flight_per_origin = 1;
  options_.max_waiting_per_origin = 1;
  Serve(Always(""));
  TaskGroup group(loop_.get_executor());
  auto test = [&]() -> Task<void> {
    request_.timeout = kNever;
    for (int i = 0; i < 2; ++i) {
      group.Spawn("sender", [&]() -> Task<void> { (void)co_await client_->Send(request_); });
    }
    for (int i = 0; i < 5; ++i) co_await boost::asio::post(boost::asio::use_awaitable);
    const auto refused = co_await client_->Send(request_);
    EXPECT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
    co_await group.Stop();
  };
  Run(test());
}

TEST_F(CurlHttpClientTest, HandsBodyBytesOverAsTheyArrive) {
  std::string seen;
  Serve(Always(Ok(std::string(100'000, 'x'))));
  request_.on_body = [&](std::string_view bytes) {
    seen += bytes;
    return true;
  };
  const auto response = SendOne();
  ASSERT_TRUE(response);
  EXPECT_EQ(seen.size(), 100'000u);
  EXPECT_TRUE(response->body.empty());
}

TEST_F(CurlHttpClientTest, AReceiverMayStopTheTransfer) {
  Serve(Always(Ok(std::string(100'000, 'x'))));
  request_.on_body = [](std::string_view) { return false; };
  EXPECT_EQ(SendFailing(), ErrorCode::kCancelled);
}

TEST_F(CurlHttpClientTest, ASlowReceiverPausesTheTransfer) {
  constexpr std::size_t kSize = 20'000'000;
  std::size_t sent = 0, most_ahead = 0, seen = 0;
  Serve([&](tcp::socket& socket) -> Task<void> {
    socket.set_option(boost::asio::socket_base::send_buffer_size(64 << 10));
    std::string buffer;
    co_await ReadHead(socket, buffer);
    co_await WriteAll(socket, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n");
    const std::string piece(100'000, 'x');
    while (sent < kSize) {
      co_await boost::asio::async_write(socket, boost::asio::buffer(piece), boost::asio::use_awaitable);
      sent += piece.size();
    }
  });
  request_.max_response_bytes = kSize;
  request_.on_body_async = [&](std::string_view bytes) -> Task<bool> {
    for (int i = 0; i < 200; ++i) co_await boost::asio::post(boost::asio::use_awaitable);
    seen += bytes.size();
    most_ahead = std::max(most_ahead, bytes.size());
    co_return true;
  };
  const auto response = SendOne();
  ASSERT_TRUE(response) << response.error().detail;
  EXPECT_EQ(seen, kSize);
  EXPECT_LE(most_ahead, 512u << 10);
}

TEST_F(CurlHttpClientTest, AnAsynchronousReceiverMayStopToo) {
  Serve(Always(Ok(std::string(1'000'000, 'x'))));
  request_.on_body_async = [](std::string_view) -> Task<bool> { co_return false; };
  EXPECT_EQ(SendFailing(), ErrorCode::kCancelled);
}

TEST_F(CurlHttpClientTest, AnErrorDocumentIsNotStreamedWhenOnlySuccessesAre) {
  Serve(Always("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nerror"));
  std::string streamed;
  request_.on_body_async = [&](std::string_view bytes) -> Task<bool> {
    streamed += bytes;
    co_return true;
  };
  request_.stream_only_success = true;
  const auto response = SendOne();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "error");
  EXPECT_EQ(streamed, "");
}

TEST_F(CurlHttpClientTest, RefusesHeadersThatWouldSmuggleLines) {
  Serve(Always(Ok("x")));
  request_.headers = {{"X-A", "b\r\nX-C: d"}};
  EXPECT_EQ(SendFailing(), ErrorCode::kInvalidArgument);
}

TEST_F(CurlHttpClientTest, RefusesUrlsWithControlCharacters) {
  Serve(Always(Ok("x")));
  request_.url += "\r\nX: y";
  EXPECT_EQ(SendFailing(), ErrorCode::kInvalidArgument);
}

TEST_F(CurlHttpClientTest, LogsFailuresWithoutQueryOrToken) {
  Serve([](tcp::socket& socket) -> Task<void> {
    std::string buffer;
    co_await ReadHead(socket, buffer);
  });
  request_.headers = {{"Authorization", "Bearer canary"}};
  ::testing::internal::CaptureStderr();
  SendFailing();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("\"path\":\"/path\""), std::string::npos) << log;
  EXPECT_EQ(log.find("secret"), std::string::npos);
  EXPECT_EQ(log.find("canary"), std::string::npos);
}

TEST(CurlHttpClientOptions, ThatCannotWorkAreRefusedAtOnce) {
  boost::asio::io_context loop;
  ClientOptions options;
  options.allowed_origins = {"http://example.com"};
  EXPECT_THROW(CurlHttpClient(loop.get_executor(), options), std::invalid_argument);
  options.allowed_origins.clear();
  options.ca_file = "/nonexistent/ca.pem";
  EXPECT_THROW(CurlHttpClient(loop.get_executor(), options), std::runtime_error);
}

}  // namespace
}  // namespace latchkey::http_client
