#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <string_view>

namespace latchkey::crypto {

enum class JsonFault { kTooLarge, kNotJson, kDuplicateMember, kNotObject };

/// Reads one JSON object from outside where two readers must never see two meanings: valid UTF-8, depth at most 32, no
/// member twice (compared after unescaping), nothing behind it. nullopt with `fault` set otherwise.
std::optional<boost::json::object> ParseStrictObject(std::string_view text, std::size_t max_bytes, JsonFault& fault);

/// The member as string; nullopt when absent or of another type.
std::optional<std::string_view> StringMember(const boost::json::object& object, std::string_view name);

}  // namespace latchkey::crypto
