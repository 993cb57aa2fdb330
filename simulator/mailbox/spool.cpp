#include "simulator/mailbox/spool.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace latchkey::simulator {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

[[noreturn]] void Throw(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

Spool::Spool() {
  const char* folder = std::getenv("TMPDIR");
  std::string name = std::string(folder != nullptr && *folder != '\0' ? folder : "/tmp") + "/latchkey-spool-XXXXXX";
  file_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (file_ < 0) Throw("cannot create a spool file in the temporary folder (set TMPDIR to a writable one)");
  ::unlink(name.c_str());
}

Spool::~Spool() { ::close(file_); }

std::uint64_t Spool::Append(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) Flush();
  const std::uint64_t offset = size();
  buffer_.append(bytes);
  return offset;
}

void Spool::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::pwrite(file_, rest.data(), rest.size(), static_cast<off_t>(flushed_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) Throw("cannot write the spool file");
    flushed_ += static_cast<std::uint64_t>(written);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

std::string Spool::Read(std::uint64_t offset, std::size_t size) const {
  if (offset >= flushed_) return buffer_.substr(offset - flushed_, size);
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::pread(file_, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) Throw("cannot read the spool file");
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace latchkey::simulator
