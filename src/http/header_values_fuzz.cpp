#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/client_network.hpp"
#include "http/cookie.hpp"
#include "http/message.hpp"
#include "http/static_files.hpp"
#include "http/trusted_proxies.hpp"

/// One header value, read as each header whose value we take apart.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace latchkey::http;
  const std::string value(reinterpret_cast<const char*>(data), size);
  if (const auto cookie = FindCookie(value, "s")) {
    if (cookie->find_first_of("; \t\",\\") != std::string_view::npos) std::abort();
    if (cookie->data() < value.data() || cookie->data() + cookie->size() > value.data() + value.size()) std::abort();
  }
  IsMediaType(value, "application/json");
  static const TrustedProxies proxies({"10.0.0.0/8", "::1"});
  static const auto peer = boost::asio::ip::make_address("10.0.0.1");
  ClientNetwork(proxies.ClientAddress(peer, {{"X-Forwarded-For", value}}));
  static constexpr Asset kAssets[] = {
      {.path = "/a", .content_type = "t", .etag = "\"1\"", .identity = "i", .gzip = "g", .brotli = "b"}};
  Request request;
  request.path = "/a";
  request.headers = {{"Accept-Encoding", value}, {"If-None-Match", value}};
  if (!StaticFiles(kAssets).TryServe(request)) std::abort();
  return 0;
}
