#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EventStoreLaws : public StoreConformance {
 protected:
  /// Each renaming writes one event.
  void Write(int count) {
    for (int i = 0; i < count; ++i) store.Get(accounts().Rename(user.id, account.id, "name " + std::to_string(i)));
  }

  identity::User user = store.AddUser("ada");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
};
LATCHKEY_ON_EVERY_ENGINE(EventStoreLaws);

TEST_P(EventStoreLaws, AReaderResumesWhereItWasAndSeesOnlyItsOwn) {
  const auto start = store.Get(events().LatestId(user.id));
  Write(3);
  const auto all = store.Get(events().ListAfter(user.id, start, 10));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_LT(all[0].id, all[1].id);
  EXPECT_EQ(all[0].account_id, account.id);
  EXPECT_EQ(store.Get(events().ListAfter(user.id, all[0].id, 10)).size(), 2u);
  EXPECT_EQ(store.Get(events().ListAfter(user.id, start, 2)).size(), 2u);
  EXPECT_THAT(store.Get(events().ListAfter(store.AddUser("eve").id, 0, 10)), IsEmpty());
  EXPECT_EQ(store.Get(events().LatestId(user.id)), all[2].id);
}

TEST_P(EventStoreLaws, WhoIsFurtherBackThanWhatIsKeptMustStartOver) {
  Write(2);
  const auto before = store.Get(events().LatestId(user.id));
  store.clock().Advance(minutes(1));
  const auto horizon = store.clock().Now();
  Write(1);
  EXPECT_GT(store.Get(events().Prune(horizon, 100)), 0);
  EXPECT_EQ(store.Get(events().Prune(horizon, 100)), 0);
  EXPECT_EQ(store.ErrorOf(events().ListAfter(user.id, 0, 10)), ErrorCode::kGone);
  EXPECT_EQ(store.ErrorOf(events().ListAfter(user.id, before - 1, 10)), ErrorCode::kGone);
  EXPECT_EQ(store.Get(events().ListAfter(user.id, before, 10)).size(), 1u);
}

TEST_P(EventStoreLaws, AnIdThatWasNeverGivenOutIsGone) {
  EXPECT_EQ(store.ErrorOf(events().ListAfter(user.id, store.Get(events().LatestId(user.id)) + 1, 10)),
            ErrorCode::kGone);
}

TEST_P(EventStoreLaws, IdsAreNotGivenOutAgainAfterPruningEverything) {
  Write(1);
  const auto latest = store.Get(events().LatestId(user.id));
  store.clock().Advance(minutes(1));
  store.Get(events().Prune(store.clock().Now(), 1000));
  store.Reopen();
  EXPECT_EQ(store.Get(events().LatestId(user.id)), latest);
  Write(1);
  EXPECT_GT(store.Get(events().LatestId(user.id)), latest);
}

}  // namespace
}  // namespace latchkey::storage
