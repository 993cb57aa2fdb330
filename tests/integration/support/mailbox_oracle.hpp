#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/integration/support/person.hpp"
#include "tests/integration/support/server.hpp"
#include "tests/integration/support/simulator.hpp"

namespace latchkey::integration {

/// One message as both sides can tell it, every part as text, so that differences read well.
using MessageFacts = std::map<std::string, std::string>;
/// By the provider's id.
using MailboxFacts = std::map<std::string, MessageFacts>;

/// What the mailbox really holds, told by the simulator.
MailboxFacts TrueMailbox(Simulator& simulator, const std::string& email);
/// What the server stored, read through its interface page by page. The provider's ids, which the interface does not
/// show, come from the database file. `with_details` reads every single message; without it addresses beyond the
/// sender, text and attachments are left out.
MailboxFacts StoredMailbox(Server& server, Person& person, bool with_details);
/// The same, with the provider's ids (by ours) from elsewhere.
MailboxFacts StoredMailbox(const std::map<std::string, std::string>& provider_ids, Person& person, bool with_details,
                           const std::string& query = "");

/// Differences in words, at most ten; empty when both hold the same.
std::vector<std::string> Compare(const MailboxFacts& truth, const MailboxFacts& stored);

/// Leaves only what StoredMailbox gives without details.
MailboxFacts WithoutDetails(MailboxFacts facts);

}  // namespace latchkey::integration
