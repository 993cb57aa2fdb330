#include <algorithm>

#include "connected_accounts/account.hpp"

namespace latchkey::connected_accounts {
namespace {

/// Without news for this long an account is behind; the live lane looks about once a minute.
constexpr std::chrono::minutes kBehindAfter{15};

/// What a stored fault means to the person; the cause stays visible as the reason. kHealthy: the fault heals itself and
/// is not shown.
struct Meaning {
  Status status = Status::kHealthy;
  Action action = Action::kNone;
};

Meaning MeaningOf(ErrorCode fault) {
  switch (fault) {
    case ErrorCode::kReauthInvalidGrant:
    case ErrorCode::kReauthTestMode:
    case ErrorCode::kNoRefreshToken:
    case ErrorCode::kMfaRequired:
    // The stored tokens cannot be opened: new ones mend it.
    case ErrorCode::kKeyUnavailable:
      return {Status::kNeedsReauth, Action::kReconnect};
    case ErrorCode::kMissingScope:
    case ErrorCode::kSendScopeMissing:
      return {Status::kMissingScope, Action::kGrant};
    case ErrorCode::kConditionalAccess:
      return {Status::kAdminBlocked, Action::kReconnect};
    case ErrorCode::kAdminConsentRequired:
      return {Status::kAdminBlocked, Action::kCopyAdminLink};
    case ErrorCode::kTenantNotAllowed:
    case ErrorCode::kPolicyEnforced:
      return {Status::kAdminBlocked, Action::kRetry};
    case ErrorCode::kNoMailbox:
      return {Status::kError, Action::kRetry};
    case ErrorCode::kRateLimited:
    case ErrorCode::kQuotaExceeded:
      return {Status::kRateLimited, Action::kNone};
    case ErrorCode::kProviderUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kMalformedReply:
      return {Status::kProviderDown, Action::kNone};
    // The operator's: the account itself is well, and nobody who reads this can mend it.
    case ErrorCode::kInvalidClient:
    case ErrorCode::kRedirectUriMismatch:
    case ErrorCode::kApiNotEnabled:
    case ErrorCode::kProviderNotConfigured:
      return {Status::kDelayed, Action::kNone};
    case ErrorCode::kStorageUnavailable:
    case ErrorCode::kDiskFull:
    case ErrorCode::kInternal:
      return {Status::kError, Action::kRetry};
    default:
      return {};
  }
}

bool IsGranted(const ConnectedAccount& account, Capability capability) {
  return std::ranges::find(account.granted, capability) != account.granted.end();
}

bool LacksSomething(const ConnectedAccount& account) {
  return std::ranges::any_of(account.requested, [&](Capability capability) { return !IsGranted(account, capability); });
}

std::optional<Progress> ProgressOf(const ConnectedAccount& account, Instant now) {
  if (account.backfill_complete || !account.backfill_started_at) return std::nullopt;
  Progress progress{.stage = account.epoch > 1 ? "resync" : "initial",
                    .done = account.backfill_done,
                    // The provider's total is an estimate, and may be the smaller of the two.
                    .total = std::max(account.backfill_total, account.backfill_done)};
  const std::chrono::duration<double> elapsed = now - *account.backfill_started_at;
  if (elapsed.count() > 0 && progress.done > 0) {
    progress.rate = static_cast<double>(progress.done) / elapsed.count();
    const auto left = static_cast<double>(progress.total - progress.done);
    if (progress.total > 0) progress.eta = std::chrono::seconds(static_cast<std::int64_t>(left / progress.rate));
  }
  return progress;
}

struct Decision {
  Status status = Status::kHealthy;
  std::string reason;
  Action action = Action::kNone;
  Instant since{};
};

/// From what stops everything to what is merely worth knowing; the first that applies is shown.
Decision Decide(const ConnectedAccount& account, Instant now) {
  if (account.disconnecting) {
    return {Status::kDisconnecting, "erasing", Action::kNone, account.disconnecting_since.value_or(now)};
  }
  if (account.paused) {
    return {Status::kPaused, "paused_by_user", Action::kResume, account.paused_at.value_or(account.created_at)};
  }
  if (account.fault) {
    const Meaning meaning = MeaningOf(*account.fault);
    if (meaning.status != Status::kHealthy) {
      return {meaning.status, std::string(ToString(*account.fault)), meaning.action,
              account.fault_since.value_or(account.created_at)};
    }
  }
  const bool reads_mail = IsGranted(account, Capability::kReadMail);
  if (reads_mail && !account.backfill_complete) {
    if (!account.backfill_started_at && !account.sync_running) {
      return {Status::kPending, "queued", Action::kNone, account.created_at};
    }
    return {Status::kImporting, account.epoch > 1 ? "history_expired" : "initial_import", Action::kPause,
            account.backfill_started_at.value_or(account.created_at)};
  }
  if (LacksSomething(account)) {
    return {Status::kMissingScope, std::string(ToString(ErrorCode::kMissingScope)), Action::kGrant, account.created_at};
  }
  const Instant last_news = account.last_success_at.value_or(account.created_at);
  if (reads_mail && now - last_news > kBehindAfter) return {Status::kDelayed, "behind", Action::kSyncNow, last_news};
  if (account.sync_running) return {Status::kSyncing, "checking", Action::kNone, last_news};
  return {Status::kHealthy, "up_to_date", reads_mail ? Action::kSyncNow : Action::kNone, last_news};
}

/// What holds the whole account, holds each of its parts.
bool HoldsEverything(Status status) {
  switch (status) {
    case Status::kDisconnecting:
    case Status::kDisconnected:
    case Status::kPaused:
    case Status::kNeedsReauth:
    case Status::kAdminBlocked:
      return true;
    default:
      return false;
  }
}

/// nullopt when the part itself has to be looked at.
std::optional<ServiceHealth> SharedState(const ConnectedAccount& account, Capability capability,
                                         const Decision& whole) {
  const bool requested = std::ranges::find(account.requested, capability) != account.requested.end();
  if (!requested) return ServiceHealth{};
  if (HoldsEverything(whole.status)) return ServiceHealth{whole.status, whole.reason, whole.action};
  if (!IsGranted(account, capability)) {
    return ServiceHealth{Status::kMissingScope, std::string(ToString(ErrorCode::kMissingScope)), Action::kGrant};
  }
  return std::nullopt;
}

ServiceHealth MailHealth(const ConnectedAccount& account, const Decision& whole, Instant now) {
  if (auto shared = SharedState(account, Capability::kReadMail, whole)) return std::move(*shared);
  if (whole.status != Status::kMissingScope) {
    return {whole.status, whole.reason, whole.action, account.next_attempt_at};
  }
  // Another part lacks its permission: as if nothing but mail had been asked for.
  ConnectedAccount mail_only = account;
  mail_only.requested = {Capability::kReadMail};
  if (mail_only.fault == ErrorCode::kMissingScope) mail_only.fault.reset();
  Decision decision = Decide(mail_only, now);
  return {decision.status, std::move(decision.reason), decision.action, mail_only.next_attempt_at};
}

ServiceHealth CalendarHealth(const ConnectedAccount& account, const Decision& whole, Instant now) {
  if (auto shared = SharedState(account, Capability::kReadCalendar, whole)) return std::move(*shared);
  const auto& facts = account.calendar;
  if (facts.fault) {
    const Meaning meaning = MeaningOf(*facts.fault);
    if (meaning.status != Status::kHealthy) {
      return {meaning.status, std::string(ToString(*facts.fault)), meaning.action, facts.next_attempt_at};
    }
  }
  if (!facts.last_sync_at) return {Status::kImporting, "initial_import", Action::kNone};
  if (now - *facts.last_sync_at > kBehindAfter) return {Status::kDelayed, "behind", Action::kSyncNow};
  return {Status::kHealthy, "up_to_date", Action::kNone};
}

ServiceHealth SendHealth(const ConnectedAccount& account, const Decision& whole) {
  if (auto shared = SharedState(account, Capability::kSendMail, whole)) return std::move(*shared);
  const auto& facts = account.send;
  if (facts.fault) {
    std::string reason(ToString(*facts.fault));
    // Being looked for; to send it again meanwhile might send it twice.
    if (*facts.fault == ErrorCode::kSendUnconfirmed) return {Status::kDelayed, std::move(reason), Action::kNone};
    const Meaning meaning = MeaningOf(*facts.fault);
    if (meaning.status != Status::kHealthy) {
      return {meaning.status, std::move(reason), meaning.action, facts.next_attempt_at};
    }
  }
  return {Status::kHealthy, "up_to_date", Action::kNone};
}

}  // namespace

bool NeedsSignIn(ErrorCode fault) { return MeaningOf(fault).status == Status::kNeedsReauth; }

bool EndsWithNewTokens(ErrorCode fault) {
  return NeedsSignIn(fault) || fault == ErrorCode::kConditionalAccess || fault == ErrorCode::kAdminConsentRequired;
}

AccountHealth HealthOf(const ConnectedAccount& account, Instant now) {
  Decision decision = Decide(account, now);
  ServiceHealth mail = MailHealth(account, decision, now), calendar = CalendarHealth(account, decision, now),
                send = SendHealth(account, decision);
  AccountHealth health{.status = decision.status,
                       .reason = std::move(decision.reason),
                       .action = decision.action,
                       .since = decision.since,
                       .last_success_at = account.last_success_at};
  health.mail = std::move(mail);
  health.calendar = std::move(calendar);
  health.send = std::move(send);
  const bool stands_still = decision.status == Status::kPaused || decision.status == Status::kDisconnecting ||
                            decision.status == Status::kNeedsReauth;
  if (!stands_still) health.next_attempt_at = account.next_attempt_at;
  if (decision.status != Status::kDisconnecting && IsGranted(account, Capability::kReadMail)) {
    health.progress = ProgressOf(account, now);
  }
  return health;
}

}  // namespace latchkey::connected_accounts
