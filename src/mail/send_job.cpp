#include "mail/send_job.hpp"

#include <algorithm>
#include <array>

#include "base/json.hpp"
#include "telemetry/log.hpp"

namespace latchkey::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

OutboxId EntryOf(const jobs::Job& job) {
  const auto args = json::Parse(job.args);
  if (!args) return {};
  auto members = json::Members::Of(*args);
  if (!members) return {};
  const auto id = members->String("outbox_id");
  return id ? OutboxId::Parse(*id).value_or(OutboxId()) : OutboxId();
}

jobs::Outcome Stop(Error error) {
  jobs::Outcome outcome;
  outcome.kind = jobs::Outcome::Kind::kCancelled;
  outcome.error = std::move(error);
  return outcome;
}

/// Taken back, erased or another worker's: there is nothing left to write.
bool SettledElsewhere(const Error& error) {
  return error.code == ErrorCode::kConflict || error.code == ErrorCode::kFenced || error.code == ErrorCode::kLeaseLost;
}

/// May be out already, or may yet go out.
bool IsOpen(OutboxState state) {
  return state == OutboxState::kQueued || state == OutboxState::kSending || state == OutboxState::kUnconfirmed;
}

/// Writes down what a sender tells, under the job's lease.
class Journal final : public SendJournal {
 public:
  Journal(OutboxStore& outbox, jobs::Lease lease, OutboxId id)
      : outbox_(outbox), lease_(std::move(lease)), id_(std::move(id)) {}

  Task<Result<void>> NoteDraft(std::string_view draft_id) override { return outbox_.NoteDraft(lease_, id_, draft_id); }
  Task<Result<void>> HandOver() override { return outbox_.HandOver(lease_, id_); }

  Task<Result<void>> ReadAttachment(const OutgoingAttachment& attachment,
                                    const std::function<Task<bool>(std::string_view)>& sink) override {
    if (attachment.upload.empty()) co_return Fail(ErrorCode::kGone, "the file is no longer kept");
    for (std::int64_t position = 0;; ++position) {
      const auto piece = co_await outbox_.ReadUpload(attachment.upload, position);
      if (!piece) co_return Fail(piece.error());
      if (piece->empty()) co_return Result<void>();
      const bool more = co_await sink(*piece);
      if (!more) co_return Result<void>();
    }
  }

 private:
  OutboxStore& outbox_;
  jobs::Lease lease_;
  OutboxId id_;
};

/// By then a request that nobody waits for any more has arrived or never will.
constexpr milliseconds kTidyAfter = minutes(3);

/// When the copy of what the provider took is looked for, each time counted from the look before. The sync has brought
/// it long before as a rule, and then nobody is asked; Outlook may take its time, and after the last look the person is
/// told.
constexpr std::array<seconds, 3> kProofs = {seconds(20), seconds(120), seconds(600)};

/// How long until the next look: soon at first, because most answers are lost for a moment only.
milliseconds NextLook(int checks) {
  constexpr std::array<seconds, 6> kPauses = {seconds(2),   seconds(10),   seconds(60),
                                              seconds(300), seconds(1800), seconds(7200)};
  return kPauses[std::min<std::size_t>(static_cast<std::size_t>(checks), kPauses.size() - 1)];
}

/// Before another attempt after a passing fault.
milliseconds NextTry(const jobs::Job& job, const Error& error) {
  const milliseconds pause = std::min<milliseconds>(minutes(15), seconds(2) * (1 << std::clamp(job.attempt - 1, 0, 9)));
  return std::max(pause, error.retry_after.value_or(milliseconds(0)));
}

}  // namespace

struct SendJob::Work {
  const jobs::Job& job;
  jobs::Lease lease;
  OutboxEntry entry;
  AccountStatus::Account account;
  std::shared_ptr<MailSender> sender;
  /// The person sends again what may be out already.
  bool resending = false;
};

Task<jobs::Outcome> SendJob::Run(const jobs::Job& job) {
  const OutboxId id = EntryOf(job);
  if (id.empty()) {
    co_return jobs::Outcome::Discard({.code = ErrorCode::kInternal, .detail = "no outbox id", .retry_after = {}});
  }
  auto entry = co_await parts_.outbox.GetForWork(id);
  if (!entry) {
    if (entry.error().code == ErrorCode::kNotFound) co_return Stop(std::move(entry.error()));
    co_return jobs::Outcome::Retry(std::move(entry.error()));
  }
  const bool open = IsOpen(entry->state);
  // What ended may have left drafts behind.
  const bool sent = entry->state == OutboxState::kSent;
  if (!open && !sent && job.attempt <= 1 && entry->draft_id.empty()) co_return jobs::Outcome::Completed();
  if (const Instant now = parts_.clock.Now(); entry->state == OutboxState::kQueued && entry->send_at > now) {
    co_return jobs::Outcome::Snooze(std::chrono::ceil<milliseconds>(entry->send_at - now));
  }
  auto account = co_await parts_.accounts.Find(entry->account_id);
  if (!account) {
    if (account.error().code == ErrorCode::kNotFound) co_return Stop(std::move(account.error()));
    co_return jobs::Outcome::Retry(std::move(account.error()));
  }
  auto sender = parts_.senders.For(entry->account_id, account->provider);
  Work work{.job = job,
            .lease = {.job_id = job.id, .token = job.lease_token},
            .entry = std::move(*entry),
            .account = std::move(*account),
            .sender = nullptr};
  if (!sender) {
    if (sent) co_return co_await EndProof(work);
    // Nobody to ask what became of it: that is no proof of anything.
    if (!open || work.entry.handed_over_at) co_return jobs::Outcome::Snooze(NextLook(work.entry.checks + 2));
    co_return co_await SettleUnsent(work, std::move(sender.error()));
  }
  work.sender = std::move(*sender);
  if (sent) co_return co_await Prove(work);
  if (!open) co_return co_await TidyUp(work);
  if (work.entry.handed_over_at) co_return co_await LookFor(work);
  co_return co_await Attempt(work);
}

