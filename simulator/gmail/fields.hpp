#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace latchkey::simulator {

/// Applies the `fields` parameter of Google's partial responses ("messages(id,labelIds),nextPageToken",
/// "payload/headers", "*") to compact JSON. Copies what is selected without building a tree, so that asking for less is
/// never slower than asking for all. nullopt: the selection cannot be read. Names that do not occur select nothing
/// (Google answers 400 for names outside the schema).
std::optional<std::string> SelectFields(std::string_view json, std::string_view fields);

/// Two blanks of indentation per level, as Google answers with prettyPrint=true.
std::string PrettyPrint(std::string_view json);

}  // namespace latchkey::simulator
