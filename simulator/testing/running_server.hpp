#pragma once

#include <future>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "simulator/http/server.hpp"

namespace latchkey::simulator::testing {

/// A server on port 0 with its loop on a thread of its own, so that the test may block in curl.
class RunningServer {
 public:
  explicit RunningServer(Handler& handler, boost::asio::ssl::context* tls = nullptr) : server_(loop_, handler) {
    port_ = server_.Listen("127.0.0.1", 0, tls).value();
    base_ = std::string(tls ? "https" : "http") + "://127.0.0.1:" + std::to_string(port_);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~RunningServer() { Stop(); }

  const std::string& base() const { return base_; }
  std::uint16_t port() const { return port_; }

  /// Runs `action` on the loop thread and waits for it.
  template <class Action>
  void OnLoop(Action action) {
    std::promise<void> done;
    boost::asio::post(loop_, [&] {
      action();
      done.set_value();
    });
    done.get_future().wait();
  }

  /// Returns when the loop has run dry.
  void Stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(loop_, [this] { server_.Stop(); });
    thread_.join();
  }

 private:
  boost::asio::io_context loop_{1};
  Server server_;
  std::uint16_t port_ = 0;
  std::string base_;
  std::thread thread_;
};

}  // namespace latchkey::simulator::testing
