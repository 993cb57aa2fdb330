#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace latchkey::google {

/// Decodes the answer of users.messages.attachments.get, {"size": n, "data": "<base64url>"}, as it arrives: whatever
/// the attachment's size, only the piece at hand is in memory. Feed it the body's bytes in order.
class AttachmentStream {
 public:
  /// Returns the decoded bytes of this piece. After broken() nothing more comes.
  std::string Feed(std::string_view bytes);

  /// The data ended with its closing quote.
  bool complete() const { return state_ == State::kAfter; }
  bool broken() const { return state_ == State::kBroken; }
  /// What came before any data, at most 64 KiB: the error document, when it is one.
  const std::string& head() const { return head_; }

 private:
  enum class State { kHead, kData, kAfter, kBroken };
  State state_ = State::kHead;
  std::string head_;
  std::uint32_t group_ = 0;
  int bits_ = 0;
};

}  // namespace latchkey::google
