#include "http_client/multi_loop.hpp"

#include <boost/asio/post.hpp>
#include <stdexcept>
#include <utility>

namespace latchkey::http_client {

namespace asio = boost::asio;
using std::chrono::steady_clock;

MultiLoop::MultiLoop(Executor executor, OnDone on_done)
    : executor_(std::move(executor)), on_done_(std::move(on_done)), multi_(curl_multi_init()), timer_(executor_) {
  if (!multi_) throw std::runtime_error("curl_multi_init failed");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &MultiLoop::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &MultiLoop::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

MultiLoop::~MultiLoop() {
  alive_.reset();
  // Closes idle connections; the callbacks may still run and find everything in place.
  curl_multi_cleanup(multi_);
  // libcurl owns the descriptors.
  for (auto& [fd, socket] : sockets_) socket->descriptor.release();
}

void MultiLoop::Add(CURL* easy) { curl_multi_add_handle(multi_, easy); }

void MultiLoop::Remove(CURL* easy) { curl_multi_remove_handle(multi_, easy); }

void MultiLoop::Unpause(CURL* easy) {
  curl_easy_pause(easy, CURLPAUSE_CONT);
  KickSoon();
}

int MultiLoop::OnSocket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  static_cast<MultiLoop*>(self)->Watch(fd, what);
  return 0;
}

int MultiLoop::OnTimer(CURLM*, long milliseconds, void* self) {
  static_cast<MultiLoop*>(self)->SetTimer(milliseconds);
  return 0;
}

void MultiLoop::Watch(curl_socket_t fd, int what) {
  const auto found = sockets_.find(fd);
  if (what == CURL_POLL_REMOVE) {
    if (found == sockets_.end()) return;
    found->second->interest = CURL_POLL_NONE;
    found->second->descriptor.release();
    sockets_.erase(found);
    return;
  }
  std::shared_ptr<Socket> socket;
  if (found == sockets_.end()) {
    socket = std::make_shared<Socket>(executor_);
    boost::system::error_code error;
    socket->descriptor.assign(fd, error);
    if (error) return;  // The transfer then ends by its deadline.
    sockets_.emplace(fd, socket);
  } else {
    socket = found->second;
  }
  socket->interest = what;
  Arm(socket, fd);
}

void MultiLoop::Arm(const std::shared_ptr<Socket>& socket, curl_socket_t fd) {
  using asio::posix::stream_descriptor;
  const auto wait = [&](stream_descriptor::wait_type type, int event, bool& pending) {
    pending = true;
    socket->descriptor.async_wait(
        type, [this, alive = std::weak_ptr<int>(alive_), socket, fd, event, &pending](boost::system::error_code error) {
          if (alive.expired()) return;
          pending = false;
          if (!error) OnReady(socket, fd, event);
        });
  };
  if ((socket->interest & CURL_POLL_IN) && !socket->reading) {
    wait(stream_descriptor::wait_read, CURL_CSELECT_IN, socket->reading);
  }
  if ((socket->interest & CURL_POLL_OUT) && !socket->writing) {
    wait(stream_descriptor::wait_write, CURL_CSELECT_OUT, socket->writing);
  }
}

void MultiLoop::OnReady(const std::shared_ptr<Socket>& socket, curl_socket_t fd, int event) {
  const int wanted = event == CURL_CSELECT_IN ? CURL_POLL_IN : CURL_POLL_OUT;
  if (!(socket->interest & wanted)) return;
  Act(fd, event);
  if (socket->interest != CURL_POLL_NONE) Arm(socket, fd);
}

void MultiLoop::SetTimer(long milliseconds) {
  if (milliseconds < 0) {
    wanted_ = steady_clock::time_point::max();
    timer_.cancel();
    timer_armed_ = false;
    return;
  }
  if (milliseconds == 0) {
    KickSoon();
    return;
  }
  wanted_ = steady_clock::now() + std::chrono::milliseconds(milliseconds);
  // libcurl moves its timer with every transfer. A timer that fires too early is cheap, so it is only ever set earlier.
  if (!timer_armed_ || wanted_ < timer_.expiry()) ArmTimer();
}

void MultiLoop::ArmTimer() {
  timer_armed_ = true;
  timer_.expires_at(wanted_);
  timer_.async_wait([this, alive = std::weak_ptr<int>(alive_)](boost::system::error_code error) {
    if (error || alive.expired()) return;
    timer_armed_ = false;
    if (wanted_ == steady_clock::time_point::max()) return;
    if (steady_clock::now() < wanted_) {
      ArmTimer();
      return;
    }
    wanted_ = steady_clock::time_point::max();
    Act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void MultiLoop::KickSoon() {
  // Never from inside a libcurl callback; and once for all transfers that were added in one turn of the loop.
  if (std::exchange(kick_posted_, true)) return;
  asio::post(executor_, [this, alive = std::weak_ptr<int>(alive_)] {
    if (alive.expired()) return;
    kick_posted_ = false;
    Act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void MultiLoop::Act(curl_socket_t fd, int event) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, event, &running);
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) on_done_(message->easy_handle, message->data.result);
  }
}

}  // namespace latchkey::http_client
