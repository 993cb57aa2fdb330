#include "mail/css_filter.hpp"

#include <algorithm>

#include "mail/charset.hpp"

namespace latchkey::mail {
namespace {

/// Comments split tokens in CSS, so a blank takes their place.
std::string WithoutComments(std::string_view css) {
  std::string out;
  out.reserve(css.size());
  for (std::size_t i = 0; i < css.size();) {
    if (css.substr(i, 2) == "/*") {
      const std::size_t end = css.find("*/", i + 2);
      i = end == std::string_view::npos ? css.size() : end + 2;
      out += ' ';
    } else {
      out += css[i++];
    }
  }
  return out;
}

/// Words that fetch, run or escape; matched anywhere in a piece, so that no tokenizer has to agree with the browser's.
bool IsSafePiece(std::string_view piece) {
  static constexpr std::string_view kRefused[] = {
      "url",        "image(", "image-set", "src(", "expression", "behavior", "binding",   "javascript", "element(",
      "cross-fade", "paint(", "attr(",     "var(", "env(",       "import",   "namespace", "//"};
  const std::string lower = AsciiLower(piece);
  if (lower.find_first_of("\\<") != std::string::npos) return false;
  // "@media" alone of the rules that begin with '@'.
  if (const std::size_t at = lower.find('@'); at != std::string::npos && lower.compare(at, 6, "@media") != 0)
    return false;
  // Custom properties could carry a refused word into a place where it counts.
  if (lower.find("--") != std::string::npos) return false;
  return std::none_of(std::begin(kRefused), std::end(kRefused),
                      [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string Filter(std::string_view css, std::string_view separators) {
  const std::string clean = WithoutComments(css);
  const std::string_view text = clean;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = text.find_first_of(separators, i);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view piece = text.substr(i, end - i);
    if (IsSafePiece(piece)) out.append(piece);
    if (end < text.size()) out += text[end];
    i = end + 1;
  }
  return out;
}

}  // namespace

std::string FilterStyleSheet(std::string_view css) { return Filter(css, ";{}"); }
std::string FilterStyleAttribute(std::string_view css) { return Filter(css, ";"); }

}  // namespace latchkey::mail
