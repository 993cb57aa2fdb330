#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

namespace latchkey::mail {

/// Reads strings out of one JSON answer. simdjson's own get_string refuses a whole document for one lone surrogate;
/// mail has them, so a broken escape becomes U+FFFD here. Text without escapes (all bodies: base64url) is not copied.
class JsonStrings {
 public:
  /// nullopt when the value is no string. The view lives as long as this object and the document's bytes.
  std::optional<std::string_view> Read(simdjson::ondemand::value value);
  /// A string or a number as it is written: Gmail gives 64 bit numbers as strings.
  std::optional<std::uint64_t> ReadUnsigned(simdjson::ondemand::value value);

 private:
  std::deque<std::string> unescaped_;
};

/// Room behind the bytes that simdjson may read, without copying when the string has it already.
simdjson::padded_string_view Padded(std::string& json);

/// This thread's parser; one document at a time.
simdjson::ondemand::parser& ThreadParser();

}  // namespace latchkey::mail
