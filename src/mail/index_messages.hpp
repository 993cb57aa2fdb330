#pragma once

#include "mail/sync_parts.hpp"

namespace latchkey::mail {

/// Job `index_messages`: takes stored messages into the search index, behind the sync and in large batches, because the
/// index costs several times the insert when it is kept up row by row. Works for a while, then lets others have the
/// database.
class IndexMessages {
 public:
  explicit IndexMessages(const SyncParts& parts) : parts_(parts) {}
  Task<jobs::Outcome> Run(const jobs::Job& job);

 private:
  const SyncParts& parts_;
};

}  // namespace latchkey::mail
