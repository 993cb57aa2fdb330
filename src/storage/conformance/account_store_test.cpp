#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using connected_accounts::Capability;
using connected_accounts::ConnectAttempt;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AccountStoreLaws : public StoreConformance {
 protected:
  std::vector<jobs::Job> JobsOf(const ConnectedAccountId& id) {
    return store.Get(jobs().List({.account_id = id})).items;
  }
  Instant Now() { return store.clock().Now(); }

  identity::User user = store.AddUser("ada");
  identity::User stranger = store.AddUser("eve");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
};
LATCHKEY_ON_EVERY_ENGINE(AccountStoreLaws);

TEST_P(AccountStoreLaws, AConnectionIsStoredWithItsFirstJobAndItsOutcome) {
  const auto start = store.Get(events().LatestId(user.id));
  auto connection = store.NewConnection(user, "second.mail");
  connection.first_jobs = {{.kind = "fetch_emails", .unique_key = "fetch"}};
  connection.note = "partial_consent";
  const auto id = store.Get(accounts().StoreConnection(connection));
  const auto attempt = store.Get(accounts().GetAttempt(user.id, connection.attempt_id));
  EXPECT_EQ(attempt.state, ConnectAttempt::State::kSucceeded);
  EXPECT_EQ(attempt.result_account_id, id);
  EXPECT_EQ(attempt.error_code, "partial_consent");
  const auto queued = JobsOf(id);
  ASSERT_EQ(queued.size(), 1u);
  EXPECT_EQ(queued[0].kind, "fetch_emails");
  const auto stored = store.Get(accounts().Get(user.id, id));
  EXPECT_EQ(queued[0].generation, stored.generation);
  EXPECT_THAT(stored.granted, ElementsAre(Capability::kReadMail));
  EXPECT_THAT(stored.granted_scopes, ElementsAre("openid", "https://mail.example.com/read"));
  EXPECT_THAT(EventTypes(user.id, start), ElementsAre("connect.finished", "account.updated"));
}

TEST_P(AccountStoreLaws, AnAttemptSucceedsOnce) {
  auto connection = store.NewConnection(user, "second.mail");
  store.Get(accounts().StoreConnection(connection));
  connection.tokens.access_token = "other";
  EXPECT_EQ(store.ErrorOf(accounts().StoreConnection(connection)), ErrorCode::kConflict);
  EXPECT_EQ(store.Get(accounts().GetTokens(connection.account.id)).access_token, "sealed-access");
}

TEST_P(AccountStoreLaws, AFailedOrExpiredAttemptStoresNothing) {
  const auto failed = store.NewConnection(user, "failed.mail");
  store.Get(accounts().FailAttempt(failed.attempt_id, "access_denied"));
  store.Get(accounts().FailAttempt(failed.attempt_id, "timeout"));  // stays as it ended first
  EXPECT_EQ(store.Get(accounts().GetAttempt(user.id, failed.attempt_id)).error_code, "access_denied");
  EXPECT_EQ(store.ErrorOf(accounts().StoreConnection(failed)), ErrorCode::kConflict);
  const auto expired = store.NewConnection(user, "expired.mail");
  store.clock().Advance(minutes(11));
  EXPECT_EQ(store.Get(accounts().GetAttempt(user.id, expired.attempt_id)).state, ConnectAttempt::State::kExpired);
  EXPECT_EQ(store.ErrorOf(accounts().StoreConnection(expired)), ErrorCode::kConflict);
  EXPECT_EQ(store.Get(accounts().List(user.id)).size(), 1u);
}

TEST_P(AccountStoreLaws, TheSessionThatBeganAnAttemptMustStillLive) {
  const auto connection = store.NewConnection(user, "second.mail");
  store.Get(identity().EndAllSessions(user.id));
  EXPECT_EQ(store.ErrorOf(accounts().StoreConnection(connection)), ErrorCode::kUnauthenticated);
  EXPECT_EQ(store.ErrorOf(accounts().Get(user.id, connection.account.id)), ErrorCode::kNotFound);
}

