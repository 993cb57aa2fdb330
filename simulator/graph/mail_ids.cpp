#include "simulator/graph/mail_ids.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace latchkey::simulator::graph {
namespace {

/// Real ids have 120 to 150 characters, so ours carry some dead weight in front.
constexpr std::size_t kFillerBytes = 46;
constexpr std::string_view kVisiblePrefix = "AAMk";

std::uint64_t Mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

void AppendWord(std::string& bytes, std::uint64_t word) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>((word >> shift) & 0xFF));
}

std::uint64_t WordAt(std::string_view bytes, std::size_t at) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) word = (word << 8) | static_cast<unsigned char>(bytes[at + i]);
  return word;
}

std::string Filler(std::uint64_t mailbox) {
  std::string bytes;
  for (std::uint64_t i = 0; bytes.size() < kFillerBytes; ++i) AppendWord(bytes, Mix(mailbox + i));
  bytes.resize(kFillerBytes);
  return bytes;
}

}  // namespace

std::string EncodeId(char kind, std::uint64_t mailbox, const std::vector<std::uint64_t>& words) {
  std::string bytes = Filler(mailbox);
  bytes.push_back(kind);
  for (const std::uint64_t word : words) AppendWord(bytes, word);
  // One byte short of a multiple of three, so that the id ends with '=', as Exchange's do.
  while (bytes.size() % 3 != 2) bytes.push_back('\0');
  std::string text = Base64UrlEncode(bytes);
  while (text.size() % 4 != 0) text.push_back('=');
  return std::string(kVisiblePrefix) + text;
}

std::optional<DecodedId> DecodeId(std::string_view id, std::uint64_t mailbox) {
  if (!id.starts_with(kVisiblePrefix)) return std::nullopt;
  const auto bytes = Base64UrlDecode(id.substr(kVisiblePrefix.size()));
  if (!bytes || bytes->size() < kFillerBytes + 1 || !bytes->starts_with(Filler(mailbox))) return std::nullopt;
  DecodedId decoded;
  decoded.kind = (*bytes)[kFillerBytes];
  for (std::size_t at = kFillerBytes + 1; at + 8 <= bytes->size(); at += 8) {
    decoded.words.push_back(WordAt(*bytes, at));
  }
  return decoded;
}

}  // namespace latchkey::simulator::graph
