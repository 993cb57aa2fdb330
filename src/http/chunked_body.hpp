#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "http/request_head.hpp"

namespace latchkey::http {

/// Decodes a chunked request body (RFC 9112 section 7.1) by the letter: CRLF only, a size in hexadecimal digits alone.
/// Chunk extensions and trailers, which nobody sends us and others have been fooled with, are refused. (Beast 1.81
/// accepts both, and some hostile chunk headers run into its assertions.)
class ChunkedBody {
 public:
  /// `limit`: decoded bytes; beyond: 413.
  explicit ChunkedBody(std::size_t limit) : limit_(limit) {}

  /// Takes a prefix of `bytes` and returns how much: all of it until done(), after which the rest belongs to the next
  /// request.
  std::expected<std::size_t, Refusal> Feed(std::string_view bytes);
  bool done() const { return state_ == State::kDone; }
  std::string& body() { return body_; }
  /// What was decoded since the last call; the limit still counts all of it.
  std::string Take() {
    taken_ += body_.size();
    return std::exchange(body_, {});
  }

 private:
  enum class State { kSize, kSizeLf, kData, kDataCr, kDataLf, kEndCr, kEndLf, kDone };
  bool AcceptSizeByte(char byte);

  std::size_t limit_;
  std::string body_;
  std::size_t taken_ = 0;
  State state_ = State::kSize;
  std::uint64_t size_ = 0;
  int digits_ = 0;
};

}  // namespace latchkey::http
