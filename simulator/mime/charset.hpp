#pragma once

#include <string>
#include <string_view>

namespace latchkey::simulator::mime {

/// RFC 3629: no surrogates, nothing beyond U+10FFFF, no overlong forms. NUL is allowed.
bool IsValidUtf8(std::string_view bytes);

/// Reads `bytes` in `charset` (any alias ICU knows, plus the misspellings mail really carries) as UTF-8. Never fails:
/// an unknown or empty charset is read as UTF-8 when it is valid UTF-8 and as windows-1252 otherwise; undecodable bytes
/// become U+FFFD. Converters are cached per thread.
std::string ToUtf8(std::string_view bytes, std::string_view charset);

}  // namespace latchkey::simulator::mime
