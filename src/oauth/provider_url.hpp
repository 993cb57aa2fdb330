#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace latchkey::oauth {

inline constexpr std::string_view kWellKnownSuffix = "/.well-known/openid-configuration";

/// True for an absolute https address, and for a plain-http one on loopback (127.0.0.0/8, [::1], localhost); without
/// user name, fragment or characters that need escaping.
bool IsSecureUrl(std::string_view url);
/// True for the plain-http loopback addresses among those.
bool IsLoopbackHttpUrl(std::string_view url);
/// The issuer that a discovery address belongs to: the address without its well-known suffix. kInvalidArgument when it
/// lacks the suffix or is not secure.
Result<std::string> IssuerOf(std::string_view discovery_url);

}  // namespace latchkey::oauth
