#pragma once

#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace latchkey::mail {

/// Reads a Date header: RFC 5322 section 3.3 with the obsolete forms of section 4.3 (two-digit years, named and
/// military zones, comments anywhere), C's asctime order and RFC 3339. A missing or unknown zone is UTC. nullopt for
/// what is no date. Looks at the first 256 bytes only. Any thread.
std::optional<Instant> ParseMailDate(std::string_view value);

}  // namespace latchkey::mail
