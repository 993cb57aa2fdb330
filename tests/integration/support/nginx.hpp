#pragma once

#include <memory>
#include <string>

#include "tests/integration/support/process.hpp"
#include "tests/integration/support/temp_directory.hpp"

namespace latchkey::integration {

/// nginx with the configuration that is delivered, but for addresses and certificates: it listens on a socket file.
class Nginx {
 public:
  static bool Installed();
  Nginx(const std::string& first_port, const std::string& second_port);
  ~Nginx();
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  std::string socket() const { return directory_.Sub("socket"); }
  std::string log() const { return ReadFile(directory_.Sub("log")); }
  /// One exchange; `request` should say "Connection: close".
  std::string Exchange(const std::string& request) const;

 private:
  std::string TempPaths() const;

  TempDirectory directory_;
  std::unique_ptr<Process> process_;
};

}  // namespace latchkey::integration
