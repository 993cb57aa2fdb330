#pragma once

#include <string>

#include "calendar/event.hpp"
#include "calendar/provider_json.hpp"

namespace latchkey::microsoft {

/// Graph's pattern and range as an RRULE line (RFC 5545 section 3.8.5.3); empty for what cannot be said so. Occurrences
/// come from Graph within its windows; the rule serves what lies beyond them.
std::string RecurrenceLine(calendar::JsonElement recurrence);

}  // namespace latchkey::microsoft
