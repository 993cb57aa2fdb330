#pragma once

#include <optional>
#include <string>
#include <utility>

namespace latchkey::app {

/// A file that one process at a time may hold; the kernel lets go of it however that process ends. Any thread.
class FileLock {
 public:
  /// nullopt when another process holds it, or when the file cannot be made.
  static std::optional<FileLock> TryTake(const std::string& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }

  int descriptor() const { return file_; }

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_ = -1;
};

/// A worker's name in the leases of its jobs. It is kept in a file of the data directory that the process holds while
/// it lives: whoever gets the same name next knows that its former owner is dead, and need not wait for leases to run
/// out. Processes that share a data directory get different names.
struct WorkerName {
  FileLock lock;
  std::string text;  ///< 16 letters and digits.
};
/// nullopt when no file can be made or read: then leases have to run out.
std::optional<WorkerName> TakeWorkerName(const std::string& data_dir);

}  // namespace latchkey::app
