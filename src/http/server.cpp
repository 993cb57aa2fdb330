#include "http/server.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <ctime>
#include <map>
#include <utility>

#include "async/task_group.hpp"
#include "async/timer.hpp"
#include "base/random.hpp"
#include "http/connection.hpp"
#include "http/rate_limiter.hpp"
#include "telemetry/log.hpp"

namespace latchkey::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// RFC 9110 section 5.6.7, for Date.
std::string FormatDate(std::time_t seconds) {
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon],
                     utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::uint64_t RandomKey() {
  const std::string bytes = RandomBytes(sizeof(std::uint64_t));
  std::uint64_t key = 0;
  std::memcpy(&key, bytes.data(), sizeof key);
  return key;
}

/// Connections are descriptors: raises the process's soft limit to the hard one, and returns how many connections
/// leave enough for everything else.
std::size_t AffordableConnections(std::size_t wanted) {
  constexpr rlim_t kReserve = 256;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  if (limit.rlim_cur < limit.rlim_max && limit.rlim_cur < wanted + kReserve) {
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted + kReserve);
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted + kReserve) return wanted;
  return limit.rlim_cur > 2 * kReserve ? limit.rlim_cur - kReserve : limit.rlim_cur / 2;
}

Error Translate(const error_code& error, const std::string& what) {
  ErrorCode code = ErrorCode::kInternal;
  if (error == asio::error::address_in_use) code = ErrorCode::kAlreadyExists;
  if (error == asio::error::access_denied) code = ErrorCode::kForbidden;
  if (error == boost::system::errc::address_not_available) code = ErrorCode::kInvalidArgument;
  return {.code = code, .detail = what + ": " + error.message(), .retry_after = std::nullopt};
}

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  State(Executor home, ServerOptions options, Handler handler, BodyPlanner body_planner)
      : executor(std::move(home)),
        context{.options = options,
                .handler = std::move(handler),
                .body_planner = std::move(body_planner),
                .trusted_proxies = TrustedProxies(options.trusted_proxies)},
        acceptor(executor),
        service(executor),
        clients(executor),
        all_gone(executor) {
    context.options.max_connections = AffordableConnections(options.max_connections);
    context.request_id_key = RandomKey();
    context.date = FormatDate(std::time(nullptr));
    if (auto* const registry = options.metrics) {
      constexpr std::array kClasses = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
      for (std::size_t i = 0; i < kClasses.size(); ++i) {
        context.answers[i] =
            &registry->GetCounter("latchkey_http_requests_total", "Requests answered.", {{"status", kClasses[i]}});
      }
      context.seconds =
          &registry->GetHistogram("latchkey_http_seconds", "Duration of requests.", metrics::LatencyBuckets());
      connection_gauge = &registry->GetGauge("latchkey_http_connections", "Open connections.");
    }
  }

  Task<void> Accept();
  Task<void> SweepForever();
  Task<void> Serve(std::list<Connection>::iterator connection, std::string client);
  void Admit(tcp::socket socket, const asio::ip::address& peer);
  bool MakeRoom();
  std::chrono::milliseconds SweepInterval() const;

  Executor executor;
  ServerContext context;
  tcp::acceptor acceptor;
  TaskGroup service;
  TaskGroup clients;
  std::list<Connection> open;
  std::map<std::string, std::size_t> per_client;
  metrics::Gauge* connection_gauge = nullptr;
  Signal all_gone;
};

std::chrono::milliseconds Server::State::SweepInterval() const {
  const auto shortest =
      std::min({context.options.head_timeout, context.options.body_timeout, context.options.idle_timeout});
  return std::clamp<std::chrono::milliseconds>(shortest / 8, std::chrono::milliseconds(5),
                                               std::chrono::milliseconds(500));
}

Task<void> Server::State::SweepForever() {
  const auto interval = SweepInterval();
  while (true) {
    co_await SleepFor(interval);
    context.date = FormatDate(std::time(nullptr));
    const auto now = Connection::Clock::now();
    for (Connection& connection : open) connection.Sweep(now);
  }
}

