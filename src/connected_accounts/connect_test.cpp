#include "connected_accounts/connect.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "connected_accounts/accounts.hpp"
#include "connected_accounts/testing/flow_fixture.hpp"

namespace latchkey::connected_accounts {
namespace {

using oauth::testing::FakeProvider;
using testing::Browser;

class ConnectFlow : public testing::ConnectedAccountsFlow {
 protected:
  std::vector<jobs::Job> Jobs(const std::string& kind) {
    const jobs::JobFilter filter{.state = std::nullopt, .kind = kind};
    return Run(database_->jobs().List(filter)).value().items;
  }
};

TEST_F(ConnectFlow, StoresTheAccountItsSealedTokensAndItsFirstJobTogether) {
  const Browser browser = Start(Request());
  EXPECT_EQ(browser.scope, "openid email profile read_mail");
  const auto finished = Finish(browser);
  ASSERT_EQ(finished.error, "");
  EXPECT_EQ(finished.mode, "popup");
  EXPECT_EQ(finished.note, "");
  const auto account = Account(finished.account_id);
  EXPECT_EQ(account.user_id, user_);
  EXPECT_EQ(account.provider_account_id, "subject-1");
  EXPECT_EQ(account.email, "ada@example.com");
  EXPECT_EQ(account.granted, std::vector<Capability>{Capability::kReadMail});
  const auto sealed = Run(store().GetTokens(account.id)).value();
  EXPECT_TRUE(sealed.access_token.starts_with("lk1."));
  EXPECT_TRUE(sealed.refresh_token.starts_with("lk1."));
  EXPECT_EQ(AccessToken(account.id)->Reveal(), "access-1");
  const auto jobs = Jobs("fetch_emails");
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].account_id, account.id);
  EXPECT_EQ(jobs[0].generation, account.generation);
}

TEST_F(ConnectFlow, TheAttemptIsTheTruthOfHowItEnded) {
  const auto attempt = Run(connect_->CreateAttempt(Request())).value();
  const Browser browser = Follow(Run(connect_->BuildAuthorizeUrl(user_, attempt.id, "/")).value());
  EXPECT_EQ(Run(store().GetAttempt(user_, attempt.id))->state, ConnectAttempt::State::kPending);
  const auto callback = Callback(browser, "error");
  EXPECT_EQ(Run(connect_->Finish(callback)).error, "access_denied");
  const auto ended = Run(store().GetAttempt(user_, attempt.id)).value();
  EXPECT_EQ(ended.state, ConnectAttempt::State::kFailed);
  EXPECT_EQ(ended.error_code, "access_denied");
  EXPECT_EQ(remote_.Count("/token"), 0);
  EXPECT_EQ(Run(connect_->BuildAuthorizeUrl(user_, attempt.id, "/")).error().code, ErrorCode::kConflict);
}

TEST_F(ConnectFlow, ARepeatShowsTheFirstOutcomeAndNeverRedeemsAgain) {
  const Browser browser = Start(Request());
  const auto first = Finish(browser);
  const auto repeat = Finish(browser);
  EXPECT_EQ(repeat.error, "");
  EXPECT_EQ(repeat.account_id, first.account_id);
  EXPECT_EQ(repeat.attempt_id, first.attempt_id);
  EXPECT_EQ(remote_.Count("/token"), 1);
}

TEST_F(ConnectFlow, OfSimultaneousCallbacksOneRedeems) {
  const Browser browser = Start(Request());
  remote_.nonce = browser.nonce;
  remote_.scope = browser.scope;
  Signal release(loop_.get_executor());
  remote_.before_token = [&]() -> Task<void> { co_await release.Wait(std::chrono::seconds(30)); };
  const auto callback = Callback(browser);
  std::vector<Connect::Finished> outcomes;
  const auto one = [&]() -> Task<void> { outcomes.push_back(co_await connect_->Finish(callback)); };
  const auto all = [&]() -> Task<void> {
    for (int i = 0; i < 10; ++i) boost::asio::co_spawn(loop_, one(), boost::asio::detached);
    while (remote_.Count("/token") == 0) co_await SleepFor(std::chrono::milliseconds(1));
    release.Raise();
  };
  Run(all());
  ASSERT_EQ(outcomes.size(), 10U);
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.account_id, outcomes[0].account_id) << outcome.error;
  EXPECT_EQ(remote_.Count("/token"), 1);
  EXPECT_EQ(Run(store().List(user_))->size(), 1U);
}

