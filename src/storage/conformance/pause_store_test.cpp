#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;

class PauseStoreLaws : public StoreConformance {
 protected:
  sync::PauseStore& pauses() { return db().pauses(); }
  void Keep(seconds wait, const std::string& service = "graph") {
    const sync::Pause pause{.account_id = account.id, .service = service, .until = start + wait};
    store.Get(pauses().KeepPause(pause));
  }

  const Instant start = store.clock().Now();
  identity::User user = store.AddUser("ada");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
};
LATCHKEY_ON_EVERY_ENGINE(PauseStoreLaws);

TEST_P(PauseStoreLaws, APauseSurvivesARestartAndIsNeverShortened) {
  Keep(seconds(60));
  Keep(seconds(10));
  store.Reopen();
  const auto kept = store.Get(pauses().ListPauses(account.id));
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].service, "graph");
  EXPECT_EQ(kept[0].until, start + seconds(60));
  EXPECT_THAT(store.Get(pauses().ListPauses(store.AddAccount(user, "other").id)), IsEmpty());
}

TEST_P(PauseStoreLaws, WhatIsOverIsPruned) {
  Keep(seconds(1), "gmail");
  Keep(seconds(60), "graph");
  EXPECT_EQ(store.Get(pauses().PrunePauses(start + seconds(2), 10)), 1);
  ASSERT_EQ(store.Get(pauses().ListPauses(account.id)).size(), 1u);
  EXPECT_EQ(store.Get(pauses().ListPauses(account.id))[0].service, "graph");
}

TEST_P(PauseStoreLaws, AnAccountThatIsBeingErasedGetsNone) {
  store.Get(accounts().BeginErase(user.id, account.id));
  Keep(seconds(60));
  EXPECT_THAT(store.Get(pauses().ListPauses(account.id)), IsEmpty());
}

}  // namespace
}  // namespace latchkey::storage
