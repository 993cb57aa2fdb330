#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/support/process.hpp"
#include "tests/integration/support/temp_directory.hpp"

namespace latchkey::chaos {

/// A PostgreSQL 15 of this test's own, on a volume of its own where the machine allows one (a tmpfs, which needs root),
/// so that the volume can be full.
class PostgresServer {
 public:
  /// Why it cannot run here; empty when it can.
  static std::string Missing();
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// Starts and waits until it answers.
  void Start();
  /// One try; whether it answers. It may not, for example on a full volume.
  bool TryStart();
  /// One more try, unless it was stopped on purpose.
  void Revive();
  /// "fast" ends the sessions and writes everything out, "immediate" is as a crash.
  void Stop(const std::string& mode);
  /// SIGSTOP or SIGCONT to every process that serves a session; returns how many.
  int SignalBackends(int signal);
  bool Answers();

  bool has_own_volume() const { return mounted_; }
  /// Fills the volume to the last byte; false when it did not get full.
  bool FillVolume();
  void FreeVolume();

  std::uint16_t port() const { return port_; }
  const std::string& password() const { return password_; }
  std::string Url(std::uint16_t port, const std::string& database) const;
  /// Rows of text columns by psql, over a connection of its own.
  std::vector<std::vector<std::string>> Query(const std::string& database, const std::string& sql);

 private:
  int Run(const std::string& command) const;
  std::string AsServerUser(const std::string& command) const;

  integration::TempDirectory directory_;
  std::string data_;
  std::string password_;
  std::uint16_t port_ = 0;
  bool mounted_ = false;
  /// Started, and not stopped since by whoever asked for it.
  bool wanted_ = false;
};

/// A Redis 7 of this test's own.
class RedisServer {
 public:
  static std::string Missing();
  RedisServer();

  void Start();
  void Kill() { process_->Kill(); }
  void Signal(int signal) { process_->Signal(signal); }
  /// By redis-cli; its output.
  std::string Command(const std::string& words) const;
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

 private:
  integration::TempDirectory directory_;
  std::unique_ptr<integration::Process> process_;
  std::uint16_t port_ = 0;
};

}  // namespace latchkey::chaos
