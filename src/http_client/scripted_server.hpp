#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <string>

#include "async/task_group.hpp"

namespace latchkey::http_client::testing {

namespace asio = boost::asio;
using asio::ip::tcp;

/// A server for tests on a free loopback port: every connection runs `script`. Plain sockets, so that it can misbehave.
class ScriptedServer {
 public:
  using Script = std::function<Task<void>(tcp::socket&)>;

  ScriptedServer(Executor executor, Script script)
      : script_(std::move(script)), acceptor_(executor, {asio::ip::address_v4::loopback(), 0}), group_(executor) {
    group_.Spawn("accept", [this] { return Accept(); });
  }

  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port()); }
  unsigned short port() const { return acceptor_.local_endpoint().port(); }
  int connections() const { return connections_; }
  Task<void> Stop() { return group_.Stop(); }

 private:
  Task<void> Accept() {
    while (true) {
      auto socket = std::make_shared<tcp::socket>(co_await acceptor_.async_accept(asio::use_awaitable));
      ++connections_;
      group_.Spawn("connection", [this, socket] { return Serve(socket); });
    }
  }

  Task<void> Serve(std::shared_ptr<tcp::socket> socket) {
    try {
      co_await script_(*socket);
    } catch (const boost::system::system_error&) {
      // The client left; scripts end that way.
    }
  }

  Script script_;
  tcp::acceptor acceptor_;
  TaskGroup group_;
  int connections_ = 0;
};

/// One request head, up to and with the empty line. `buffer` keeps what came after it.
template <class Stream>
Task<std::string> ReadHead(Stream& stream, std::string& buffer) {
  const std::size_t size =
      co_await asio::async_read_until(stream, asio::dynamic_buffer(buffer), "\r\n\r\n", asio::use_awaitable);
  std::string head = buffer.substr(0, size);
  buffer.erase(0, size);
  co_return head;
}

template <class Stream>
Task<void> WriteAll(Stream& stream, std::string bytes) {
  co_await asio::async_write(stream, asio::buffer(bytes), asio::use_awaitable);
}

}  // namespace latchkey::http_client::testing
