#include "api/file_name.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace latchkey::api {
namespace {

constexpr std::size_t kMaxBytes = 150;

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 1;
};

// The text is valid UTF-8 (the store guarantees it); a broken byte would only be taken alone.
CodePoint Read(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto next = [&](std::size_t at) { return static_cast<char32_t>(byte(at) & 0x3F); };
  if (byte(0) >= 0xF0 && text.size() >= 4)
    return {(static_cast<char32_t>(byte(0) & 7) << 18) | (next(1) << 12) | (next(2) << 6) | next(3), 4};
  if (byte(0) >= 0xE0 && text.size() >= 3)
    return {(static_cast<char32_t>(byte(0) & 15) << 12) | (next(1) << 6) | next(2), 3};
  if (byte(0) >= 0xC0 && text.size() >= 2) return {(static_cast<char32_t>(byte(0) & 31) << 6) | next(1), 2};
  return {byte(0), 1};
}

bool Harmful(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return true;
  // Marks that reorder text ("gpj.exe" shown as "exe.jpg"), separators and the byte order mark.
  if ((c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F)) return true;
  return c == 0x061C || c == 0xFEFF || c == '/' || c == '\\' || c == ':' || c == '"' || c == '*' || c == '?' ||
         c == '<' || c == '>' || c == '|';
}

}  // namespace

std::string AttachmentDisposition(std::string_view name) {
  std::string clean, ascii;
  while (!name.empty()) {
    const auto [value, size] = Read(name);
    if (clean.size() + size > kMaxBytes) break;
    if (Harmful(value)) {
      clean += '_';
      ascii += '_';
    } else {
      clean += name.substr(0, size);
      ascii += value < 0x7F ? static_cast<char>(value) : '_';
    }
    name.remove_prefix(size);
  }
  const auto first = clean.find_first_not_of(". ");
  if (first == std::string::npos) return "attachment; filename=\"attachment\"";
  if (first > 0) {
    clean.erase(0, first);
    ascii.erase(0, first);
  }
  if (clean == ascii) return fmt::format("attachment; filename=\"{}\"", ascii);
  return fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}", ascii, PercentEncode(clean));
}

}  // namespace latchkey::api
