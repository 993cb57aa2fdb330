#include "connected_accounts/imported.hpp"
#include "storage/conformance/store_conformance.hpp"

namespace latchkey::storage {
namespace {

using connected_accounts::Capability;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LegacyLaws : public StoreConformance {
 protected:
  legacy::ImportStore& imports() { return db().legacy_imports(); }
  legacy::ImportedConnection Row(const std::string& org, const std::string& provider, const UserId& user) {
    const Instant now = store.clock().Now();
    legacy::ImportedConnection row{.org_name = org, .user_id = user};
    row.account.id = ConnectedAccountId::New(now);
    row.account.user_id = user;
    row.account.provider = provider;
    row.account.provider_account_id = std::string(connected_accounts::kKnownByOrganisation) + org;
    row.account.display_name = org;
    row.account.granted = {Capability::kReadMail, Capability::kReadCalendar};
    row.account.requested = row.account.granted;
    row.account.granted_scopes = {"one", "two"};
    row.tokens = {.access_token = "sealed-access", .refresh_token = "sealed-refresh", .expires_at = now};
    row.last_refresh_at = now;
    row.first_jobs = {{.kind = "fetch_emails",
                       .unique_key = jobs::AccountKey("fetch_emails", row.account.id),
                       .account_id = row.account.id,
                       .generation = 1}};
    row.marks_own_row = true;
    return row;
  }
};
LATCHKEY_ON_EVERY_ENGINE(LegacyLaws);

TEST_P(LegacyLaws, ARowIsTakenOverOnceWithItsUserJobAndTokens) {
  const auto user = UserId::New(store.clock().Now());
  EXPECT_EQ(store.Get(imports().FindOrganisation("Example Ltd")), std::nullopt);
  EXPECT_FALSE(store.Get(imports().WasImported("Example Ltd", "google")));
  const auto row = Row("Example Ltd", "google", user);
  store.Get(imports().StoreImported(row));
  EXPECT_EQ(store.Get(imports().FindOrganisation("Example Ltd")), user);
  EXPECT_TRUE(store.Get(imports().WasImported("Example Ltd", "google")));
  EXPECT_FALSE(store.Get(imports().WasImported("Example Ltd", "microsoft")));
  EXPECT_EQ(store.ErrorOf(imports().StoreImported(Row("Example Ltd", "google", user))), ErrorCode::kAlreadyExists);

  const auto account = store.Get(accounts().Get(user, row.account.id));
  EXPECT_EQ(account.provider_account_id, "org:Example Ltd");
  EXPECT_THAT(account.granted, ElementsAre(Capability::kReadMail, Capability::kReadCalendar));
  EXPECT_EQ(account.last_refresh_at, store.clock().Now());
  EXPECT_EQ(store.Get(accounts().GetTokens(account.id)).refresh_token, "sealed-refresh");
  EXPECT_EQ(store.Get(jobs().Claim({.kinds = {"fetch_emails"}})).size(), 1u);
  EXPECT_THAT(EventTypes(user), ElementsAre("account.updated"));
}

TEST_P(LegacyLaws, AnOrganisationHasOneUser) {
  const auto user = UserId::New(store.clock().Now());
  store.Get(imports().StoreImported(Row("Example Ltd", "google", user)));
  const auto other = UserId::New(store.clock().Now());
  EXPECT_EQ(store.ErrorOf(imports().StoreImported(Row("Example Ltd", "microsoft", other))), ErrorCode::kConflict);
  store.Get(imports().StoreImported(Row("Example Ltd", "microsoft", user)));
  EXPECT_EQ(store.Get(accounts().List(user)).size(), 2u);
}

TEST_P(LegacyLaws, OnlyAVerifiedAddressMakesAnOwner) {
  const auto ada = store.AddUser("ada");
  EXPECT_THAT(store.Get(imports().FindUsersByEmail("ada@example.com")), ElementsAre(ada.id));
  EXPECT_THAT(store.Get(imports().FindUsersByEmail("nobody@example.com")), IsEmpty());
  // The organisation's own user has an address only where its name is one, and never a verified one.
  store.Get(imports().StoreImported(Row("org@example.com", "google", UserId::New(store.clock().Now()))));
  EXPECT_THAT(store.Get(imports().FindUsersByEmail("org@example.com")), IsEmpty());
}

TEST_P(LegacyLaws, AnImportedAccountIsNamedOnceAndNeverAfterAMailboxThatIsThere) {
  const auto ada = store.AddUser("ada");
  store.AddAccount(ada, "there");
  const auto row = Row("Example Ltd", "google", ada.id);
  store.Get(imports().StoreImported(row));
  const auto known_by = [&] { return store.Get(accounts().Get(ada.id, row.account.id)).provider_account_id; };
  store.Get(accounts().Identify(row.account.id, "there", ""));
  EXPECT_EQ(known_by(), "org:Example Ltd") << "the same user has that mailbox already";
  store.Get(accounts().Identify(row.account.id, "1234", "ada@example.com"));
  EXPECT_EQ(known_by(), "1234");
  EXPECT_EQ(store.Get(accounts().Get(ada.id, row.account.id)).email, "ada@example.com");
  store.Get(accounts().Identify(row.account.id, "5678", "grace@example.com"));
  EXPECT_EQ(known_by(), "1234");
}

TEST_P(LegacyLaws, NothingIsAdoptedInADatabaseThatWasAlwaysOurs) {
  EXPECT_THAT(store.Get(imports().ListAdopted({}, 10)), IsEmpty());
  const auto ada = store.AddUser("ada");
  const auto grace = store.AddUser("grace");
  store.AddAccount(ada, "ada.mail");
  EXPECT_EQ(store.Get(imports().FindAdoptedUser("ada@example.com")), std::nullopt) << "somebody can sign in as her";
  EXPECT_EQ(store.Get(imports().GiveAdopted(ada.id, grace.id)), 0);
  EXPECT_EQ(store.Get(accounts().List(ada.id)).size(), 1u);
}

}  // namespace
}  // namespace latchkey::storage
