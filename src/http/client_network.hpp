#pragma once

#include <string>
#include <string_view>

namespace latchkey::http {

/// The part of an address that one client can be assumed to hold: an IPv4 address, or an IPv6 /64. For rate limit keys.
std::string ClientNetwork(std::string_view address);

}  // namespace latchkey::http