Task<jobs::Outcome> SendJob::Attempt(Work& work) {
  if (!work.account.can_send_mail) {
    co_return co_await SettleUnsent(
        work, Error{.code = ErrorCode::kSendScopeMissing, .detail = "sending was not granted", .retry_after = {}});
  }
  if (auto claimed = co_await parts_.outbox.Claim(work.lease, work.entry.id); !claimed) {
    co_return Stop(std::move(claimed.error()));
  }
  Journal journal(parts_.outbox, work.lease, work.entry.id);
  SendOutcome outcome = co_await work.sender->Send(work.entry, journal);
  if (outcome.kind == SendOutcome::Kind::kUndecided) {
    log::Warn("mail.send.undecided", {{"outbox_id", work.entry.id},
                                      {"account_id", work.entry.account_id},
                                      {"error_code", ToString(outcome.error.code)},
                                      {"detail", outcome.error.detail}});
    co_return jobs::Outcome::Snooze(NextLook(0));
  }
  co_return co_await Settle(work, std::move(outcome));
}

Task<jobs::Outcome> SendJob::LookFor(Work& work) {
  SendOutcome outcome = co_await work.sender->Reconcile(work.entry);
  if (outcome.kind == SendOutcome::Kind::kUndecided) co_return co_await SettleUndecided(work);
  co_return co_await Settle(work, std::move(outcome));
}

Task<jobs::Outcome> SendJob::Settle(Work& work, SendOutcome outcome) {
  if (outcome.kind == SendOutcome::Kind::kNotSent) co_return co_await SettleUnsent(work, std::move(outcome.error));
  auto marked = co_await parts_.outbox.MarkSent(work.entry.id, outcome.external_id, outcome.thread_id);
  if (marked) {
    log::Info("mail.sent", {{"outbox_id", work.entry.id}, {"account_id", work.entry.account_id}});
    co_return jobs::Outcome::Snooze(kProofs[0]);
  }
  if (marked.error().code == ErrorCode::kFenced || marked.error().code == ErrorCode::kConflict) {
    co_return Stop(std::move(marked.error()));
  }
  // It is out, and that could not be written: the next run finds it there.
  co_return jobs::Outcome::Retry(std::move(marked.error()));
}

Task<jobs::Outcome> SendJob::SettleUnsent(Work& work, Error error) {
  const Instant now = parts_.clock.Now();
  if (work.resending) {
    // That the second try sent nothing does not tell what became of the first.
    auto marked = co_await parts_.outbox.MarkUndecided(work.lease, work.entry.id, true);
    if (!marked) co_return Stop(std::move(marked.error()));
    co_return jobs::Outcome::Discard(std::move(error));
  }
  if (SettledElsewhere(error)) co_return Stop(std::move(error));
  const FaultOwner owner = OwnerOf(error.code);
  const bool passing =
      owner == FaultOwner::kProvider || owner == FaultOwner::kOperator || owner == FaultOwner::kOurselves;
  const bool hopeless = error.code == ErrorCode::kSendRejected || error.code == ErrorCode::kGone;
  std::optional<Instant> next;
  if (passing && !hopeless && now - work.entry.created_at < kPatience) next = now + NextTry(work.job, error);
  if (owner == FaultOwner::kOperator) co_await parts_.accounts.RaiseNotice(work.account.provider, error);
  log::Info("mail.not_sent", {{"outbox_id", work.entry.id},
                              {"account_id", work.entry.account_id},
                              {"error_code", ToString(error.code)},
                              {"detail", error.detail},
                              {"again", next.has_value()}});
  auto marked = co_await parts_.outbox.MarkNotSent(work.lease, work.entry.id, error.code, next);
  if (!marked) {
    co_return SettledElsewhere(marked.error()) ? Stop(std::move(marked.error()))
                                               : jobs::Outcome::Retry(std::move(marked.error()));
  }
  if (!next) co_return co_await TidyUp(work);
  jobs::Outcome again = jobs::Outcome::Retry(std::move(error));
  again.error.retry_after = std::chrono::ceil<milliseconds>(*next - now);
  co_return again;
}

