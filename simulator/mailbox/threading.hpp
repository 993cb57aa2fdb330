#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace latchkey::simulator {

/// The header fields that decide where a message belongs.
struct ThreadingKeys {
  std::uint64_t message_id = 0;           ///< Hash of Message-ID; 0 when absent.
  std::vector<std::uint64_t> references;  ///< Hashes, nearest ancestor first (In-Reply-To, then References backwards).
  std::uint64_t subject = 0;              ///< Hash of the base subject; 0 when it is empty.
  bool is_reply = false;                  ///< The subject begins with Re:, Fwd: or one of their translations.
};

ThreadingKeys ReadThreadingKeys(std::string_view raw);

/// Never 0. Stable over runs.
std::uint64_t HashText(std::string_view text);

/// "Re: [list] Aw:  Plan" as "[list] plan": without reply prefixes, lower case, blanks squeezed.
std::string BaseSubject(std::string_view subject, bool& is_reply);

}  // namespace latchkey::simulator
