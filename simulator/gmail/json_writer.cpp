#include "simulator/gmail/json_writer.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace latchkey::simulator {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Twelve bits at a time: two characters each.
constexpr std::array<std::array<char, 2>, 4096> MakePairs() {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kAlphabet[i >> 6], kAlphabet[i & 63]};
  return pairs;
}
constexpr auto kPairs = MakePairs();

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

/// High bit set in every byte that must be escaped: below 0x20, '"' or '\\'. Bytes from 0x80 on never are.
std::uint64_t NeedsEscape(std::uint64_t word) {
  const std::uint64_t ascii = ~word & kHighBits;
  const std::uint64_t control = word - kOnes * 0x20;
  const std::uint64_t quote = (word ^ (kOnes * '"')) - kOnes;
  const std::uint64_t backslash = (word ^ (kOnes * '\\')) - kOnes;
  return (control | quote | backslash) & ascii;
}

void AppendEscape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
}

bool IsPlain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

}  // namespace

void AppendJsonEscaped(std::string& out, std::string_view text) {
  std::size_t start = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    if (i + 8 <= text.size()) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + i, 8);
      // Borrows may mark a byte above a real hit by mistake, never one below it: the first mark is always right.
      const std::uint64_t marks = NeedsEscape(word);
      if (marks == 0) {
        i += 8;
        continue;
      }
      i += static_cast<std::size_t>(std::countr_zero(marks)) / 8;
    } else if (IsPlain(text[i])) {
      ++i;
      continue;
    }
    out.append(text, start, i - start);
    AppendEscape(out, text[i]);
    start = ++i;
  }
  out.append(text, start);
}

void AppendBase64Url(std::string& out, std::string_view bytes, bool padded) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* target = out.data() + start;
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, p += 3, target += 4) {
    const std::uint32_t bits = static_cast<std::uint32_t>(p[0]) << 16 | static_cast<std::uint32_t>(p[1]) << 8 | p[2];
    std::memcpy(target, kPairs[bits >> 12].data(), 2);
    std::memcpy(target + 2, kPairs[bits & 0xFFF].data(), 2);
  }
  if (left > 0) {
    const std::uint32_t bits =
        static_cast<std::uint32_t>(p[0]) << 16 | (left == 2 ? static_cast<std::uint32_t>(p[1]) << 8 : 0U);
    *target++ = kAlphabet[bits >> 18];
    *target++ = kAlphabet[bits >> 12 & 63];
    if (left == 2) *target++ = kAlphabet[bits >> 6 & 63];
    for (std::size_t i = left; padded && i < 3; ++i) *target++ = '=';
  }
  out.resize(static_cast<std::size_t>(target - out.data()));
}

void JsonWriter::Separate() {
  if (out_.empty()) return;
  const char last = out_.back();
  if (last != '{' && last != '[' && last != ':') out_.push_back(',');
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  out_.push_back(bracket);
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  out_.push_back(bracket);
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  out_.push_back('"');
  out_.append(name);
  out_.append("\":");
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  Separate();
  out_.push_back('"');
  AppendJsonEscaped(out_, text);
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::Number(std::int64_t value) {
  Separate();
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.append(digits.data(), end);
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  Separate();
  out_.append(value ? "true" : "false");
  return *this;
}

JsonWriter& JsonWriter::QuotedNumber(std::uint64_t value) {
  Separate();
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.push_back('"');
  out_.append(digits.data(), end);
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::QuotedNumber(std::int64_t value) {
  Separate();
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.push_back('"');
  out_.append(digits.data(), end);
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::Base64Url(std::string_view bytes, bool padded) {
  Separate();
  out_.push_back('"');
  AppendBase64Url(out_, bytes, padded);
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  out_.append(json);
  return *this;
}

}  // namespace latchkey::simulator
