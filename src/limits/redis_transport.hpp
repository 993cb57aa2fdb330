#pragma once

#include <boost/system/error_code.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "limits/redis_url.hpp"

namespace latchkey::limits {

/// A stream of bytes to a server: TCP, TLS over it, or a Unix socket. Loop thread only. One read and one write at a
/// time; both end when it is closed.
class RedisTransport {
 public:
  virtual ~RedisTransport() = default;
  /// Name look-up, connection and handshake. False: `tls_failed()` tells which of them it was.
  virtual Task<bool> Connect() = 0;
  /// How many bytes came; 0 when the connection ended.
  virtual Task<std::size_t> ReadSome(std::span<char> into) = 0;
  /// False when the connection ended before all of it was taken.
  virtual Task<bool> Write(std::string_view bytes) = 0;
  virtual void Close() = 0;
  virtual bool tls_failed() const = 0;
};

/// `ca_file`: more certificate authorities (PEM), besides the system's; empty: none. Throws boost::system::system_error
/// when that file cannot be read.
std::unique_ptr<RedisTransport> MakeRedisTransport(const Executor& executor, const RedisAddress& address,
                                                   const std::string& ca_file);

}  // namespace latchkey::limits
