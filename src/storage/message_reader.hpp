#pragma once

#include "mail/message_store.hpp"
#include "storage/rows.hpp"

namespace latchkey::storage {

/// mail::MessageReader over the database. Loop thread. Accounts that are being erased have no messages here.
class MessageReader final : public mail::MessageReader {
 public:
  explicit MessageReader(Engine& engine) : engine_(engine) {}

  Task<Result<mail::MessageList>> List(const mail::MessageQuery& query) override;
  Task<Result<mail::StoredMessage>> Get(const UserId& user, const MessageId& id) override;
  Task<Result<std::vector<mail::LabelCount>>> ListLabels(const UserId& user,
                                                         const ConnectedAccountId& account) override;

 private:
  Engine& engine_;
};

}  // namespace latchkey::storage
