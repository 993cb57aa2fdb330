#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace latchkey::simulator {

/// The raw bytes of all messages, in one file that has no name (it vanishes with the process), so that a million
/// messages cost memory for their index only. Append only: space of deleted messages is not reused. The kernel's page
/// cache is the read cache; recent appends wait in a buffer. Throws std::system_error when the disk is full.
class Spool {
 public:
  /// In $TMPDIR, else /tmp.
  Spool();
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Returns the offset to Read from.
  std::uint64_t Append(std::string_view bytes);
  std::string Read(std::uint64_t offset, std::size_t size) const;
  std::uint64_t size() const { return flushed_ + buffer_.size(); }

 private:
  void Flush();

  int file_ = -1;
  std::uint64_t flushed_ = 0;  ///< Bytes in the file; what follows is in buffer_.
  std::string buffer_;
};

}  // namespace latchkey::simulator
