#include <gtest/gtest.h>

#include <functional>

#include "connected_accounts/account.hpp"

namespace latchkey::connected_accounts {
namespace {

const Instant kNow = ParseInstant("2026-03-01T10:00:00Z").value();
constexpr auto kMinute = std::chrono::minutes(1);

/// An account that is up to date.
ConnectedAccount Healthy() {
  ConnectedAccount account;
  account.requested = {Capability::kReadMail};
  account.granted = {Capability::kReadMail};
  account.created_at = kNow - 100 * kMinute;
  account.last_success_at = kNow - kMinute;
  account.next_attempt_at = kNow + kMinute;
  account.backfill_started_at = kNow - 90 * kMinute;
  account.backfill_complete = true;
  account.backfill_done = account.backfill_total = 1000;
  account.epoch = 1;
  return account;
}

ConnectedAccount WithFault(ErrorCode code) {
  ConnectedAccount account = Healthy();
  account.fault = code;
  account.fault_since = kNow - 5 * kMinute;
  return account;
}

ConnectedAccount Importing() {
  ConnectedAccount account = Healthy();
  account.backfill_complete = false;
  account.backfill_started_at = kNow - 10 * kMinute;
  account.backfill_done = 6000;
  account.backfill_total = 18000;
  account.sync_running = true;
  return account;
}

template <class Change>
ConnectedAccount But(ConnectedAccount account, Change change) {
  change(account);
  return account;
}

TEST(AccountHealth, EveryStateHasItsCauseItsRemedyAndItsTime) {
  const Instant fault_since = kNow - 5 * kMinute;
  const struct {
    std::string name;
    ConnectedAccount account;
    Status status;
    std::string reason;
    Action action;
    Instant since;
    bool next_attempt;
  } cases[] = {
      {"queued",
       But(Healthy(),
           [](auto& a) {
             a.backfill_complete = false;
             a.backfill_started_at.reset();
           }),
       Status::kPending, "queued", Action::kNone, kNow - 100 * kMinute, true},
      {"first job runs",
       But(Healthy(),
           [](auto& a) {
             a.backfill_complete = false;
             a.backfill_started_at.reset();
             a.sync_running = true;
           }),
       Status::kImporting, "initial_import", Action::kPause, kNow - 100 * kMinute, true},
      {"importing", Importing(), Status::kImporting, "initial_import", Action::kPause, kNow - 10 * kMinute, true},
      {"re-reading", But(Importing(), [](auto& a) { a.epoch = 2; }), Status::kImporting, "history_expired",
       Action::kPause, kNow - 10 * kMinute, true},
      {"healthy", Healthy(), Status::kHealthy, "up_to_date", Action::kSyncNow, kNow - kMinute, true},
      {"checking", But(Healthy(), [](auto& a) { a.sync_running = true; }), Status::kSyncing, "checking", Action::kNone,
       kNow - kMinute, true},
      {"behind", But(Healthy(), [](auto& a) { a.last_success_at = kNow - 16 * kMinute; }), Status::kDelayed, "behind",
       Action::kSyncNow, kNow - 16 * kMinute, true},
      {"rate limited", WithFault(ErrorCode::kRateLimited), Status::kRateLimited, "rate_limited", Action::kNone,
       fault_since, true},
      {"quota", WithFault(ErrorCode::kQuotaExceeded), Status::kRateLimited, "quota_exceeded", Action::kNone,
       fault_since, true},
      {"revoked", WithFault(ErrorCode::kReauthInvalidGrant), Status::kNeedsReauth, "reauth_invalid_grant",
       Action::kReconnect, fault_since, false},
      {"testing project", WithFault(ErrorCode::kReauthTestMode), Status::kNeedsReauth, "reauth_test_mode",
       Action::kReconnect, fault_since, false},
      {"unreadable tokens", WithFault(ErrorCode::kKeyUnavailable), Status::kNeedsReauth, "key_unavailable",
       Action::kReconnect, fault_since, false},
      {"scope withdrawn", WithFault(ErrorCode::kMissingScope), Status::kMissingScope, "missing_scope", Action::kGrant,
       fault_since, true},
      {"calendar not granted", But(Healthy(), [](auto& a) { a.requested.push_back(Capability::kReadCalendar); }),
       Status::kMissingScope, "missing_scope", Action::kGrant, kNow - 100 * kMinute, true},
      {"mail not granted",
       But(Healthy(),
           [](auto& a) {
             a.requested.push_back(Capability::kSendMail);
             a.granted = {Capability::kSendMail};
             a.backfill_complete = false;
           }),
       Status::kMissingScope, "missing_scope", Action::kGrant, kNow - 100 * kMinute, true},
      {"sends only",
       But(Healthy(),
           [](auto& a) {
             a.requested = a.granted = {Capability::kSendMail};
             a.backfill_complete = false;
             a.last_success_at.reset();
           }),
       Status::kHealthy, "up_to_date", Action::kNone, kNow - 100 * kMinute, true},
      {"blocked by policy", WithFault(ErrorCode::kPolicyEnforced), Status::kAdminBlocked, "policy_enforced",
       Action::kRetry, fault_since, true},
      {"provider down", WithFault(ErrorCode::kProviderUnavailable), Status::kProviderDown, "provider_unavailable",
       Action::kNone, fault_since, true},
      {"provider slow", WithFault(ErrorCode::kTimeout), Status::kProviderDown, "timeout", Action::kNone, fault_since,
       true},
      {"client secret expired", WithFault(ErrorCode::kInvalidClient), Status::kDelayed, "invalid_client", Action::kNone,
       fault_since, true},
      {"no mailbox", WithFault(ErrorCode::kNoMailbox), Status::kError, "no_mailbox", Action::kRetry, fault_since, true},
      {"our fault", WithFault(ErrorCode::kInternal), Status::kError, "internal", Action::kRetry, fault_since, true},
      {"heals itself", WithFault(ErrorCode::kCursorExpired), Status::kHealthy, "up_to_date", Action::kSyncNow,
       kNow - kMinute, true},
      {"paused",
       But(WithFault(ErrorCode::kReauthInvalidGrant),
           [](auto& a) {
             a.paused = true;
             a.paused_at = kNow - 3 * kMinute;
           }),
       Status::kPaused, "paused_by_user", Action::kResume, kNow - 3 * kMinute, false},
      {"erasing", But(WithFault(ErrorCode::kReauthInvalidGrant), [](auto& a) { a.disconnecting = a.paused = true; }),
       Status::kDisconnecting, "erasing", Action::kNone, kNow, false},
  };
  for (const auto& expected : cases) {
    const AccountHealth health = HealthOf(expected.account, kNow);
    EXPECT_EQ(ToString(health.status), ToString(expected.status)) << expected.name;
    EXPECT_EQ(health.reason, expected.reason) << expected.name;
    EXPECT_EQ(ToString(health.action), ToString(expected.action)) << expected.name;
    EXPECT_EQ(FormatInstant(health.since), FormatInstant(expected.since)) << expected.name;
    EXPECT_EQ(health.next_attempt_at.has_value(), expected.next_attempt) << expected.name;
  }
}

TEST(AccountHealth, ProgressHasCountsRateAndTimeLeft) {
  const auto progress = HealthOf(Importing(), kNow).progress.value();
  EXPECT_EQ(progress.stage, "initial");
  EXPECT_EQ(progress.done, 6000);
  EXPECT_EQ(progress.total, 18000);
  EXPECT_DOUBLE_EQ(progress.rate, 10);
  EXPECT_EQ(progress.eta, std::chrono::seconds(1200));
  EXPECT_FALSE(HealthOf(Healthy(), kNow).progress);
}

TEST(AccountHealth, ProgressSurvivesAnEstimateThatIsTooSmallAndAnUnknownOne) {
  auto account = Importing();
  account.backfill_total = 10;
  EXPECT_EQ(HealthOf(account, kNow).progress->total, 6000);
  EXPECT_EQ(HealthOf(account, kNow).progress->eta, std::chrono::seconds(0));
  account.backfill_done = account.backfill_total = 0;
  EXPECT_FALSE(HealthOf(account, kNow).progress->eta);
}

TEST(AccountHealth, ProgressStaysVisibleWhileSlowedDown) {
  auto account = Importing();
  account.fault = ErrorCode::kRateLimited;
  EXPECT_TRUE(HealthOf(account, kNow).progress);
}

TEST(Capability, NamesReadBack) {
  for (const auto capability : {Capability::kReadMail, Capability::kSendMail, Capability::kReadCalendar}) {
    EXPECT_EQ(ParseCapability(ToString(capability)), capability);
  }
  EXPECT_FALSE(ParseCapability("everything"));
}

TEST(AccountHealth, EachPartHasItsOwnCauseAndRemedy) {
  auto both = But(Healthy(), [](auto& a) {
    a.requested = {Capability::kReadMail, Capability::kReadCalendar};
    a.granted = a.requested;
    a.calendar.last_sync_at = kNow - kMinute;
  });
  auto health = HealthOf(both, kNow);
  EXPECT_EQ(health.mail.status, Status::kHealthy);
  EXPECT_EQ(health.calendar.status, Status::kHealthy);
  EXPECT_EQ(health.send.status, std::nullopt) << "not asked for";

  health = HealthOf(But(both, [](auto& a) { a.calendar.fault = ErrorCode::kApiNotEnabled; }), kNow);
  EXPECT_EQ(health.status, Status::kHealthy);
  EXPECT_EQ(health.calendar.status, Status::kDelayed);
  EXPECT_EQ(health.calendar.reason, "api_not_enabled");

  health = HealthOf(But(both, [](auto& a) { a.granted = {Capability::kReadMail}; }), kNow);
  EXPECT_EQ(health.mail.status, Status::kHealthy) << "the mail knows nothing of the calendars' permission";
  EXPECT_EQ(health.calendar.status, Status::kMissingScope);
  EXPECT_EQ(health.calendar.action, Action::kGrant);

  health = HealthOf(But(both, [](auto& a) { a.calendar.last_sync_at.reset(); }), kNow);
  EXPECT_EQ(health.calendar.status, Status::kImporting);
  health = HealthOf(But(both, [](auto& a) { a.calendar.last_sync_at = kNow - 20 * kMinute; }), kNow);
  EXPECT_EQ(health.calendar.status, Status::kDelayed);
  EXPECT_EQ(health.calendar.action, Action::kSyncNow);

  health = HealthOf(But(both, [](auto& a) { a.fault = ErrorCode::kReauthInvalidGrant; }), kNow);
  EXPECT_EQ(health.calendar.status, Status::kNeedsReauth) << "what holds the account holds its parts";
  EXPECT_EQ(health.calendar.action, Action::kReconnect);
}

TEST(AccountHealth, SendingTellsWhatTheNewestMailMetAndWhenItIsTriedAgain) {
  const auto sends = But(Healthy(), [](auto& a) {
    a.requested = {Capability::kReadMail, Capability::kSendMail};
    a.granted = a.requested;
  });
  EXPECT_EQ(HealthOf(sends, kNow).send.status, Status::kHealthy);
  const struct {
    ErrorCode fault;
    std::optional<Instant> next;
    Status status;
    Action action;
  } cases[] = {
      {ErrorCode::kProviderUnavailable, kNow + kMinute, Status::kProviderDown, Action::kNone},
      {ErrorCode::kQuotaExceeded, kNow + 60 * kMinute, Status::kRateLimited, Action::kNone},
      {ErrorCode::kApiNotEnabled, kNow + kMinute, Status::kDelayed, Action::kNone},
      {ErrorCode::kSendScopeMissing, std::nullopt, Status::kMissingScope, Action::kGrant},
      {ErrorCode::kPolicyEnforced, std::nullopt, Status::kAdminBlocked, Action::kRetry},
      {ErrorCode::kSendUnconfirmed, std::nullopt, Status::kDelayed, Action::kNone},
  };
  for (const auto& it : cases) {
    const auto health = HealthOf(But(sends,
                                     [&](auto& a) {
                                       a.send.fault = it.fault;
                                       a.send.next_attempt_at = it.next;
                                     }),
                                 kNow);
    EXPECT_EQ(health.send.status, it.status) << ToString(it.fault);
    EXPECT_EQ(health.send.reason, ToString(it.fault));
    EXPECT_EQ(health.send.action, it.action) << ToString(it.fault);
    EXPECT_EQ(health.send.next_attempt_at, it.next) << ToString(it.fault);
    EXPECT_EQ(health.status, Status::kHealthy) << "what hinders sending leaves the mailbox alone";
  }
  const auto refused = HealthOf(But(sends, [](auto& a) { a.send.fault = ErrorCode::kSendRejected; }), kNow);
  EXPECT_EQ(refused.send.status, Status::kHealthy) << "one mail's fault says nothing of the next";
}

TEST(AccountHealth, EachPartKnowsWhenItIsTriedAgain) {
  const auto slowed = But(WithFault(ErrorCode::kRateLimited), [](auto& a) {
    a.requested = {Capability::kReadMail, Capability::kReadCalendar};
    a.granted = a.requested;
    a.calendar.fault = ErrorCode::kProviderUnavailable;
    a.calendar.next_attempt_at = kNow + 2 * kMinute;
  });
  const auto health = HealthOf(slowed, kNow);
  EXPECT_EQ(health.mail.next_attempt_at, kNow + kMinute);
  EXPECT_EQ(health.calendar.next_attempt_at, kNow + 2 * kMinute);
  EXPECT_EQ(health.send.next_attempt_at, std::nullopt);
}

}  // namespace
}  // namespace latchkey::connected_accounts