TEST_P(AccountStoreLaws, ASecondConnectionOfTheSameMailboxIsARaceLost) {
  const auto again = store.NewConnection(user, "ada.mail");
  EXPECT_EQ(store.ErrorOf(accounts().StoreConnection(again)), ErrorCode::kAlreadyExists);
  EXPECT_EQ(store.Get(accounts().GetAttempt(user.id, again.attempt_id)).state, ConnectAttempt::State::kPending);
  const auto shared = store.AddAccount(stranger, "ada.mail");
  EXPECT_EQ(store.Get(accounts().CountSharingGrant("google", "ada.mail", account.id)), 1);
  EXPECT_NE(shared.id, account.id);
}

TEST_P(AccountStoreLaws, ReconnectingKeepsIdGenerationAndPauseAndClearsTheFault) {
  store.Get(
      accounts().SetFault(account.id, account.generation, ErrorCode::kReauthInvalidGrant, std::nullopt, jobs::Lease{}));
  store.Get(accounts().SetPaused(user.id, account.id, true));
  auto connection = store.NewConnection(user, "ada.mail");
  connection.account.id = account.id;
  connection.tokens.access_token = "newer";
  connection.tokens.refresh_token = "";
  EXPECT_EQ(store.Get(accounts().StoreConnection(connection)), account.id);
  const auto stored = store.Get(accounts().Get(user.id, account.id));
  EXPECT_EQ(stored.generation, account.generation);
  EXPECT_TRUE(stored.paused);
  EXPECT_FALSE(stored.fault);
  const auto tokens = store.Get(accounts().GetTokens(account.id));
  EXPECT_EQ(tokens.access_token, "newer");
  EXPECT_EQ(tokens.refresh_token, "sealed-refresh") << "none was given: the old one stays";
  EXPECT_EQ(tokens.version, 2);
}

TEST_P(AccountStoreLaws, AnAccountBeingErasedIsNotReconnectedButMayBeConnectedAnew) {
  store.Get(accounts().BeginErase(user.id, account.id));
  auto same = store.NewConnection(user, "ada.mail");
  same.account.id = account.id;
  EXPECT_EQ(store.ErrorOf(accounts().StoreConnection(same)), ErrorCode::kFenced);
  EXPECT_EQ(store.ErrorOf(accounts().FindByProviderAccount(user.id, "google", "ada.mail")), ErrorCode::kNotFound);
  EXPECT_NE(store.AddAccount(user, "ada.mail").id, account.id);
}

TEST_P(AccountStoreLaws, ATicketOpensItsAttemptOnce) {
  const auto sessions = store.Get(identity().ListSessions(user.id));
  const ConnectAttempt attempt{.id = ConnectAttemptId::New(Now()),
                               .user_id = user.id,
                               .session_id = sessions.at(0).id,
                               .provider = "google",
                               .capabilities = {Capability::kSendMail},
                               .mode = "page",
                               .created_at = Now(),
                               .expires_at = Now() + minutes(10),
                               .ticket_hash = "ticket",
                               .ticket_expires_at = Now() + minutes(1)};
  store.Get(accounts().InsertAttempt(attempt));
  EXPECT_EQ(store.ErrorOf(accounts().ConsumeTicket("other")), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(accounts().ConsumeTicket("")), ErrorCode::kNotFound);
  EXPECT_EQ(store.Get(accounts().ConsumeTicket("ticket")).id, attempt.id);
  EXPECT_EQ(store.ErrorOf(accounts().ConsumeTicket("ticket")), ErrorCode::kNotFound);
  auto late = attempt;
  late.id = ConnectAttemptId::New(Now());
  late.ticket_hash = "late";
  store.Get(accounts().InsertAttempt(late));
  store.clock().Advance(minutes(2));
  EXPECT_EQ(store.ErrorOf(accounts().ConsumeTicket("late")), ErrorCode::kNotFound);
}

