#include "tests/integration/support/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "tests/integration/support/temp_directory.hpp"

namespace latchkey::integration {
namespace {

using std::chrono::steady_clock;

int CodeOf(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

Process::Process(const Options& options) {
  std::vector<std::string> environment;
  for (const auto& [name, value] : options.environment) environment.push_back(name + "=" + value);
  std::vector<char*> argv, envp;
  for (const auto& text : options.arguments) argv.push_back(const_cast<char*>(text.c_str()));
  for (const auto& text : environment) envp.push_back(const_cast<char*>(text.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  const int output = ::open(options.output_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (output < 0) throw std::runtime_error("cannot open " + options.output_path);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    if (!options.working_directory.empty() && ::chdir(options.working_directory.c_str()) != 0) ::_exit(126);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(output);
  if (pid_ < 0) throw std::runtime_error("cannot start " + options.arguments.front());
}

Process::~Process() { Kill(); }

std::optional<int> Process::Poll() {
  if (status_) return status_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) status_ = CodeOf(status);
  return status_;
}

std::optional<int> Process::Wait(std::chrono::milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  while (!Poll() && steady_clock::now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return Poll();
}

void Process::Signal(int signal) const {
  if (!status_) ::kill(pid_, signal);
}

void Process::Kill() {
  if (Poll()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  if (::waitpid(pid_, &status, 0) == pid_) status_ = CodeOf(status);
}

std::string WaitForFile(const std::string& path, Process& process, std::chrono::milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  while (steady_clock::now() < deadline) {
    auto text = ReadFile(path);
    if (!text.empty()) return text;
    if (process.Poll()) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return {};
}

}  // namespace latchkey::integration
