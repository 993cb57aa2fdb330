#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "limits/redis_reply.hpp"
#include "limits/redis_url.hpp"

namespace latchkey::limits::testing {

/// A redis-server of one test, in a scratch folder, on a Unix socket there and, when asked for, on a port of its own.
/// Nothing of the machine's own Redis is used. Gone with its folder when destroyed. Tests only; any thread.
class RedisServer {
 public:
  /// The program: LATCHKEY_TEST_REDIS_SERVER, else redis-server of PATH; empty when there is none.
  static std::string Program();
  /// What a test says that cannot run without it.
  static constexpr const char* kMissing =
      "no redis-server: set LATCHKEY_TEST_REDIS_SERVER to the program, or install the Debian package redis-server";

  struct Options {
    bool tcp = false;
    /// Paths of certificate and key (PEM): the port speaks TLS alone.
    std::string certificate, key;
    /// More of its options, for example {"--maxmemory", "2mb"}.
    std::vector<std::string> arguments;
  };
  RedisServer();
  explicit RedisServer(Options options);
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  /// Starts it again at the same address, empty, after Kill(); this time with `more` options.
  void Start(const std::vector<std::string>& more = {});
  /// SIGKILL, and gone when this returns.
  void Kill();
  /// SIGSTOP and SIGCONT.
  void Freeze();
  void Thaw();

  const std::string& socket() const { return socket_; }
  const std::string& folder() const { return folder_; }
  int port() const { return port_; }
  RedisAddress address() const;  ///< Of the socket.

  /// One command over a connection of its own. Throws when no answer comes. Lists cannot be read: wrap them in EVAL.
  RedisReply Do(const std::vector<std::string>& words) const;

 private:
  bool TryStart(const std::vector<std::string>& more);

  Options options_;
  std::string folder_, socket_;
  int port_ = 0;
  pid_t pid_ = -1;
  int output_ = -1;  ///< What it prints; kept open for its life.
};

}  // namespace latchkey::limits::testing
