#pragma once

#include <string>
#include <string_view>

namespace latchkey::integration {

/// A connection whose bytes the test writes itself. Reads give up after a minute.
class RawClient {
 public:
  /// To "http://localhost:PORT".
  explicit RawClient(const std::string& url);
  /// To a socket in the file system.
  static RawClient AtFile(const std::string& path);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&&) = delete;

  bool connected() const { return socket_ >= 0; }
  void Send(std::string_view bytes);
  /// Whether something arrived that was not read yet, or the connection ended.
  bool HasNews() const;
  /// What arrives, up to and including the first piece that completes `end`, or all there is.
  std::string ReadUntil(std::string_view end);
  std::string ReadAll() { return ReadUntil({}); }

 private:
  explicit RawClient(int socket);
  int socket_ = -1;
};

}  // namespace latchkey::integration