TEST_F(ConnectFlow, IsRefusedInAnotherBrowserAndInTheOtherFlow) {
  const Browser browser = Start(Request());
  const Browser stranger{.cookies = {}, .state = browser.state, .nonce = {}, .scope = {}};
  EXPECT_EQ(Finish(stranger).error, "state_mismatch");
  clock_.Advance(std::chrono::minutes(10));
  EXPECT_EQ(Finish(browser).error, "state_expired");
  EXPECT_EQ(remote_.Count("/token"), 0);
}

TEST_F(ConnectFlow, AnEndedSessionGetsNoMailboxAndTheGrantIsRevoked) {
  const Browser browser = Start(Request());
  ASSERT_TRUE(Run(database_->identity().EndAllSessions(user_)));
  EXPECT_EQ(Finish(browser).error, "unauthenticated");
  EXPECT_EQ(remote_.revoked, std::vector<std::string>{"refresh-1"});
  EXPECT_TRUE(Run(store().List(user_))->empty());
}

TEST_F(ConnectFlow, PartialConsentWorksForWhatWasGranted) {
  const auto finished =
      Finish(Start(Request({Capability::kReadMail, Capability::kReadCalendar})), "openid email read_mail");
  EXPECT_EQ(finished.error, "");
  EXPECT_EQ(finished.note, "partial_consent");
  const auto account = Account(finished.account_id);
  EXPECT_EQ(account.granted, std::vector<Capability>{Capability::kReadMail});
  EXPECT_EQ(account.requested.size(), 2U);
  // One click asks for the rest, onto the same account.
  const auto granted = Finish(Start(Request({}, account.id)));
  EXPECT_EQ(granted.account_id, account.id);
  EXPECT_EQ(granted.note, "");
  EXPECT_EQ(Account(account.id).granted.size(), 2U);
}

TEST_F(ConnectFlow, WithoutAnyNeededPermissionNothingIsConnected) {
  EXPECT_EQ(Finish(Start(Request()), "openid email profile").error, "required_scope_missing");
  EXPECT_EQ(remote_.revoked.size(), 1U);
  EXPECT_TRUE(Run(store().List(user_))->empty());
  EXPECT_TRUE(Jobs("fetch_emails").empty());
}

TEST_F(ConnectFlow, SendingAloneStartsNoSync) {
  const auto finished = Finish(Start(Request({Capability::kSendMail})));
  EXPECT_EQ(finished.error, "");
  EXPECT_TRUE(Jobs("fetch_emails").empty());
}

TEST_F(ConnectFlow, WithoutARefreshTokenANewAccountIsRefusedAndAnOldOneKeepsIts) {
  remote_.give_refresh_token = false;
  EXPECT_EQ(Finish(Start(Request())).error, "no_refresh_token");
  remote_.give_refresh_token = true;
  const auto account = ConnectAccount();
  const auto before = Run(store().GetTokens(account)).value();
  remote_.give_refresh_token = false;
  EXPECT_EQ(Finish(Start(Request())).account_id, account);
  EXPECT_EQ(Run(store().GetTokens(account))->refresh_token, before.refresh_token);
}

TEST_F(ConnectFlow, TheSameMailboxAgainKeepsItsAccount) {
  const auto account = ConnectAccount();
  const auto generation = Account(account).generation;
  EXPECT_EQ(ConnectAccount(), account);
  EXPECT_EQ(Account(account).generation, generation);
  EXPECT_EQ(Run(store().List(user_))->size(), 1U);
  // Another mailbox of the same provider is another account.
  remote_.subject = "subject-2";
  EXPECT_NE(ConnectAccount(), account);
}

