#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "simulator/accounts.hpp"

namespace latchkey::simulator {

/// What was really dispatched, of both providers' accounts: the oracle of every test about sending. An entry is made
/// when a message leaves for its recipients, not when a request says so. Loop thread only.
class SentLog {
 public:
  /// Entries kept; the oldest go. Counts stay right.
  static constexpr std::size_t kMaxEntries = 20'000;

  /// `raw` is the message as it left (RFC 5322), `recipients` the envelope: Bcc included, lower case. `id` is the sent
  /// copy's id at the provider, empty when no copy is kept. `duplicate`: a fault made it leave once more than asked.
  void Add(const Account& account, std::string_view id, std::string_view raw,
           const std::vector<std::string>& recipients, Instant now, bool duplicate = false);

  /// {"total", "by_message_id": {"<a@b>": 2}, "messages": [{"id", "at", "message_id", "from", "to", "cc", "bcc",
  /// "recipients", "subject", "headers": {"X-…": …}, "in_reply_to", "references", "text", "html", "text_hash",
  /// "html_hash", "size", "duplicate", "attachments": [{"name", "type", "size", "hash"}]}]}, oldest first.
  boost::json::object Describe(const Account& account) const;
  void Clear(const Account& account) { entries_.erase(account.sub); }

 private:
  struct Entries {
    std::uint64_t total = 0;
    std::map<std::string, std::uint64_t> by_message_id;
    std::deque<boost::json::object> messages;
  };
  std::map<std::string, Entries> entries_;  ///< By the account's sub.
};

}  // namespace latchkey::simulator
