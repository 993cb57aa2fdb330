#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "limits/redis_url.hpp"

/// Whatever is accepted can be shown without its secret, and what is shown is accepted again and means the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace latchkey::limits;
  const auto address = ParseRedisUrl({reinterpret_cast<const char*>(data), size});
  if (!address) {
    if (address.error().what.empty() || address.error().remedy.empty()) std::abort();
    return 0;
  }
  if (address->database < 0 || address->host.find('\0') != std::string::npos) std::abort();
  // A socket's path may hold what a URL has to escape.
  if (address->transport == RedisAddress::Transport::kUnix) return 0;
  const auto again = ParseRedisUrl(address->Display());
  if (!again || again->host != address->host || again->port != address->port || again->database != address->database ||
      !again->password.empty()) {
    std::abort();
  }
  return 0;
}
