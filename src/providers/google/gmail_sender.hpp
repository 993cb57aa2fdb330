#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>

#include "mail/mail_sender.hpp"
#include "providers/google/google_client.hpp"

namespace latchkey::google {

/// MailSenders for connections at Google: a draft that is written down first, then sent. Loop thread only; outlives the
/// senders it hands out.
///
/// Gmail deletes the draft that it sends, so one that is still there was not sent, and sending the same draft once more
/// cannot make a second mail. That needs the permission to write drafts; who granted sending alone gets one call per
/// mail. A lost answer is looked for in the list of SENT, which is in step with what was sent, by a header of ours;
/// without a draft, what is not there may still come, so that is never taken for "not sent".
class GmailSenders final : public mail::MailSenders {
 public:
  /// `compositions`: mails composed at a time, which bounds the memory that attachments take.
  GmailSenders(GoogleParts parts, Semaphore& compositions) : parts_(std::move(parts)), compositions_(compositions) {}

  Result<std::shared_ptr<mail::MailSender>> For(const ConnectedAccountId& account, std::string_view provider) override;

  /// Whether drafts are worth a try: not when the account refused them a while ago.
  bool MayDraft(const ConnectedAccountId& account);
  void NoteNoDrafts(const ConnectedAccountId& account);

 private:
  GoogleParts parts_;
  Semaphore& compositions_;
  /// Accounts that may send and not draft, and when that was learned; bounded.
  std::unordered_map<ConnectedAccountId, Instant> no_drafts_;
};

}  // namespace latchkey::google
