#include "http/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <vector>

#include "async/task_group.hpp"
#include "async/testing.hpp"
#include "async/timer.hpp"
#include "http/event_stream.hpp"
#include "http/problem.hpp"

namespace latchkey::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using ::latchkey::testing::RunTask;
using ::testing::HasSubstr;

constexpr std::string_view kHost = "Host: localhost\r\n";

std::string Get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\n" + std::string(kHost) + std::string(fields) + "\r\n";
}

std::string Post(std::string_view body, std::string_view fields = "") {
  return "POST /echo HTTP/1.1\r\n" + std::string(kHost) + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::size_t Count(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

int StatusOf(std::string_view answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(std::string(answer.substr(9, 3))) : 0;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { options_.access_log = false; }

  Task<Response> Handle(Request& request) {
    Response response;
    if (request.path == "/throw") throw std::runtime_error("secret text");
    if (request.path == "/big") response.body.assign(5'000'000, 'x');
    if (request.path == "/echo") response.body = request.body;
    if (request.path == "/client") response.body = request.client_address;
    if (request.path == "/none") response.status = 204;
    if (request.path == "/wait") {
      waiting_.Raise();
      co_await release_.Wait(10h);
      response.body = "late";
    }
    if (request.path == "/page") response.AddHeader("Content-Type", "text/html; charset=utf-8");
    if (request.path == "/split") response.AddHeader("X-Bad", "a\r\nSet-Cookie: evil=1");
    if (request.path == "/events") {
      response = MakeEventStream(3s, [this](EventWriter& events) { return Events(events); });
    }
    if (request.path == "/broken") {
      response.stream = [](BodyWriter& body) -> Task<void> {
        co_await body.Write("part");
        throw std::runtime_error("broke");
      };
    }
    if (request.path == "/pieces") {
      response.stream = [](BodyWriter& body) -> Task<void> {
        co_await body.Write("hello ");
        co_await body.Write("");
        co_await body.Write("world");
      };
    }
    if (request.path == "/stream" && request.FindQuery("refuse")) response.status = 403;
    if (request.path == "/stream" && !request.FindQuery("refuse")) {
      std::size_t largest = 0;
      std::string body;
      while (true) {
        const auto piece = co_await request.body_reader->Read();
        if (!piece) {
          broken_ = true;
          response.status = 500;
          break;
        }
        if (piece->empty()) break;
        largest = std::max(largest, piece->size());
        body += *piece;
      }
      largest_piece_ = largest;
      response.body = std::to_string(body.size()) + " bytes";
      if (body.size() < 100) response.body += ": " + body;
    }
    ++handled_;
    co_return response;
  }

  Task<void> Events(EventWriter& events) {
    struct Ended {
      Signal& signal;
      ~Ended() { signal.Raise(); }
    } ended{stream_ended_};
    const ServerSentEvent event{.id = "1", .type = "t", .data = "d"};
    co_await events.Send(event);
    while (true) {
      co_await release_.Wait(10h);
      co_await events.Heartbeat();
    }
  }

  void Start() {
    server_ = std::make_unique<Server>(
        loop_.get_executor(), options_, [this](Request& request) { return Handle(request); },
        [](const Request& request) {
          return BodyPlan{.limit = request.path == "/small" ? 10UL : 1UL << 20, .streamed = request.path == "/stream"};
        });
    ASSERT_TRUE(server_->Listen("127.0.0.1", 0));
    port_ = server_->port();
  }

  Task<tcp::socket> Connect() {
    tcp::socket socket(loop_);
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), server_->port());
    co_await socket.async_connect(endpoint, asio::use_awaitable);
    co_return socket;
  }

  /// Everything up to the end of the connection.
  static Task<std::string> ReadAll(tcp::socket& socket) {
    std::string text;
    boost::system::error_code error;
    co_await asio::async_read(socket, asio::dynamic_buffer(text), asio::redirect_error(asio::use_awaitable, error));
    co_return text;
  }

  static Task<std::string> ReadUntil(tcp::socket& socket, std::string_view end) {
    std::string text;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(text), std::string(end), asio::use_awaitable);
    co_return text;
  }

  static Task<void> Write(tcp::socket& socket, std::string bytes) {
    co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
  }

  /// Sends `bytes` and nothing more, and returns everything the server said until it closed.
  Task<std::string> Exchange(std::string bytes) {
    tcp::socket socket = co_await Connect();
    co_await Write(socket, std::move(bytes));
    socket.shutdown(tcp::socket::shutdown_send);
    co_return co_await ReadAll(socket);
  }

  /// Like Exchange, but keeps the sending side open: the server must close by itself.
  Task<std::string> ExchangeOpen(std::string bytes) {
    tcp::socket socket = co_await Connect();
    co_await Write(socket, std::move(bytes));
    co_return co_await ReadAll(socket);
  }

  void Run(Task<void> test) {
    auto guarded = [](Task<void> body, Server* server) -> Task<void> {
      co_await std::move(body);
      co_await server->Stop();
    };
    RunTask(loop_, guarded(std::move(test), server_.get()));
  }

  std::string Ask(std::string bytes) {
    if (!server_) Start();
    std::string answer;
    auto test = [&]() -> Task<void> { answer = co_await Exchange(std::move(bytes)); };
    RunTask(loop_, Stopping(test()));
    server_.reset();
    return answer;
  }

  Task<void> Stopping(Task<void> body) {
    co_await std::move(body);
    co_await server_->Stop();
  }

  asio::io_context loop_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
  Signal waiting_{loop_.get_executor()};
  Signal release_{loop_.get_executor()};
  Signal stream_ended_{loop_.get_executor()};
  std::uint16_t port_ = 0;
  int handled_ = 0;
  bool broken_ = false;
  std::size_t largest_piece_ = 0;
};