TEST_P(AccountStoreLaws, NobodyReachesTheAccountsOfAnother) {
  EXPECT_THAT(store.Get(accounts().List(stranger.id)), IsEmpty());
  EXPECT_EQ(store.ErrorOf(accounts().Get(stranger.id, account.id)), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(accounts().Rename(stranger.id, account.id, "mine")), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(accounts().SetPaused(stranger.id, account.id, true)), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(accounts().RequestSync(stranger.id, account.id)), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(accounts().BeginErase(stranger.id, account.id)), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(accounts().PreviewErase(stranger.id, account.id)), ErrorCode::kNotFound);
  EXPECT_EQ(store.ErrorOf(accounts().ListActivity(stranger.id, account.id, "", 10)), ErrorCode::kNotFound);
  EXPECT_EQ(store.Get(accounts().GetForWork(account.id)).display_name, "ada.mail");
}

TEST_P(AccountStoreLaws, TokensAreReplacedOnlyOverTheVersionTheyCameFrom) {
  const connected_accounts::SealedTokens fresh{.access_token = "a2",
                                               .refresh_token = "r2",
                                               .expires_at = Now() + hours(1),
                                               .refresh_expires_at = Now() + hours(9)};
  store.Get(accounts().ReplaceTokens(account.id, account.generation, fresh, 1));
  EXPECT_EQ(store.ErrorOf(accounts().ReplaceTokens(account.id, account.generation, fresh, 1)), ErrorCode::kConflict);
  EXPECT_EQ(store.ErrorOf(accounts().ReplaceTokens(account.id, account.generation + 1, fresh, 2)), ErrorCode::kFenced);
  EXPECT_EQ(store.ErrorOf(accounts().ReplaceTokens(ConnectedAccountId::New(Now()), 1, fresh, 2)), ErrorCode::kNotFound);
  const auto stored = store.Get(accounts().GetTokens(account.id));
  EXPECT_EQ(stored.version, 2);
  EXPECT_EQ(stored.refresh_token, "r2");
  EXPECT_EQ(stored.refresh_expires_at, Now() + hours(9));
}

TEST_P(AccountStoreLaws, OneRefresherAtATime) {
  const auto until = Now() + minutes(1);
  EXPECT_TRUE(store.Get(accounts().TryLeaseRefresh(account.id, "one", until)));
  EXPECT_FALSE(store.Get(accounts().TryLeaseRefresh(account.id, "two", until)));
  store.clock().Advance(minutes(1));
  EXPECT_TRUE(store.Get(accounts().TryLeaseRefresh(account.id, "two", Now() + minutes(1))));
  // Storing the tokens ends the lease.
  store.Get(accounts().ReplaceTokens(account.id, account.generation, {.access_token = "a2"}, 1));
  EXPECT_TRUE(store.Get(accounts().TryLeaseRefresh(account.id, "three", Now() + minutes(1))));
}

TEST_P(AccountStoreLaws, AFaultKeepsItsBeginningAndTellsOnlyChanges) {
  const auto start = store.Get(events().LatestId(user.id));
  const auto began = Now();
  store.Get(accounts().SetFault(account.id, account.generation, ErrorCode::kProviderUnavailable, Now() + minutes(1),
                                jobs::Lease{}));
  store.clock().Advance(minutes(1));
  store.Get(accounts().SetFault(account.id, account.generation, ErrorCode::kProviderUnavailable, Now() + minutes(2),
                                jobs::Lease{}));
  auto shown = store.Get(accounts().Get(user.id, account.id));
  EXPECT_EQ(shown.fault, ErrorCode::kProviderUnavailable);
  EXPECT_EQ(shown.fault_since, began);
  EXPECT_EQ(shown.next_attempt_at, Now() + minutes(2));
  store.Get(accounts().ClearFault(account.id, account.generation, jobs::Lease{}));
  store.Get(accounts().ClearFault(account.id, account.generation, jobs::Lease{}));
  shown = store.Get(accounts().Get(user.id, account.id));
  EXPECT_FALSE(shown.fault);
  EXPECT_EQ(shown.last_success_at, Now());
  EXPECT_EQ(EventTypes(user.id, start).size(), 3u);
  EXPECT_EQ(
      store.ErrorOf(accounts().SetFault(account.id, account.generation + 1, ErrorCode::kInternal, {}, jobs::Lease{})),
      ErrorCode::kFenced);
}

