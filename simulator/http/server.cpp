#include "simulator/http/server.hpp"

#include <fmt/format.h>

namespace latchkey::simulator {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMaxConnections = 4096;
constexpr std::chrono::seconds kDrainTime{2};

}  // namespace

struct Server::Listener {
  tcp::acceptor acceptor;
  boost::asio::ssl::context* tls;
};

Server::Server(boost::asio::io_context& loop, Handler& handler) : loop_(loop), handler_(handler), stop_timer_(loop) {}
Server::~Server() = default;

std::expected<std::uint16_t, std::string> Server::Listen(const std::string& host, std::uint16_t port,
                                                         boost::asio::ssl::context* tls) {
  error_code error;
  // Not left to the resolver: a machine without /etc/hosts should know its own name too, and clients try 127.0.0.1
  // anyway.
  tcp::resolver resolver(loop_);
  const auto found = resolver.resolve(host == "localhost" ? "127.0.0.1" : host, std::to_string(port),
                                      tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    return std::unexpected(
        fmt::format("\"{}\" is not an address of this machine. Use 127.0.0.1, localhost or [::1].", host));
  }
  const tcp::endpoint endpoint = found.begin()->endpoint();
  auto listener = std::make_unique<Listener>(tcp::acceptor(loop_), tls);
  tcp::acceptor& acceptor = listener->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) {
    const std::string advice =
        error == boost::asio::error::address_in_use
            ? "Another program listens there: stop it, or choose another port (0 takes any free one)"
        : error == boost::asio::error::access_denied ? "Ports below 1024 need privileges: choose a higher one"
                                                     : "Choose an address of this machine";
    return std::unexpected(fmt::format("cannot listen on {}:{} ({}). {}.", host, port, error.message(), advice));
  }
  const std::uint16_t bound = acceptor.local_endpoint().port();
  Accept(*listener);
  listeners_.push_back(std::move(listener));
  return bound;
}

void Server::Accept(Listener& listener) {
  listener.acceptor.async_accept([this, &listener](error_code error, tcp::socket socket) {
    if (stopping_ || error == boost::asio::error::operation_aborted) return;
    if (!error && connections_.size() < kMaxConnections) {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      auto stream = listener.tls ? MakeTlsStream(std::move(socket), *listener.tls) : MakePlainStream(std::move(socket));
      const auto connection = std::make_shared<Connection>(std::move(stream), handler_, [this](Connection& closed) {
        connections_.erase(&closed);
        if (stopping_ && connections_.empty()) stop_timer_.cancel();
      });
      connections_.emplace(connection.get(), connection);
      connection->Start();
    }
    Accept(listener);
  });
}

void Server::Stop() {
  if (stopping_) return;
  stopping_ = true;
  error_code ignored;
  for (const auto& listener : listeners_) listener->acceptor.close(ignored);
  const auto each = [this](auto action) {
    const auto connections = connections_;
    for (const auto& [key, weak] : connections) {
      if (const auto connection = weak.lock()) action(*connection);
    }
  };
  each([](Connection& connection) { connection.Drain(); });
  stop_timer_.expires_after(kDrainTime);
  stop_timer_.async_wait([each](error_code error) {
    if (!error) each([](Connection& connection) { connection.Close(); });
  });
  if (connections_.empty()) stop_timer_.cancel();
}

}  // namespace latchkey::simulator
