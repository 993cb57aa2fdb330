#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "simulator/http/connection.hpp"
#include "simulator/http/handler.hpp"

namespace latchkey::simulator {

/// Listens on any number of addresses and serves HTTP/1.1 and HTTP/2 on each, plain or TLS. Loop thread only; lives
/// until the loop has run dry after Stop.
class Server {
 public:
  Server(boost::asio::io_context& loop, Handler& handler);
  ~Server();

  /// Starts listening and returns the port (useful with port 0), or a sentence saying why not and what to do. With
  /// `tls` the connections are https; the context must outlive the server.
  std::expected<std::uint16_t, std::string> Listen(const std::string& host, std::uint16_t port,
                                                   boost::asio::ssl::context* tls);

  /// Takes no new connections, lets requests in progress finish for two seconds, then closes what is left.
  void Stop();

  std::size_t connection_count() const { return connections_.size(); }

 private:
  struct Listener;

  void Accept(Listener& listener);

  boost::asio::io_context& loop_;
  Handler& handler_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<Connection*, std::weak_ptr<Connection>> connections_;
  boost::asio::steady_timer stop_timer_;
  bool stopping_ = false;
};

}  // namespace latchkey::simulator
