#include "http/admission.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace latchkey::http {

namespace {

// The whole answer, made beforehand: at this point nothing may fail for lack of anything.
constexpr std::string_view kOverloaded =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: application/problem+json\r\n"
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Retry-After: 2\r\n"
    "Connection: close\r\n"
    "Content-Length: 94\r\n"
    "\r\n"
    R"({"type":"about:blank","title":"Not available right now","status":503,"code":"overloaded"}     )";

constexpr std::size_t kBodyBytes = kOverloaded.size() - kOverloaded.find("\r\n\r\n") - 4;
static_assert(kBodyBytes == 94, "the length in the head must be the body's");

}  // namespace

std::size_t AffordableConnections(std::size_t wanted) {
  constexpr rlim_t kReserve = kDescriptorReserve;
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

SpareDescriptor::SpareDescriptor() : spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

SpareDescriptor::~SpareDescriptor() {
  if (spare_ >= 0) ::close(spare_);
}

bool SpareDescriptor::TurnAway(int listener) {
  if (spare_ < 0) {
    spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (spare_ < 0) return false;
  }
  ::close(spare_);
  const int client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client >= 0) {
    SayOverloaded(client);
    ::close(client);
  }
  spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return client >= 0;
}

void SayOverloaded(int socket) {
  // What has arrived of the request is taken first: closing a socket with unread bytes would make the client's system
  // throw our answer away.
  std::array<char, 4096> scrap;
  for (int i = 0; i < 4 && ::recv(socket, scrap.data(), scrap.size(), MSG_DONTWAIT) > 0; ++i) {
  }
  (void)::send(socket, kOverloaded.data(), kOverloaded.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(socket, SHUT_WR);
}

bool RefuseNewHandshakes(int listener) {
  // The filter sees segments from the TCP header on: SYN (0x02) without ACK (0x10) in byte 13 is dropped, all else
  // passes, so that handshakes under way are completed.
  std::array<sock_filter, 5> program = {{
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 13},
      {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x12},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x02},
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, 0xffffffff},
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  return ::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

}  // namespace latchkey::http
