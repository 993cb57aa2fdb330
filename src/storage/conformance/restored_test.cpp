// A database that was put back to an earlier state does nothing twice, whichever engine keeps it.

#include "storage/conformance/store_conformance.hpp"
#include "storage/restore_mark.hpp"

namespace latchkey::storage {
namespace {

using mail::OutboxId;
using mail::OutboxState;
using ::testing::IsEmpty;

class RestoredLaws : public StoreConformance {
 protected:
  OutboxId Queue() {
    mail::OutboxStore::NewEntry wanted;
    wanted.entry.id = OutboxId::New(store.clock().Now());
    wanted.entry.user_id = user.id;
    wanted.entry.account_id = account.id;
    wanted.entry.created_at = store.clock().Now();
    wanted.entry.send_at = store.clock().Now();
    wanted.entry.mail.from = {.name = "Ada", .address = "ada@example.com"};
    wanted.entry.mail.to = {{.name = "Grace", .address = "grace@example.org"}};
    wanted.entry.mail.subject = "Hello";
    wanted.entry.mail.message_id = wanted.entry.id.text() + "@example.com";
    wanted.idempotency_key = "key-" + wanted.entry.id.text();
    wanted.request_hash = "hash";
    return store.Get(outbox().Enqueue(wanted)).entry.id;
  }

  identity::User user = store.AddUser("ada");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
};
LATCHKEY_ON_EVERY_ENGINE(RestoredLaws);

TEST_P(RestoredLaws, AMailOnItsWayIsHeldUntilItsPersonLetsItGo) {
  const auto id = Queue();
  const auto mark = store.Get(db().MarkRestored());
  EXPECT_EQ(mark.held_mails, 1);
  EXPECT_EQ(store.Get(outbox().Get(user.id, id)).state, OutboxState::kHeld);
  EXPECT_THAT(store.Get(jobs().Claim({.kinds = {"send_email"}})), IsEmpty());
  EXPECT_EQ(store.Get(outbox().Requeue(100)), 0);
  // Let go, it is looked for first, and sent when it is not found.
  const auto let_go = store.Get(outbox().Retry(user.id, id, false));
  EXPECT_EQ(let_go.state, OutboxState::kSending);
  EXPECT_TRUE(let_go.resend);
  EXPECT_TRUE(let_go.handed_over_at);
  EXPECT_EQ(store.Get(jobs().Claim({.kinds = {"send_email"}})).size(), 1u);
}

TEST_P(RestoredLaws, EventsCountOnAndEverybodyReloads) {
  Queue();
  const auto before = store.Get(events().LatestId(user.id));
  ASSERT_GT(before, 0);
  const auto mark = store.Get(db().MarkRestored());
  EXPECT_GT(mark.event_floor, before);
  EXPECT_EQ(store.Get(events().LatestId(user.id)), mark.event_floor);
  EXPECT_EQ(store.ErrorOf(events().ListAfter(user.id, before, 10)), ErrorCode::kGone);
  EXPECT_EQ(store.ErrorOf(events().ListAfter(user.id, before + 1000, 10)), ErrorCode::kGone);
  Queue();
  const auto news = store.Get(events().ListAfter(user.id, mark.event_floor, 10));
  ASSERT_FALSE(news.empty());
  EXPECT_GT(news[0].id, mark.event_floor);
  EXPECT_GT(store.Get(db().MarkRestored()).event_floor, news.back().id) << "also by a clock that stands still";
}

TEST_P(RestoredLaws, NobodyIsSignedInWhoMayHaveSignedOut) {
  ASSERT_FALSE(store.Get(identity().ListSessions(user.id)).empty());
  EXPECT_EQ(store.Get(db().MarkRestored()).ended_sessions, 1);
  EXPECT_THAT(store.Get(identity().ListSessions(user.id)), IsEmpty());
  EXPECT_EQ(store.Get(accounts().Get(user.id, account.id)).id, account.id) << "accounts stay";
}

}  // namespace
}  // namespace latchkey::storage
