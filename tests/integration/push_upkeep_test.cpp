// Notifications of both providers with real programs, nobody polling: what changes is told of, what tells of it is kept
// alive, and what the provider says about its own subscriptions is heeded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <map>

#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kMia = "mia@outlook.example";
constexpr const char* kServiceAccount = "push@example.iam.gserviceaccount.com";

class PushUpkeep : public IntegrationTest {
 protected:
  explicit PushUpkeep(std::string provider) : provider_(std::move(provider)) { start_server_ = false; }

  void SetUp() override {
    auto& environment = server_.environment();
    // Nobody polls within the life of a test.
    environment["LATCHKEY_POLL_SECONDS"] = "3600";
    if (provider_ == "microsoft") {
      environment["AUTH_MICROSOFT_CLIENT_ID"] = kMicrosoftClientId;
      environment["AUTH_MICROSOFT_CLIENT_SECRET"] = kMicrosoftClientSecret;
      environment["MICROSOFT_DISCOVERY_URL"] = simulator_.microsoft_discovery_url();
      environment["MICROSOFT_GRAPH_URL"] = simulator_.url();
      email_ = kMia;
      simulator_.Post("/accounts", bj::object{{"email", kMia}, {"provider", "microsoft"}, {"name", "Mia Sample"}});
    } else {
      environment["GOOGLE_PUBSUB_TOPIC"] = "projects/example/topics/gmail";
      environment["GOOGLE_PUBSUB_SERVICE_ACCOUNT"] = kServiceAccount;
    }
    IntegrationTest::SetUp();
    server_.Start();
    if (provider_ == "google") {
      const HttpCall subscribe{.method = "PUT",
                               .url = simulator_.url() + "/control/pubsub/subscription",
                               .headers = {"Content-Type: application/json"},
                               .body = bj::serialize(bj::object{{"endpoint", server_.url() + "/webhooks/google/gmail"},
                                                                {"service_account", kServiceAccount},
                                                                {"issuer", simulator_.url() + "/google"}})};
      ASSERT_EQ(Fetch(subscribe).status, 200);
    }
    person_ = std::make_unique<Person>(server_, simulator_, email_, provider_);
    person_->SignIn();
    account_ = person_->Connect(email_, {"read_mail", "read_calendar"});
    person_->WaitUntilImported(account_);
    const std::string path = "/api/v1/connected-accounts/" + account_ + "/health";
    const auto calendar = [&] {
      return std::string(person_->Get(path).Json().at("services").at("calendar").at("status").as_string());
    };
    ASSERT_TRUE(WaitUntil([&] { return calendar() == "healthy"; })) << person_->Get(path).body;
    ASSERT_TRUE(WaitUntil([&] { return Rows("state = 'active'") == 2; })) << Warnings();
    EXPECT_EQ(Warnings(), "");
  }

  int Rows(const std::string& where) {
    DatabaseFile database(server_.data_directory() + "/latchkey.db");
    return std::stoi(database.Query("SELECT count(*) FROM push_channels WHERE " + where)[0][0]);
  }
  /// The lines of the log about notifications that could not be had.
  std::string Warnings() {
    std::string found;
    const std::string log = server_.log();
    for (std::size_t at = log.find("push.not_kept"); at != std::string::npos; at = log.find("push.not_kept", at + 1)) {
      const std::size_t begin = log.rfind('\n', at) + 1;
      found += log.substr(begin, log.find('\n', at) - begin) + "\n";
    }
    return found;
  }
  bool HasMail(const std::string& subject) {
    for (const auto& message : person_->Messages()) {
      if (message.at("subject").as_string() == subject) return true;
    }
    return false;
  }
  bool HasEvent(const std::string& title) {
    const auto reply = person_->Get("/api/v1/calendar-events?from=2026-03-01T00:00:00Z&to=2026-05-01T00:00:00Z");
    for (const auto& event : reply.Json().at("events").as_array()) {
      if (event.at("title").as_string() == title) return true;
    }
    return false;
  }
  void PutEvent(const std::string& title) {
    simulator_.Post("/calendar/" + email_ + "/events",
                    bj::object{{"summary", title}, {"start", "2026-03-20T09:00:00Z"}, {"end", "2026-03-20T10:00:00Z"}});
  }
  /// How often the simulator answered such a call with this status.
  int Calls(const std::string& operation, const std::string& status) {
    const auto requests = simulator_.Get("/counters").at("requests").as_object();
    const auto* entry = requests.if_contains(operation);
    const auto* count = entry ? entry->at("statuses").as_object().if_contains(status) : nullptr;
    return count ? count->to_number<int>() : 0;
  }
  /// As if the server had slept until shortly before its channels end.
  void SleepUntilTheyNearlyEnd() {
    ASSERT_EQ(server_.Stop(), 0);
    DatabaseFile::Change(
        server_.data_directory() + "/latchkey.db",
        "UPDATE push_channels SET expires_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000000 + 3600000000;"
        "UPDATE account_duties SET next_at = 0 WHERE duty = 'push';");
    server_.Start();
    // Whatever the restart itself asks for is over.
    person_->WaitUntilImported(account_);
  }

