#include "simulator/http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include "simulator/http/tls_identity.hpp"
#include "simulator/testing/curl.hpp"
#include "simulator/testing/running_server.hpp"

namespace latchkey::simulator {
namespace {

using ::testing::AnyOf;
using testing::Curl;
using ::testing::HasSubstr;
using testing::Reply;
using testing::RunningServer;

/// /echo gives the body back; ?size=N a body of N bytes; the other parameters set the delivery.
class EchoHandler final : public Handler {
 public:
  Response Handle(Request& request) override {
    Response response = TextResponse(200, std::move(request.body));
    if (const std::string* size = request.query.Find("size")) response.body.assign(std::stoul(*size), 'x');
    if (const std::string* status = request.query.Find("status")) response.status = std::stoi(*status);
    if (const std::string* cut = request.query.Find("truncate")) response.delivery.truncate_after = std::stoul(*cut);
    if (const std::string* drip = request.query.Find("drip")) response.delivery.bytes_per_second = std::stoul(*drip);
    if (const std::string* delay = request.query.Find("delay")) {
      response.delivery.delay = std::chrono::milliseconds(std::stol(*delay));
    }
    if (request.query.Get("reset") == "connection") response.delivery.reset = Delivery::Reset::kConnection;
    if (request.query.Get("reset") == "stream") response.delivery.reset = Delivery::Reset::kStream;
    response.headers.Add("X-Seen", request.method + " " + request.scheme + " " + request.host);
    return response;
  }
};

std::filesystem::path FreshFolder(const std::string& name) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / (name + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  return folder;
}

/// One authority for all tests of this program.
const TlsIdentity& Identity() {
  static const TlsIdentity identity = MakeTlsIdentity(FreshFolder("simulator-tls")).value();
  return identity;
}

/// HTTP/2 runs over TLS here: Debian 12's curl 7.88.1 breaks every second request of a kept cleartext HTTP/2 connection
/// (against nghttpd as well).
class HttpVersions : public ::testing::TestWithParam<long> {
 protected:
  HttpVersions() : server_(handler_, Tls()) {
    curl_.UseVersion(GetParam());
    curl_.TrustCa(Identity().ca_file.string());
  }

  static bool IsHttp2() { return GetParam() == CURL_HTTP_VERSION_2TLS; }
  static boost::asio::ssl::context* Tls() { return IsHttp2() ? Identity().context.get() : nullptr; }
  Reply Get(const std::string& target) { return curl_.Get(server_.base() + target); }

  EchoHandler handler_;
  RunningServer server_;
  Curl curl_;
};

INSTANTIATE_TEST_SUITE_P(Server, HttpVersions, ::testing::Values(CURL_HTTP_VERSION_1_1, CURL_HTTP_VERSION_2TLS),
                         [](const auto& info) { return info.param == CURL_HTTP_VERSION_1_1 ? "Http11" : "Http2"; });

TEST_P(HttpVersions, AnswersOnOneKeptConnection) {
  const Reply first = Get("/echo?size=10");
  EXPECT_EQ(first.code, CURLE_OK);
  EXPECT_EQ(first.body, "xxxxxxxxxx");
  EXPECT_EQ(first.new_connections, 1);
  EXPECT_EQ(first.http_version, IsHttp2() ? CURL_HTTP_VERSION_2_0 : CURL_HTTP_VERSION_1_1);
  const Reply second = Get("/echo?size=3&status=404");
  EXPECT_EQ(second.status, 404);
  EXPECT_EQ(second.body, "xxx");
  EXPECT_EQ(second.new_connections, 0);
}

TEST_P(HttpVersions, TellsTheHandlerWhereItWasReached) {
  EXPECT_THAT(Get("/").headers,
              HasSubstr((IsHttp2() ? "GET https 127.0.0.1:" : "GET http 127.0.0.1:") + std::to_string(server_.port())));
}

TEST_P(HttpVersions, CarriesLargeBodiesBothWays) {
  std::string body(6 << 20, 'a');
  for (std::size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('b' + i % 20);
  const Reply reply = curl_.Post(server_.base() + "/echo", body);
  EXPECT_EQ(reply.code, CURLE_OK);
  EXPECT_EQ(reply.body, body);
}

TEST_P(HttpVersions, AnswersWithoutABodyWhereThereIsNone) {
  EXPECT_EQ(Get("/?status=204").code, CURLE_OK);
  const Reply head = curl_.Send("HEAD", server_.base() + "/?size=12", std::nullopt);
  EXPECT_EQ(head.code, CURLE_OK);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(Get("/?size=2").body, "xx");
}

TEST_P(HttpVersions, TruncatedBodyIsAnErrorForTheClient) {
  const Reply reply = Get("/?size=5000&truncate=100");
  EXPECT_THAT(reply.code, AnyOf(CURLE_PARTIAL_FILE, CURLE_HTTP2_STREAM, CURLE_RECV_ERROR));
  EXPECT_EQ(reply.body.size(), 100u);
  EXPECT_EQ(Get("/?size=2").body, "xx");
}

TEST_P(HttpVersions, ResetGivesNoAnswer) {
  for (const char* scope : {"connection", "stream"}) {
    const Reply reply = Get(std::string("/?reset=") + scope);
    EXPECT_NE(reply.code, CURLE_OK) << scope;
    EXPECT_EQ(reply.status, 0) << scope;
  }
  EXPECT_EQ(Get("/?size=2").body, "xx");
}

TEST_P(HttpVersions, SlowAndLateAnswersArriveWhole) {
  EXPECT_EQ(Get("/?size=1000&drip=20000").body.size(), 1000u);
  EXPECT_EQ(Get("/?size=10&delay=5").body.size(), 10u);
  EXPECT_EQ(Get("/?size=100&drip=100000&truncate=50&delay=1").body.size(), 50u);
}

TEST_P(HttpVersions, RequestInProgressIsFinishedBeforeStopping) {
  std::thread stopper;
  class StopWhenAsked final : public Handler {
   public:
    Response Handle(Request&) override {
      called.set_value();
      Response response = TextResponse(200, "finished");
      response.delivery.delay = std::chrono::milliseconds(100);
      return response;
    }
    std::promise<void> called;
  } handler;
  RunningServer server(handler, Tls());
  stopper = std::thread([&] {
    handler.called.get_future().wait();
    server.Stop();
  });
  EXPECT_EQ(curl_.Get(server.base() + "/").body, "finished");
  stopper.join();
  EXPECT_NE(curl_.Get(server.base() + "/").code, CURLE_OK);
}

TEST(Server, DelayedStreamDoesNotHoldBackAnother) {
  EchoHandler handler;
  RunningServer server(handler, Identity().context.get());
  CURLM* const multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  const auto add = [&](const std::string& target) {
    CURL* const easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, (server.base() + target).c_str());
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_CAINFO, Identity().ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_multi_add_handle(multi, easy);
    return easy;
  };
  CURL* const slow = add("/?delay=60000");
  CURL* const fast = add("/?status=201");
  CURL* done = nullptr;
  while (!done) {
    int running = 0;
    curl_multi_perform(multi, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      EXPECT_EQ(message->data.result, CURLE_OK);
      done = message->easy_handle;
    }
    if (!done) curl_multi_poll(multi, nullptr, 0, 100, nullptr);
  }
  EXPECT_EQ(done, fast);
  for (CURL* easy : {slow, fast}) {
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
  }
  curl_multi_cleanup(multi);
}

TEST(Server, CleartextHttp2IsKnownByItsPreface) {
  EchoHandler handler;
  RunningServer server(handler);
  Curl curl;
  curl.UseVersion(CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
  const Reply reply = curl.Get(server.base() + "/?size=100000");
  EXPECT_EQ(reply.http_version, CURL_HTTP_VERSION_2_0);
  EXPECT_EQ(reply.body.size(), 100000u);
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  EchoHandler handler;
  RunningServer server(handler);
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), server.port()});
  boost::asio::write(socket,
                     boost::asio::buffer(std::string("GET /?size=1&delay=5 HTTP/1.1\r\nHost: a\r\n\r\n"
                                                     "GET /?size=2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")));
  std::string all;
  boost::system::error_code error;
  boost::asio::read(socket, boost::asio::dynamic_buffer(all), error);
  EXPECT_EQ(error, boost::asio::error::eof);
  EXPECT_LT(all.find("\r\n\r\nx"), all.find("\r\n\r\nxx"));
  EXPECT_THAT(all, HasSubstr("\r\n\r\nxx"));
}

