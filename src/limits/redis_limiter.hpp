#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "async/task_group.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "limits/limiter.hpp"
#include "limits/memory_limiter.hpp"
#include "limits/redis_connection.hpp"
#include "telemetry/metrics.hpp"

namespace latchkey::limits {

/// The limits of all processes of one installation, kept in Redis by one script on the server's clock, one round trip
/// for each decision. It is a circuit:
///
///            first answer                          a failure of any kind
///   kLost ───────────────▶ kShared ─────────────────────────────────────▶ kLost
///     ▲ connect, try to write; pauses that grow while it fails              │
///     └─────────────────────────────────────────────────────────────────────┘
///
/// While it is lost no draw waits for the network: memory answers, with this process' share of every rate (one part of
/// as many as there were processes; half when that was never known). What is lost by this is accuracy: a process may
/// have spent less than another left to it, and a Redis that was emptied begins with full buckets. The first draws that
/// meet a frozen Redis wait for one deadline. Loop thread only.
class RedisLimiter final : public Limiter {
 public:
  struct Options {
    RedisConnection::Options connection;
    /// How often this process tells the others that it is there, which also finds a Redis that is gone while nobody
    /// draws.
    std::chrono::milliseconds heartbeat = std::chrono::seconds(2);
    /// A process not heard of for this long no longer counts.
    std::chrono::milliseconds forgotten_after = std::chrono::seconds(6);
    /// Before the next attempt to reach Redis; doubled up to the longest while it fails or does not last.
    std::chrono::milliseconds first_pause = std::chrono::milliseconds(250);
    std::chrono::milliseconds longest_pause = std::chrono::seconds(5);
    /// Connections that lasted this long start again with the first pause.
    std::chrono::milliseconds lasting = std::chrono::seconds(10);
    /// Keys in Redis are made with it, so that nobody reads addresses or accounts out of them. The same in all
    /// processes; another installation with another secret may use the same Redis.
    SecretString key_secret;
    /// For tests: stands in for the server's clock.
    const Clock* server_clock = nullptr;
  };

  /// `clock` is for the time in memory. It and `metrics` must outlive it.
  RedisLimiter(const Executor& executor, RedisAddress address, const Clock& clock, metrics::Registry& metrics,
               Options options);
  ~RedisLimiter() override;

  /// Begins to connect, and returns at once.
  void Start();
  Task<void> Stop();

  Task<std::chrono::microseconds> Take(std::span<const Draw> draws) override;
  Sharing sharing() const override;

  /// Runs an operation of the script on keys of (name, key), with the set of processes as last key; nullopt when the
  /// limits are not shared at the moment, or ceased to be by this. For what else is shared beside the buckets.
  Task<std::optional<std::int64_t>> RunShared(std::string_view name, std::string_view key,
                                              std::span<const std::string> arguments);
  /// What names this process to the others: another one after each loss of the connection, so that what it held in
  /// Redis before does not stay behind.
  const std::string& process_id() const { return process_id_; }
  std::string ClockArgument() const;
  std::string ForgottenAfterArgument() const;
  TaskGroup& tasks() { return tasks_; }

  /// How many processes share the limits, this one included; nullopt when that was never known.
  std::optional<int> processes() const { return processes_; }
  /// Raised whenever sharing() changed.
  Signal& changed() { return changed_; }

 private:
  template <class T>
  using Outcome = RedisConnection::Outcome<T>;

  Task<void> KeepConnected();
  Task<Outcome<void>> Serve();
  Task<Outcome<void>> Join(RedisConnection& connection);
  /// Runs the script and gives the number it returns.
  Task<Outcome<std::int64_t>> Run(RedisConnection& connection, std::span<const std::string> keys,
                                  std::span<const std::string> arguments);
  void SetShared(std::shared_ptr<RedisConnection> connection);
  void SetLost(RedisFault fault);
  std::string KeyOf(std::string_view name, std::string_view key) const;
  std::string ProcessesKey() const;
  double OwnShare() const;

  RedisAddress address_;
  Options options_;
  std::string process_id_, process_id_before_;
  std::string script_sha_;
  MemoryLimiter memory_;
  TaskGroup tasks_;
  std::shared_ptr<RedisConnection> connection_;  ///< Set while shared.
  RedisFault fault_ = RedisFault::kNotTriedYet;
  std::string refusal_;  ///< First word of the last error reply, for the log.
  std::optional<int> processes_;
  Signal changed_;
  metrics::Registry& metrics_;
  metrics::Gauge& shared_gauge_;
  metrics::Counter& shared_draws_;
  metrics::Counter& own_draws_;
};

}  // namespace latchkey::limits