TEST_P(AccountStoreLaws, OnlyWhatIsDueIsScheduledAndMovedOn) {
  const auto other = store.AddAccount(user, "other.mail");
  EXPECT_EQ(store.Get(accounts().ScheduleDue(Now(), Now() + minutes(1), 10, "fetch_emails")), 0);
  auto commit = testing::CommitFor(account);
  commit.next_sync_at = Now() + minutes(1);
  store.Get(messages().Apply(commit));
  store.clock().Advance(minutes(1));
  EXPECT_EQ(store.Get(accounts().ScheduleDue(Now(), Now() + minutes(1), 10, "fetch_emails")), 1);
  EXPECT_EQ(store.Get(accounts().ScheduleDue(Now(), Now() + minutes(1), 10, "fetch_emails")), 0);
  ASSERT_EQ(JobsOf(account.id).size(), 1u);
  EXPECT_EQ(JobsOf(account.id)[0].generation, account.generation);
  EXPECT_THAT(JobsOf(other.id), IsEmpty());
}

TEST_P(AccountStoreLaws, NothingIsDueWhilePausedOrWaitingForThePerson) {
  store.Get(accounts().SetPaused(user.id, account.id, true));
  const auto other = store.AddAccount(user, "other.mail");
  store.Get(
      accounts().SetFault(other.id, other.generation, ErrorCode::kReauthInvalidGrant, std::nullopt, jobs::Lease{}));
  store.clock().Advance(hours(10));
  EXPECT_EQ(store.Get(accounts().ScheduleDue(Now(), Now() + minutes(1), 10, "fetch_emails")), 0);
  EXPECT_EQ(store.ErrorOf(accounts().RequestSync(user.id, account.id)), ErrorCode::kConflict);
}

TEST_P(AccountStoreLaws, AFaultMetAgainAfterResumingStopsTheScheduleAgain) {
  store.Get(
      accounts().SetFault(account.id, account.generation, ErrorCode::kReauthInvalidGrant, std::nullopt, jobs::Lease{}));
  store.Get(accounts().SetPaused(user.id, account.id, true));
  store.Get(accounts().SetPaused(user.id, account.id, false));
  store.Get(
      accounts().SetFault(account.id, account.generation, ErrorCode::kReauthInvalidGrant, std::nullopt, jobs::Lease{}));
  store.clock().Advance(hours(1));
  EXPECT_EQ(store.Get(accounts().ScheduleDue(Now(), Now() + minutes(1), 10, "fetch_emails")), 0);
}

TEST_P(AccountStoreLaws, PausingCancelsWhatWaitsAndResumingTakesItUpAgain) {
  auto commit = testing::CommitFor(account);
  commit.backfill = mail::BackfillState{.epoch = 1, .done = 1, .total = 9};
  store.Get(messages().Apply(commit));
  store.Get(accounts().RequestSync(user.id, account.id));
  store.Get(accounts().SetPaused(user.id, account.id, true));
  ASSERT_EQ(JobsOf(account.id).size(), 1u);
  EXPECT_EQ(JobsOf(account.id)[0].state, jobs::JobState::kCancelled);
  EXPECT_EQ(store.Get(accounts().Get(user.id, account.id)).paused_at, Now());
  store.Get(accounts().SetPaused(user.id, account.id, false));
  std::vector<std::string> kinds;
  for (const auto& job : JobsOf(account.id)) {
    if (job.state == jobs::JobState::kAvailable) kinds.push_back(job.kind);
  }
  EXPECT_THAT(kinds, ::testing::UnorderedElementsAre("fetch_emails", "backfill_emails"));
}

TEST_P(AccountStoreLaws, ARunningSyncIsShown) {
  store.Get(accounts().RequestSync(user.id, account.id));
  EXPECT_FALSE(store.Get(accounts().Get(user.id, account.id)).sync_running);
  const jobs::ClaimQuery claim{.kinds = {"fetch_emails"}};
  const auto job = store.Get(jobs().Claim(claim)).at(0);
  EXPECT_TRUE(store.Get(accounts().Get(user.id, account.id)).sync_running);
  store.Get(jobs().Finish({.job_id = job.id, .token = job.lease_token}, jobs::Outcome::Completed(), Now()));
  EXPECT_FALSE(store.Get(accounts().Get(user.id, account.id)).sync_running);
  const auto activity = store.Get(accounts().ListActivity(user.id, account.id, "", 10)).rows;
  ASSERT_EQ(activity.size(), 1u);
  EXPECT_EQ(activity[0].job_type, "fetch_emails");
  EXPECT_EQ(activity[0].status, "COMPLETED");
}

