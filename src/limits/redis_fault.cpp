#include "limits/redis_fault.hpp"

namespace latchkey::limits {
namespace {

struct Row {
  RedisFault fault;
  std::string_view word;
  std::string_view remedy;
};

constexpr Row kRows[] = {
    {RedisFault::kNotTriedYet, "not_tried_yet", "Wait a moment."},
    {RedisFault::kUnreachable, "unreachable", "Check that Redis runs and that REDIS_URL names its host and port."},
    {RedisFault::kTls, "tls_failed",
     "Check that Redis speaks TLS on that port and that its certificate is for that host; LATCHKEY_CA_FILE names "
     "further certificate authorities."},
    {RedisFault::kClosed, "closed", "Look at the log of Redis for why it closed the connection."},
    {RedisFault::kTimeout, "timeout", "Check that Redis answers (redis-cli --latency) and is not paused."},
    {RedisFault::kBusy, "busy", "Redis answers too slowly for the number of requests: check its load."},
    {RedisFault::kAccessDenied, "access_denied",
     "Check user and password in REDIS_URL; the user needs EVAL, EVALSHA and SELECT on keys that begin with "
     "latchkey:."},
    {RedisFault::kFull, "full", "Raise maxmemory, or give Latchkey a Redis of its own."},
    {RedisFault::kReadOnly, "read_only", "REDIS_URL names a replica; name the primary."},
    {RedisFault::kLoading, "loading", "Redis is still reading its data; wait."},
    {RedisFault::kCannotPersist, "cannot_persist", "Redis cannot write its snapshot: check the disk of its machine."},
    {RedisFault::kCluster, "cluster", "A cluster cannot keep these limits: name a single Redis server."},
    {RedisFault::kNotRedis, "not_redis", "Something else answers at that address: check host and port of REDIS_URL."},
    {RedisFault::kRefused, "refused", "Look at the log for the answer of Redis; version 7 is needed."},
};

const Row& RowOf(RedisFault fault) {
  for (const Row& row : kRows) {
    if (row.fault == fault) return row;
  }
  return kRows[0];
}

}  // namespace

std::string_view ToString(RedisFault fault) { return RowOf(fault).word; }

std::string_view RemedyOf(RedisFault fault) { return RowOf(fault).remedy; }

RedisFault FaultOfReply(std::string_view error) {
  struct Meaning {
    std::string_view word;
    RedisFault fault;
  };
  static constexpr Meaning kMeanings[] = {
      {"OOM", RedisFault::kFull},
      {"READONLY", RedisFault::kReadOnly},
      {"NOREPLICAS", RedisFault::kReadOnly},
      {"MASTERDOWN", RedisFault::kReadOnly},
      {"LOADING", RedisFault::kLoading},
      {"MISCONF", RedisFault::kCannotPersist},
      {"BUSY", RedisFault::kTimeout},
      {"NOAUTH", RedisFault::kAccessDenied},
      {"WRONGPASS", RedisFault::kAccessDenied},
      {"NOPERM", RedisFault::kAccessDenied},
      {"DENIED", RedisFault::kAccessDenied},
      {"MOVED", RedisFault::kCluster},
      {"ASK", RedisFault::kCluster},
      {"CROSSSLOT", RedisFault::kCluster},
      {"CLUSTERDOWN", RedisFault::kCluster},
  };
  const std::string_view word = error.substr(0, error.find(' '));
  for (const Meaning& meaning : kMeanings) {
    if (meaning.word == word) return meaning.fault;
  }
  // Both are how servers answer AUTH when they have no password at all, or another one in the old form.
  if (error.find("AUTH") != std::string_view::npos) return RedisFault::kAccessDenied;
  if (error.find("max number of clients") != std::string_view::npos) return RedisFault::kBusy;
  return RedisFault::kRefused;
}

}  // namespace latchkey::limits
