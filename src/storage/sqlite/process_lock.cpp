#include "storage/sqlite/process_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <thread>

namespace latchkey::storage::sqlite {

ProcessLock::ProcessLock(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  alone_ = file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) == 0;
}

ProcessLock::~ProcessLock() {
  if (file_ >= 0) ::close(file_);
}

void ProcessLock::Share() {
  // Waits at most for another process that is just opening the same database.
  if (file_ >= 0) ::flock(file_, LOCK_SH);
}

bool ProcessLock::ShareWithin(std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPause{20};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  // A lock file that cannot be made keeps nobody away.
  while (file_ >= 0 && ::flock(file_, LOCK_SH | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

}  // namespace latchkey::storage::sqlite
