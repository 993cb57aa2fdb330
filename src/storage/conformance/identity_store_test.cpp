#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::Contains;
using ::testing::IsEmpty;

class IdentityStoreLaws : public StoreConformance {
 protected:
  Instant Now() { return store.clock().Now(); }
  identity::IdentityStore::SignIn SignIn(const std::string& subject, const std::string& token) {
    return {.identity = {.issuer = "https://accounts.example.com",
                         .subject = subject,
                         .email = "shared@example.com",
                         .email_verified = true,
                         .provider = "google"},
            .session = {.id = SessionId::New(Now()),
                        .token_hash = token,
                        .created_at = Now(),
                        .last_seen_at = Now(),
                        .expires_at = Now() + hours(24)}};
  }
  Instant SeenSince() { return Now() - hours(12); }
  /// Runs all at once and returns how many of them satisfied `good`.
  template <class T, class Good>
  int CountConcurrent(int times, std::function<Task<Result<T>>()> ask, Good good) {
    int count = 0;
    auto run = [&]() -> Task<void> {
      const auto result = co_await ask();
      if (result && good(*result)) ++count;
    };
    for (int i = 0; i < times; ++i) boost::asio::co_spawn(store.loop(), run, boost::asio::detached);
    store.loop().restart();
    store.loop().run();
    return count;
  }
};
LATCHKEY_ON_EVERY_ENGINE(IdentityStoreLaws);

TEST_P(IdentityStoreLaws, IssuerAndSubjectIdentifyNeverTheAddress) {
  const auto first = store.Get(identity().CompleteSignIn(SignIn("one", "t1")));
  const auto again = store.Get(identity().CompleteSignIn(SignIn("one", "t2")));
  const auto other = store.Get(identity().CompleteSignIn(SignIn("two", "t3")));
  auto elsewhere = SignIn("one", "t4");
  elsewhere.identity.issuer = "https://login.example.net";
  EXPECT_EQ(first.id, again.id);
  EXPECT_NE(first.id, other.id);
  EXPECT_NE(first.id, store.Get(identity().CompleteSignIn(elsewhere)).id);
}

TEST_P(IdentityStoreLaws, AStateIsClaimedByExactlyOne) {
  auto& states = db().consumed_states();
  const Instant expires = Now() + minutes(10);
  const int winners = CountConcurrent<oauth::ConsumedStates::Claim>(
      8, [&] { return states.ClaimState("s", expires); }, [](const auto& claim) { return claim.first; });
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(store.Get(states.ClaimState("s", expires)).outcome, "") << "the first is still at work";
  store.Get(states.FinishState("s", "access_denied"));
  store.Get(states.FinishState("s", "ok"));
  const auto late = store.Get(states.ClaimState("s", expires));
  EXPECT_FALSE(late.first);
  EXPECT_EQ(late.outcome, "access_denied");
}

TEST_P(IdentityStoreLaws, ASignInEndsItsStateOrWritesNothing) {
  auto& states = db().consumed_states();
  store.Get(states.ClaimState("s", Now() + minutes(10)));
  auto sign_in = SignIn("one", "t1");
  sign_in.state_hash = "s";
  store.Get(identity().CompleteSignIn(sign_in));
  EXPECT_EQ(store.Get(states.ClaimState("s", Now() + minutes(10))).outcome, "ok");
  auto replay = SignIn("two", "t2");
  replay.state_hash = "s";
  EXPECT_EQ(store.ErrorOf(identity().CompleteSignIn(replay)), ErrorCode::kConflict);
  EXPECT_EQ(store.ErrorOf(identity().FindSession("t2", SeenSince())), ErrorCode::kUnauthenticated);
}

