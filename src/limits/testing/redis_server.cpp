#include "limits/testing/redis_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <utility>

extern char** environ;

namespace latchkey::limits::testing {
namespace {

[[noreturn]] void Throw(const std::string& what) { throw std::runtime_error("redis-server of the test: " + what); }

/// A port that was free a moment ago. Another program may take it before Redis does: then it is tried again.
int FreePort() {
  const int handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = ::bind(handle, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(handle);
  if (!bound) Throw("no free port");
  return ntohs(address.sin_port);
}

}  // namespace

std::string RedisServer::Program() {
  if (const char* named = std::getenv("LATCHKEY_TEST_REDIS_SERVER"); named != nullptr && *named != '\0') {
    return ::access(named, X_OK) == 0 ? named : "";
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = folder + "/redis-server";
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

RedisServer::RedisServer() : RedisServer(Options{}) {}

RedisServer::RedisServer(Options options) : options_(std::move(options)) {
  // Short: the path of a socket has at most 107 bytes.
  std::string pattern = "/tmp/latchkey-redis-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) Throw("no scratch folder");
  folder_ = pattern;
  socket_ = folder_ + "/redis.sock";
  Start({});
}

RedisServer::~RedisServer() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void RedisServer::Start(const std::vector<std::string>& more) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    if (TryStart(more)) return;
    if (!options_.tcp) break;
    // Someone else took the port in between.
    port_ = 0;
  }
  Throw("it does not start; its output is above");
}

bool RedisServer::TryStart(const std::vector<std::string>& more) {
  if (options_.tcp && port_ == 0) port_ = FreePort();
  const bool tls = !options_.certificate.empty();
  std::vector<std::string> words = {Program(),
                                    "--dir",
                                    folder_,
                                    "--unixsocket",
                                    socket_,
                                    "--save",
                                    "",
                                    "--appendonly",
                                    "no",
                                    "--daemonize",
                                    "no",
                                    "--logfile",
                                    "",
                                    "--bind",
                                    "127.0.0.1",
                                    "--port",
                                    tls ? "0" : std::to_string(port_)};
  if (tls) {
    for (const auto& word :
         {std::string("--tls-port"), std::to_string(port_), std::string("--tls-cert-file"), options_.certificate,
          std::string("--tls-key-file"), options_.key, std::string("--tls-auth-clients"), std::string("no")}) {
      words.push_back(word);
    }
  }
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  std::array<int, 2> output{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0) Throw("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output[1], 1);
  posix_spawn_file_actions_adddup2(&actions, output[1], 2);
  const int failed = ::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(output[1]);
  if (failed != 0) {
    ::close(output[0]);
    Throw("cannot run " + words[0]);
  }
  // It says when it listens. Its few later lines fit the pipe; nobody has to read them.
  std::string said;
  std::array<char, 4096> buffer;
  bool ready = false;
  while (!ready) {
    const auto size = ::read(output[0], buffer.data(), buffer.size());
    if (size <= 0) break;
    said.append(buffer.data(), static_cast<std::size_t>(size));
    ready = said.find("server is now ready to accept connections at") != std::string::npos;
  }
  if (ready) {
    // Nobody reads on: the kernel's buffer holds thousands of lines.
    ::fcntl(output[0], F_SETPIPE_SZ, 1 << 20);
    output_ = output[0];
    return true;
  }
  ::close(output[0]);
  Kill();
  std::fputs(said.c_str(), stderr);
  return false;
}

void RedisServer::Kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  if (output_ >= 0) ::close(std::exchange(output_, -1));
  ::unlink(socket_.c_str());
}

void RedisServer::Freeze() {
  ::kill(pid_, SIGSTOP);
  // Stopped when this returns.
  ::waitpid(pid_, nullptr, WUNTRACED);
}

void RedisServer::Thaw() { ::kill(pid_, SIGCONT); }

RedisAddress RedisServer::address() const {
  RedisAddress address;
  address.transport = RedisAddress::Transport::kUnix;
  address.host.clear();
  address.path = socket_;
  return address;
}

RedisReply RedisServer::Do(const std::vector<std::string>& words) const {
  std::string command;
  const std::vector<std::string_view> views(words.begin(), words.end());
  AppendCommand(command, views);
  const int handle = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_.copy(address.sun_path, sizeof address.sun_path - 1);
  ReplyReader reader;
  std::optional<RedisReply> reply;
  if (::connect(handle, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::send(handle, command.data(), command.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(command.size())) {
    std::array<char, 4096> buffer;
    while (!(reply = reader.Next()) && !reader.broken()) {
      const auto size = ::read(handle, buffer.data(), buffer.size());
      if (size <= 0) break;
      reader.Feed({buffer.data(), static_cast<std::size_t>(size)});
    }
  }
  ::close(handle);
  if (!reply) Throw("no answer to " + words[0]);
  return std::move(*reply);
}

}  // namespace latchkey::limits::testing