TEST_F(ServerTest, AnswersWithLengthDateAndRequestId) {
  const std::string answer = Ask(Post("hello"));
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_NE(answer.find("\r\nContent-Length: 5\r\n"), std::string::npos);
  EXPECT_NE(answer.find(" GMT\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nX-Request-Id: "), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhello"));
}

TEST_F(ServerTest, EveryAnswerCarriesTheSecurityHeaders) {
  for (const std::string& request : {Get("/"), Get("/throw"), std::string("nonsense\r\n\r\n"), Get("/%00")}) {
    const std::string answer = Ask(request);
    EXPECT_NE(answer.find("object-src 'none'; base-uri 'none'; frame-ancestors 'none'"), std::string::npos) << answer;
    EXPECT_NE(answer.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
    EXPECT_NE(answer.find("Referrer-Policy: same-origin\r\n"), std::string::npos);
    EXPECT_NE(answer.find("Cache-Control: no-store\r\n"), std::string::npos);
    EXPECT_EQ(answer.find("Strict-Transport-Security"), std::string::npos);
    EXPECT_EQ(answer.find("Server:"), std::string::npos);
  }
  EXPECT_NE(Ask(Get("/page")).find("Cross-Origin-Opener-Policy: same-origin-allow-popups\r\n"), std::string::npos);
  options_.hsts = true;
  EXPECT_NE(Ask(Get("/")).find("Strict-Transport-Security: max-age="), std::string::npos);
}

TEST_F(ServerTest, RefusesAndClosesWhatIsAmbiguous) {
  const std::pair<std::string, int> table[] = {
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET /../x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  };
  for (const auto& [request, status] : table) {
    // The second request must not be looked at.
    const std::string answer = Ask(request + Get("/echo"));
    EXPECT_EQ(StatusOf(answer), status) << request;
    EXPECT_EQ(Count(answer, "HTTP/1.1 "), 1u) << request;
    EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_NE(answer.find("application/problem+json"), std::string::npos);
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(ServerTest, ClosesByItselfAfterARefusal) {
  options_.idle_timeout = 10h;
  Start();
  auto test = [&]() -> Task<void> {
    const std::string answer = co_await ExchangeOpen("GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(StatusOf(answer), 400);
  };
  Run(test());
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  const std::string answer = Ask(Post("one") + Get("/none") + Post("two") + Post("three"));
  EXPECT_EQ(Count(answer, "HTTP/1.1 200 OK\r\n"), 3u);
  EXPECT_EQ(Count(answer, "HTTP/1.1 204 No Content\r\n"), 1u);
  EXPECT_LT(answer.find("one"), answer.find("204"));
  EXPECT_LT(answer.find("204"), answer.find("two"));
  EXPECT_TRUE(answer.ends_with("three"));
}

TEST_F(ServerTest, ReadsRequestsThatArriveByteByByte) {
  Start();
  auto test = [&]() -> Task<void> {
    tcp::socket socket = co_await Connect();
    socket.set_option(tcp::no_delay(true));
    for (const char byte : "\r\n" + Post("body", "Connection: close\r\n")) {
      co_await Write(socket, std::string(1, byte));
      co_await asio::post(asio::use_awaitable);
    }
    EXPECT_TRUE((co_await ReadAll(socket)).ends_with("\r\n\r\nbody"));
  };
  Run(test());
}

TEST_F(ServerTest, DecodesChunkedBodies) {
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(Ask(head + "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n").ends_with("\r\n\r\nhello world"));
  const std::string twice = Ask(head + "1\r\na\r\n0\r\n\r\n" + Post("next"));
  EXPECT_EQ(Count(twice, "HTTP/1.1 200"), 2u);
  EXPECT_TRUE(twice.ends_with("next"));
}

TEST_F(ServerTest, RefusesChunkedBodiesWithTrailersExtensionsOrBadSyntax) {
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body :
       {"0\r\nContent-Length: 5\r\n\r\n", "0\r\nX: y\r\n\r\n", "5;ext=1\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n",
        "0x5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "-1\r\n", "g\r\n", "fffffffffffffffff\r\n"}) {
    const std::string answer = Ask(head + body + Get("/echo"));
    EXPECT_GE(StatusOf(answer), 400) << body;
    EXPECT_EQ(Count(answer, "HTTP/1.1 "), 1u) << body;
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(ServerTest, LimitsBodiesPerRoute) {
  const std::string head = "POST /small HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(StatusOf(Ask(head + "Content-Length: 10\r\n\r\n0123456789")), 200);
  EXPECT_EQ(StatusOf(Ask(head + "Content-Length: 11\r\n\r\n0123456789a")), 413);
  EXPECT_EQ(StatusOf(Ask(head + "Content-Length: 999999999999999999\r\n\r\n")), 413);
  EXPECT_EQ(StatusOf(Ask(head + "Transfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n")), 413);
}

TEST_F(ServerTest, ABodyIsHandedOverInPiecesToARouteThatStreams) {
  const std::string next = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const std::string head = "POST /stream HTTP/1.1\r\nHost: a\r\n";
  EXPECT_THAT(Ask(head + "Content-Length: 5\r\n\r\nhello" + next), HasSubstr("5 bytes: hello"));
  EXPECT_THAT(Ask(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n" + next),
              HasSubstr("5 bytes: hello"));
  EXPECT_THAT(Ask(head + "\r\n" + next), HasSubstr("0 bytes"));
  EXPECT_THAT(Ask(head + "Content-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x') + next),
              HasSubstr("1000000 bytes"));
  EXPECT_LE(largest_piece_, 64U << 10) << "never gathered";
  EXPECT_EQ(StatusOf(Ask(head + "Content-Length: 1048577\r\n\r\n")), 413);
}

TEST_F(ServerTest, AStreamedBodyThatBreaksTheRulesIsAnsweredByTheServer) {
  const std::string head = "POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(StatusOf(Ask(head + "3\r\nhel\r\nxx\r\n")), 400);
  EXPECT_TRUE(broken_);
  EXPECT_EQ(Ask("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nshort"), "") << "nobody is left to tell";
}

TEST_F(ServerTest, AStreamedBodyThatNobodyReadEndsTheConnection) {
  const auto answer =
      Ask("POST /stream?refuse=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n");
  EXPECT_EQ(StatusOf(answer), 403);
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_EQ(handled_, 1);
}

TEST_F(ServerTest, LimitsHeads) {
  EXPECT_EQ(StatusOf(Ask(Get("/", "X: " + std::string(15 << 10, 'x') + "\r\n"))), 200);
  EXPECT_EQ(StatusOf(Ask(Get("/", "X: " + std::string(17 << 10, 'x') + "\r\n"))), 431);
  EXPECT_EQ(StatusOf(Ask(Get("/" + std::string(9 << 10, 'x')))), 414);
  EXPECT_EQ(StatusOf(Ask(Get("/" + std::string(20 << 10, 'x')))), 414);
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  EXPECT_EQ(StatusOf(Ask(Get("/", many))), 431);
}

TEST_F(ServerTest, InvitesABodyThatWaitsForIt) {
  Start();
  auto test = [&]() -> Task<void> {
    tcp::socket socket = co_await Connect();
    co_await Write(socket,
                   "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n"
                   "Content-Length: 4\r\n\r\n");
    EXPECT_EQ(co_await ReadUntil(socket, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    co_await Write(socket, "body");
    EXPECT_TRUE((co_await ReadAll(socket)).ends_with("\r\n\r\nbody"));
  };
  Run(test());
}

TEST_F(ServerTest, DoesNotInviteABodyItWillNotTake) {
  const std::string answer =
      Ask("POST /small HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 400\r\n\r\n");
  EXPECT_EQ(StatusOf(answer), 413);
  EXPECT_EQ(answer.find("100 Continue"), std::string::npos);
}

TEST_F(ServerTest, AnswersHeadWithoutBody) {
  const std::string answer = Ask("HEAD /big HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(answer.find("\r\nContent-Length: 5000000\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, AnswersOptionsForTheServer) {
  EXPECT_EQ(StatusOf(Ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")), 204);
}

TEST_F(ServerTest, ServesHttp10ClientsAndClosesOrStaysAsTheyWish) {
  EXPECT_EQ(Count(Ask("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n"), "200 OK"), 1u);
  const std::string kept = Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(Count(kept, "200 OK"), 2u);
  EXPECT_NE(kept.find("\r\nConnection: keep-alive\r\n\r\n"), std::string::npos);
}

TEST_F(ServerTest, SendsLargeBodiesWhole) {
  const std::string answer = Ask(Get("/big"));
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, 5'000'000u);
}

TEST_F(ServerTest, ExceptionsEndInAGenericProblem) {
  const std::string answer = Ask(Get("/throw"));
  EXPECT_EQ(StatusOf(answer), 500);
  EXPECT_EQ(answer.find("secret"), std::string::npos);
}

TEST_F(ServerTest, HeaderValuesCannotSplitTheAnswer) {
  const std::string answer = Ask(Get("/split"));
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_EQ(answer.find("evil"), std::string::npos);
}

TEST_F(ServerTest, StreamsInChunks) {
  EXPECT_TRUE(Ask(Get("/pieces")).ends_with("\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"));
  const std::string old = Ask("GET /pieces HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.ends_with("\r\n\r\nhello world")) << old;
  const std::string head = Ask("HEAD /pieces HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, KeepsTheConnectionAfterAStream) {
  Start();
  auto test = [&]() -> Task<void> {
    tcp::socket socket = co_await Connect();
    co_await Write(socket, Get("/pieces") + Post("after", "Connection: close\r\n"));
    const std::string answer = co_await ReadAll(socket);
    EXPECT_EQ(Count(answer, "HTTP/1.1 200"), 2u);
    EXPECT_TRUE(answer.ends_with("after"));
  };
  Run(test());
}

TEST_F(ServerTest, ABrokenStreamHasNoLastChunk) {
  const std::string answer = Ask(Get("/broken"));
  EXPECT_TRUE(answer.ends_with("4\r\npart\r\n")) << answer;
}

TEST_F(ServerTest, EndsAStreamWhenItsClientLeaves) {
  Start();
  auto test = [&]() -> Task<void> {
    {
      tcp::socket socket = co_await Connect();
      co_await Write(socket, Get("/events"));
      co_await ReadUntil(socket, "data: d");
    }
    EXPECT_TRUE(co_await stream_ended_.Wait(10s));
  };
  Run(test());
}

TEST_F(ServerTest, StopEndsIdleConnectionsAtOnceAndEventStreamsInOrderWithAHintWhenToComeBack) {
  options_.drain_timeout = 10h;
  Start();
  auto test = [&]() -> Task<void> {
    tcp::socket idle = co_await Connect();
    co_await Write(idle, Get("/none"));
    co_await ReadUntil(idle, "\r\n\r\n");
    tcp::socket streaming = co_await Connect();
    co_await Write(streaming, Get("/events"));
    co_await ReadUntil(streaming, "data: d");
    co_await server_->Stop();
    EXPECT_EQ(co_await ReadAll(idle), "");
    const std::string end = co_await ReadAll(streaming);
    EXPECT_THAT(end, HasSubstr("retry: "));
    EXPECT_TRUE(end.ends_with("0\r\n\r\n")) << end;
    EXPECT_EQ(server_->connections(), 0u);
  };
  Run(test());
}

TEST_F(ServerTest, WhileDrainingNewRequestsAreServedAndToldThatTheConnectionEnds) {
  Start();
  auto test = [&]() -> Task<void> {
    tcp::socket kept = co_await Connect();
    co_await Write(kept, Get("/pieces"));
    co_await ReadUntil(kept, "0\r\n\r\n");
    server_->BeginDrain();
    co_await Write(kept, Get("/none"));
    EXPECT_THAT(co_await ReadAll(kept), HasSubstr("Connection: close"));
    EXPECT_THAT(co_await ExchangeOpen(Get("/none")), HasSubstr("Connection: close"));
    const std::string events = co_await ExchangeOpen(Get("/events"));
    EXPECT_TRUE(events.ends_with("0\r\n\r\n")) << events;
    EXPECT_GE(Count(events, "retry: "), 2u);
  };
  Run(test());
}

TEST_F(ServerTest, ARequestThatIsOnItsWayWhenTheServerStopsIsAnswered) {
  options_.drain_timeout = 10h;
  Start();
  auto test = [&]() -> Task<void> {
    // One connection that has asked before, one that has not, and one that the kernel let in but nobody accepted yet.
    tcp::socket kept = co_await Connect();
    co_await Write(kept, Get("/pieces"));
    co_await ReadUntil(kept, "0\r\n\r\n");
    tcp::socket fresh = co_await Connect();
    while (server_->connections() < 2) co_await asio::post(asio::use_awaitable);
    asio::io_context other_loop;
    tcp::socket waiting(other_loop);
    waiting.connect(tcp::endpoint(asio::ip::address_v4::loopback(), server_->port()));
    TaskGroup group(loop_.get_executor());
    Signal stopped(loop_.get_executor());
    const std::string request = Get("/none");
    kept.write_some(asio::buffer(request));
    group.Spawn("stop", [&]() -> Task<void> {
      co_await server_->Stop();
      stopped.Raise();
    });
    EXPECT_EQ(StatusOf(co_await ReadAll(kept)), 204);
    fresh.write_some(asio::buffer(request));
    EXPECT_EQ(StatusOf(co_await ReadAll(fresh)), 204);
    waiting.write_some(asio::buffer(request));
    EXPECT_TRUE(co_await stopped.Wait(10s));
    std::string answer;
    boost::system::error_code end;
    asio::read(waiting, asio::dynamic_buffer(answer), end);
    EXPECT_EQ(StatusOf(answer), 204);
    EXPECT_EQ(end, asio::error::eof);
    boost::system::error_code refused;
    tcp::socket late(other_loop);
    late.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port_), refused);
    EXPECT_EQ(refused, asio::error::connection_refused);
    co_await group.Stop();
  };
  Run(test());
}

TEST_F(ServerTest, BeyondItsLimitItAnswersWhatIsEssentialAndTellsAllOthersToComeBack) {
  options_.max_connections = 8;
  options_.extra_connections = 2;
  options_.essential = [](std::string_view path) { return path == "/none" || path == "/wait"; };
  Start();
  auto test = [&]() -> Task<void> {
    std::vector<tcp::socket> busy;
    for (std::size_t i = 0; i < 8; ++i) {
      busy.push_back(co_await Connect());
      co_await Write(busy.back(), Get("/wait"));
      EXPECT_TRUE(co_await waiting_.Wait(10s));
    }
    const std::string turned_away = co_await ExchangeOpen(Get("/pieces"));
    EXPECT_EQ(StatusOf(turned_away), 503);
    EXPECT_THAT(turned_away, HasSubstr("Retry-After: "));
    EXPECT_THAT(turned_away, HasSubstr("\"overloaded\""));
    EXPECT_EQ(StatusOf(co_await ExchangeOpen(Get("/none"))), 204);
    // Those who say nothing give way to a health check...
    tcp::socket silent = co_await Connect();
    tcp::socket also_silent = co_await Connect();
    while (server_->connections() < 10) co_await asio::post(asio::use_awaitable);
    EXPECT_EQ(StatusOf(co_await ExchangeOpen(Get("/none"))), 204);
    EXPECT_EQ(co_await ReadAll(silent), "");
    // ...and when there is no room for those either, the rest hear so at once.
    also_silent.close();
    while (server_->connections() > 8) co_await asio::post(asio::use_awaitable);
    for (int i = 0; i < 2; ++i) {
      busy.push_back(co_await Connect());
      co_await Write(busy.back(), Get("/wait"));
      EXPECT_TRUE(co_await waiting_.Wait(10s));
    }
    const std::string unheard = co_await ExchangeOpen(Get("/none"));
    EXPECT_EQ(StatusOf(unheard), 503);
    EXPECT_THAT(unheard, HasSubstr("Retry-After: "));
    for (std::size_t i = 0; i < busy.size(); ++i) release_.Raise();
  };
  Run(test());
}

TEST_F(ServerTest, WithoutDescriptorsClientsAreToldToComeBackInsteadOfWaiting) {
  Start();
  auto test = [&]() -> Task<void> {
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(co_await Connect());
    while (server_->connections() < 1) co_await asio::post(asio::use_awaitable);
    // The last three are let in by the kernel; from here on no descriptor is to be had.
    std::vector<int> used;
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) used.push_back(fd);
    EXPECT_EQ(errno, EMFILE);
    int told = 0;
    for (auto& client : clients) {
      co_await Write(client, Get("/none"));
      const std::string answer = co_await ReadAll(client);
      if (StatusOf(answer) == 503) {
        ++told;
        EXPECT_THAT(answer, HasSubstr("Retry-After: "));
      }
    }
    EXPECT_GE(told, 1);
    for (const int fd : used) ::close(fd);
    EXPECT_EQ(StatusOf(co_await Exchange(Get("/none"))), 204);
  };
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 200;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  Run(test());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(ServerTest, BodiesTogetherTakeNoMoreThanTheirShareOfMemory) {
  options_.max_buffered_body_bytes = 64 << 10;
  Start();
  auto test = [&]() -> Task<void> {
    const std::string body(40 << 10, 'x');
    tcp::socket first = co_await Connect();
    co_await Write(first, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" + body);
    tcp::socket second = co_await Connect();
    co_await Write(second, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n" + body);
    const std::string refused = co_await ReadAll(second);
    EXPECT_EQ(StatusOf(refused), 503);
    EXPECT_THAT(refused, HasSubstr("Retry-After: "));
    co_await Write(first, std::string(50000 - body.size(), 'x'));
    EXPECT_THAT(co_await ReadUntil(first, "\r\n\r\n"), HasSubstr("200 OK"));
    EXPECT_EQ(StatusOf(co_await Exchange(Post(body))), 200);
  };
  Run(test());
}

TEST_F(ServerTest, AClientThatTakesAnAnswerInCrumbsIsCutOff) {
  options_.idle_timeout = 100ms;
  options_.min_answer_bytes_per_second = 1 << 30;
  Start();
  auto test = [&]() -> Task<void> {
    tcp::socket socket = co_await Connect();
    socket.set_option(tcp::socket::receive_buffer_size(4096));
    co_await Write(socket, Get("/big"));
    // Never idle for long, and yet it never gets done.
    std::array<char, 4096> crumb;
    boost::system::error_code error;
    while (!error && server_->connections() > 0) {
      co_await socket.async_read_some(asio::buffer(crumb), asio::redirect_error(asio::use_awaitable, error));
      co_await SleepFor(5ms);
    }
    EXPECT_EQ(server_->connections(), 0u);
  };
  Run(test());
}

TEST_F(ServerTest, StopLetsRequestsInProgressFinish) {
  options_.drain_timeout = 10h;
  Start();
  TaskGroup group(loop_.get_executor());
  auto test = [&]() -> Task<void> {
    tcp::socket socket = co_await Connect();
    co_await Write(socket, Get("/wait"));
    EXPECT_TRUE(co_await waiting_.Wait(10s));
    group.Spawn("release", [&]() -> Task<void> {
      for (int i = 0; i < 10; ++i) co_await asio::post(asio::use_awaitable);
      release_.Raise();
    });
    co_await server_->Stop();
    const std::string answer = co_await ReadAll(socket);
    EXPECT_TRUE(answer.ends_with("late"));
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  };
  Run(test());
}

TEST_F(ServerTest, StopCutsWhatDoesNotFinishInTime) {
  options_.drain_timeout = 10ms;
  Start();
  auto test = [&]() -> Task<void> {
    tcp::socket socket = co_await Connect();
    co_await Write(socket, Get("/wait"));
    EXPECT_TRUE(co_await waiting_.Wait(10s));
    co_await server_->Stop();
    EXPECT_EQ(server_->connections(), 0u);
  };
  Run(test());
}

TEST_F(ServerTest, SlowHeadsEndInATimeout) {
  options_.head_timeout = 20ms;
  Start();
  auto test = [&]() -> Task<void> {
    EXPECT_EQ(StatusOf(co_await ExchangeOpen("GET / HTTP/1.1\r\nHost: a\r\nX: ")), 408);
  };
  Run(test());
}

TEST_F(ServerTest, SlowBodiesEndInATimeout) {
  options_.body_timeout = 20ms;
  Start();
  auto test = [&]() -> Task<void> {
    EXPECT_EQ(StatusOf(co_await ExchangeOpen("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")), 408);
  };
  Run(test());
  EXPECT_EQ(handled_, 0);
}

TEST_F(ServerTest, IdleConnectionsAreClosedWithoutAWord) {
  options_.idle_timeout = 20ms;
  Start();
  auto test = [&]() -> Task<void> {
    EXPECT_EQ(co_await ExchangeOpen(""), "");
    const std::string one = co_await ExchangeOpen(Get("/none"));
    EXPECT_EQ(Count(one, "HTTP/1.1 "), 1u);
  };
  Run(test());
}

TEST_F(ServerTest, ClientsThatDoNotReadAreCutOff) {
  options_.idle_timeout = 50ms;
  Start();
  auto test = [&]() -> Task<void> {
    tcp::socket socket = co_await Connect();
    socket.set_option(tcp::socket::receive_buffer_size(4096));
    co_await Write(socket, Get("/big"));
    while (server_->connections() > 0) co_await SleepFor(1ms);
  };
  Run(test());
}

TEST_F(ServerTest, ManySlowClientsDoNotKeepOthersOut) {
  options_.max_connections = 200;
  Start();
  auto test = [&]() -> Task<void> {
    std::vector<tcp::socket> idle;
    for (int i = 0; i < 300; ++i) {
      idle.push_back(co_await Connect());
      if (i % 2) co_await Write(idle.back(), "GET / HTTP/1.1\r\nHost: ");
      while (server_->connections() < std::min<std::size_t>(idle.size(), 190)) co_await asio::post(asio::use_awaitable);
    }
    EXPECT_EQ(StatusOf(co_await Exchange(Post("x"))), 200);
    EXPECT_LE(server_->connections(), 201u);
  };
  Run(test());
}

TEST_F(ServerTest, BelievesForwardedAddressesOfTrustedProxiesOnly) {
  EXPECT_TRUE(Ask(Get("/client", "X-Forwarded-For: 192.0.2.7\r\n")).ends_with("127.0.0.1"));
  options_.trusted_proxies = {"127.0.0.0/8"};
  EXPECT_TRUE(Ask(Get("/client", "X-Forwarded-For: 192.0.2.7\r\n")).ends_with("192.0.2.7"));
}

TEST_F(ServerTest, LogsRequestsWithoutTheirQuery) {
  options_.access_log = true;
  ::testing::internal::CaptureStderr();
  Ask(Get("/echo?code=canary"));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("\"path\":\"/echo\""), std::string::npos) << log;
  EXPECT_EQ(log.find("canary"), std::string::npos);
}

TEST_F(ServerTest, CountsWhatItAnswers) {
  metrics::Registry registry;
  options_.metrics = &registry;
  Ask(Get("/") + Get("/throw"));
  const std::string text = registry.Render();
  EXPECT_NE(text.find("latchkey_http_requests_total{status=\"2xx\"} 1"), std::string::npos);
  EXPECT_NE(text.find("latchkey_http_requests_total{status=\"5xx\"} 1"), std::string::npos);
}

TEST_F(ServerTest, ListenSaysWhatIsWrong) {
  Start();
  Server other(loop_.get_executor(), options_, [this](Request& request) { return Handle(request); }, {});
  EXPECT_EQ(other.Listen("127.0.0.1", server_->port()).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(other.Listen("no-address", 0).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(other.Listen("192.0.2.1", 0).error().code, ErrorCode::kInvalidArgument);
  auto test = []() -> Task<void> { co_return; };
  Run(test());
}

}  // namespace
}  // namespace latchkey::http
