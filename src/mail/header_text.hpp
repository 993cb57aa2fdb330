#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace latchkey::mail {

/// Unstructured header text as a person reads it: unfolded, RFC 2047 encoded words decoded (a character split over
/// neighbouring words survives), control characters turned to blanks, clean UTF-8. Values that a provider decoded
/// already pass through unchanged. Linear time. Any thread.
std::string DecodeHeaderText(std::string_view value);

/// Length of the encoded word at the start of `text`, 0 when there is none.
std::size_t EncodedWordLength(std::string_view text);

/// A header of the form `value; name=x; name*0*=...` (RFC 2045 section 5.1, RFC 2231).
struct ParameterisedValue {
  std::string value;  ///< In lower case.
  std::string_view parameters;
};
ParameterisedValue ParseParameterised(std::string_view header);
/// One parameter, unquoted, RFC 2231 continuations joined and charsets decoded, encoded words inside (a common abuse)
/// decoded too. nullopt when absent. At most 64 continuations.
std::optional<std::string> FindParameter(std::string_view parameters, std::string_view name);

/// A file name fit to show and to offer for download: no control or direction characters, no path, at most 255 bytes.
std::string SafeFileName(std::string_view name);

/// "<a@b>" without its angle brackets and blanks.
std::string StripAngles(std::string_view text);

}  // namespace latchkey::mail
