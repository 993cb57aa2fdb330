#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "http/message.hpp"

namespace latchkey::http {

/// What keeps proxies and clients from giving up on a quiet stream; also how soon a vanished client is noticed at the
/// latest.
inline constexpr std::chrono::milliseconds kHeartbeatInterval = std::chrono::seconds(15);

struct ServerSentEvent {
  std::string_view id;    ///< Comes back as Last-Event-ID; empty: none.
  std::string_view type;  ///< Empty: "message".
  std::string_view data;  ///< Lines are split as the format wants.
};

/// Writes text/event-stream (HTML Living Standard, section 9.2). Each call ends when the bytes went to the socket, so
/// at most one event is held per client; throws like BodyWriter::Write.
class EventWriter {
 public:
  explicit EventWriter(BodyWriter& body) : body_(body) {}

  Task<void> Send(const ServerSentEvent& event);
  /// A comment line, which clients ignore.
  Task<void> Heartbeat();

 private:
  BodyWriter& body_;
};

/// A streamed answer that begins with the reconnection time and then runs `produce` until it returns or the client
/// leaves. `produce` sends a heartbeat whenever it had nothing to say for kHeartbeatInterval. When the server stops,
/// the stream ends with another reconnection time, up to four seconds longer and different for each.
Response MakeEventStream(std::chrono::milliseconds reconnect_after, std::function<Task<void>(EventWriter&)> produce);

}  // namespace latchkey::http
