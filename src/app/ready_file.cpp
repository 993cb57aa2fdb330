#include "app/ready_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "base/json_writer.hpp"

namespace latchkey::app {

Result<void> WriteReadyFile(const std::string& path, const Ready& ready) {
  json::Writer out;
  out.BeginObject().Member("url", ready.url).Member("public_url", ready.public_url).Key("setup_url");
  if (ready.setup_url.empty()) {
    out.Null();
  } else {
    out.Value(ready.setup_url);
  }
  out.Member("pid", ::getpid()).EndObject();
  const auto text = out.Take() + "\n";
  const auto draft = fmt::format("{}.{}", path, ::getpid());
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) ::close(file);
  if (!written || std::rename(draft.c_str(), path.c_str()) != 0)
    return Fail(ErrorCode::kInternal, fmt::format("{} cannot be written ({})", path, std::strerror(errno)));
  return {};
}

}  // namespace latchkey::app
