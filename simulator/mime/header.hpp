#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latchkey::simulator::mime {

/// One header field as it stands in the message. Views point into the message's bytes.
struct HeaderField {
  std::string_view name;
  std::string_view raw;  ///< The value with its folds, without blanks at either end.
};

struct HeaderBlock {
  std::vector<HeaderField> fields;
  std::size_t body_offset = 0;  ///< Where the body begins, behind the empty line.

  /// The first field of that name (without regard to case), or "".
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
};

/// Reads fields up to the first empty line. Tolerant: an mbox "From " line in front and lines that are no field are
/// skipped, blanks before the colon are allowed, a block that never ends leaves an empty body.
HeaderBlock ParseHeaderBlock(std::string_view bytes);

/// Takes the line ends out and keeps the blanks, as Gmail does ("a;\r\n  b" becomes "a;  b").
std::string Unfold(std::string_view raw);

/// Unstructured text (RFC 2047 anywhere, adjacent encoded words joined before decoding) as UTF-8. Raw 8-bit text is
/// read as UTF-8; bytes that are none become U+FFFD.
std::string DecodeText(std::string_view raw);

/// The same for From, To, Cc and their like: a decoded display name that would change the grammar (a comma in a name)
/// is put in quotes, so that the result is still an address list.
std::string DecodeAddressText(std::string_view raw);

/// A structured value: "text/plain; charset=utf-8; name*0=...". Parameter names in lower case; RFC 2231 continuations
/// and charsets are resolved, encoded words in values are decoded, values are UTF-8.
struct ParameterisedValue {
  std::string value;  ///< Lower case, without comments and blanks at the ends.
  std::vector<std::pair<std::string, std::string>> parameters;

  /// The first parameter of that name, or "".
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
};
ParameterisedValue ParseParameterised(std::string_view raw);

}  // namespace latchkey::simulator::mime
