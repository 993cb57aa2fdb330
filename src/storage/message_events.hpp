#pragma once

#include <string>
#include <vector>

#include "storage/rows.hpp"

namespace latchkey::storage {

/// "message.upserted" and "message.deleted" of one commit; nothing for no ids. Writer thread.
void WriteUpserted(Transaction& transaction, const UserId& user, const ConnectedAccountId& account,
                   const std::vector<std::string>& ids, Instant now);
void WriteDeleted(Transaction& transaction, const UserId& user, const ConnectedAccountId& account,
                  const std::vector<std::string>& ids, Instant now);
/// "sync.progress" of a full read.
void WriteProgressEvent(Transaction& transaction, const UserId& user, const ConnectedAccountId& account,
                        const mail::BackfillState& state, Instant now);

}  // namespace latchkey::storage
