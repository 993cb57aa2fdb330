#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey::simulator::graph {

/// An id as Exchange writes them: long, base64 of the URL alphabet, with padding, case-sensitive. `kind` is a letter
/// that tells messages from folders, `mailbox` keeps the ids of two mailboxes apart.
std::string EncodeId(char kind, std::uint64_t mailbox, const std::vector<std::uint64_t>& words);

struct DecodedId {
  char kind = 0;
  std::vector<std::uint64_t> words;
};
/// nullopt: not an id of that mailbox.
std::optional<DecodedId> DecodeId(std::string_view id, std::uint64_t mailbox);

}  // namespace latchkey::simulator::graph
