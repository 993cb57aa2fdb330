#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace latchkey::limits {

/// Where a Redis server is and how it lets us in.
struct RedisAddress {
  enum class Transport { kTcp, kTls, kUnix };
  Transport transport = Transport::kTcp;
  std::string host = "localhost";  ///< A name, or an address without brackets. Empty for kUnix.
  unsigned short port = 6379;
  std::string path;  ///< Of the socket, for kUnix.
  std::string user;  ///< Empty: Redis' default user.
  SecretString password;
  int database = 0;

  /// The address without name and password, for people.
  std::string Display() const;
};

struct RedisUrlProblem {
  std::string what;    ///< Goes behind the name of the setting: "is not ...". Never shows any of the URL's secret.
  std::string remedy;  ///< A sentence.
};

/// Reads the forms that Redis clients agree on:
///   redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]     rediss:// the same over TLS
///   unix://[[USER]:PASSWORD@]/PATH/OF.sock[?db=DATABASE]
/// Special characters of user and password are percent-encoded. HOST may be an IPv6 address in brackets.
std::expected<RedisAddress, RedisUrlProblem> ParseRedisUrl(std::string_view url);

}  // namespace latchkey::limits
