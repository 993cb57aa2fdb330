#pragma once

#include <string>

#include "mail/mail_sender.hpp"
#include "providers/microsoft/graph_client.hpp"

namespace latchkey::microsoft {

/// Adds a file to a draft: in one call below 3 MiB, through an upload session above, in pieces of which one is in
/// memory at a time. A piece whose answer was lost is continued where the session says.
Task<Result<void>> AttachFile(GraphClient& client, const std::string& draft_id,
                              const mail::OutgoingAttachment& attachment, mail::SendJournal& journal);

}  // namespace latchkey::microsoft
