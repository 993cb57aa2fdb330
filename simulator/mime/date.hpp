#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latchkey::simulator::mime {

/// Seconds since 1970 UTC of a Date field: RFC 5322 section 3.3 with the obsolete forms of section 4.3, and ISO 8601.
/// nullopt for everything else.
std::optional<std::int64_t> ParseDate(std::string_view text);

/// "Fri, 20 Nov 2026 12:31:05 +0000".
std::string FormatDate(std::int64_t seconds);

}  // namespace latchkey::simulator::mime
