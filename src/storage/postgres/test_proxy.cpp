#include "storage/postgres/test_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace latchkey::storage::postgres::testing {
namespace {

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool SendAll(int socket, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto step = ::send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (step <= 0) return false;
    sent += static_cast<std::size_t>(step);
  }
  return true;
}

/// Empty when the other side hung up.
std::string Receive(int socket) {
  std::string bytes(1 << 16, '\0');
  const auto got = ::recv(socket, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

}  // namespace

TestProxy::TestProxy(const std::string& url) {
  const auto at = url.rfind('@') + 1;
  const auto colon = url.find(':', at);
  const auto slash = url.find('/', colon);
  server_port_ = static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1, slash - colon - 1)));
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port for a proxy");
  }
  url_ = url.substr(0, at) + "127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + url.substr(slash);
  threads_.emplace_back([this] { Listen(); });
}

TestProxy::~TestProxy() {
  stop_ = true;
  ++cuts_;
  threads_.front().join();
  for (std::size_t i = 1; i < threads_.size(); ++i) threads_[i].join();
  ::close(listener_);
}

void TestProxy::Arm(Fault fault, std::string words) {
  const std::lock_guard lock(mutex_);
  fault_ = fault;
  words_ = std::move(words);
  fired_ = false;
}

void TestProxy::Shut() {
  shut_ = true;
  ++cuts_;
}

TestProxy::Fault TestProxy::FaultOf(const std::string& packet) {
  const std::lock_guard lock(mutex_);
  if (fault_ == Fault::kNone || packet.find(words_) == std::string::npos) return Fault::kNone;
  fired_ = true;
  return std::exchange(fault_, Fault::kNone);
}

void TestProxy::Listen() {
  while (!stop_) {
    pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 10) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    if (shut_) {
      ::close(client);
      continue;
    }
    threads_.emplace_back([this, client] { Serve(client); });
  }
}

void TestProxy::Serve(int client) {
  const int cuts = cuts_;
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(server_port_);
  bool open = ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  while (open && cuts == cuts_) {
    pollfd waiting[] = {{.fd = client, .events = POLLIN, .revents = 0}, {.fd = server, .events = POLLIN, .revents = 0}};
    if (::poll(waiting, 2, 10) <= 0) continue;
    if (waiting[0].revents != 0) {
      const std::string packet = Receive(client);
      const Fault fault = packet.empty() ? Fault::kNone : FaultOf(packet);
      open = !packet.empty() && fault != Fault::kLosePacket && SendAll(server, packet);
      if (fault == Fault::kLoseAnswer) {
        // The server has answered, so it has done it; nobody hears.
        (void)Receive(server);
        open = false;
      }
      if (!open) break;
    }
    if (waiting[1].revents != 0) {
      const std::string packet = Receive(server);
      open = !packet.empty() && SendAll(client, packet);
    }
  }
  ::close(server);
  ::close(client);
}

}  // namespace latchkey::storage::postgres::testing