TEST_P(AccountStoreLaws, EachAttemptIsOneLineOfActivity) {
  const jobs::NewJob sync{.kind = "sync", .unique_key = "sync:1", .account_id = account.id};
  const jobs::ClaimQuery claim{.kinds = {"sync"}};
  std::vector<std::string> expected;
  std::vector<Instant> ends;
  const auto attempt = [&](const jobs::Outcome& outcome) {
    const auto job = store.Get(jobs().Claim(claim)).at(0);
    store.clock().Advance(seconds(1));
    if (outcome.kind == jobs::Outcome::Kind::kCompleted && ends.size() == 1) store.Get(jobs().Insert(sync));
    const std::vector<jobs::Report> reports{{.lease = jobs::LeaseOf(job), .outcome = outcome, .next_run = Now()}};
    EXPECT_THAT(store.Get(jobs().FinishAll(reports)), IsEmpty());
    ends.push_back(Now());
    const auto lines = store.Get(accounts().ListActivity(user.id, account.id, "", 10)).rows;
    ASSERT_EQ(lines.size(), ends.size());
    expected.insert(expected.begin(), outcome.kind == jobs::Outcome::Kind::kCompleted ? "COMPLETED" : "FAILED");
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_EQ(lines[i].status, expected[i]);
      EXPECT_EQ(lines[i].job_type, "sync");
      EXPECT_EQ(lines[i].created_at, ends[ends.size() - 1 - i]) << "newest first";
      EXPECT_EQ(lines[i].completed_at, lines[i].created_at);
      EXPECT_EQ(lines[i].started_at, lines[i].created_at - seconds(1));
      EXPECT_EQ(lines[i].error_code, expected[i] == "FAILED" ? "timeout" : "");
    }
  };
  store.Get(jobs().Insert(sync));
  attempt(jobs::Outcome::Retry({.code = ErrorCode::kTimeout}));
  attempt(jobs::Outcome::Completed());  // asked for again meanwhile: the same job goes round once more
  attempt(jobs::Outcome::Completed());
  store.Get(jobs().Insert(sync));
  attempt(jobs::Outcome::Completed());
  const auto newest = store.Get(accounts().ListActivity(user.id, account.id, "", 2));
  ASSERT_EQ(newest.rows.size(), 2u);
  EXPECT_EQ(newest.rows[1].created_at, ends[2]);
  // Page by page it is the same list, and ends.
  std::vector<std::string> paged, whole;
  for (const auto& line : store.Get(accounts().ListActivity(user.id, account.id, "", 10)).rows)
    whole.push_back(line.id);
  std::string cursor;
  do {
    const auto page = store.Get(accounts().ListActivity(user.id, account.id, cursor, 1));
    for (const auto& line : page.rows) paged.push_back(line.id);
    cursor = page.next_cursor;
  } while (!cursor.empty() && paged.size() <= whole.size());
  EXPECT_EQ(paged, whole);
  for (const char* foreign : {"x", "MTox", "MTpmZmZm"}) {
    EXPECT_EQ(store.ErrorOf(accounts().ListActivity(user.id, account.id, foreign, 10)), ErrorCode::kInvalidArgument);
  }
  std::set<std::string> ids;
  for (const auto& line : store.Get(accounts().ListActivity(user.id, account.id, "", 10)).rows) ids.insert(line.id);
  EXPECT_EQ(ids.size(), ends.size());
  store.Get(jobs().Prune(Now() + seconds(1), 100));
  EXPECT_THAT(store.Get(accounts().ListActivity(user.id, account.id, "", 10)).rows, IsEmpty());
}