Task<jobs::Outcome> SendJob::Prove(Work& work) {
  const OutboxEntry& entry = work.entry;
  if (entry.synced.empty()) {
    SendOutcome outcome = co_await work.sender->Reconcile(entry);
    const bool missing =
        outcome.kind == SendOutcome::Kind::kNotSent || outcome.error.code == ErrorCode::kSendUnconfirmed;
    if (outcome.kind != SendOutcome::Kind::kSent && !missing) {
      // Could not look. A grant that may send and not read never can: then the provider's word is all there is.
      const bool passing = OwnerOf(outcome.error.code) == FaultOwner::kProvider &&
                           parts_.clock.Now() - entry.sent_at.value_or(entry.created_at) < kSearch;
      if (!passing) co_return co_await EndProof(work);
      co_return jobs::Outcome::Snooze(
          std::max<milliseconds>(kProofs[0], outcome.error.retry_after.value_or(seconds(0))));
    }
    if (missing) {
      const auto looks = static_cast<std::size_t>(entry.checks) + 1;
      const bool tell = looks >= kProofs.size();
      auto noted = co_await parts_.outbox.NoteMissing(work.lease, entry.id, tell);
      if (!noted) {
        co_return SettledElsewhere(noted.error()) ? Stop(std::move(noted.error()))
                                                  : jobs::Outcome::Retry(std::move(noted.error()));
      }
      if (tell) {
        log::Warn("mail.sent.missing", {{"outbox_id", entry.id}, {"account_id", entry.account_id}});
        co_await TidyBeside(work);
      }
      co_return jobs::Outcome::Snooze(tell ? NextLook(2) : milliseconds(kProofs[looks]));
    }
  }
  co_return co_await EndProof(work);
}

Task<jobs::Outcome> SendJob::EndProof(Work& work) {
  const OutboxEntry& entry = work.entry;
  if (auto proven = co_await parts_.outbox.Proven(work.lease, entry.id); !proven) {
    co_return SettledElsewhere(proven.error()) ? Stop(std::move(proven.error()))
                                               : jobs::Outcome::Retry(std::move(proven.error()));
  }
  // A call that was given up may still arrive and leave a draft; not so when all went at the first go.
  if (work.job.attempt <= 1) co_return jobs::Outcome::Completed();
  const auto since = parts_.clock.Now() - entry.sent_at.value_or(entry.created_at);
  if (since < kTidyAfter) co_return jobs::Outcome::Snooze(std::chrono::ceil<milliseconds>(kTidyAfter - since));
  co_return co_await TidyUp(work);
}

Task<jobs::Outcome> SendJob::TidyUp(Work& work) {
  // The draft's id may have been written down since the entry was read.
  auto entry = co_await parts_.outbox.GetForWork(work.entry.id);
  if (!entry || !work.sender) co_return jobs::Outcome::Completed();
  // The person may have asked for another try since: then the draft that is written down is about to be sent.
  const Leftovers which = IsOpen(entry->state) ? Leftovers::kBesideDraft : Leftovers::kAll;
  auto tidied = co_await work.sender->CleanUp(*entry, which);
  const bool passing = !tidied && OwnerOf(tidied.error().code) == FaultOwner::kProvider;
  if (passing && parts_.clock.Now() - entry->created_at < kSearch) {
    co_return jobs::Outcome::Snooze(tidied.error().retry_after.value_or(kTidyAfter));
  }
  co_return jobs::Outcome::Completed();
}

/// For who is told that nobody knows what became of their mail. What cannot be removed now is tried again at the next
/// look.
Task<void> SendJob::TidyBeside(Work& work) {
  auto tidied = co_await work.sender->CleanUp(work.entry, Leftovers::kBesideDraft);
  if (tidied) co_return;
  log::Info("mail.drafts.left", {{"outbox_id", work.entry.id},
                                 {"account_id", work.entry.account_id},
                                 {"error_code", ToString(tidied.error().code)}});
}

Task<jobs::Outcome> SendJob::SettleUndecided(Work& work) {
  const Instant now = parts_.clock.Now();
  // The person looked and takes the risk: that is the only way a mail that may be out is sent again.
  if (work.entry.resend) {
    work.resending = true;
    co_return co_await Attempt(work);
  }
  const bool tell = work.entry.checks >= 1;
  auto marked = co_await parts_.outbox.MarkUndecided(work.lease, work.entry.id, tell);
  if (!marked) {
    co_return SettledElsewhere(marked.error()) ? Stop(std::move(marked.error()))
                                               : jobs::Outcome::Retry(std::move(marked.error()));
  }
  const auto since = now - *work.entry.handed_over_at;
  if (tell && since >= kTidyAfter) co_await TidyBeside(work);
  if (since >= kSearch) {
    co_return jobs::Outcome::Discard(
        {.code = ErrorCode::kSendUnconfirmed, .detail = "not found for a day", .retry_after = {}});
  }
  co_return jobs::Outcome::Snooze(NextLook(work.entry.checks + 1));
}

}  // namespace latchkey::mail