  const std::string provider_;
  std::string email_ = kAda;
  std::string account_;
  std::unique_ptr<Person> person_;
};

class GooglePushUpkeep : public PushUpkeep {
 protected:
  GooglePushUpkeep() : PushUpkeep("google") {}
  std::vector<std::string> Channels() {
    std::vector<std::string> ids;
    for (const auto& channel : simulator_.Get("/channels").at("channels").as_array()) {
      ids.push_back(bj::value_to<std::string>(channel.at("id")));
    }
    return ids;
  }
};

TEST_F(GooglePushUpkeep, ChangedCalendarsAreFetchedBecauseTheirChannelSaidSo) {
  ASSERT_EQ(Channels().size(), 1u) << "one for each calendar";
  PutEvent("Told of");
  EXPECT_TRUE(WaitUntil([&] { return HasEvent("Told of"); })) << bj::serialize(simulator_.Get("/channels"));
  person_->Send("DELETE", "/api/v1/connected-accounts/" + account_);
  EXPECT_TRUE(WaitUntil([&] { return Channels().empty(); })) << "nothing is left listening at Google";
}

TEST_F(GooglePushUpkeep, WhatNearsItsEndIsMadeAnewBeforeTheOldOneIsGivenUp) {
  const auto before = Channels();
  const int watched = Calls("POST /gmail/v1/users/{userId}/watch", "200");
  SleepUntilTheyNearlyEnd();
  EXPECT_TRUE(WaitUntil([&] { return Calls("POST /gmail/v1/users/{userId}/watch", "200") > watched; }));
  EXPECT_TRUE(WaitUntil([&] { return Channels().size() == 1 && Channels() != before; }));
  EXPECT_TRUE(WaitUntil([&] { return Rows("state = 'active'") == 2 && Rows("TRUE") == 2; }));
  PutEvent("Told by the new one");
  EXPECT_TRUE(WaitUntil([&] { return HasEvent("Told by the new one"); }));
  EXPECT_EQ(Warnings(), "");
}

class GraphPushUpkeep : public PushUpkeep {
 protected:
  GraphPushUpkeep() : PushUpkeep("microsoft") {}
  /// Ids by resource.
  std::map<std::string, std::string> Subscriptions() {
    std::map<std::string, std::string> found;
    for (const auto& subscription : simulator_.Get("/subscriptions").at("subscriptions").as_array()) {
      found[bj::value_to<std::string>(subscription.at("resource"))] = bj::value_to<std::string>(subscription.at("id"));
    }
    return found;
  }
  std::string MailSubscription() { return Subscriptions()["me/messages"]; }
  void Lifecycle(const std::string& id, const std::string& event) {
    simulator_.Post("/subscriptions/" + id + "/lifecycle", bj::object{{"event", event}});
  }
  int Renewals() { return Calls("PATCH /v1.0/subscriptions/{id}", "200"); }
};

TEST_F(GraphPushUpkeep, NewMailAndEventsArriveBecauseGraphSaidSo) {
  ASSERT_EQ(Subscriptions().size(), 2u) << bj::serialize(simulator_.Get("/subscriptions"));
  simulator_.Deliver(email_, Mail("Told of"));
  EXPECT_TRUE(WaitUntil([&] { return HasMail("Told of"); })) << bj::serialize(simulator_.Get("/subscriptions"));
  PutEvent("Told of");
  EXPECT_TRUE(WaitUntil([&] { return HasEvent("Told of"); })) << bj::serialize(simulator_.Get("/subscriptions"));
  person_->Send("DELETE", "/api/v1/connected-accounts/" + account_);
  EXPECT_TRUE(WaitUntil([&] { return Subscriptions().empty(); })) << "nothing is left listening at Microsoft";
}

