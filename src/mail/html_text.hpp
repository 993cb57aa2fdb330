#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace latchkey::mail {

/// The words of an HTML body, for search and previews: tags dropped, blocks on lines of their own, entities decoded,
/// blanks collapsed, script and style left out. One pass, at most `max_output_bytes`. Any thread.
std::string HtmlToText(std::string_view html, std::size_t max_output_bytes = 256 << 10);

/// Decodes character references in text that holds no tags (Gmail's snippet).
std::string UnescapeHtml(std::string_view text);

/// Reads the character reference at the start of `text` (which begins with '&'): appends the character as UTF-8 and
/// returns how many bytes were read; 0 when it is none. The semicolon may be missing, as in browsers.
std::size_t DecodeEntity(std::string_view text, std::string& out);

}  // namespace latchkey::mail
