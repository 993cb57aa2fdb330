#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "async/task_group.hpp"
#include "async/testing.hpp"
#include "async/timer.hpp"
#include "http_client/curl_http_client.hpp"
#include "simulator/http/server.hpp"
#include "simulator/http/tls_identity.hpp"

namespace latchkey {
namespace {

using namespace std::chrono_literals;
using http_client::CurlHttpClient;
using http_client::HttpRequest;
using http_client::HttpResponse;
using ::latchkey::testing::RunTask;

/// ?size=N answers with N bytes, ?delay, ?truncate, ?drip and ?reset misbehave, everything else is echoed.
class Provider final : public simulator::Handler {
 public:
  simulator::Response Handle(simulator::Request& request) override {
    auto response = simulator::TextResponse(200, std::move(request.body));
    const auto number = [&](std::string_view name) {
      const std::string* text = request.query.Find(name);
      return text ? std::stol(*text) : 0;
    };
    if (const auto size = number("size")) response.body.assign(static_cast<std::size_t>(size), 'x');
    if (const auto cut = number("truncate")) response.delivery.truncate_after = static_cast<std::size_t>(cut);
    if (const auto rate = number("drip")) response.delivery.bytes_per_second = static_cast<std::size_t>(rate);
    response.delivery.delay = std::chrono::milliseconds(number("delay"));
    if (request.query.Find("reset")) response.delivery.reset = simulator::Delivery::Reset::kStream;
    response.in_progress = std::shared_ptr<void>(nullptr, [this](void*) { --in_progress; });
    most_in_progress = std::max(most_in_progress, ++in_progress);
    ++requests;
    return response;
  }

  int requests = 0;
  int in_progress = 0;
  int most_in_progress = 0;
};

const simulator::TlsIdentity& Identity() {
  static const simulator::TlsIdentity identity = [] {
    const auto folder = std::filesystem::path(::testing::TempDir()) / ("http2-client-" + std::to_string(::getpid()));
    return simulator::MakeTlsIdentity(folder).value();
  }();
  return identity;
}

class Http2ClientTest : public ::testing::Test {
 protected:
  Http2ClientTest() {
    const auto port = server_.Listen("127.0.0.1", 0, Identity().context.get()).value();
    origin_ = "https://127.0.0.1:" + std::to_string(port);
    http_client::ClientOptions options;
    options.allowed_origins = {origin_};
    options.ca_file = Identity().ca_file.string();
    client_ = std::make_unique<CurlHttpClient>(loop_.get_executor(), options);
  }

  Task<Result<HttpResponse>> Get(std::string target, std::chrono::milliseconds timeout = 30s) {
    HttpRequest request;
    request.url = origin_ + target;
    request.timeout = timeout;
    co_return co_await client_->Send(request);
  }

  /// One request so that the connection stands, then as many at once as `targets` names.
  Task<std::vector<Result<HttpResponse>>> GetAll(std::vector<std::string> targets, std::chrono::milliseconds timeout) {
    (void)co_await Get("/warm");
    TaskGroup group(loop_.get_executor());
    Signal done(loop_.get_executor());
    std::vector<Result<HttpResponse>> results(targets.size(), Fail(ErrorCode::kInternal));
    std::size_t finished = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      group.Spawn("get", [&, i]() -> Task<void> {
        results[i] = co_await Get(targets[i], timeout);
        if (++finished == targets.size()) done.Raise();
      });
    }
    co_await done.Wait(60s);
    connections_ = server_.connection_count();
    co_return results;
  }

  void Run(Task<void> test) {
    auto guarded = [](Http2ClientTest& self, Task<void> body) -> Task<void> {
      co_await std::move(body);
      self.client_.reset();
      self.server_.Stop();
    };
    RunTask(loop_, guarded(*this, std::move(test)));
  }