TEST_F(GraphPushUpkeep, WhatNearsItsEndIsExtendedInPlace) {
  const auto before = Subscriptions();
  SleepUntilTheyNearlyEnd();
  EXPECT_TRUE(WaitUntil([&] { return Renewals() >= 2; })) << bj::serialize(simulator_.Get("/counters"));
  EXPECT_EQ(Subscriptions(), before);
  EXPECT_TRUE(WaitUntil([&] {
    return Rows("expires_at > CAST(strftime('%s', 'now') AS INTEGER) * 1000000 + 86400000000") == 2;
  })) << "and known to live on";
  simulator_.Deliver(email_, Mail("Told of later"));
  EXPECT_TRUE(WaitUntil([&] { return HasMail("Told of later"); }));
}

TEST_F(GraphPushUpkeep, OneThatWantsToBeAuthorizedAgainIsAuthorizedAtOnce) {
  const auto before = Subscriptions();
  ASSERT_EQ(Renewals(), 0);
  Lifecycle(MailSubscription(), "reauthorizationRequired");
  EXPECT_TRUE(WaitUntil([&] { return Renewals() == 1; })) << bj::serialize(simulator_.Get("/counters"));
  EXPECT_EQ(Subscriptions(), before);
}

TEST_F(GraphPushUpkeep, ARemovedOneIsMadeAnewAndWhatItMissedIsFetched) {
  const auto removed = MailSubscription();
  simulator_.Patch("/settings", bj::object{{"graph_notifications", "off"}});
  simulator_.Deliver(email_, Mail("Told by nobody"));
  simulator_.Patch("/settings", bj::object{{"graph_notifications", "normal"}});
  Lifecycle(removed, "subscriptionRemoved");
  EXPECT_TRUE(WaitUntil([&] { return HasMail("Told by nobody"); }));
  EXPECT_TRUE(WaitUntil([&] { return !MailSubscription().empty(); }));
  EXPECT_NE(MailSubscription(), removed);
  EXPECT_TRUE(WaitUntil([&] { return Rows("state = 'active'") == 2; }));
  simulator_.Deliver(email_, Mail("Told by the new one"));
  EXPECT_TRUE(WaitUntil([&] { return HasMail("Told by the new one"); }));
}

TEST_F(GraphPushUpkeep, ConsentTakenBackEndsThemAndGivenAgainBringsThemBack) {
  simulator_.Post("/grants/revoke", bj::object{{"account", email_}});
  ASSERT_TRUE(Subscriptions().empty()) << "they die with the consent";
  EXPECT_EQ(person_->Reconnect(account_, email_).at("status").as_string(), "succeeded");
  EXPECT_TRUE(WaitUntil([&] { return Subscriptions().size() == 2; }));
  EXPECT_TRUE(WaitUntil([&] { return Rows("state = 'active'") == 2 && Rows("TRUE") == 2; }));
  simulator_.Deliver(email_, Mail("Told by the new one"));
  EXPECT_TRUE(WaitUntil([&] { return HasMail("Told by the new one"); }));
}

TEST_F(GraphPushUpkeep, WhatGraphCouldNotTellOfIsFetchedOnItsWord) {
  simulator_.Patch("/settings", bj::object{{"graph_notifications", "off"}});
  simulator_.Deliver(email_, Mail("Told by nobody"));
  Lifecycle(MailSubscription(), "missed");
  EXPECT_TRUE(WaitUntil([&] { return HasMail("Told by nobody"); }));
}

TEST_F(GraphPushUpkeep, OneThatIsGoneWithoutAWordIsMadeAnewWhenItsTurnComes) {
  const auto gone = MailSubscription();
  simulator_.Delete("/subscriptions/" + gone);
  SleepUntilTheyNearlyEnd();
  EXPECT_TRUE(WaitUntil([&] { return !MailSubscription().empty(); }));
  EXPECT_TRUE(WaitUntil([&] { return Rows("state = 'active'") == 2 && Rows("TRUE") == 2; }));
  simulator_.Deliver(email_, Mail("Told by the new one"));
  EXPECT_TRUE(WaitUntil([&] { return HasMail("Told by the new one"); }));
}

}  // namespace
}  // namespace latchkey::integration
