#include "http/server.hpp"

#include <fmt/format.h>

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
#include "http/admission.hpp"
#include "http/client_network.hpp"
#include "http/connection.hpp"
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
      turned_away = &registry->GetCounter("latchkey_http_turned_away_total",
                                          "Connections that were told to come back, for lack of room.");
    }
  }

  Task<void> Accept();
  Task<void> SweepForever();
  Task<void> Serve(std::list<Connection>::iterator connection, std::string client, bool beyond);
  void Admit(tcp::socket socket, const asio::ip::address& peer);
  void AcceptWaiting();
  bool CloseOldest(bool beyond);
  void NoteExhausted(std::string_view what);
  void OutOfDescriptors(const error_code& error);
  std::chrono::milliseconds SweepInterval() const;

  Executor executor;
  ServerContext context;
  tcp::acceptor acceptor;
  TaskGroup service;
  TaskGroup clients;
  std::list<Connection> open;
  std::map<std::string, std::size_t> per_client;
  /// Of those open, how many are beyond the limit.
  std::size_t extra = 0;
  SpareDescriptor spare;
  metrics::Gauge* connection_gauge = nullptr;
  metrics::Counter* turned_away = nullptr;
  std::chrono::steady_clock::time_point said_exhausted{};
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

/// The oldest idle connection gives way, or else the oldest that has not sent its head yet (new ones are at the back):
/// among those within the limit, or those beyond it.
bool Server::State::CloseOldest(bool beyond) {
  const auto of_these = [beyond](bool (Connection::*gives_way)() const) {
    return [beyond, gives_way](const Connection& connection) {
      return connection.extra() == beyond && (connection.*gives_way)();
    };
  };
  auto oldest = std::ranges::find_if(open, of_these(&Connection::idle));
  if (oldest == open.end()) oldest = std::ranges::find_if(open, of_these(&Connection::waits));
  if (oldest == open.end()) return false;
  oldest->CloseWaiting();
  return true;
}

/// Said once in a while: a flood must not fill the log as well.
void Server::State::NoteExhausted(std::string_view what) {
  if (turned_away) turned_away->Add();
  const auto now = std::chrono::steady_clock::now();
  if (now - said_exhausted < std::chrono::seconds(10)) return;
  said_exhausted = now;
  log::Warn("http.connections_exhausted", {{"open", open.size()}, {"reason", what}});
}

void Server::State::OutOfDescriptors(const error_code& error) {
  NoteExhausted(error.message());
  // Whoever waits longest for a request gives its descriptor back; who knocks meanwhile is told to come back.
  CloseOldest(false);
  constexpr int kAtOnce = 64;
  for (int i = 0; i < kAtOnce && spare.TurnAway(acceptor.native_handle()); ++i) {
  }
}

void Server::State::Admit(tcp::socket socket, const asio::ip::address& peer) {
  const bool beyond = open.size() - extra >= context.options.max_connections && !CloseOldest(false);
  if (beyond) {
    NoteExhausted("limit");
    if (extra >= context.options.extra_connections && !CloseOldest(true)) return SayOverloaded(socket.native_handle());
  }
  std::string client;
  if (!peer.is_loopback() && !context.trusted_proxies.Contains(peer)) {
    client = ClientNetwork(peer.to_string());
    std::size_t& count = per_client[client];
    if (count >= context.options.max_connections_per_client) return SayOverloaded(socket.native_handle());
    ++count;
  }
  open.emplace_back(context, std::move(socket), peer, beyond);
  if (beyond) ++extra;
  if (connection_gauge) connection_gauge->Set(static_cast<std::int64_t>(open.size()));
  const auto connection = std::prev(open.end());
  clients.Spawn("http.connection", [self = shared_from_this(), connection, client, beyond] {
    return self->Serve(connection, client, beyond);
  });
}

Task<void> Server::State::Serve(std::list<Connection>::iterator connection, std::string client, bool beyond) {
  /// Leaves the books in order, however the connection ends.
  struct Closing {
    State& state;
    std::list<Connection>::iterator connection;
    const std::string& client;
    bool beyond;
    ~Closing() {
      state.open.erase(connection);
      if (beyond) --state.extra;
      if (state.connection_gauge) state.connection_gauge->Set(static_cast<std::int64_t>(state.open.size()));
      if (const auto count = state.per_client.find(client); count != state.per_client.end() && --count->second == 0) {
        state.per_client.erase(count);
      }
      if (state.open.empty()) state.all_gone.Raise();
    }
  } closing{*this, connection, client, beyond};
  co_await connection->Run();
}

Task<void> Server::State::Accept() {
  while (true) {
    error_code error;
    tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted || (error && context.stopping)) co_return;
    if (error) {
      // Out of descriptors, or the client left already: neither may end the server, nor make it spin.
      if (error == boost::system::errc::too_many_files_open ||
          error == boost::system::errc::too_many_files_open_in_system) {
        OutOfDescriptors(error);
      } else {
        log::Warn("http.accept_failed", {{"detail", error.message()}});
      }
      co_await SleepFor(std::chrono::milliseconds(10));
      continue;
    }
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (!error) Admit(std::move(socket), Unmap(peer.address()));
    if (context.stopping) co_return;
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

/// Whoever waits to be accepted at this moment.
void Server::State::AcceptWaiting() {
  error_code error;
  acceptor.non_blocking(true, error);
  while (!error) {
    tcp::socket socket(executor);
    acceptor.accept(socket, error);
    if (error) return;
    error_code gone;
    const tcp::endpoint peer = socket.remote_endpoint(gone);
    if (!gone) Admit(std::move(socket), Unmap(peer.address()));
  }
}

void Server::BeginDrain() {
  if (std::exchange(state_->context.draining, true)) return;
  for (Connection& connection : state_->open) connection.Drain();
}

Task<void> Server::Stop() {
  const auto state = state_;
  BeginDrain();
  // Whom the kernel has let in waits to be accepted: closing the port at once would reset them.
  if (state->acceptor.is_open() && RefuseNewHandshakes(state->acceptor.native_handle())) {
    co_await SleepFor(state->context.options.settle_time);
  }
  error_code ignored;
  state->AcceptWaiting();
  state->context.stopping = true;
  state->acceptor.close(ignored);
  for (Connection& connection : state->open) connection.CloseIdle();
  const auto give_up = std::chrono::steady_clock::now() + state->context.options.drain_timeout;
  while (!state->open.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !co_await state->all_gone.Wait(left)) break;
  }
  co_await state->clients.Stop();
  co_await state->service.Stop();
}

}  // namespace latchkey::http
