#include "telemetry/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace latchkey::log {
namespace {

std::atomic<Level> lowest_level = Level::kInfo;
std::atomic<std::int64_t> dropped_lines = 0;

/// A pipe that reports room takes this much without blocking (PIPE_BUF on Linux), and takes it in one piece.
constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kMaxText = 1024;

std::string_view NameOf(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

/// The length of the well-formed UTF-8 sequence at the start of `text` (Unicode 15, table 3-7), 0 if there is none.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

/// Log text may come from anywhere. What a terminal would act on (C1 controls, direction marks, line separators) and
/// what is not UTF-8 is made visible instead of copied.
std::string MakeSafe(std::string_view text) {
  const bool cut = text.size() > kMaxText;
  if (cut) text = text.substr(0, kMaxText);
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = SequenceLength(text);
    const std::string_view sequence = text.substr(0, length);
    const bool c1 = length == 2 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
    const bool format = sequence.starts_with("\xE2\x80") &&
                        ((static_cast<unsigned char>(text[2]) >= 0x8B && static_cast<unsigned char>(text[2]) <= 0x8F) ||
                         (static_cast<unsigned char>(text[2]) >= 0xA8 && static_cast<unsigned char>(text[2]) <= 0xAE));
    const bool isolate = sequence.starts_with("\xE2\x81") && static_cast<unsigned char>(text[2]) >= 0xA6 &&
                         static_cast<unsigned char>(text[2]) <= 0xA9;
    if (length == 0 || c1 || format || isolate || text[0] == 0x7F) {
      safe += "\xEF\xBF\xBD";
    } else {
      safe += sequence;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  if (cut) safe += "...";
  return safe;
}

bool IsPlain(std::string_view text) {
  if (text.size() > kMaxText) return false;
  for (const char byte : text) {
    if (static_cast<unsigned char>(byte) >= 0x7F) return false;
  }
  return true;
}

void AppendField(json::Writer& line, const Field& field) {
  line.Key(field.name);
  if (const auto* text = std::get_if<std::string>(&field.value)) {
    if (IsPlain(*text)) {
      line.Value(*text);
    } else {
      line.Value(MakeSafe(*text));
    }
  } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
    line.Value(*number);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    line.Value(*real);
  } else {
    line.Value(std::get<bool>(field.value));
  }
}

json::Writer BeginLine(Level level, std::string_view event) {
  json::Writer line(512);
  line.BeginObject().Member("time", FormatInstant(SystemClock().Now()));
  line.Member("level", NameOf(level)).Member("event", event);
  return line;
}

/// False when standard error has no room: a reader that stopped reading must not stop the server.
bool TryWrite(std::string_view line) {
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT)) return false;
  while (!line.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

void Write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  json::Writer line = BeginLine(level, event);
  for (const Field& field : fields) {
    if (line.text().size() > kMaxLine - 2 * kMaxText) break;
    AppendField(line, field);
  }
  line.EndObject();
  std::string text = line.Take();
  text.push_back('\n');
  if (text.size() > kMaxLine) {
    json::Writer shorter = BeginLine(level, event);
    text = shorter.Member("truncated", true).EndObject().Take() + '\n';
  }
  if (const std::int64_t missing = dropped_lines.exchange(0, std::memory_order_relaxed); missing > 0) {
    json::Writer note = BeginLine(Level::kWarning, "log.dropped");
    if (!TryWrite(note.Member("lines", missing).EndObject().Take() + '\n')) dropped_lines += missing;
  }
  if (!TryWrite(text)) ++dropped_lines;
}

void SetLevel(Level level) { lowest_level.store(level, std::memory_order_relaxed); }

}  // namespace latchkey::log
