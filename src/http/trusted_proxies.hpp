#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace latchkey::http {

/// Whose X-Forwarded-For is believed.
class TrustedProxies {
 public:
  /// "192.0.2.1", "10.0.0.0/8", "2001:db8::/32". Throws std::invalid_argument for anything else.
  explicit TrustedProxies(const std::vector<std::string>& networks);

  bool Contains(const boost::asio::ip::address& address) const;
  /// Goes from the peer backwards through X-Forwarded-For as long as it meets trusted proxies; the first other address
  /// is the client. A malformed entry ends the walk: nobody can put words of their own behind a proxy.
  std::string ClientAddress(const boost::asio::ip::address& peer, const std::vector<Header>& headers) const;

 private:
  struct Network {
    boost::asio::ip::address address;
    int bits;
  };
  std::vector<Network> networks_;
};

/// IPv4-mapped IPv6 addresses as IPv4.
boost::asio::ip::address Unmap(const boost::asio::ip::address& address);

}  // namespace latchkey::http
