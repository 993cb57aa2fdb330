#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/chaos/services.hpp"
#include "tests/chaos/tcp_proxy.hpp"
#include "tests/integration/support/server.hpp"
#include "tests/integration/support/simulator.hpp"

namespace latchkey::chaos {

/// Two web and two worker processes of the real server over one PostgreSQL and one Redis, reached by browsers through a
/// balancer, with a network between the processes and the database that can fail. Destroyed in the order it needs.
class Cluster {
 public:
  Cluster();

  integration::Simulator& simulator() { return simulator_; }
  PostgresServer& postgres() { return postgres_; }
  RedisServer& redis() { return redis_; }
  TcpProxy& database_network() { return database_network_; }
  integration::Server& web(std::size_t which) { return *web_.at(which); }
  integration::Server& worker(std::size_t which) { return *workers_.at(which); }

  /// Starts whoever does not run, once, as a supervisor does now and then; why somebody did not start, or nothing.
  std::string Revive();
  /// Until everybody runs.
  void StartAll();
  /// Rows of the database, past the network that fails.
  std::vector<std::vector<std::string>> Query(const std::string& sql) { return postgres_.Query("latchkey", sql); }
  /// The end of what each process wrote.
  std::string logs() const;
  /// Stops everybody with SIGTERM; their exit codes.
  std::vector<int> StopAll();

 private:
  std::unique_ptr<integration::Server> NewServer(const std::string& role);

  integration::Simulator simulator_;
  PostgresServer postgres_;
  RedisServer redis_;
  TcpProxy database_network_;
  TcpProxy balancer_;
  std::vector<std::unique_ptr<integration::Server>> web_;
  std::vector<std::unique_ptr<integration::Server>> workers_;
};

}  // namespace latchkey::chaos
