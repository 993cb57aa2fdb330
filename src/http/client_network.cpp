#include "http/client_network.hpp"

#include <arpa/inet.h>

#include <cstring>

namespace latchkey::http {

std::string ClientNetwork(std::string_view address) {
  in6_addr bytes;
  const std::string text(address);
  if (inet_pton(AF_INET6, text.c_str(), &bytes) != 1) return text;
  char out[INET6_ADDRSTRLEN];
  if (IN6_IS_ADDR_V4MAPPED(&bytes)) {
    inet_ntop(AF_INET, bytes.s6_addr + 12, out, sizeof out);
    return out;
  }
  std::memset(bytes.s6_addr + 8, 0, 8);
  inet_ntop(AF_INET6, &bytes, out, sizeof out);
  return std::string(out) + "/64";
}

}  // namespace latchkey::http
