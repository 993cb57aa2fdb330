#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace latchkey::integration {

struct StreamedEvent {
  std::string id, type, data;
};

/// Reads one event stream on a thread of its own until it ends or the reader is destroyed; then every event it saw is
/// held against the contract.
class EventReader {
 public:
  EventReader(std::string url, std::vector<std::string> headers);
  ~EventReader();

  /// The first event from `from` on that `wanted` accepts; nullopt when the deadline passed or the stream ended before.
  std::optional<StreamedEvent> WaitFor(const std::function<bool(const StreamedEvent&)>& wanted,
                                       std::chrono::milliseconds timeout);
  /// True when the stream ended in time.
  bool WaitForEnd(std::chrono::milliseconds timeout);
  /// The HTTP status, once known; 0 when there was none in time.
  long WaitForStatus(std::chrono::milliseconds timeout);
  std::vector<StreamedEvent> events();

 private:
  static std::size_t OnData(char* data, std::size_t size, std::size_t count, void* self);
  static int OnProgress(void* self, long long, long long, long long, long long);
  void Run(std::string url, std::vector<std::string> headers);
  void TakeLines();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string pending_;
  StreamedEvent current_;
  std::vector<StreamedEvent> events_;
  long status_ = 0;
  bool ended_ = false;
  bool stop_ = false;
  void* curl_ = nullptr;
  std::thread thread_;
};

}  // namespace latchkey::integration
