#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.hpp"

namespace latchkey::mail {

/// Reads a Retry-After header in every form seen: whole seconds and an HTTP date (RFC 9110 section 10.2.3), and decimal
/// seconds, which quota services send. Between one second and a day; nullopt when there is none or it says nothing.
std::optional<std::chrono::milliseconds> ReadRetryAfter(std::string_view header, Instant now);

}  // namespace latchkey::mail
