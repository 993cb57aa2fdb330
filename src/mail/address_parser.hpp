#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "mail/message.hpp"

namespace latchkey::mail {

inline constexpr std::size_t kMaxAddresses = 5000;

struct AddressList {
  std::vector<Address> addresses;
  bool truncated = false;  ///< More than kMaxAddresses were there.
};

/// Reads an address header (RFC 5322 section 3.4) as mail really has it: groups, quoted strings, comments, encoded
/// names, routes, missing brackets, stray separators. No recursion: one pass over the text, so hostile input such as
/// "g:g:g:..." costs its length. What has no '@' is kept as a name without address. Any thread.
AddressList ParseAddressList(std::string_view value);

}  // namespace latchkey::mail
