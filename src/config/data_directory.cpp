#include "config/data_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "config/values.hpp"

namespace latchkey::config {
namespace {

namespace fs = std::filesystem;

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::expected<std::string, Problem> ReadSecret(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.ok())
    return std::unexpected(Problem{path, fmt::format("cannot be read ({})", std::strerror(errno)),
                                   "Give the file to the user that runs the server."});
  struct stat info{};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return std::unexpected(Problem{path, "is not a regular file", "Remove it, or put the secret there again."});
  if ((info.st_mode & 077) != 0)
    return std::unexpected(
        Problem{path, fmt::format("may be read by others (mode {:04o})", info.st_mode & 07777),
                fmt::format("Close it: chmod 600 {}; and think of whether somebody read it.", path)});
  std::string text(4096, '\0');
  const auto count = ::read(file.get(), text.data(), text.size());
  if (count < 0) return std::unexpected(Problem{path, "cannot be read", "Check the disk."});
  text.resize(static_cast<std::size_t>(count));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

// Writes beside the final name and links it into place, so that a crash never leaves half a key under that name.
std::expected<std::string, Problem> GenerateSecret(const std::string& path) {
  const auto cannot = [&] {
    return std::unexpected(Problem{path, fmt::format("cannot be written ({})", std::strerror(errno)),
                                   "Make the data directory writable for the user that runs the server."});
  };
  const std::string text = Base64Encode(RandomBytes(32));
  const std::string draft = fmt::format("{}.{}", path, ::getpid());
  {
    const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.ok()) return cannot();
    const std::string line = text + "\n";
    if (::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) || ::fsync(file.get()) != 0)
      return cannot();
  }
  const bool linked = ::link(draft.c_str(), path.c_str()) == 0;
  const bool lost_race = !linked && errno == EEXIST;
  if (!linked && !lost_race) return cannot();
  ::unlink(draft.c_str());
  const Descriptor folder(::open(fs::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.ok()) ::fsync(folder.get());
  if (lost_race) return ReadSecret(path);
  return text;
}

std::vector<Problem> MakeWritable(const std::string& folder) {
  std::error_code error;
  const bool existed = fs::exists(folder, error);
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    return {{folder, fmt::format("cannot be made a directory ({})", error ? error.message() : "a file is in its place"),
             "Choose another LATCHKEY_DATA_DIR, or make its parent writable for this user."}};
  }
  if (!existed) fs::permissions(folder, fs::perms::owner_all, error);
  const std::string probe = fmt::format("{}/.write-probe.{}", folder, ::getpid());
  const Descriptor file(::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.ok()) {
    return {{folder, fmt::format("cannot be written ({})", std::strerror(errno)),
             "Give the directory to the user that runs the server (chown), or choose another LATCHKEY_DATA_DIR."}};
  }
  ::unlink(probe.c_str());
  return {};
}

}  // namespace

std::vector<Problem> PrepareDataDirectory(Loaded& loaded) {
  auto& settings = loaded.settings;
  auto problems = MakeWritable(settings.data_dir);
  if (!problems.empty()) return problems;
  const std::string folder = settings.data_dir + "/secrets";
  problems = MakeWritable(folder);
  if (!problems.empty()) return problems;

  const auto fill = [&](std::string_view env, std::string_view name, bool present) {
    if (present) return;
    const auto path = fmt::format("{}/{}", folder, name);
    std::error_code error;
    auto text = fs::exists(fs::symlink_status(path, error)) ? ReadSecret(path) : GenerateSecret(path);
    if (!text) {
      problems.push_back(text.error());
      return;
    }
    auto problem = FindByEnv(env)->apply(settings, *text);
    if (!problem.what.empty()) {
      problems.push_back(
          {path, problem.what, "Restore the file from your backup; a new key cannot open what is stored."});
    } else {
      loaded.origins[std::string(env)] = fmt::format("file {}", path);
    }
  };
  fill("SESSION_SECRET", "session_secret", !settings.session_secret.empty());
  fill("JWT_SECRET", "jwt_secret", !settings.jwt_secret.empty());
  fill("ENCRYPTION_KEY", "encryption_key", !settings.encryption_keys.empty());
  return problems;
}

}  // namespace latchkey::config
