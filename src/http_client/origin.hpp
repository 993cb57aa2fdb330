#pragma once

#include <netinet/in.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace latchkey::http_client {

/// Scheme, host and port: what the allow-list is made of (RFC 6454).
struct Origin {
  /// "https://gmail.googleapis.com", "http://127.0.0.1:8080": lower case, without a default port.
  std::string text;
  /// "localhost", 127.0.0.0/8 or ::1. Only these may be reached without TLS, and they must not resolve elsewhere.
  bool loopback = false;
  bool tls = false;
};

/// Reads the origin of an absolute URL. kInvalidArgument for anything that is not http or https with a host, and for
/// user information; kForbidden for plain http to anything but loopback.
Result<Origin> ParseOrigin(std::string_view url);
/// The origin of an address that a stranger named: plain http too, and the schemes' own ports alone, so that nobody's
/// other services are knocked at. kForbidden for loopback.
Result<Origin> ParsePublicOrigin(std::string_view url);

/// What a connected address belongs to.
enum class AddressKind { kPublic, kLoopback, kPrivate };
/// kPrivate: everything that is not globally reachable (RFC 6890), IPv4-mapped forms included.
AddressKind KindOf(const sockaddr& address);

}  // namespace latchkey::http_client
