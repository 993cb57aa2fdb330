#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

/// What the adapters of calendars read their answers with. Any thread.
namespace latchkey::calendar {

using JsonElement = simdjson::dom::element;

/// Parses a whole answer; nullopt when it is no JSON. A lone surrogate, which people's titles have and the parser would
/// refuse the whole page for, becomes U+FFFD: `json` is changed in place. The element lives as long as `parser`.
std::optional<JsonElement> ParseAnswer(simdjson::dom::parser& parser, std::string& json);

/// The member of that name; nullopt when it is absent or null, or `object` is none.
std::optional<JsonElement> MemberOf(JsonElement object, std::string_view name);
/// Its text, empty when it is no string.
std::string_view TextOf(JsonElement object, std::string_view name);
bool FlagOf(JsonElement object, std::string_view name);
std::optional<std::int64_t> NumberOf(JsonElement object, std::string_view name);

/// Calls `visit(element)` for each element of the array of that name.
template <class Visit>
void ForEachIn(JsonElement object, std::string_view name, const Visit& visit) {
  const auto member = MemberOf(object, name);
  simdjson::dom::array array;
  if (!member || member->get_array().get(array) != simdjson::SUCCESS) return;
  for (const JsonElement element : array) visit(element);
}

}  // namespace latchkey::calendar
