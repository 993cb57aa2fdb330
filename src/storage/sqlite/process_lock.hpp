#pragma once

#include <chrono>
#include <string>
#include <utility>

namespace latchkey::storage::sqlite {

/// A file lock that every process using the database holds shared while it lives; the kernel drops it however the
/// process ends. Whoever gets it exclusively at its start knows that no other is at work.
class ProcessLock {
 public:
  /// Tries for the exclusive lock. A file that cannot be made counts as not alone.
  explicit ProcessLock(const std::string& path);
  ~ProcessLock();
  ProcessLock(ProcessLock&& other) noexcept : file_(std::exchange(other.file_, -1)), alone_(other.alone_) {}
  ProcessLock& operator=(ProcessLock&&) = delete;

  bool Alone() const { return alone_; }
  /// From here on others may start.
  void Share();
  /// Joins those who share it, as soon as one that has it for itself (a migration, a restore) lets go; false when it
  /// does not in time. Blocks.
  bool ShareWithin(std::chrono::milliseconds patience);

 private:
  int file_ = -1;
  bool alone_ = false;
};

}  // namespace latchkey::storage::sqlite