  boost::asio::io_context loop_{1};
  Provider provider_;
  simulator::Server server_{loop_, provider_};
  std::string origin_;
  std::unique_ptr<CurlHttpClient> client_;
  std::size_t connections_ = 0;
};

TEST_F(Http2ClientTest, ManyRequestsShareOneConnectionAtTheSameTime) {
  auto test = [&]() -> Task<void> {
    const std::vector<std::string> targets(80, "/x?size=10000&delay=20");
    const auto results = co_await GetAll(targets, 30s);
    for (const auto& result : results) {
      EXPECT_TRUE(result && result->body.size() == 10000u);
    }
  };
  Run(test());
  EXPECT_EQ(connections_, 1u);
  EXPECT_GT(provider_.most_in_progress, 40);
}

TEST_F(Http2ClientTest, MoreRequestsThanStreamsWaitTheirTurn) {
  auto test = [&]() -> Task<void> {
    const std::vector<std::string> targets(500, "/x?size=100");
    const auto results = co_await GetAll(targets, 30s);
    EXPECT_TRUE(std::ranges::all_of(results, [](const auto& result) { return result && result->status == 200; }));
  };
  Run(test());
  EXPECT_LE(provider_.most_in_progress, 100);
}

TEST_F(Http2ClientTest, AStreamThatFailsLeavesItsNeighboursAlone) {
  auto test = [&]() -> Task<void> {
    const std::vector<std::string> targets = {"/x?size=5000",        "/x?reset=1",   "/x?size=5000&truncate=100",
                                              "/x?size=5000&drip=1", "/x?size=5000", "/x?size=9000000"};
    const auto results = co_await GetAll(targets, 500ms);
    EXPECT_TRUE(results[0].has_value());
    EXPECT_EQ(results[1].error().code, ErrorCode::kProviderUnavailable);
    EXPECT_EQ(results[2].error().code, ErrorCode::kProviderUnavailable);
    EXPECT_EQ(results[3].error().code, ErrorCode::kTimeout);
    EXPECT_TRUE(results[4].has_value());
    EXPECT_EQ(results[5].error().code, ErrorCode::kMalformedReply) << "beyond the response limit";
    EXPECT_TRUE((co_await Get("/after")).has_value());
  };
  Run(test());
}

TEST_F(Http2ClientTest, CancellingOneRequestLeavesTheConnectionUsable) {
  auto test = [&]() -> Task<void> {
    (void)co_await Get("/warm");
    TaskGroup group(loop_.get_executor());
    group.Spawn("get", [&]() -> Task<void> { (void)co_await Get("/x?size=100000&drip=1000"); });
    while (provider_.requests < 2) co_await boost::asio::post(boost::asio::use_awaitable);
    co_await group.Stop();
    const auto after = co_await Get("/after");
    EXPECT_TRUE(after.has_value());
    connections_ = server_.connection_count();
  };
  Run(test());
  EXPECT_EQ(connections_, 1u);
}

TEST_F(Http2ClientTest, SendsBodiesAndHeadersOfAnySize) {
  auto test = [&]() -> Task<void> {
    HttpRequest request;
    request.method = "POST";
    request.url = origin_ + "/echo";
    request.body.assign(300'000, 'b');
    request.headers = {{"Content-Type", "text/plain"}, {"Authorization", "Bearer " + std::string(3000, 't')}};
    const auto response = co_await client_->Send(request);
    EXPECT_TRUE(response && response->body == request.body);
  };
  Run(test());
}

TEST_F(Http2ClientTest, PostsAndGetsDoNotDisturbEachOther) {
  auto test = [&]() -> Task<void> {
    TaskGroup group(loop_.get_executor());
    Signal done(loop_.get_executor());
    int finished = 0, good = 0;
    for (int i = 0; i < 120; ++i) {
      group.Spawn("send", [&, i]() -> Task<void> {
        HttpRequest request;
        request.method = i % 3 == 0 ? "POST" : "GET";
        request.url = origin_ + (i % 2 == 0 ? "/x?size=3000&delay=2" : "/x?size=3000");
        const auto response = co_await client_->Send(request);
        if (response && response->body.size() == 3000) ++good;
        if (++finished == 120) done.Raise();
      });
    }
    EXPECT_TRUE(co_await done.Wait(60s));
    EXPECT_EQ(good, 120);
  };
  Run(test());
}

TEST_F(Http2ClientTest, AReceiverThatWaitsHoldsNobodyUp) {
  auto test = [&]() -> Task<void> {
    std::size_t seen = 0, largest = 0;
    HttpRequest request;
    request.url = origin_ + "/x?size=6000000";
    request.on_body_async = [&](std::string_view bytes) -> Task<bool> {
      seen += bytes.size();
      largest = std::max(largest, bytes.size());
      const auto other = co_await Get("/other");
      co_return other.has_value();
    };
    const auto response = co_await client_->Send(request);
    EXPECT_TRUE(response.has_value());
    EXPECT_EQ(seen, 6'000'000u);
    EXPECT_LE(largest, 512u << 10);
  };
  Run(test());
}

}  // namespace
}  // namespace latchkey
