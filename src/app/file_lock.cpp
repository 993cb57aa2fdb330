#include "app/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/random.hpp"

namespace latchkey::app {
namespace {

constexpr std::size_t kNameLength = 16;
/// Workers that may share a data directory.
constexpr int kMaxNames = 64;

bool IsName(std::string_view text) {
  return text.size() == kNameLength &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// What the file says, or a fresh name written into it; empty when neither works.
std::string ReadOrWriteName(int file) {
  std::array<char, kNameLength> known{};
  if (::pread(file, known.data(), known.size(), 0) == static_cast<ssize_t>(known.size())) {
    if (std::string name(known.data(), known.size()); IsName(name)) return name;
  }
  std::string name = HexEncode(RandomBytes(kNameLength / 2));
  const bool written = ::ftruncate(file, 0) == 0 &&
                       ::pwrite(file, name.data(), name.size(), 0) == static_cast<ssize_t>(name.size()) &&
                       ::fsync(file) == 0;
  return written ? name : std::string();
}

}  // namespace

std::optional<FileLock> FileLock::TryTake(const std::string& path) {
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.file_ < 0 || ::flock(lock.file_, LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  return lock;
}

FileLock::~FileLock() {
  if (file_ >= 0) ::close(file_);
}

std::optional<WorkerName> TakeWorkerName(const std::string& data_dir) {
  const std::string folder = data_dir + "/workers";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (int i = 1; i <= kMaxNames; ++i) {
    auto lock = FileLock::TryTake(fmt::format("{}/{}", folder, i));
    if (!lock) continue;
    std::string name = ReadOrWriteName(lock->descriptor());
    if (name.empty()) return std::nullopt;
    return WorkerName{.lock = std::move(*lock), .text = std::move(name)};
  }
  return std::nullopt;
}

}  // namespace latchkey::app
