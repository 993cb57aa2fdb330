#pragma once

#include <expected>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "simulator/calendar/model.hpp"

namespace latchkey::simulator::graph {

/// A master's recurrence as Graph's pattern and range. nullopt: Exchange cannot hold such a series (RDATEs, hours, week
/// numbers, several rules); its instances are then events of their own.
std::optional<boost::json::object> ToPattern(const calendar::Event& master);

/// The RRULE of a patternedRecurrence. The error is a sentence for Graph's 400.
std::expected<std::string, std::string> FromPattern(const boost::json::object& recurrence,
                                                    const calendar::EventTime& start);

}  // namespace latchkey::simulator::graph
