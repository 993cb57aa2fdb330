#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace latchkey::oauth {

/// One mailbox address in its one canonical form: local part as written, domain in lower case. There is no way to hold
/// a list, several '@' outside quotes, control or direction characters, or white space. At most 254 bytes. UTF-8 is
/// allowed (RFC 6531).
class EmailAddress {
 public:
  /// kInvalidArgument.
  static Result<EmailAddress> Parse(std::string_view text);
  const std::string& text() const { return text_; }
  std::string_view domain() const { return std::string_view(text_).substr(text_.rfind('@') + 1); }
  friend bool operator==(const EmailAddress&, const EmailAddress&) = default;

 private:
  explicit EmailAddress(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// A provider's display text made safe to store and show: without control and direction characters, at most
/// `max_bytes`, cut between characters.
std::string CleanDisplayText(std::string_view text, std::size_t max_bytes);

}  // namespace latchkey::oauth
