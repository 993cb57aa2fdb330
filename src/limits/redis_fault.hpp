#pragma once

#include <string_view>

namespace latchkey::limits {

/// Why Redis cannot be used. Words and remedies are for operators.
enum class RedisFault {
  kNotTriedYet,
  kUnreachable,    ///< No name, no route, refused.
  kTls,            ///< No handshake, or a certificate that is not trusted.
  kClosed,         ///< The connection ended.
  kTimeout,        ///< No answer within the deadline.
  kBusy,           ///< More commands are waiting for an answer than we let wait.
  kAccessDenied,   ///< Wrong or missing password, or a user without the rights.
  kFull,           ///< maxmemory is reached and nothing may be evicted.
  kReadOnly,       ///< A replica.
  kLoading,        ///< It starts, or copies its data from a primary.
  kCannotPersist,  ///< It refuses writes because its last snapshot failed.
  kCluster,        ///< A node of a cluster.
  kNotRedis,       ///< Something else answers there.
  kRefused,        ///< Another error; the log has its first word.
};

/// A stable snake_case word, for logs, metrics and health.
std::string_view ToString(RedisFault fault);
/// What an operator can do about it: a sentence.
std::string_view RemedyOf(RedisFault fault);
/// The meaning of an error reply such as "READONLY You can't write against a read only replica."
RedisFault FaultOfReply(std::string_view error);

}  // namespace latchkey::limits
