// What only Microsoft has: organisations, their administrators, and addresses that prove nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::HasSubstr;

constexpr const char* kWalter = "walter@firm.example";
constexpr const char* kOlga = "olga@other-firm.example";
constexpr const char* kMia = "mia@outlook.example";

class Microsoft : public IntegrationTest {
 protected:
  Microsoft() { start_server_ = false; }

  void SetUp() override {
    auto& environment = server_.environment();
    environment["AUTH_MICROSOFT_CLIENT_ID"] = kMicrosoftClientId;
    environment["AUTH_MICROSOFT_CLIENT_SECRET"] = kMicrosoftClientSecret;
    environment["MICROSOFT_DISCOVERY_URL"] = simulator_.microsoft_discovery_url();
    environment["MICROSOFT_GRAPH_URL"] = simulator_.url();
    for (const auto* email : {kWalter, kOlga, kMia})
      simulator_.Post("/accounts", bj::object{{"email", email}, {"provider", "microsoft"}, {"name", "Sample Person"}});
    IntegrationTest::SetUp();
  }
  void Begin() {
    server_.Start();
    walter_ = std::make_unique<Person>(server_, simulator_, kWalter, "microsoft");
  }
  std::string Text(const bj::value& object, std::string_view name) {
    const auto* member = object.is_object() ? object.as_object().if_contains(name) : nullptr;
    return member != nullptr && member->is_string() ? std::string(member->as_string()) : std::string();
  }
  std::string Agree(const std::string& url, const std::string& account, bool approve = true) {
    return simulator_.Authorize(url, {.account = account, .approve = approve, .untick = {}});
  }
  /// Where signing in as `email` ends: the error's code, or empty.
  std::string SignInError(Person& person, const std::string& email) {
    const auto end = person.Navigate(Agree(person.StartSignIn().Location(), email));
    return QueryOf(end.Location(), "error");
  }
  std::string TenantOf(const std::string& email) {
    for (const auto& account : simulator_.Get("/accounts").at("accounts").as_array()) {
      if (Text(account, "email") == email) return Text(account, "tid");
    }
    return {};
  }

  std::unique_ptr<Person> walter_;
};

TEST_F(Microsoft, WhoIsHeldUpByTheirOrganisationHasALinkForItsAdministrator) {
  Begin();
  walter_->SignIn();
  simulator_.Patch(std::string("/accounts/") + kWalter, bj::object{{"user_consent_allowed", false}});
  const auto started = walter_->StartConnect();
  // Microsoft's page says that an administrator is needed, and leads nowhere.
  const auto link = Text(walter_->Attempt(started.attempt_id).at("params"), "admin_consent_url");
  EXPECT_THAT(link, HasSubstr("/v2.0/adminconsent?client_id=" + std::string(kMicrosoftClientId)));

  // The administrator, in a browser of their own that knows nothing of us, first declines, then approves.
  Browser administrator;
  const auto declined = administrator.Navigate(Agree(link, kWalter, false));
  EXPECT_EQ(QueryOf(declined.Location(), "error"), "admin_consent_required") << declined.Location();
  const auto approved = administrator.Navigate(Agree(link, kWalter));
  EXPECT_EQ(approved.status, 303);
  EXPECT_EQ(QueryOf(approved.Location(), "admin_consent"), "granted") << approved.Location();
  EXPECT_FALSE(walter_->Connect(kWalter).empty());
}

TEST_F(Microsoft, ARefusalThatNamesAnAdministratorSaysSo) {
  Begin();
  walter_->SignIn();
  const auto started = walter_->StartConnect();
  auto back = Agree(started.authorize_url, kWalter, false);
  back = WithQuery(back, "error_description", "AADSTS90094%3A+The+grant+requires+admin+permission.");
  walter_->Navigate(back);
  const auto attempt = walter_->Attempt(started.attempt_id);
  EXPECT_EQ(Text(attempt, "error_code"), "admin_consent_required") << bj::serialize(attempt);
  EXPECT_NE(Text(attempt.at("params"), "admin_consent_url"), "");
}

TEST_F(Microsoft, OnlyListedOrganisationsComeIn) {
  server_.environment()["AUTH_MICROSOFT_ALLOWED_TENANTS"] = TenantOf(kWalter);
  Begin();
  Person olga(server_, simulator_, kOlga, "microsoft");
  EXPECT_EQ(SignInError(olga, kOlga), "tenant_not_allowed");
  EXPECT_EQ(SignInError(olga, kMia), "tenant_not_allowed");
  EXPECT_TRUE(olga.Session().at("user").is_null());
  walter_->SignIn();
  // A mailbox of another organisation is refused as well.
  const auto started = walter_->StartConnect();
  walter_->Navigate(Agree(started.authorize_url, kOlga));
  EXPECT_EQ(Text(walter_->Attempt(started.attempt_id), "error_code"), "tenant_not_allowed");
}

TEST_F(Microsoft, AnAddressWrittenByAStrangersAdministratorMakesNobodyTheVictim) {
  Begin();
  Person ada(server_, simulator_, kAda);
  ada.SignIn();
  const auto victim = ada.Session().at("user");
  walter_->SignIn();
  const auto colleague = walter_->Session().at("user");
  for (const auto* claimed : {kAda, kWalter}) {
    simulator_.Patch(std::string("/accounts/") + kOlga, bj::object{{"email_claim", claimed}});
    Person olga(server_, simulator_, kOlga, "microsoft");
    olga.SignIn();
    const auto user = olga.Session().at("user");
    EXPECT_NE(user.at("id"), victim.at("id"));
    EXPECT_NE(user.at("id"), colleague.at("id"));
    EXPECT_NE(Text(user, "email"), claimed) << "not even shown";
  }
}

TEST_F(Microsoft, AnExpiredClientSecretIsNamedToTheOperator) {
  Begin();
  Person admin(server_, simulator_, kGrace);
  admin.SignInAsAdministrator();
  simulator_.Patch("/settings", bj::object{{"microsoft_secret_expired", true}});
  EXPECT_EQ(SignInError(*walter_, kWalter), "invalid_client");
  const auto notices = admin.Get("/api/v1/admin/notices").Json().at("items").as_array();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(Text(notices[0], "code"), "invalid_client");
  EXPECT_EQ(Text(notices[0], "provider"), "microsoft");
  EXPECT_EQ(Text(notices[0].at("params"), "reason"), "client_secret_expired");
  simulator_.Patch("/settings", bj::object{{"microsoft_secret_expired", false}});
  walter_->SignIn();
  EXPECT_TRUE(admin.Get("/api/v1/admin/notices").Json().at("items").as_array().empty());
}

TEST_F(Microsoft, EveryKindOfAccountConnectsBesideTheOthers) {
  Begin();
  walter_->SignIn();
  const auto work = walter_->Connect(kWalter);
  const auto personal = walter_->Connect(kMia);
  EXPECT_NE(work, personal);
  EXPECT_EQ(Text(walter_->Account(personal), "provider"), "microsoft");
  EXPECT_EQ(walter_->Get("/api/v1/connected-accounts").Json().at("items").as_array().size(), 2U);
}

}  // namespace
}  // namespace latchkey::integration
