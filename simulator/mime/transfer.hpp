#pragma once

#include <string>
#include <string_view>

namespace latchkey::simulator::mime {

/// RFC 2045 section 6, plus uuencode as old mailers label it.
enum class TransferEncoding { kIdentity, kBase64, kQuotedPrintable, kUuencode };

/// The value of Content-Transfer-Encoding; unknown ones are read as identity.
TransferEncoding ParseTransferEncoding(std::string_view value);

/// Skips everything outside the alphabet (both alphabets are read), starts anew after padding, drops an incomplete
/// tail.
void AppendBase64Decoded(std::string& out, std::string_view text);
/// Broken escapes stay as they stand; blanks at the end of a line go, as RFC 2045 section 6.7 rule 3 asks.
void AppendQuotedPrintableDecoded(std::string& out, std::string_view text);
/// From the "begin" line to "end"; without a "begin" line every line that decodes counts.
void AppendUudecoded(std::string& out, std::string_view text);

/// The bytes of a body under `encoding`. Linear, never fails.
std::string DecodeTransfer(std::string_view body, TransferEncoding encoding);

}  // namespace latchkey::simulator::mime