TEST(Server, NonsenseIsAnsweredWith400) {
  EchoHandler handler;
  RunningServer server(handler);
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::make_address("127.0.0.1"), server.port()});
  boost::asio::write(socket, boost::asio::buffer(std::string("what is this\r\n\r\n")));
  std::string all;
  boost::system::error_code error;
  boost::asio::read(socket, boost::asio::dynamic_buffer(all), error);
  EXPECT_TRUE(all.starts_with("HTTP/1.1 400")) << all;
}

TEST(Server, PortInUseIsExplained) {
  EchoHandler handler;
  RunningServer server(handler);
  boost::asio::io_context io;
  Server second(io, handler);
  const auto port = second.Listen("127.0.0.1", server.port(), nullptr);
  ASSERT_FALSE(port);
  EXPECT_THAT(port.error(), HasSubstr("choose another port"));
}

TEST(Server, AlpnChoosesHttp2AndHttp1UnderOneTrustedAuthority) {
  EchoHandler handler;
  RunningServer server(handler, Identity().context.get());
  for (const auto& [version, expected] : {std::pair{CURL_HTTP_VERSION_2TLS, CURL_HTTP_VERSION_2_0},
                                          std::pair{CURL_HTTP_VERSION_1_1, CURL_HTTP_VERSION_1_1}}) {
    Curl curl;
    curl.UseVersion(version);
    EXPECT_EQ(curl.Get(server.base() + "/").code, CURLE_PEER_FAILED_VERIFICATION);
    curl.TrustCa(Identity().ca_file.string());
    const std::string body(1 << 20, 'q');
    const Reply reply = curl.Post("https://localhost:" + std::to_string(server.port()) + "/", body);
    EXPECT_EQ(reply.code, CURLE_OK);
    EXPECT_EQ(reply.http_version, expected);
    EXPECT_TRUE(reply.body == body);
    EXPECT_THAT(reply.headers, HasSubstr("POST https localhost:"));
  }
}

TEST(TlsIdentity, KeepsItsAuthorityOverRestarts) {
  const auto folder = FreshFolder("simulator-ca");
  ASSERT_TRUE(MakeTlsIdentity(folder));
  const auto written = std::filesystem::last_write_time(folder / "ca.pem");
  const auto permissions = std::filesystem::status(folder / "ca-key.pem").permissions();
  EXPECT_EQ(permissions, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  ASSERT_TRUE(MakeTlsIdentity(folder));
  EXPECT_EQ(std::filesystem::last_write_time(folder / "ca.pem"), written);
}

}  // namespace
}  // namespace latchkey::simulator
