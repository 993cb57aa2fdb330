#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace latchkey {

/// RFC 4648 section 4, with padding.
std::string Base64Encode(std::string_view bytes);
/// RFC 4648 section 5, without padding.
std::string Base64UrlEncode(std::string_view bytes);
/// Strict: alphabet of section 4, correct padding required, no white space.
std::optional<std::string> Base64Decode(std::string_view text);
/// Alphabet of section 5; padding may be there or not (Gmail sends both). No white space.
std::optional<std::string> Base64UrlDecode(std::string_view text);
/// Lower case.
std::string HexEncode(std::string_view bytes);
std::optional<std::string> HexDecode(std::string_view text);

/// RFC 3986: everything but unreserved characters becomes %XX.
std::string PercentEncode(std::string_view text);
/// Refuses broken escapes. '+' stays '+'.
std::optional<std::string> PercentDecode(std::string_view text);

}  // namespace latchkey
