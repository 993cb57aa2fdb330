#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace latchkey::mail {

/// Makes text storable: invalid UTF-8 becomes U+FFFD, NUL disappears, CRLF and lone CR become LF. Any thread.
std::string CleanUtf8(std::string text);

/// Converts bytes to clean UTF-8. `charset` is what a Content-Type or encoded word claims (any alias, any case, with or
/// without quotes); an unknown, missing or plainly wrong claim falls back to UTF-8 when the bytes are that, else to
/// windows-1252. Never fails. Any thread.
std::string ToUtf8(std::string_view bytes, std::string_view charset);

/// The charset an HTML document names in its own <meta> within the first 1,024 bytes; empty when none.
std::string_view SniffHtmlCharset(std::string_view html);

/// Appends the code point, which must be one (no surrogate, at most U+10FFFF).
void AppendUtf8(std::string& out, std::uint32_t code);

/// Cuts at a code point boundary so that at most `max_bytes` remain; true when something was cut.
bool TruncateUtf8(std::string& text, std::size_t max_bytes);

/// ASCII only; no locale.
std::string AsciiLower(std::string_view text);
bool AsciiEqualsIgnoreCase(std::string_view a, std::string_view b);
std::string_view TrimAscii(std::string_view text);

}  // namespace latchkey::mail
