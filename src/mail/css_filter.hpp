#pragma once

#include <string>
#include <string_view>

namespace latchkey::mail {

/// Takes from a style sheet (or a style attribute) every piece that could load something, hide where it loads from, or
/// leave its element: url(), image functions, escapes, @-rules other than @media, '<'. What remains is joined again;
/// a rule that lost its selector is one that browsers skip. Linear time. Any thread.
std::string FilterStyleSheet(std::string_view css);
std::string FilterStyleAttribute(std::string_view css);

}  // namespace latchkey::mail