TEST_F(ConnectFlow, ReconnectingRefusesAnotherMailbox) {
  const auto account = ConnectAccount();
  remote_.subject = "subject-2";
  EXPECT_EQ(Finish(Start(Request({}, account))).error, "wrong_account");
  EXPECT_EQ(remote_.revoked, std::vector<std::string>{"refresh-2"});
  EXPECT_EQ(AccessToken(account)->Reveal(), "access-1");
  EXPECT_EQ(Run(store().List(user_))->size(), 1U);
}

// Out of an older program's database: whose mailbox it is says its address alone, until its person signs in there.
TEST_F(ConnectFlow, AnAccountKnownByItsAddressGetsTheProvidersIdOfThatMailboxAndOfNoOther) {
  for (const bool asked_for : {true, false}) {
    const std::string name = asked_for ? "ada" : "grace";
    legacy::ImportedConnection imported{.org_name = name, .user_id = user_};
    imported.account.id = ConnectedAccountId::New(clock_.Now());
    imported.account.user_id = user_;
    imported.account.provider = "google";
    imported.account.provider_account_id = "email:" + name + "@example.com";
    imported.account.email = name + "@example.com";
    imported.account.requested = imported.account.granted = {Capability::kReadMail};
    ASSERT_TRUE(Run(database_->legacy_imports().StoreImported(imported)));
    const auto id = imported.account.id;
    const auto before = Run(store().List(user_))->size();

    remote_.subject = "subject-of-" + name;
    remote_.email = "Mallory@example.com";
    EXPECT_EQ(Finish(Start(Request({}, id))).error, "wrong_account");
    remote_.email = name + "@Example.com";
    remote_.email_verified = false;
    EXPECT_EQ(Finish(Start(Request({}, id))).error, "wrong_account") << "nobody vouches for the address";
    EXPECT_EQ(Account(id).provider_account_id, "email:" + name + "@example.com");
    remote_.email_verified = true;
    const auto request = asked_for ? Request({}, id) : Request();
    EXPECT_EQ(Finish(Start(request)).account_id, id);
    EXPECT_EQ(Account(id).provider_account_id, remote_.subject);
    EXPECT_EQ(Run(store().List(user_))->size(), before) << "no twin beside it";
    // From now on the address says nothing any more.
    remote_.subject = "another-subject-of-" + name;
    EXPECT_EQ(Finish(Start(Request({}, id))).error, "wrong_account");
  }
}

TEST_F(ConnectFlow, AFailureDoesNotRevokeTheGrantThatAMailboxLivesFrom) {
  ConnectAccount();
  const Browser browser = Start(Request());
  remote_.nonce = "wrong";
  remote_.scope = browser.scope;
  const auto callback = Callback(browser);
  EXPECT_EQ(Run(connect_->Finish(callback)).error, "sign_in_failed");
  EXPECT_TRUE(remote_.revoked.empty());
}

TEST_F(ConnectFlow, RequestsAreChecked) {
  auto request = Request();
  request.provider = "nobody";
  EXPECT_EQ(Run(connect_->CreateAttempt(request)).error().code, ErrorCode::kProviderNotConfigured);
  request = Request();
  request.mode = "iframe";
  EXPECT_EQ(Run(connect_->CreateAttempt(request)).error().code, ErrorCode::kInvalidArgument);
  const auto account = ConnectAccount();
  const auto stranger = SignInAs("person-2");
  request = Request({}, account);
  request.user_id = stranger.first;
  request.session_id = stranger.second;
  EXPECT_EQ(Run(connect_->CreateAttempt(request)).error().code, ErrorCode::kNotFound);
  const auto attempt = Run(connect_->CreateAttempt(Request())).value();
  EXPECT_EQ(Run(connect_->BuildAuthorizeUrl(stranger.first, attempt.id, "/")).error().code, ErrorCode::kNotFound);
}

