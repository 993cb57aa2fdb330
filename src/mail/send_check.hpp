#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "mail/message.hpp"

/// What may stand in a mail of ours. Everything here takes text from outside and refuses it with kInvalidArgument.
namespace latchkey::mail {

/// One recipient: local part in ASCII and outside quotes, domain in its ASCII form (an internationalised one is
/// translated), name without control and direction characters. There is no way to write a list or a header line.
Result<Address> CheckRecipient(std::string_view name, std::string_view address);

/// One header line of text: at most `max_bytes`, without control characters.
Result<std::string> CheckLine(std::string_view text, std::size_t max_bytes);

/// A body: valid as it is but for NUL and other control characters, which are refused; at most `max_bytes`.
Result<std::string> CheckBody(std::string_view text, std::size_t max_bytes);

/// "type/subtype" in lower case; "application/octet-stream" for anything else.
std::string CheckMediaType(std::string_view type);

/// A message id of somebody else's mail as it can stand in our In-Reply-To, without angle brackets; empty when it
/// cannot.
std::string CleanMessageId(std::string_view id);

/// The subject without its "Re:" and "Fwd:" beginnings, in lower case: what decides whether a reply stays in a
/// conversation.
std::string BaseSubject(std::string_view subject);

}  // namespace latchkey::mail
