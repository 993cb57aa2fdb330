#include "providers/google/attachment_stream.hpp"

#include <algorithm>
#include <array>

namespace latchkey::google {
namespace {

constexpr std::size_t kMaxHead = 64 << 10;

/// Both alphabets of RFC 4648: sections 4 and 5.
constexpr std::array<std::int8_t, 256> kTable = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  table['+'] = 62;
  table['/'] = 63;
  return table;
}();

/// Where the value of "data" begins in `head`; npos while it is not there yet.
std::size_t FindData(std::string_view head) {
  const std::size_t key = head.find("\"data\"");
  if (key == std::string_view::npos) return key;
  std::size_t at = key + 6;
  const auto skip_blanks = [&] {
    while (at < head.size() && (head[at] == ' ' || head[at] == '\n' || head[at] == '\r' || head[at] == '\t')) ++at;
  };
  skip_blanks();
  if (at >= head.size() || head[at] != ':') return std::string_view::npos;
  ++at;
  skip_blanks();
  if (at >= head.size() || head[at] != '"') return std::string_view::npos;
  return at + 1;
}

}  // namespace

std::string AttachmentStream::Feed(std::string_view bytes) {
  std::string out;
  std::string pending;
  if (state_ == State::kHead) {
    head_.append(bytes.substr(0, kMaxHead + 1));
    const std::size_t begin = FindData(head_);
    if (begin == std::string::npos) {
      if (head_.size() > kMaxHead) state_ = State::kBroken;
      return out;
    }
    // The piece may have been longer than what was kept of it.
    const std::size_t kept = std::min(bytes.size(), kMaxHead + 1);
    pending = head_.substr(begin);
    pending.append(bytes.substr(kept));
    bytes = pending;
    head_.clear();
    state_ = State::kData;
  }
  if (state_ != State::kData) return out;
  out.reserve(bytes.size() / 4 * 3 + 3);
  for (const char c : bytes) {
    if (c == '"') {
      state_ = State::kAfter;
      break;
    }
    // JSON may write '/' as "\/".
    if (c == '\\' || c == '=') continue;
    const int value = kTable[static_cast<unsigned char>(c)];
    if (value < 0) {
      state_ = State::kBroken;
      break;
    }
    group_ = group_ << 6 | static_cast<std::uint32_t>(value);
    bits_ += 6;
    if (bits_ >= 8) {
      bits_ -= 8;
      out += static_cast<char>(group_ >> bits_ & 0xff);
    }
  }
  return out;
}

}  // namespace latchkey::google
