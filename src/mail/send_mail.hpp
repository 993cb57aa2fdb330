#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mail/account_status.hpp"
#include "mail/mail_provider.hpp"
#include "mail/mail_sender.hpp"
#include "mail/message_store.hpp"
#include "mail/outbox.hpp"

namespace latchkey::mail {

/// A mail as a person asks for it: text from outside, unchecked.
struct SendRequest {
  ConnectedAccountId account;
  std::string from;  ///< Empty: the account's default address.
  std::vector<Address> to, cc, bcc;
  std::string subject, text, html;
  MessageId reply_to, forward_of;  ///< At most one of them.
  struct File {
    UploadId upload;  ///< Or else, with its content at hand:
    std::string name, mime_type, content;
    std::string content_id;
    bool is_inline = false;
  };
  std::vector<File> files;
  std::chrono::seconds delay{0};
};

/// The person's half of sending: checks what is asked, works out where it belongs in its conversation, and puts it into
/// the outbox. Loop thread only.
class SendMail {
 public:
  struct Parts {
    OutboxStore& outbox;
    MessageReader& messages;
    MailSenders& senders;
    MailProviders& mailboxes;
    AccountStatus& accounts;
    const Clock& clock;
    /// Host name for our Message-IDs.
    std::string domain;
  };
  explicit SendMail(Parts parts) : parts_(std::move(parts)) {}

  /// The outbox entry; the one of the first request when `key` came before with the same hash. kInvalidArgument for
  /// what must not stand in a mail, kNotFound for accounts, messages and uploads of somebody else, kSendScopeMissing,
  /// kSenderNotAllowed, kAttachmentTooLarge, and what OutboxStore::Enqueue says.
  Task<Result<OutboxEntry>> Accept(const UserId& user, const SendRequest& request, std::string_view key,
                                   std::string_view request_hash);

  /// The default address first. Asked of the provider at most once a day and account, unless it failed.
  Task<Result<std::vector<SendAddress>>> Addresses(const UserId& user, const ConnectedAccountId& account);

  OutboxStore& outbox() { return parts_.outbox; }

 private:
  struct Known {
    std::vector<SendAddress> addresses;
    Instant read_at{};
  };

  Task<Result<AccountStatus::Account>> FindSender(const UserId& user, const ConnectedAccountId& account);
  Task<Result<Address>> ChooseFrom(const UserId& user, const SendRequest& request,
                                   const AccountStatus::Account& account);
  Task<Result<void>> Relate(const UserId& user, const SendRequest& request, OutgoingMail& mail);
  Task<Result<void>> AddFiles(const UserId& user, const SendRequest& request, const SendLimits& limits,
                              OutgoingMail& mail);
  Task<Result<UploadId>> Keep(const UserId& user, const SendRequest::File& file);
  Task<Result<void>> CarryFiles(const UserId& user, const SendRequest& request, std::string_view provider,
                                const SendLimits& limits, OutgoingMail& mail);

  Parts parts_;
  std::map<ConnectedAccountId, Known> addresses_;
};

}  // namespace latchkey::mail