TEST_P(AccountStoreLaws, AnOperatorsFaultIsOneNoticeUntilItIsResolved) {
  const auto began = Now();
  for (int i = 0; i < 3; ++i) {
    store.Get(accounts().RaiseNotice("google", ErrorCode::kInvalidClient));
    store.clock().Advance(minutes(1));
  }
  auto notices = store.Get(accounts().ListNotices());
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].code, "invalid_client");
  EXPECT_EQ(notices[0].count, 3);
  EXPECT_EQ(notices[0].since, began);
  store.Get(accounts().ResolveNotices("microsoft", {ErrorCode::kInvalidClient}));
  store.Get(accounts().ResolveNotices("google", {ErrorCode::kApiNotEnabled}));
  EXPECT_EQ(store.Get(accounts().ListNotices()).size(), 1u);
  store.Get(accounts().ResolveNotices("google", {ErrorCode::kApiNotEnabled, ErrorCode::kInvalidClient}));
  EXPECT_THAT(store.Get(accounts().ListNotices()), IsEmpty());
  store.Get(accounts().RaiseNotice("google", ErrorCode::kInvalidClient));
  EXPECT_EQ(store.Get(accounts().ListNotices()).at(0).count, 1);
}

TEST_P(AccountStoreLaws, WhatWaitsForAnOperatorsFaultIsDueWhenItIsOver) {
  const auto sleep = [&](std::string_view kind, ErrorCode reason) {
    const jobs::NewJob job{.kind = std::string(kind),
                           .unique_key = jobs::AccountKey(kind, account.id),
                           .account_id = account.id,
                           .generation = account.generation};
    store.Get(db().jobs().Insert(job));
    const auto taken = store.Get(db().jobs().Claim({.kinds = {std::string(kind)}}));
    const Error error{.code = reason, .detail = "told", .retry_after = {}};
    store.Get(db().jobs().Finish({.job_id = taken.at(0).id, .token = taken.at(0).lease_token},
                                 jobs::Outcome::WaitFor(error, minutes(10)), Now() + minutes(10)));
    EXPECT_EQ(store.Get(db().jobs().Get(taken.at(0).id)).last_error_code, ToString(reason));
  };
  sleep("fetch_calendar", ErrorCode::kApiNotEnabled);
  sleep("backfill_emails", ErrorCode::kInvalidClient);
  store.Get(accounts().RaiseNotice("google", ErrorCode::kInvalidClient));
  const std::vector<std::string> kinds{"fetch_calendar", "backfill_emails"};
  store.Get(accounts().ResolveNotices("microsoft", {ErrorCode::kInvalidClient}));
  EXPECT_THAT(store.Get(db().jobs().Claim({.kinds = kinds, .limit = 10})), IsEmpty());
  store.Get(accounts().ResolveNotices("google", {ErrorCode::kInvalidClient}));
  const auto woken = store.Get(db().jobs().Claim({.kinds = kinds, .limit = 10}));
  ASSERT_EQ(woken.size(), 1u) << "the other waits for something else";
  EXPECT_EQ(woken[0].kind, "backfill_emails");
}

TEST_P(AccountStoreLaws, SealedTokensAreRewrittenOnlyWhereTheyHaveNotMovedOn) {
  auto rows = store.Get(db().keys().ListSealedRows("", 10));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].access_token, "sealed-access");
  rows[0].access_token = "resealed";
  EXPECT_TRUE(store.Get(db().keys().ReplaceSealedRow(rows[0])));
  EXPECT_EQ(store.Get(accounts().GetTokens(account.id)).version, 1);
  store.Get(accounts().ReplaceTokens(account.id, account.generation, {.access_token = "a2"}, 1));
  EXPECT_FALSE(store.Get(db().keys().ReplaceSealedRow(rows[0])));
  EXPECT_EQ(store.Get(accounts().GetTokens(account.id)).access_token, "a2");
  EXPECT_THAT(store.Get(db().keys().ListSealedRows(account.id.text(), 10)), IsEmpty());
  store.Get(db().keys().InsertKeyCheck({.key_id = "k1", .check_value = "first"}));
  store.Get(db().keys().InsertKeyCheck({.key_id = "k1", .check_value = "second"}));
  EXPECT_EQ(store.Get(db().keys().ListKeyChecks()).at(0).check_value, "first");
}

}  // namespace
}  // namespace latchkey::storage
