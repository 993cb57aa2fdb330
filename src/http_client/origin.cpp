#include "http_client/origin.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace latchkey::http_client {

namespace {

struct Network4 {
  std::uint32_t address;
  int bits;
};

constexpr std::uint32_t Ip4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

/// RFC 6890 and its successors: not globally reachable.
constexpr Network4 kPrivate4[] = {
    {Ip4(0, 0, 0, 0), 8},     {Ip4(10, 0, 0, 0), 8},      {Ip4(100, 64, 0, 0), 10},  {Ip4(169, 254, 0, 0), 16},
    {Ip4(172, 16, 0, 0), 12}, {Ip4(192, 0, 0, 0), 24},    {Ip4(192, 0, 2, 0), 24},   {Ip4(192, 168, 0, 0), 16},
    {Ip4(198, 18, 0, 0), 15}, {Ip4(198, 51, 100, 0), 24}, {Ip4(203, 0, 113, 0), 24}, {Ip4(224, 0, 0, 0), 3},
};

AddressKind KindOf4(std::uint32_t address) {
  if (address >> 24 == 127) return AddressKind::kLoopback;
  for (const Network4& network : kPrivate4) {
    if ((address ^ network.address) >> (32 - network.bits) == 0) return AddressKind::kPrivate;
  }
  return AddressKind::kPublic;
}

std::uint32_t ReadBe32(const std::uint8_t* bytes) { return Ip4(bytes[0], bytes[1], bytes[2], bytes[3]); }

AddressKind KindOf6(const in6_addr& address) {
  const std::uint8_t* const bytes = address.s6_addr;
  if (IN6_IS_ADDR_LOOPBACK(&address)) return AddressKind::kLoopback;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return KindOf4(ReadBe32(bytes + 12));
  constexpr std::array<std::uint8_t, 12> kNat64 = {0x00, 0x64, 0xff, 0x9b};
  if (std::memcmp(bytes, kNat64.data(), kNat64.size()) == 0) return KindOf4(ReadBe32(bytes + 12));
  // 2000::/3 is all that is assigned for global use; of it 2001:db8::/32 is for documentation, 2001::/23 and 2002::/16
  // are tunnels that can lead anywhere.
  if (bytes[0] >> 5 != 1) return AddressKind::kPrivate;
  if (bytes[0] == 0x20 && bytes[1] == 0x01 && (bytes[2] & 0xfe) == 0) return AddressKind::kPrivate;
  if (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0d && bytes[3] == 0xb8) return AddressKind::kPrivate;
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return AddressKind::kPrivate;
  return AddressKind::kPublic;
}

std::string Part(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace

namespace {

Result<Origin> Parse(std::string_view url, bool plain_anywhere) {
  // libcurl's own parser: what is checked here is what it will connect to. (Boost.URL 1.81 takes
  // "127.0.0.1.example.com" for an IPv4 address.)
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  if (!parsed) throw std::bad_alloc();
  const std::size_t slashes = url.find("://");
  if (slashes == std::string_view::npos || url.substr(slashes + 3).starts_with('/')) {
    return Fail(ErrorCode::kInvalidArgument, "not an absolute URL");
  }
  const std::string_view authority = url.substr(slashes + 3, url.find_first_of("/?#", slashes + 3) - (slashes + 3));
  if (authority.find_first_of("%\\") != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "the URL has no plain host name");
  }
  if (curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), CURLU_DISALLOW_USER) != CURLUE_OK ||
      url.find('\0') != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, "not an absolute URL, or one with user information");
  }
  const std::string scheme = Part(parsed.get(), CURLUPART_SCHEME, 0);
  if (scheme != "https" && scheme != "http") return Fail(ErrorCode::kInvalidArgument, "the URL is not http or https");
  std::string host = Part(parsed.get(), CURLUPART_HOST, 0);
  std::ranges::transform(host, host.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  const bool ip6 = host.starts_with('[');
  const auto allowed = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           (ip6 && (c == ':' || c == '[' || c == ']'));
  };
  if (host.empty() || !std::ranges::all_of(host, allowed)) {
    return Fail(ErrorCode::kInvalidArgument, "the URL has no plain host name");
  }

  Origin origin;
  origin.tls = scheme == "https";
  in_addr ip4{};
  origin.loopback = host == "localhost" || host == "[::1]" ||
                    (inet_pton(AF_INET, host.c_str(), &ip4) == 1 && ntohl(ip4.s_addr) >> 24 == 127);
  if (!origin.tls && !origin.loopback && !plain_anywhere)
    return Fail(ErrorCode::kForbidden, "plain http is for loopback only");
  origin.text = scheme + "://" + host;
  const std::string port = Part(parsed.get(), CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  if (port == "0") return Fail(ErrorCode::kInvalidArgument, "the URL's port is not valid");
  if (!port.empty()) origin.text += ":" + port;
  return origin;
}

}  // namespace

Result<Origin> ParseOrigin(std::string_view url) { return Parse(url, false); }

Result<Origin> ParsePublicOrigin(std::string_view url) {
  auto origin = Parse(url, true);
  if (!origin) return origin;
  if (origin->loopback) return Fail(ErrorCode::kForbidden, "the address is this machine");
  const std::size_t host = origin->text.find("://") + 3;
  const std::size_t end = origin->text[host] == '[' ? origin->text.find(']', host) : host;
  if (origin->text.find(':', end) != std::string::npos) {
    return Fail(ErrorCode::kForbidden, "not the scheme's own port");
  }
  return origin;
}

AddressKind KindOf(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in ip4;
    std::memcpy(&ip4, &address, sizeof ip4);
    return KindOf4(ntohl(ip4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 ip6;
    std::memcpy(&ip6, &address, sizeof ip6);
    return KindOf6(ip6.sin6_addr);
  }
  return AddressKind::kPrivate;
}

}  // namespace latchkey::http_client