TEST_F(ConnectFlow, TwoPeopleMayConnectOneMailboxAndEachSeesTheirOwn) {
  const auto mine = ConnectAccount();
  const auto other = SignInAs("person-2");
  user_ = other.first;
  session_ = other.second;
  const auto theirs = ConnectAccount();
  EXPECT_NE(mine, theirs);
  EXPECT_EQ(Run(store().List(user_))->size(), 1U);
}

TEST_F(ConnectFlow, ATicketWorksOnceAndInTheRightSessionGoesStraightOn) {
  const auto issued = Run(connect_->IssueTicket(Request())).value();
  const auto opened = Run(connect_->OpenTicket("google", issued.ticket, session_)).value();
  ASSERT_TRUE(opened.started);
  EXPECT_EQ(Finish(Follow(*opened.started)).error, "");
  EXPECT_EQ(Run(connect_->OpenTicket("google", issued.ticket, session_)).error().code, ErrorCode::kNotFound);
}

TEST_F(ConnectFlow, ATicketInAnotherBrowserAsksFirst) {
  const auto issued = Run(connect_->IssueTicket(Request())).value();
  const SessionId none;
  const auto opened = Run(connect_->OpenTicket("google", issued.ticket, none)).value();
  EXPECT_FALSE(opened.started);
  EXPECT_EQ(opened.attempt.user_id, user_);
  const std::string& cookie = opened.confirmation.value;
  EXPECT_EQ(Run(connect_->ConfirmTicket("google", cookie, "guess")).error().code, ErrorCode::kStateMismatch);
  EXPECT_EQ(Run(connect_->ConfirmTicket("google", "x", opened.form_token)).error().code, ErrorCode::kStateMismatch);
  EXPECT_EQ(Run(connect_->ConfirmTicket("microsoft", cookie, opened.form_token)).error().code,
            ErrorCode::kStateMismatch);
  const auto started = Run(connect_->ConfirmTicket("google", cookie, opened.form_token)).value();
  EXPECT_EQ(Finish(Follow(started)).error, "");
}

TEST_F(ConnectFlow, ATicketDiesAfterAMinuteAndIsStoredHashed) {
  const auto issued = Run(connect_->IssueTicket(Request())).value();
  EXPECT_EQ(issued.attempt.ticket_hash, crypto::Sha256Hex(issued.ticket.Reveal()));
  EXPECT_EQ(Run(connect_->OpenTicket("google", SecretString("guess"), session_)).error().code, ErrorCode::kNotFound);
  clock_.Advance(std::chrono::seconds(61));
  EXPECT_EQ(Run(connect_->OpenTicket("google", issued.ticket, session_)).error().code, ErrorCode::kNotFound);
}

TEST_F(ConnectFlow, NamesPauseAndSyncRequestsBelongToTheOwner) {
  Accounts accounts(store(), clock_);
  const auto id = ConnectAccount();
  EXPECT_EQ(Run(accounts.Rename(user_, id, "Work"))->account.display_name, "Work");
  for (const std::string& bad : {std::string(), std::string("  "), std::string("a\nb"), std::string(101, 'x'),
                                 std::string("a\xff"), std::string("a\xe2\x80\xae")}) {
    EXPECT_EQ(Run(accounts.Rename(user_, id, bad)).error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(Run(accounts.Pause(user_, id))->health.status, Status::kPaused);
  EXPECT_EQ(Run(accounts.RequestSync(user_, id)).error().code, ErrorCode::kConflict);
  EXPECT_EQ(Run(accounts.Resume(user_, id))->health.status, Status::kPending);
  EXPECT_TRUE(Run(accounts.RequestSync(user_, id)));
  const auto stranger = SignInAs("person-2").first;
  EXPECT_EQ(Run(accounts.Get(stranger, id)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Run(accounts.Rename(stranger, id, "Mine")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Run(accounts.Pause(stranger, id)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Run(accounts.List(user_))->size(), 1U);
}

}  // namespace
}  // namespace latchkey::connected_accounts
