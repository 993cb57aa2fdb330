#pragma once

#include <span>

#include "mail/message_store.hpp"
#include "storage/rows.hpp"
#include "storage/statement.hpp"

namespace latchkey::storage {

/// The list behind mail::MessageReader::List: each account's (or label's) own index is walked newest first from the
/// cursor on, and the walks are merged, so that a page costs the same in a small and in a large mailbox.
Result<mail::MessageList> ListMessages(Connection& connection, const mail::MessageQuery& query);

/// The statements that find a page's keys. Tests hold their plans to an index walk.
std::span<const Statement* const> ListStatements();
/// Those that search. Their plans begin at the full-text index.
std::span<const Statement* const> SearchStatements();

}  // namespace latchkey::storage
