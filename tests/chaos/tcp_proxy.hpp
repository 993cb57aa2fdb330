#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace latchkey::chaos {

/// Stands between programs on loopback and does to their connections what networks do. With several targets it is a
/// balancer: each connection goes to the next one that accepts it. One thread per connection and direction; any thread
/// may call.
class TcpProxy {
 public:
  TcpProxy();
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  std::uint16_t port() const { return port_; }
  void SetTargets(std::vector<std::uint16_t> ports);

  /// Resets every connection; returns how many there were.
  int Reset();
  /// Swallows all bytes without a word, on old and new connections, until false.
  void Swallow(bool on) { swallow_ = on; }
  /// Bytes that came while they were swallowed.
  std::uint64_t swallowed() const { return swallowed_; }

 private:
  struct Pair;
  void Accept();
  void Serve(int client);
  void Pump(int from, int to);
  int Connect();

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<bool> swallow_{false};
  std::atomic<std::uint64_t> swallowed_{0};
  std::mutex mutex_;
  std::vector<std::uint16_t> targets_;
  std::size_t next_ = 0;
  std::set<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace latchkey::chaos
