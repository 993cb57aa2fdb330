#include "tests/chaos/tcp_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace latchkey::chaos {
namespace {

constexpr int kLookUpMs = 50;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void NoDelay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

TcpProxy::TcpProxy() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 256) != 0 || ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { Accept(); });
}

TcpProxy::~TcpProxy() {
  stop_ = true;
  accepting_.join();
  Reset();
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
}

void TcpProxy::SetTargets(std::vector<std::uint16_t> ports) {
  const std::lock_guard lock(mutex_);
  targets_ = std::move(ports);
}

int TcpProxy::Reset() {
  const std::lock_guard lock(mutex_);
  for (const int socket : sockets_) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    // The pumps see the end and close; with the option above the close is a reset.
    ::shutdown(socket, SHUT_RD);
  }
  return static_cast<int>(sockets_.size() / 2);
}

void TcpProxy::Accept() {
  while (!stop_) {
    pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kLookUpMs) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([this, client] { Serve(client); });
  }
}

int TcpProxy::Connect() {
  std::vector<std::uint16_t> targets;
  std::size_t first = 0;
  {
    const std::lock_guard lock(mutex_);
    targets = targets_;
    first = next_++;
  }
  for (std::size_t tried = 0; tried < targets.size(); ++tried) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(targets[(first + tried) % targets.size()]);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return server;
    ::close(server);
  }
  return -1;
}

void TcpProxy::Serve(int client) {
  const int server = Connect();
  if (server < 0) {
    ::close(client);
    return;
  }
  NoDelay(client);
  NoDelay(server);
  {
    const std::lock_guard lock(mutex_);
    sockets_.insert(client);
    sockets_.insert(server);
  }
  std::thread back([this, client, server] { Pump(server, client); });
  Pump(client, server);
  back.join();
  const std::lock_guard lock(mutex_);
  sockets_.erase(client);
  sockets_.erase(server);
  ::close(client);
  ::close(server);
}

void TcpProxy::Pump(int from, int to) {
  char buffer[16384];
  while (!stop_) {
    pollfd waiting{.fd = from, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kLookUpMs) <= 0) continue;
    const ssize_t got = ::recv(from, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    if (swallow_) {
      swallowed_ += static_cast<std::uint64_t>(got);
      continue;
    }
    for (ssize_t sent = 0; sent < got;) {
      const ssize_t more = ::send(to, buffer + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
      if (more <= 0) break;
      sent += more;
    }
  }
  ::shutdown(to, SHUT_WR);
  ::shutdown(from, SHUT_RD);
}

}  // namespace latchkey::chaos
