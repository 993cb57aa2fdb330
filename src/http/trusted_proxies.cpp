#include "http/trusted_proxies.hpp"

#include <charconv>
#include <ranges>
#include <stdexcept>

namespace latchkey::http {

namespace ip = boost::asio::ip;

namespace {

template <class Bytes>
bool SamePrefix(const Bytes& a, const Bytes& b, int bits) {
  for (std::size_t i = 0; i < a.size() && bits > 0; ++i, bits -= 8) {
    const int shift = bits >= 8 ? 0 : 8 - bits;
    if ((a[i] ^ b[i]) >> shift != 0) return false;
  }
  return true;
}

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

ip::address Unmap(const ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks) {
  for (const std::string& text : networks) {
    const std::size_t slash = text.find('/');
    boost::system::error_code error;
    const ip::address address = ip::make_address(text.substr(0, slash), error);
    if (error) throw std::invalid_argument("trusted proxy " + text + " is no address or network");
    const int most = address.is_v4() ? 32 : 128;
    int bits = most;
    if (slash != std::string::npos) {
      const char* const end = text.data() + text.size();
      const auto [stop, failure] = std::from_chars(text.data() + slash + 1, end, bits);
      if (failure != std::errc() || stop != end || bits < 0 || bits > most) {
        throw std::invalid_argument("trusted proxy " + text + " has no valid prefix length");
      }
    }
    networks_.push_back({address, bits});
  }
}

bool TrustedProxies::Contains(const ip::address& address) const {
  for (const Network& network : networks_) {
    if (network.address.is_v4() != address.is_v4()) continue;
    const bool inside = address.is_v4()
                            ? SamePrefix(network.address.to_v4().to_bytes(), address.to_v4().to_bytes(), network.bits)
                            : SamePrefix(network.address.to_v6().to_bytes(), address.to_v6().to_bytes(), network.bits);
    if (inside) return true;
  }
  return false;
}

std::string TrustedProxies::ClientAddress(const ip::address& peer, const std::vector<Header>& headers) const {
  ip::address current = Unmap(peer);
  if (networks_.empty() || !Contains(current)) return current.to_string();
  for (const Header& header : headers | std::views::reverse) {
    if (!EqualsIgnoreCase(header.name, "x-forwarded-for")) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      const std::size_t comma = list.rfind(',');
      const std::string_view entry = Trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
      list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
      boost::system::error_code error;
      const ip::address next = ip::make_address(std::string(entry), error);
      if (error) return current.to_string();
      current = Unmap(next);
      if (!Contains(current)) return current.to_string();
    }
  }
  return current.to_string();
}

}  // namespace latchkey::http
