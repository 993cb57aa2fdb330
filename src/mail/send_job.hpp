#pragma once

#include "jobs/job.hpp"
#include "mail/account_status.hpp"
#include "mail/mail_sender.hpp"
#include "mail/outbox.hpp"

namespace latchkey::mail {

/// Brings mails of the outbox out, each once (law nine). What was written down decides what happens after any
/// interruption:
///
///   queued, or sending and not handed over   nothing can be out: another attempt
///   handed over, answer unknown              it is looked for; found: sent; certainly not there: another attempt;
///                                            neither: looked for again, later and later, and after the second time
///                                            the person is told (unconfirmed). It is never sent again without them.
///                                            Drafts beside the one that was handed over go: who looks for their mail
///                                            shall not find what was never on its way
///   sent                                     the provider took it, which does not prove that it left: the copy in the
///                                            mailbox does. While no sync has brought it, it is looked for, and in the
///                                            end the person is told that it is nowhere (unconfirmed).
///
/// Loop thread only; everything named outlives it.
class SendJob {
 public:
  struct Parts {
    OutboxStore& outbox;
    MailSenders& senders;
    AccountStatus& accounts;
    const Clock& clock;
  };
  explicit SendJob(Parts parts) : parts_(parts) {}

  Task<jobs::Outcome> Run(const jobs::Job& job);

  /// Passing faults are waited for this long, counted from when the mail was asked for.
  static constexpr std::chrono::hours kPatience{12};
  /// An undecided mail is looked for this long.
  static constexpr std::chrono::hours kSearch{24};

 private:
  struct Work;
  Task<jobs::Outcome> Attempt(Work& work);
  Task<jobs::Outcome> LookFor(Work& work);
  Task<jobs::Outcome> Settle(Work& work, SendOutcome outcome);
  Task<jobs::Outcome> SettleUnsent(Work& work, Error error);
  Task<jobs::Outcome> SettleUndecided(Work& work);
  Task<jobs::Outcome> Prove(Work& work);
  Task<jobs::Outcome> EndProof(Work& work);
  Task<jobs::Outcome> TidyUp(Work& work);
  Task<void> TidyBeside(Work& work);

  Parts parts_;
};

}  // namespace latchkey::mail
