#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace latchkey::simulator::mime {

struct Address {
  std::string name;   ///< Display name, UTF-8, without quotes.
  std::string email;  ///< As written, without angle brackets.
};

/// Reads an address list (RFC 5322 section 3.4, and most of what is sent instead) from decoded header text. Groups are
/// flattened. Linear, no recursion; at most kMaxAddresses.
std::vector<Address> ParseAddresses(std::string_view text);
inline constexpr std::size_t kMaxAddresses = 10'000;

}  // namespace latchkey::simulator::mime
