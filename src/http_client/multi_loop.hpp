#pragma once

#include <curl/curl.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <unordered_map>

#include "async/task.hpp"

namespace latchkey::http_client {

/// Lets one libcurl multi handle live on the loop: libcurl says which sockets and which instant it waits for, the loop
/// says when they came. Loop thread only.
class MultiLoop {
 public:
  using OnDone = std::function<void(CURL* easy, CURLcode result)>;

  /// `on_done` is called outside of any libcurl callback, once for every finished transfer; it must Remove() it.
  MultiLoop(Executor executor, OnDone on_done);
  ~MultiLoop();
  MultiLoop(const MultiLoop&) = delete;
  MultiLoop& operator=(const MultiLoop&) = delete;

  CURLM* handle() const { return multi_; }
  void Add(CURL* easy);
  void Remove(CURL* easy);
  /// Lets a paused transfer go on.
  void Unpause(CURL* easy);

 private:
  struct Socket {
    explicit Socket(const Executor& executor) : descriptor(executor) {}
    boost::asio::posix::stream_descriptor descriptor;
    int interest = CURL_POLL_NONE;
    bool reading = false;
    bool writing = false;
  };

  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
  static int OnTimer(CURLM* multi, long milliseconds, void* self);

  void Watch(curl_socket_t fd, int what);
  void Arm(const std::shared_ptr<Socket>& socket, curl_socket_t fd);
  void OnReady(const std::shared_ptr<Socket>& socket, curl_socket_t fd, int event);
  void SetTimer(long milliseconds);
  void ArmTimer();
  void KickSoon();
  void Act(curl_socket_t fd, int event);

  Executor executor_;
  OnDone on_done_;
  CURLM* multi_;
  std::unordered_map<curl_socket_t, std::shared_ptr<Socket>> sockets_;
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::time_point wanted_ = std::chrono::steady_clock::time_point::max();
  bool timer_armed_ = false;
  bool kick_posted_ = false;
  /// Handlers that outlive this object see it expire.
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace latchkey::http_client
