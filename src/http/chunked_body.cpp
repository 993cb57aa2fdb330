#include "http/chunked_body.hpp"

#include <algorithm>

namespace latchkey::http {

namespace {

/// Enough for any body we take, and far from overflowing.
constexpr int kMaxDigits = 12;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool ChunkedBody::AcceptSizeByte(char byte) {
  if (byte == '\r') {
    if (digits_ == 0) return false;
    state_ = State::kSizeLf;
    return true;
  }
  const int value = HexValue(byte);
  if (value < 0 || ++digits_ > kMaxDigits) return false;
  size_ = size_ * 16 + static_cast<std::uint64_t>(value);
  return true;
}

std::expected<std::size_t, Refusal> ChunkedBody::Feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !done()) {
    if (state_ == State::kData) {
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(size_, bytes.size() - used));
      body_.append(bytes, used, take);
      used += take;
      size_ -= take;
      if (size_ == 0) state_ = State::kDataCr;
      continue;
    }
    const char byte = bytes[used++];
    bool valid = true;
    switch (state_) {
      case State::kSize:
        valid = AcceptSizeByte(byte);
        break;
      case State::kSizeLf:
        valid = byte == '\n';
        if (size_ > limit_ - taken_ - body_.size()) return std::unexpected(Refusal{413, "body too large"});
        digits_ = 0;
        state_ = size_ == 0 ? State::kEndCr : State::kData;
        break;
      case State::kDataCr:
        valid = byte == '\r';
        state_ = State::kDataLf;
        break;
      case State::kDataLf:
        valid = byte == '\n';
        state_ = State::kSize;
        break;
      case State::kEndCr:
        // Anything else would be a trailer.
        valid = byte == '\r';
        state_ = State::kEndLf;
        break;
      case State::kEndLf:
        valid = byte == '\n';
        state_ = State::kDone;
        break;
      case State::kData:
      case State::kDone:
        break;
    }
    if (!valid) return std::unexpected(Refusal{400, "malformed chunk"});
  }
  return used;
}

}  // namespace latchkey::http
