#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "simulator/accounts.hpp"
#include "simulator/http/message.hpp"

namespace latchkey::simulator {

/// A message as it leaves: what the sender keeps, what the others get, and who they are.
struct OutgoingMessage {
  std::string sent;                     ///< For the sender's SENT.
  std::string delivered;                ///< Without Bcc.
  std::vector<std::string> recipients;  ///< Lower case, each once.
};

/// Does to a message what Gmail does on send: a Received line in front, Date and Message-ID when they are missing, the
/// account's own address when From names another. The error is Gmail's answer ("Recipient address required", "Invalid
/// To header").
std::expected<OutgoingMessage, Response> PrepareOutgoing(std::string_view raw, const Account& sender, Instant now,
                                                         std::uint64_t nonce);

/// The same finishing touches for a draft: nothing is required of it.
std::string PrepareDraft(std::string_view raw, const Account& owner, Instant now, std::uint64_t nonce);

}  // namespace latchkey::simulator
