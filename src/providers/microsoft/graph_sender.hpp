#pragma once

#include <memory>
#include <string_view>

#include "mail/mail_sender.hpp"
#include "providers/microsoft/graph_client.hpp"

namespace latchkey::microsoft {

/// MailSenders for connections at Microsoft: a draft with an immutable id is written down before it is sent, so that a
/// lost answer can be asked for by that id, and another try sends the same draft, which can leave only once. Loop
/// thread only; outlives the senders it hands out.
class GraphSenders final : public mail::MailSenders {
 public:
  explicit GraphSenders(GraphClients& clients) : clients_(clients) {}

  Result<std::shared_ptr<mail::MailSender>> For(const ConnectedAccountId& account, std::string_view provider) override;

 private:
  GraphClients& clients_;
};

}  // namespace latchkey::microsoft
