#include "limits/redis_url.hpp"

#include <sys/un.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace latchkey::limits {
namespace {

using Transport = RedisAddress::Transport;

constexpr std::size_t kLongestUrl = 4096;
constexpr int kHighestDatabase = 65535;

std::unexpected<RedisUrlProblem> Wrong(std::string what, std::string remedy) {
  return std::unexpected(RedisUrlProblem{std::move(what), std::move(remedy)});
}

/// The text of an encoded part; nullopt when it holds what no part may: a control character would end a command of the
/// protocol's old form or a line of the log, NUL a path.
std::optional<std::string> Decoded(std::string_view encoded) {
  auto text = PercentDecode(encoded);
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (!text || std::ranges::any_of(*text, is_control)) return std::nullopt;
  return text;
}

std::optional<int> Number(std::string_view text, int highest) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || value < 0 || value > highest) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::string RedisAddress::Display() const {
  if (transport == Transport::kUnix) return fmt::format("unix://{}?db={}", path, database);
  return fmt::format("{}://{}:{}/{}", transport == Transport::kTls ? "rediss" : "redis",
                     host.contains(':') ? "[" + host + "]" : host, port, database);
}

std::expected<RedisAddress, RedisUrlProblem> ParseRedisUrl(std::string_view url) {
  constexpr std::string_view kForms =
      "Write redis://HOST:6379/0, rediss://USER:PASSWORD@HOST:6379/0 for TLS, or unix:///PATH/redis.sock; special "
      "characters of the password are percent-encoded (@ is %40, # is %23).";
  if (url.size() > kLongestUrl) return Wrong("is too long", std::string(kForms));
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || !parsed->has_authority()) return Wrong("is not a Redis URL", std::string(kForms));
  const boost::urls::url_view& view = *parsed;
  RedisAddress address;
  const std::string_view scheme(view.scheme().data(), view.scheme().size());
  if (scheme == "redis") {
    address.transport = Transport::kTcp;
  } else if (scheme == "rediss") {
    address.transport = Transport::kTls;
  } else if (scheme == "unix") {
    address.transport = Transport::kUnix;
  } else {
    return Wrong("is not a Redis URL", std::string(kForms));
  }
  if (view.has_fragment()) return Wrong("has a part behind #", std::string(kForms));

  const auto encoded_user = view.encoded_user();
  const auto encoded_password = view.encoded_password();
  auto user = Decoded({encoded_user.data(), encoded_user.size()});
  auto password = Decoded({encoded_password.data(), encoded_password.size()});
  if (!user || !password) return Wrong("has a user or password that no server can have", std::string(kForms));
  if (!user->empty() && password->empty()) {
    return Wrong("names a user without a password",
                 "Write redis://USER:PASSWORD@HOST, or redis://:PASSWORD@HOST when there is only a password.");
  }
  address.user = std::move(*user);
  address.password = SecretString(std::move(*password));

  const auto encoded_path = view.encoded_path();
  const std::string_view path(encoded_path.data(), encoded_path.size());
  const auto encoded_query = view.encoded_query();
  std::string_view query(encoded_query.data(), encoded_query.size());
  std::string_view database;
  if (address.transport == Transport::kUnix) {
    if (!view.encoded_host().empty() || view.has_port()) {
      return Wrong("names a host beside the socket's path",
                   "A socket has three slashes: unix:///run/redis/redis.sock.");
    }
    auto file = Decoded(path);
    if (!file || file->size() < 2 || file->size() >= sizeof(sockaddr_un::sun_path)) {
      return Wrong("names no socket that can exist",
                   "Write unix:///run/redis/redis.sock; a path has at most 107 bytes.");
    }
    address.host.clear();
    address.path = std::move(*file);
    if (query.starts_with("db=")) {
      database = query.substr(3);
      query = {};
      if (database.empty()) return Wrong("names an empty database", "Write ?db=0, or leave it away.");
    }
  } else {
    const auto encoded_host = view.encoded_host_address();
    auto host = Decoded({encoded_host.data(), encoded_host.size()});
    if (!host || host->empty() || host->size() > 253) return Wrong("names no host", std::string(kForms));
    // Names as resolvers know them; an address of version 6 stands in brackets. Whatever else was escaped is no host.
    constexpr std::string_view kInNames = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    const bool is_address = view.host_type() == boost::urls::host_type::ipv6;
    if (is_address ? host->contains('%') : host->find_first_not_of(kInNames) != std::string::npos) {
      return Wrong("names no host", std::string(kForms));
    }
    address.host = std::move(*host);
    if (view.has_port() && !view.port().empty()) {
      address.port = view.port_number();
      if (address.port == 0) return Wrong("has a port that is not a number from 1 to 65535", "Redis' own is 6379.");
    }
    if (path.size() > 1) database = path.substr(1);
  }
  if (view.has_query() && !query.empty()) {
    return Wrong("has options behind ? that this server does not know",
                 "Leave them away; LATCHKEY_CA_FILE names "
                 "certificate authorities for rediss://.");
  }
  if (!database.empty()) {
    const auto number = Number(database, kHighestDatabase);
    if (!number)
      return Wrong("names a database that is not a number", "Write redis://HOST:6379/0; most servers have 0 to 15.");
    address.database = *number;
  }
  return address;
}

}  // namespace latchkey::limits
