#pragma once

#include <array>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "http/message.hpp"
#include "http/request_head.hpp"
#include "http/response_head.hpp"
#include "http/server.hpp"
#include "http/trusted_proxies.hpp"

namespace latchkey::http {

class Connection;

/// What the connections of one server share. Outlives them.
struct ServerContext {
  ServerOptions options;
  Handler handler;
  Server::BodyPlanner body_planner;
  TrustedProxies trusted_proxies;
  /// Answers say "Connection: close"; streams without an end of their own are ended.
  bool draining = false;
  /// No other request is wanted on connections that had one.
  bool stopping = false;
  /// Bytes of request bodies in memory, over all connections.
  std::size_t buffered_bytes = 0;
  /// IMF-fixdate of this second.
  std::string date;
  std::uint64_t request_counter = 0;
  std::uint64_t request_id_key = 0;

  std::array<metrics::Counter*, 6> answers{};
  metrics::Histogram* seconds = nullptr;

  /// Short, unique within the process's life and hard to guess; readable aloud.
  std::string NewRequestId();
};

/// One client's connection: requests one after the other, each answered before the next is looked at. Lives as long as
/// its Run(). Deadlines are kept as instants that the server's sweep looks at, so that requests cost no timers.
class Connection {
 public:
  using Clock = std::chrono::steady_clock;

  /// `extra`: beyond the server's limit; only what is essential is served, and only once.
  Connection(ServerContext& server, boost::asio::ip::tcp::socket socket, boost::asio::ip::address peer, bool extra);
  ~Connection();

  Task<void> Run();

  /// Ends what has waited for too long.
  void Sweep(Clock::time_point now);
  /// The server is about to stop: a stream without an end of its own is ended. All else goes on.
  void Drain();
  /// The server stops: ends at once when idle, otherwise after the present answer. A connection that has not asked
  /// anything yet gets a moment to do so: its client cannot know.
  void CloseIdle();
  /// Waits for a request, or for the rest of its head; may be closed to make room.
  bool idle() const { return phase_ == Phase::kIdle && !closing_; }
  bool waits() const { return (phase_ == Phase::kIdle || phase_ == Phase::kHead) && !closing_; }
  void CloseWaiting();
  bool extra() const { return extra_; }

 private:
  static constexpr std::size_t kReadSize = 16 << 10;
  /// For a connection that has not asked anything yet when the server stops.
  static constexpr std::chrono::seconds kFirstRequestTime{1};
  /// For connections beyond the limit, of which there are few.
  static constexpr std::chrono::seconds kExtraHeadTime{2};
  enum class Phase { kIdle, kHead, kBody, kAnswer, kStream, kLinger };
  class StreamWriter;
  class BodySource;

  void Enter(Phase phase, Clock::duration allowed);
  Task<bool> ReadMore();
  bool ReadArrived();
  Task<std::optional<std::size_t>> ReadHead();
  Task<bool> GatherBody(BodySource& source, std::string& body);
  bool Hold(std::size_t bytes);
  void ReleaseHeld();
  Task<bool> Continue(const RequestHead& head);
  Task<bool> ServeOne();
  Task<bool> Answer(const RequestHead& head, Request& request, BodySource& source);
  Task<Response> RunHandler(Request& request);
  Task<bool> Send(Response& response, const RequestHead& head, std::string_view request_id);
  Task<bool> SendStream(Response& response, ResponseHeadOptions& options);
  Task<bool> SayFarewell(BodyWriter& writer, std::string_view farewell);
  Task<void> Refuse(const Refusal& refusal);
  Task<void> Linger();
  Task<bool> WriteAll(std::string_view first, std::string_view second = {});

  void MakeRequest(const RequestHead& head, Target target, Request& request);
  void Note(const Request& request, int status, Clock::time_point started);

  ServerContext& server_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::address peer_;
  std::string peer_text_;
  bool behind_proxy_ = false;

  /// Received and not yet used: [begin_, end_).
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string out_;

  Phase phase_ = Phase::kIdle;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool timed_out_ = false;
  const bool extra_;
  /// Requests whose head was understood.
  std::uint64_t requests_ = 0;
  /// Of the present request's body, counted in ServerContext::buffered_bytes.
  std::size_t held_ = 0;
  /// The present answer is a stream without an end of its own.
  bool endless_ = false;
  /// Woken by CloseIdle: look once more whether a request has arrived.
  bool ending_ = false;
  bool closing_ = false;
  /// The present request's body was not read to its end: the connection can hold no other request.
  bool body_left_ = false;
  std::uint64_t sent_ = 0;
  boost::asio::cancellation_signal stream_cancel_;
};

}  // namespace latchkey::http
