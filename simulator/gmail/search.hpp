#pragma once

#include <functional>
#include <string_view>

#include "base/clock.hpp"
#include "simulator/mailbox/mailbox.hpp"

namespace latchkey::simulator {

/// What the `q` parameter selects. Understood: from: to: cc: bcc: subject: label: in: is: has:attachment filename:
/// after: before: older: newer: older_than: newer_than: larger: smaller: rfc822msgid:, words, "phrases" and a minus in
/// front of any of them; all terms must match. (OR, braces and AROUND are not.)
struct Search {
  std::function<bool(const StoredMessage&)> matches;  ///< Valid while the mailbox lives.
  bool includes_spam_trash = false;                   ///< in:anywhere, in:trash, in:spam.
};

Search ParseSearch(std::string_view query, const Mailbox& mailbox, Instant now);

}  // namespace latchkey::simulator
