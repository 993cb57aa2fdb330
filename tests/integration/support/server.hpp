#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tests/integration/support/process.hpp"
#include "tests/integration/support/scratch_database.hpp"
#include "tests/integration/support/temp_directory.hpp"

namespace latchkey::integration {

class Simulator;

/// The real server on a port of its own, in a data directory that outlives restarts.
class Server {
 public:
  using Environment = std::map<std::string, std::string>;
  /// Settings that make it a client of `simulator`, mailboxes polled every second. `more` adds and replaces.
  explicit Server(const Simulator& simulator, const Environment& more = {});

  /// Starts it and waits until it listens. The port of the first start is kept, so that addresses stay valid.
  void Start();
  /// SIGTERM; returns the exit code.
  int Stop();
  /// kill -9.
  void Kill();
  bool running() { return process_ && !process_->Poll(); }
  Process& process() { return *process_; }

  /// "http://localhost:PORT", as browsers use it; the public URL where one is set.
  const std::string& url() const { return public_url_; }
  /// Where it listens itself.
  std::uint16_t port() const { return port_; }
  const std::string& setup_url() const { return setup_url_; }
  std::string data_directory() const { return directory_.Sub("data"); }
  /// Everything it wrote, over all starts.
  std::string log() const { return ReadFile(directory_.Sub("server.log")); }
  Environment& environment() { return environment_; }
  /// Where its database is, for DatabaseFile.
  std::string database() const { return database_ ? database_->url() : data_directory() + "/latchkey.db"; }

 private:
  TempDirectory directory_;
  Environment environment_;
  std::unique_ptr<ScratchDatabase> database_;
  std::unique_ptr<Process> process_;
  std::uint16_t port_ = 0;
  std::string public_url_;
  std::string setup_url_;
};

/// The server with these settings and arguments where no start is expected: its exit code and what it printed.
struct FailedStart {
  int exit_code = 0;
  std::string output;
};
FailedStart RunServer(const Server::Environment& environment, const std::vector<std::string>& arguments = {});

}  // namespace latchkey::integration
