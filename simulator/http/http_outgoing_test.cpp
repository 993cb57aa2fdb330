#include "simulator/http/http_outgoing.hpp"

#include <unistd.h>

#include <filesystem>
#include <future>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulator/http/tls_identity.hpp"
#include "simulator/testing/running_server.hpp"

namespace latchkey::simulator {
namespace {

using ::testing::HasSubstr;

/// Remembers what came and answers 202.
class Receiver final : public Handler {
 public:
  Response Handle(Request& request) override {
    got.push_back(request);
    if (request.path == "/slow") {
      Response slow = TextResponse(200, "late");
      slow.delivery.delay = std::chrono::hours(1);
      return slow;
    }
    Response response = TextResponse(202, "token " + std::string(request.query.Get("t")));
    response.headers.Add("X-Seen", "yes");
    return response;
  }
  std::vector<Request> got;
};

OutgoingRequest Post(std::string url, std::string body = {}) {
  OutgoingRequest request;
  request.url = std::move(url);
  request.body = std::move(body);
  request.headers.Add("X-Goog-Resource-State", "sync");
  return request;
}

/// Runs one request on a loop of its own.
OutgoingAnswer Ask(OutgoingRequest request, const std::string& ca = {}) {
  boost::asio::io_context loop(1);
  HttpOutgoing outgoing(loop);
  if (!ca.empty()) EXPECT_TRUE(outgoing.TrustCa(ca));
  OutgoingAnswer result;
  bool inside_send = true;
  EXPECT_TRUE(outgoing.Send(std::move(request), [&](OutgoingAnswer answer) {
    EXPECT_FALSE(inside_send);
    result = std::move(answer);
  }));
  inside_send = false;
  loop.run();
  return result;
}

TEST(HttpOutgoing, PostsHeadersAndBodyAndReturnsTheAnswer) {
  Receiver receiver;
  testing::RunningServer server(receiver);
  const OutgoingAnswer answer = Ask(Post(server.base() + "/hooks/x?t=a%20b", R"({"a":1})"));
  server.Stop();
  EXPECT_EQ(answer.status, 202) << answer.problem;
  EXPECT_EQ(answer.body, "token a b");
  EXPECT_EQ(answer.headers.Get("x-seen"), "yes");
  ASSERT_EQ(receiver.got.size(), 1U);
  EXPECT_EQ(receiver.got[0].path, "/hooks/x");
  EXPECT_EQ(receiver.got[0].body, R"({"a":1})");
  EXPECT_EQ(receiver.got[0].headers.Get("X-Goog-Resource-State"), "sync");
}

TEST(HttpOutgoing, SendsAnEmptyBodyWithItsLength) {
  Receiver receiver;
  testing::RunningServer server(receiver);
  Ask(Post(server.base() + "/"));
  server.Stop();
  ASSERT_EQ(receiver.got.size(), 1U);
  EXPECT_EQ(receiver.got[0].headers.Get("Content-Length"), "0");
}

TEST(HttpOutgoing, ChecksTheCertificateOfHttps) {
  const auto folder = std::filesystem::temp_directory_path() / ("latchkey-outgoing-" + std::to_string(getpid()));
  const auto identity = MakeTlsIdentity(folder);
  ASSERT_TRUE(identity) << identity.error();
  Receiver receiver;
  testing::RunningServer server(receiver, identity->context.get());
  EXPECT_EQ(Ask(Post(server.base() + "/"), identity->ca_file.string()).status, 202);
  const OutgoingAnswer refused = Ask(Post(server.base() + "/"));
  EXPECT_EQ(refused.status, 0);
  EXPECT_THAT(refused.problem, HasSubstr("no answer"));
  server.Stop();
  EXPECT_EQ(receiver.got.size(), 1U);
  std::filesystem::remove_all(folder);
}

TEST(HttpOutgoing, SaysWhyThereWasNoAnswer) {
  EXPECT_THAT(Ask(Post("http://127.0.0.1:1/")).problem, HasSubstr("no answer"));
  EXPECT_THAT(Ask(Post("http://example.com/")).problem, HasSubstr("this machine only"));
  EXPECT_THAT(Ask(Post("nonsense")).problem, HasSubstr("not an absolute URL"));
}

TEST(HttpOutgoing, GivesUpAtTheDeadline) {
  Receiver receiver;
  testing::RunningServer server(receiver);
  OutgoingRequest request = Post(server.base() + "/slow");
  request.deadline = std::chrono::milliseconds(50);
  EXPECT_EQ(Ask(std::move(request)).problem, "there was no answer in time");
  server.Stop();
}

TEST(HttpOutgoing, StopBreaksOffAndNeverCallsBack) {
  Receiver receiver;
  testing::RunningServer server(receiver);
  boost::asio::io_context loop(1);
  HttpOutgoing outgoing(loop);
  int called = 0;
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(outgoing.Send(Post(server.base() + "/slow"), [&](const OutgoingAnswer&) { ++called; }));
  }
  boost::asio::post(loop, [&] { outgoing.Stop(); });
  loop.run();
  EXPECT_EQ(called, 0);
  EXPECT_FALSE(outgoing.Send(Post(server.base() + "/"), [](const OutgoingAnswer&) {}));
}

}  // namespace
}  // namespace latchkey::simulator
