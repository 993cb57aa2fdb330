#include "tests/chaos/services.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "base/random.hpp"
#include "tests/integration/support/wait.hpp"

namespace latchkey::chaos {
namespace {

namespace fs = std::filesystem;
constexpr const char* kBin = "/usr/lib/postgresql/15/bin";
// Room for a cluster and what a run of minutes writes, small enough to fill in a moment.
constexpr const char* kVolume = "size=256m";

std::uint16_t FreePort() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(probe, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(probe);
  return ntohs(address.sin_port);
}

std::string Output(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return out;
  char buffer[4096];
  while (const auto got = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
  ::pclose(pipe);
  return out;
}

}  // namespace

std::string PostgresServer::Missing() {
  return fs::exists(std::string(kBin) + "/initdb") ? "" : "no PostgreSQL 15 (Debian's postgresql-15)";
}

PostgresServer::PostgresServer() : data_(directory_.Sub("volume")), password_(RandomToken(16)) {
  fs::create_directory(data_);
  mounted_ = ::geteuid() == 0 && ::mount("tmpfs", data_.c_str(), "tmpfs", 0, kVolume) == 0;
  if (::geteuid() == 0) {
    fs::permissions(directory_.path(), fs::perms(0755));
    Run("chown postgres: " + data_);
  }
  integration::WriteFile(directory_.Sub("password"), password_ + "\n");
  fs::permissions(directory_.Sub("password"), fs::perms(0644));
  const auto cluster = data_ + "/cluster";
  if (Run(AsServerUser(fmt::format("{}/initdb -D {} -U postgres --auth=scram-sha-256 --pwfile={} --encoding=UTF8 "
                                   "--locale=C.UTF-8 --wal-segsize=1 --no-sync",
                                   kBin, cluster, directory_.Sub("password")))) != 0) {
    throw std::runtime_error("initdb failed:\n" + integration::ReadFile(directory_.Sub("log")));
  }
  port_ = FreePort();
  std::ofstream(cluster + "/postgresql.conf", std::ios::app)
      << "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nport = " << port_
      << "\nmax_connections = 120\nshared_buffers = 32MB\nmax_wal_size = 32MB\nmin_wal_size = 2MB\n"
         // What this test takes down are processes, never the machine.
         "fsync = off\nwal_level = minimal\nmax_wal_senders = 0\nlogging_collector = off\n";
  Start();
}

PostgresServer::~PostgresServer() {
  SignalBackends(SIGCONT);
  Stop("immediate");
  if (mounted_) ::umount2(data_.c_str(), MNT_DETACH);
}

std::string PostgresServer::AsServerUser(const std::string& command) const {
  return ::geteuid() == 0 ? "cd / && setpriv --reuid postgres --regid postgres --init-groups " + command : command;
}

int PostgresServer::Run(const std::string& command) const {
  return std::system(fmt::format("({}) >> {} 2>&1", command, directory_.Sub("log")).c_str());
}

void PostgresServer::Start() {
  if (!integration::WaitUntil([&] { return TryStart(); })) {
    throw std::runtime_error("PostgreSQL does not start:\n" + integration::ReadFile(directory_.Sub("log")));
  }
}

bool PostgresServer::TryStart() {
  wanted_ = true;
  if (Answers()) return true;
  // The log stays off the volume: it must be writable when that is full.
  const auto log = directory_.Sub("log");
  Run("touch " + log + " && chmod 666 " + log);
  Run(AsServerUser(fmt::format("{}/pg_ctl -D {}/cluster -l {} -w -t 30 start", kBin, data_, log)));
  return Answers();
}

void PostgresServer::Revive() {
  if (wanted_) TryStart();
}

void PostgresServer::Stop(const std::string& mode) {
  wanted_ = false;
  Run(AsServerUser(fmt::format("{}/pg_ctl -D {}/cluster -m {} -w -t 30 stop", kBin, data_, mode)));
}

bool PostgresServer::Answers() {
  return Run(fmt::format("PGCONNECT_TIMEOUT=2 psql -q '{}' -c 'SELECT 1'", Url(port_, "postgres"))) == 0;
}

int PostgresServer::SignalBackends(int signal) {
  std::istringstream children(Output("pgrep -P $(head -1 " + data_ +
                                     "/cluster/postmaster.pid 2>/dev/null) -f 'postgres: "
                                     "postgres ' 2>/dev/null"));
  int count = 0;
  for (int pid = 0; children >> pid;) count += ::kill(pid, signal) == 0 ? 1 : 0;
  return count;
}

bool PostgresServer::FillVolume() {
  std::ofstream filler(data_ + "/filler", std::ios::binary);
  const std::string block(1 << 16, 'x');
  while (filler.write(block.data(), static_cast<std::streamsize>(block.size())) && filler.flush()) {
  }
  return !filler;
}

void PostgresServer::FreeVolume() { fs::remove(data_ + "/filler"); }

std::string PostgresServer::Url(std::uint16_t port, const std::string& database) const {
  return fmt::format("postgresql://postgres:{}@127.0.0.1:{}/{}", password_, port, database);
}

std::vector<std::vector<std::string>> PostgresServer::Query(const std::string& database, const std::string& sql) {
  std::istringstream lines(Output(
      fmt::format("psql -At -F '\x1f' '{}' -c \"{}\" 2>> {}", Url(port_, database), sql, directory_.Sub("log"))));
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(lines, line);) {
    auto& row = rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\x1f');) row.push_back(cell);
  }
  return rows;
}

std::string RedisServer::Missing() {
  return Output("command -v redis-server").empty() ? "no redis-server (Debian's package of that name)" : "";
}

RedisServer::RedisServer() : port_(FreePort()) { Start(); }

void RedisServer::Start() {
  integration::Process::Options options;
  options.arguments = {
      "/usr/bin/redis-server", "--port", std::to_string(port_), "--bind", "127.0.0.1", "--save", "", "--dir",
      directory_.path()};
  options.environment = {{"PATH", "/usr/bin:/bin"}};
  options.output_path = directory_.Sub("redis.log");
  options.working_directory = directory_.path();
  process_ = std::make_unique<integration::Process>(options);
  if (!integration::WaitUntil([&] { return Command("PING") == "PONG\n"; })) {
    throw std::runtime_error("Redis does not start:\n" + integration::ReadFile(directory_.Sub("redis.log")));
  }
}

std::string RedisServer::Command(const std::string& words) const {
  return Output(fmt::format("timeout 2 redis-cli -h 127.0.0.1 -p {} {} 2>/dev/null", port_, words));
}

}  // namespace latchkey::chaos
