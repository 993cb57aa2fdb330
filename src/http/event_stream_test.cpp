#include "http/event_stream.hpp"

#include <gtest/gtest.h>

#include "async/testing.hpp"

namespace latchkey::http {
namespace {

struct Recorder final : BodyWriter {
  Task<void> Write(std::string_view bytes) override {
    text += bytes;
    co_return;
  }
  std::string text;
};

std::string Streamed(std::function<Task<void>(EventWriter&)> produce) {
  boost::asio::io_context loop;
  Recorder recorder;
  const Response response = MakeEventStream(std::chrono::seconds(3), std::move(produce));
  EXPECT_EQ(response.headers.front().value, "text/event-stream; charset=utf-8");
  ::latchkey::testing::RunTask(loop, response.stream(recorder));
  return recorder.text;
}

TEST(EventStream, BeginsWithTheReconnectionTime) {
  EXPECT_EQ(Streamed([](EventWriter&) -> Task<void> { co_return; }), "retry: 3000\n\n");
}

TEST(EventStream, WritesIdTypeAndEveryLineOfTheData) {
  const std::string text = Streamed([](EventWriter& events) -> Task<void> {
    const ServerSentEvent event{.id = "7", .type = "sync.progress", .data = "{\"a\":1}\nb\r\nc\rd"};
    co_await events.Send(event);
    co_await events.Heartbeat();
  });
  EXPECT_EQ(text, "retry: 3000\n\nid: 7\nevent: sync.progress\ndata: {\"a\":1}\ndata: b\ndata: c\ndata: d\n\n:\n\n");
}

TEST(EventStream, IdsAndTypesCannotBreakOutOfTheirLine) {
  const std::string text = Streamed([](EventWriter& events) -> Task<void> {
    const ServerSentEvent event{.id = "1\ndata: x", .type = "t\r\rdata: y", .data = ""};
    co_await events.Send(event);
  });
  EXPECT_EQ(text, "retry: 3000\n\nid: 1\nevent: t\ndata: \n\n");
}

}  // namespace
}  // namespace latchkey::http
