#pragma once

#include <memory>
#include <string_view>

#include "mail/mail_provider.hpp"
#include "providers/google/google_client.hpp"

namespace latchkey::google {

/// MailProviders for connections at Google. Loop thread only; outlives the mailboxes it hands out.
class GmailProviders final : public mail::MailProviders {
 public:
  explicit GmailProviders(GoogleParts parts);
  ~GmailProviders() override;

  Result<std::shared_ptr<mail::MailProvider>> For(const ConnectedAccountId& account,
                                                  std::string_view provider) override;

 private:
  GoogleParts parts_;
  MessageParser parser_;
};

}  // namespace latchkey::google
