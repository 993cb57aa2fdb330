#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace latchkey::simulator::samples {

/// A valid one-page PDF (1.4) with these lines in Helvetica; ASCII only.
std::string MakePdf(const std::vector<std::string>& lines);

/// A valid PNG: a soft gradient from one colour (0xRRGGBB) to the other, with a sun in a corner.
std::string MakePng(unsigned width, unsigned height, std::uint32_t top, std::uint32_t bottom);

/// An iCalendar request (RFC 5545, RFC 5546) for one meeting.
std::string MakeIcs(std::string_view uid, std::string_view summary, std::string_view location,
                    std::string_view organizer, std::string_view attendee, Instant start, Instant end);

}  // namespace latchkey::simulator::samples