/// At the limit the oldest idle connection gives way, or else the oldest that has not sent its head yet (new ones are
/// at the back).
bool Server::State::MakeRoom() {
  if (open.size() < context.options.max_connections) return true;
  auto oldest = std::ranges::find_if(open, &Connection::idle);
  if (oldest == open.end()) oldest = std::ranges::find_if(open, &Connection::waits);
  if (oldest == open.end()) return false;
  oldest->CloseWaiting();
  return true;
}

void Server::State::Admit(tcp::socket socket, const asio::ip::address& peer) {
  if (!MakeRoom()) {
    log::Warn("http.connections_exhausted", {{"open", open.size()}});
    return;
  }
  std::string client;
  if (!peer.is_loopback() && !context.trusted_proxies.Contains(peer)) {
    client = ClientNetwork(peer.to_string());
    std::size_t& count = per_client[client];
    if (count >= context.options.max_connections_per_client) return;
    ++count;
  }
  open.emplace_back(context, std::move(socket), peer);
  if (connection_gauge) connection_gauge->Set(static_cast<std::int64_t>(open.size()));
  const auto connection = std::prev(open.end());
  clients.Spawn("http.connection",
                [self = shared_from_this(), connection, client] { return self->Serve(connection, client); });
}

Task<void> Server::State::Serve(std::list<Connection>::iterator connection, std::string client) {
  /// Leaves the books in order, however the connection ends.
  struct Closing {
    State& state;
    std::list<Connection>::iterator connection;
    const std::string& client;
    ~Closing() {
      state.open.erase(connection);
      if (state.connection_gauge) state.connection_gauge->Set(static_cast<std::int64_t>(state.open.size()));
      if (const auto count = state.per_client.find(client); count != state.per_client.end() && --count->second == 0) {
        state.per_client.erase(count);
      }
      if (state.open.empty()) state.all_gone.Raise();
    }
  } closing{*this, connection, client};
  co_await connection->Run();
}

Task<void> Server::State::Accept() {
  while (true) {
    error_code error;
    tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (context.stopping || error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, or the client left already: neither may end the server, nor make it spin.
      log::Warn("http.accept_failed", {{"detail", error.message()}});
      co_await SleepFor(std::chrono::milliseconds(50));
      continue;
    }
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (!error) Admit(std::move(socket), Unmap(peer.address()));
  }
}

Server::Server(Executor executor, ServerOptions options, Handler handler, BodyPlanner body_planner)
    : state_(std::make_shared<State>(std::move(executor), std::move(options), std::move(handler),
                                     std::move(body_planner))) {}

Server::~Server() = default;

Result<void> Server::Listen(const std::string& host, std::uint16_t port) {
  error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) return Fail(ErrorCode::kInvalidArgument, host + " is no address to listen on");
  const tcp::endpoint endpoint(address, port);
  tcp::acceptor& acceptor = state_->acceptor;
  const std::string what = "listen on " + host + ":" + std::to_string(port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(4096, error);
  if (error) {
    error_code ignored;
    acceptor.close(ignored);
    return Fail(Translate(error, what));
  }
  const auto state = state_;
  state->service.Spawn("http.accept", [state] { return state->Accept(); });
  state->service.Spawn("http.sweep", [state] { return state->SweepForever(); });
  return {};
}

std::uint16_t Server::port() const {
  error_code error;
  return state_->acceptor.local_endpoint(error).port();
}

std::size_t Server::connections() const { return state_->open.size(); }

Task<void> Server::Stop() {
  const auto state = state_;
  state->context.stopping = true;
  error_code ignored;
  state->acceptor.close(ignored);
  for (Connection& connection : state->open) connection.Drain();
  const auto give_up = std::chrono::steady_clock::now() + state->context.options.drain_timeout;
  while (!state->open.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !co_await state->all_gone.Wait(left)) break;
  }
  co_await state->clients.Stop();
  co_await state->service.Stop();
}

}  // namespace latchkey::http