TEST_P(IdentityStoreLaws, OfTwoWhoClaimTheSetupOneBecomesAdministrator) {
  EXPECT_TRUE(store.Get(identity().SetupOpen()));
  store.Get(identity().StoreSetupToken("old"));
  store.Get(identity().StoreSetupToken("link"));
  EXPECT_FALSE(store.Get(identity().CheckSetupToken("old")));
  EXPECT_TRUE(store.Get(identity().CheckSetupToken("link")));
  int next = 0;
  const int admins = CountConcurrent<identity::User>(
      4,
      [&]() -> Task<Result<identity::User>> {
        auto sign_in = SignIn("s" + std::to_string(next), "t" + std::to_string(next));
        ++next;
        sign_in.claims_setup = true;
        co_return co_await identity().CompleteSignIn(sign_in);
      },
      [](const identity::User& user) { return user.is_admin; });
  EXPECT_EQ(admins, 1);
  EXPECT_FALSE(store.Get(identity().SetupOpen()));
  EXPECT_FALSE(store.Get(identity().CheckSetupToken("link")));
  EXPECT_EQ(store.ErrorOf(identity().StoreSetupToken("again")), ErrorCode::kConflict);
}

TEST_P(IdentityStoreLaws, ASessionEndsWithItsTimeItsIdlenessAndItsReplacement) {
  auto sign_in = SignIn("one", "t1");
  sign_in.session.user_agent = "Browser";
  const auto user = store.Get(identity().CompleteSignIn(sign_in));
  const auto found = store.Get(identity().FindSession("t1", SeenSince()));
  EXPECT_EQ(found.user.id, user.id);
  EXPECT_EQ(found.session.user_agent, "Browser");
  EXPECT_EQ(store.ErrorOf(identity().FindSession("unknown", SeenSince())), ErrorCode::kUnauthenticated);
  EXPECT_EQ(store.ErrorOf(identity().FindSession("t1", Now() + minutes(1))), ErrorCode::kUnauthenticated);

  auto next = SignIn("one", "t2");
  next.replaces_token_hash = "t1";
  store.Get(identity().CompleteSignIn(next));
  EXPECT_EQ(store.ErrorOf(identity().FindSession("t1", SeenSince())), ErrorCode::kUnauthenticated);
  EXPECT_THAT(EventTypes(user.id), Contains("session.ended"));
  store.clock().Advance(hours(24));
  EXPECT_EQ(store.ErrorOf(identity().FindSession("t2", Now() - hours(48))), ErrorCode::kUnauthenticated);
}

TEST_P(IdentityStoreLaws, SeenMovesAtMostOnceAMinute) {
  store.Get(identity().CompleteSignIn(SignIn("one", "t1")));
  const auto start = Now();
  store.clock().Advance(std::chrono::seconds(30));
  EXPECT_EQ(store.Get(identity().FindSession("t1", SeenSince())).session.last_seen_at, start);
  store.clock().Advance(std::chrono::seconds(31));
  store.Get(identity().FindSession("t1", SeenSince()));
  EXPECT_EQ(store.Get(identity().FindSession("t1", SeenSince())).session.last_seen_at, Now());
}

TEST_P(IdentityStoreLaws, SessionsEndOneByOneOrAllAndOnlyByTheirOwner) {
  const auto user = store.Get(identity().CompleteSignIn(SignIn("one", "t1")));
  store.Get(identity().CompleteSignIn(SignIn("one", "t2")));
  const auto other = store.Get(identity().CompleteSignIn(SignIn("two", "t3")));
  const auto sessions = store.Get(identity().ListSessions(user.id));
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(store.ErrorOf(identity().EndSession(other.id, sessions[0].id)), ErrorCode::kNotFound);
  store.Get(identity().EndSession(user.id, sessions[0].id));
  EXPECT_EQ(store.Get(identity().ListSessions(user.id)).size(), 1u);
  store.Get(identity().EndAllSessions(user.id));
  EXPECT_THAT(store.Get(identity().ListSessions(user.id)), IsEmpty());
  EXPECT_TRUE(store.Try(identity().FindSession("t3", SeenSince())));
}

TEST_P(IdentityStoreLaws, PruningTakesOnlyWhatHasExpired) {
  store.Get(identity().CompleteSignIn(SignIn("one", "t1")));
  store.Get(db().consumed_states().ClaimState("s", Now() + minutes(10)));
  EXPECT_EQ(store.Get(identity().PruneExpired(100)), 0);
  store.clock().Advance(minutes(10));
  EXPECT_EQ(store.Get(identity().PruneExpired(100)), 1);
  store.clock().Advance(hours(24));
  EXPECT_EQ(store.Get(identity().PruneExpired(100)), 1);
  store.Get(identity().Audit("session.pruned", {}, "{}"));
}

}  // namespace
}  // namespace latchkey::storage
