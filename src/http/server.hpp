#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "http/message.hpp"
#include "telemetry/metrics.hpp"

namespace latchkey::http {

/// The limits of DESIGN and SECURITY-REQUIREMENTS rule 66.
struct ServerOptions {
  std::size_t max_head_bytes = 16 << 10;   ///< Request line and fields; beyond: 431.
  std::size_t max_fields = 100;            ///< Beyond: 431.
  std::size_t max_target_bytes = 8 << 10;  ///< Beyond: 414.
  std::chrono::milliseconds head_timeout = std::chrono::seconds(10);
  std::chrono::milliseconds body_timeout = std::chrono::seconds(30);
  /// Every so many bytes of a body buy one more second.
  std::size_t min_body_bytes_per_second = 4 << 10;
  /// Between requests, and for a client that does not read what it is sent.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);
  /// Lowered to what the process's descriptor limit allows. At the limit, waiting connections give way to new ones.
  std::size_t max_connections = 10'000;
  /// Beyond max_connections so many more are heard: requests that `essential` accepts are served, all others are told
  /// to come back (503). Whoever comes after these is told so unheard.
  std::size_t extra_connections = 64;
  /// By path: what must be answered however busy the server is (health checks). Empty: nothing.
  std::function<bool(std::string_view)> essential;
  /// Per client address (IPv6: per /64). Loopback peers and trusted proxies are exempt.
  std::size_t max_connections_per_client = 256;
  /// How long Stop waits for requests that are being answered.
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(6);
  /// How long Stop still takes in those whom the kernel let in already, before the port is closed.
  std::chrono::milliseconds settle_time = std::chrono::milliseconds(50);
  /// Of all request bodies that are kept in memory at a time; a request beyond it is told to come back (503).
  std::size_t max_buffered_body_bytes = 128 << 20;
  /// A client that has to be waited for must take so many bytes a second, on average, of what it is sent at a time.
  std::size_t min_answer_bytes_per_second = 1 << 10;
  /// Addresses or networks ("10.0.0.0/8", "::1") whose X-Forwarded-For is believed.
  std::vector<std::string> trusted_proxies;
  /// Send Strict-Transport-Security; set when the public URL is https.
  bool hsts = false;
  /// One "http.request" event per request, at level info.
  bool access_log = true;
  /// When set, requests and connections are counted here. Must outlive the server.
  metrics::Registry* metrics = nullptr;
};

/// The HTTP/1.1 edge: accepts, refuses what RFC 9110/9112 call invalid or ambiguous, and gives every answer its
/// security headers, request id and log line. Loop thread only. Stop() before destruction.
class Server {
 public:
  /// Asked when a request's head is complete: how its body is taken.
  using BodyPlanner = std::function<BodyPlan(const Request&)>;

  /// Throws std::invalid_argument for a malformed trusted proxy.
  Server(Executor executor, ServerOptions options, Handler handler, BodyPlanner body_planner);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds and starts accepting. Port 0 takes a free one. Errors: kInvalidArgument (`host` is no address and not
  /// "localhost"), kAlreadyExists (port in use), kForbidden (may not bind), kInternal.
  Result<void> Listen(const std::string& host, std::uint16_t port);
  /// The port in use after Listen.
  std::uint16_t port() const;

  /// From here on every answer says "Connection: close", and event streams end with a hint when to reconnect. New
  /// connections are still served: whoever balances the load needs a moment to notice.
  void BeginDrain();
  /// BeginDrain, then: accepts no more (nobody the kernel let in is reset), ends idle connections, waits for requests
  /// in progress up to drain_timeout, then cuts them. Returns when the last handler has ended.
  Task<void> Stop();

  std::size_t connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace latchkey::http
