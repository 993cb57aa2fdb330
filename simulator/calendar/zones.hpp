#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace latchkey::simulator::calendar {

/// A wall clock somewhere; where is said beside it.
using LocalTime = std::chrono::local_seconds;

/// The IANA name of a zone as files and clients write it: "Europe/Berlin", "W. Europe Standard Time",
/// "/freeassociation.sourceforge.net/Europe/Berlin", "utc". nullopt: nobody knows it.
std::optional<std::string> FindZone(std::string_view name);

/// "W. Europe Standard Time" for "Europe/Berlin"; the name itself when Windows has none for it ("UTC" is both).
std::string WindowsZone(const std::string& iana);

/// RFC 5545 section 3.3.5: a time that occurs twice is the first one, a time that is skipped is read with the offset
/// before the gap. `zone` must be a name FindZone gave; anything else is read as UTC.
Instant ToInstant(LocalTime local, const std::string& zone);
LocalTime ToLocal(Instant instant, const std::string& zone);
/// East of Greenwich positive.
std::chrono::seconds OffsetAt(Instant instant, const std::string& zone);

/// Every zone by its IANA name, those of large places first: for finding one by its offsets.
const std::vector<std::string>& AllZones();

}  // namespace latchkey::simulator::calendar
