#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "mail/outbox.hpp"

namespace latchkey::mail {

/// The header that tells our mails apart at the provider: its value is the outbox id.
inline constexpr std::string_view kOutboxHeader = "X-Latchkey-Outbox-Id";

/// Writes a mail as RFC 5322 and MIME, with CRLF: text with HTML beside it, parts that the HTML shows, attachments in
/// the order of the mail; headers in UTF-8 as encoded words, bodies in quoted-printable or base64, so that every line
/// is short. Bcc stands in it: the provider delivers to it and takes it out. `contents` are the bytes of
/// mail.attachments, in their order. Values must have passed SendMail's checks; what would break a header is refused
/// all the same (kInvalidArgument). Takes time and memory in proportion to the attachments: on a worker thread.
Result<std::string> ComposeMail(const OutgoingMail& mail, const OutboxId& id, Instant date,
                                const std::vector<std::string>& contents);

}  // namespace latchkey::mail
