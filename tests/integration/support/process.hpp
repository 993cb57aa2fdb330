#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace latchkey::integration {

/// A child program with exactly the environment it is given, its output going to a file. Killed when destroyed.
class Process {
 public:
  struct Options {
    std::vector<std::string> arguments;  ///< With the program's path first.
    std::map<std::string, std::string> environment;
    std::string output_path;
    std::string working_directory;
  };
  explicit Process(const Options& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  /// The exit code, or 128 + signal; nullopt while it runs.
  std::optional<int> Poll();
  /// nullopt when it still runs after `timeout`.
  std::optional<int> Wait(std::chrono::milliseconds timeout);
  void Signal(int signal) const;
  /// SIGKILL, and gone when this returns.
  void Kill();

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// Waits until the file exists and is not empty, or the process ended; empty then.
std::string WaitForFile(const std::string& path, Process& process, std::chrono::milliseconds timeout);

}  // namespace latchkey::integration
