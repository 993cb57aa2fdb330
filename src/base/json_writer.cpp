#include "base/json_writer.hpp"

#include <cmath>

namespace latchkey::json {
namespace {

/// A vector register on every machine we build for; the compiler picks the instructions.
typedef unsigned char Block __attribute__((vector_size(16)));

bool NeedsEscape(unsigned char byte) { return byte < 0x20 || byte == '"' || byte == '\\'; }

bool AnyNeedsEscape(const char* at) {
  Block block;
  std::memcpy(&block, at, sizeof block);
  const auto hits = (block < 0x20) | (block == '"') | (block == '\\');
  std::uint64_t halves[2];
  std::memcpy(halves, &hits, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

void AppendEscape(std::string& out, unsigned char byte) {
  switch (byte) {
    case '"':
      out.append("\\\"", 2);
      return;
    case '\\':
      out.append("\\\\", 2);
      return;
    case '\n':
      out.append("\\n", 2);
      return;
    case '\r':
      out.append("\\r", 2);
      return;
    case '\t':
      out.append("\\t", 2);
      return;
    default: {
      constexpr char kHex[] = "0123456789abcdef";
      const char escape[] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
      out.append(escape, sizeof escape);
    }
  }
}

}  // namespace

void AppendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  const char* at = text.data();
  const char* const end = at + text.size();
  const char* clean = at;
  while (at != end) {
    if (end - at >= static_cast<std::ptrdiff_t>(sizeof(Block)) && !AnyNeedsEscape(at)) {
      at += sizeof(Block);
      continue;
    }
    const char* const stop = end - at > static_cast<std::ptrdiff_t>(sizeof(Block)) ? at + sizeof(Block) : end;
    for (; at != stop; ++at) {
      if (!NeedsEscape(static_cast<unsigned char>(*at))) continue;
      out.append(clean, at);
      AppendEscape(out, static_cast<unsigned char>(*at));
      clean = at + 1;
    }
  }
  out.append(clean, end);
  out.push_back('"');
}

Writer& Writer::Value(double number) {
  if (!std::isfinite(number)) return Null();
  Separate();
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out_.append(digits, end);
  return *this;
}

}  // namespace latchkey::json
