#pragma once

#include <memory>
#include <string_view>

#include "mail/mail_sender.hpp"
#include "providers/google/google_client.hpp"

namespace latchkey::google {

/// MailSenders for connections at Google: one upload per mail. Loop thread only; outlives the senders it hands out.
///
/// Gmail has no way to ask whether a request was acted on. A lost answer is looked for in the list of SENT, which is in
/// step with what was sent, by a header of ours; what is not there may still come, so that is never taken for "not
/// sent".
class GmailSenders final : public mail::MailSenders {
 public:
  /// `compositions`: mails composed at a time, which bounds the memory that attachments take.
  GmailSenders(GoogleParts parts, Semaphore& compositions) : parts_(std::move(parts)), compositions_(compositions) {}

  Result<std::shared_ptr<mail::MailSender>> For(const ConnectedAccountId& account, std::string_view provider) override;

 private:
  GoogleParts parts_;
  Semaphore& compositions_;
};

}  // namespace latchkey::google
