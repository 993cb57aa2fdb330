#include "http/event_stream.hpp"

#include <utility>

#include "base/random.hpp"

namespace latchkey::http {

namespace {

constexpr std::chrono::milliseconds kFarewellSpread = std::chrono::seconds(4);

/// Field values end at CR, LF or CRLF; ids must not hold NUL either.
std::string_view FirstLine(std::string_view text) {
  return text.substr(0, text.find_first_of(std::string_view("\r\n\0", 3)));
}

void AppendData(std::string& out, std::string_view data) {
  while (true) {
    const std::size_t end = data.find_first_of("\r\n");
    out += "data: ";
    out += data.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) return;
    data.remove_prefix(data.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
}

Task<void> Produce(BodyWriter& body, std::chrono::milliseconds reconnect_after,
                   const std::function<Task<void>(EventWriter&)>& produce) {
  co_await body.Write("retry: " + std::to_string(reconnect_after.count()) + "\n\n");
  EventWriter events(body);
  co_await produce(events);
}

}  // namespace

Task<void> EventWriter::Send(const ServerSentEvent& event) {
  std::string text;
  text.reserve(event.data.size() + event.id.size() + event.type.size() + 32);
  if (!event.id.empty()) text.append("id: ").append(FirstLine(event.id)).append("\n");
  if (!event.type.empty()) text.append("event: ").append(FirstLine(event.type)).append("\n");
  AppendData(text, event.data);
  text += '\n';
  co_await body_.Write(text);
}

Task<void> EventWriter::Heartbeat() { co_await body_.Write(":\n\n"); }

Response MakeEventStream(std::chrono::milliseconds reconnect_after, std::function<Task<void>(EventWriter&)> produce) {
  Response response;
  response.AddHeader("Content-Type", "text/event-stream; charset=utf-8");
  response.AddHeader("Cache-Control", "no-store");
  // Reverse proxies (nginx) would otherwise collect the stream.
  response.AddHeader("X-Accel-Buffering", "no");
  // Drawn by lot, so that the browsers of a server that stops do not all come to its neighbour in the same moment.
  const auto lot = static_cast<unsigned char>(RandomBytes(1).front());
  const std::chrono::milliseconds spread = kFarewellSpread * lot / 256;
  response.farewell = "retry: " + std::to_string((reconnect_after + spread).count()) + "\n\n";
  response.stream = [reconnect_after, kept = std::move(produce)](BodyWriter& body) {
    return Produce(body, reconnect_after, kept);
  };
  return response;
}

}  // namespace latchkey::http
