#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace latchkey::storage::postgres::testing {

/// For tests only: stands between a client and the server on loopback and lets the network fail at a chosen moment.
/// Threads of its own; everything may be called from any thread.
class TestProxy {
 public:
  enum class Fault {
    kNone,
    /// The client's packet with these words reaches the server, the answer does not reach the client: hangs up.
    kLoseAnswer,
    /// The packet does not reach the server: hangs up.
    kLosePacket,
  };
  /// `url` is the server's; it must name a numeric host and a port.
  explicit TestProxy(const std::string& url);
  ~TestProxy();
  TestProxy(const TestProxy&) = delete;
  TestProxy& operator=(const TestProxy&) = delete;

  /// The same database, through the proxy.
  const std::string& url() const { return url_; }
  /// From now on, for the first packet that holds `words`.
  void Arm(Fault fault, std::string words);
  /// True once an armed fault has happened.
  bool fired() const { return fired_; }
  /// Hangs up on everybody, and on who comes, until Open.
  void Shut();
  /// Hangs up on who comes, until Open; who is there stays.
  void RefuseNew() { shut_ = true; }
  void Open() { shut_ = false; }

 private:
  void Listen();
  void Serve(int client);
  Fault FaultOf(const std::string& packet);

  std::string url_;
  std::uint16_t server_port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stop_{false}, shut_{false}, fired_{false};
  std::atomic<int> cuts_{0};  ///< Grows when everybody is hung up on.
  std::mutex mutex_;
  Fault fault_ = Fault::kNone;
  std::string words_;
  std::vector<std::thread> threads_;
};

}  // namespace latchkey::storage::postgres::testing
