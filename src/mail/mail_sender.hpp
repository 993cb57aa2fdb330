#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "mail/outbox.hpp"

namespace latchkey::mail {

/// An address an account may send as.
struct SendAddress {
  std::string address;
  std::string name;
  bool is_default = false;
};

/// What a provider takes in one mail.
struct SendLimits {
  std::int64_t attachment_bytes = 25 << 20;  ///< All of them together, before encoding.
  std::size_t recipients = 500;
  /// A mail passed on brings the original's attachments along by itself.
  bool forwards_files = false;
};

/// What became of an attempt, as far as it can be known.
struct SendOutcome {
  enum class Kind {
    kSent,
    kNotSent,    ///< Certain; `error` says why, and OwnerOf and retry_after whether another try is of use.
    kUndecided,  ///< It may be out.
  };
  Kind kind = Kind::kUndecided;
  std::string external_id, thread_id;  ///< Of what was sent, when known.
  Error error;

  static SendOutcome Sent(std::string external_id, std::string thread_id) {
    return {.kind = Kind::kSent, .external_id = std::move(external_id), .thread_id = std::move(thread_id), .error = {}};
  }
  static SendOutcome NotSent(Error why) {
    return {.kind = Kind::kNotSent, .external_id = {}, .thread_id = {}, .error = std::move(why)};
  }
  static SendOutcome Undecided(Error why) {
    return {.kind = Kind::kUndecided, .external_id = {}, .thread_id = {}, .error = std::move(why)};
  }
};

/// Which of the drafts that attempts left at the provider.
enum class Leftovers {
  kAll,
  /// All but the one that is written down: that one may be on its way out.
  kBesideDraft,
};

/// What a sender writes down while it works, and reads attachments from.
class SendJournal {
 public:
  virtual ~SendJournal() = default;
  /// The draft that the mail is sent from.
  virtual Task<Result<void>> NoteDraft(std::string_view draft_id) = 0;
  /// To be awaited before the one call after which the mail can be out; when it fails, that call is not made.
  virtual Task<Result<void>> HandOver() = 0;
  /// The bytes of an attachment, piece by piece; `sink` returning false stops. kGone when they are no longer kept.
  virtual Task<Result<void>> ReadAttachment(const OutgoingAttachment& attachment,
                                            const std::function<Task<bool>(std::string_view)>& sink) = 0;
};

/// Brings mail of one account out. Calls carry deadlines of their own. Loop thread only.
class MailSender {
 public:
  virtual ~MailSender() = default;
  virtual SendLimits Limits() const = 0;
  /// kMissingScope and kSendScopeMissing when the grant does not tell.
  virtual Task<Result<std::vector<SendAddress>>> ListAddresses() = 0;
  /// One attempt. Nothing is sent before HandOver, and nothing is ever repeated after it.
  virtual Task<SendOutcome> Send(const OutboxEntry& entry, SendJournal& journal) = 0;
  /// What became of an entry that was handed over and whose answer is not known. kUndecided when it cannot be told now;
  /// asking again later may help.
  virtual Task<SendOutcome> Reconcile(const OutboxEntry& entry) = 0;
  /// Removes what attempts left behind at the provider beside the mail itself: drafts of ours. Nothing that was sent.
  virtual Task<Result<void>> CleanUp(const OutboxEntry& entry, Leftovers which) = 0;
};

class MailSenders {
 public:
  virtual ~MailSenders() = default;
  /// kNotFound when the provider has no sender.
  virtual Result<std::shared_ptr<MailSender>> For(const ConnectedAccountId& account, std::string_view provider) = 0;
};

}  // namespace latchkey::mail
