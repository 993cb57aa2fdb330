// Calendars with real programs: what the API answers, and what it keeps to itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/microsoft.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSpring = "/api/v1/calendar-events?from=2026-03-01T00:00:00Z&to=2026-05-01T00:00:00Z";

class Calendars : public IntegrationTest {
 protected:
  void SetUp() override {
    IntegrationTest::SetUp();
    ada_ = NewPerson();
    ada_->SignIn();
  }
  std::unique_ptr<Person> ada_;
};

TEST_F(Calendars, RefuseWhatIsNoQuestionAndWhatIsSomebodyElses) {
  EXPECT_EQ(ada_->Get("/api/v1/calendars").body, R"({"calendars":[]})");
  EXPECT_EQ(ada_->Get(kSpring).body, R"({"events":[],"next_cursor":null})");
  const std::string nobodys = "01931f30-1111-7000-8000-000000000001";
  EXPECT_EQ(ada_->Get("/api/v1/calendars?account=" + nobodys).status, 404);
  EXPECT_EQ(ada_->Send("PATCH", "/api/v1/calendars/" + nobodys, R"({"selected":true})").status, 404);
  EXPECT_EQ(ada_->Send("PATCH", "/api/v1/calendars/" + nobodys, R"({"selected":"yes"})").status, 400);
  EXPECT_EQ(ada_->Get("/api/v1/calendar-events/" + nobodys).status, 404);
  EXPECT_EQ(ada_->Get(std::string(kSpring) + "&calendar=" + nobodys).status, 404);
  for (const std::string wrong :
       {"", "?from=2026-03-01T00:00:00Z", "?from=2026-03-01&to=2026-04-01",
        "?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "?from=2026-03-01T00:00:00Z&to=2028-03-01T00:00:00Z",
        "?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&time_zone=Mars/Olympus",
        "?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&time_zone=../../etc/passwd",
        "?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&limit=501",
        "?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&cursor=x"}) {
    EXPECT_EQ(ada_->Get("/api/v1/calendar-events" + wrong).status, 400) << wrong;
  }
}

/// The same calendars at either provider.
class SyncedCalendars : public IntegrationTest, public ::testing::WithParamInterface<std::string> {
 protected:
  SyncedCalendars() { start_server_ = false; }
  void SetUp() override {
    if (GetParam() == "microsoft") email_ = UseMicrosoft(server_, simulator_);
    IntegrationTest::SetUp();
    server_.Start();
    ada_ = std::make_unique<Person>(server_, simulator_, email_, GetParam());
    ada_->SignIn();
    Put({{"summary", "Planning"},
         {"start", "2026-03-20T09:00:00"},
         {"time_zone", "Europe/Berlin"},
         {"recurrence", bj::array{"RRULE:FREQ=WEEKLY;COUNT=4"}},
         {"id", "planning"}});
    Put({{"summary", "Holiday"}, {"start", "2026-04-06"}, {"end", "2026-04-07"}, {"id", "holiday"}});
    Put({{"summary", "Far away"}, {"start", "2041-05-01T09:00:00"}, {"id", "faraway"}});
  }
  void Put(const bj::object& event) { simulator_.Post("/calendar/" + email_ + "/events", event); }
  std::string Control(const std::string& path) const { return "/calendar/" + email_ + path; }
  void Connect() { account_ = ada_->Connect(email_, {"read_mail", "read_calendar"}); }
  bj::array Get(const std::string& path, const char* member) {
    return bj::parse(ada_->Get(path).body).as_object().at(member).as_array();
  }
  /// "title start" of each event of the range, in its order.
  std::vector<std::string> Shown(const std::string& query = kSpring) {
    std::vector<std::string> shown;
    for (const auto& event : Get(query, "events")) {
      const auto& start = event.at(event.at("is_all_day").as_bool() ? "start_date" : "start").as_string();
      shown.push_back(std::string(event.at("title").as_string()) + " " + std::string(start).substr(0, 16));
    }
    return shown;
  }
  std::string email_ = kAda;
  std::string account_;
  std::unique_ptr<Person> ada_;
};
INSTANTIATE_TEST_SUITE_P(Providers, SyncedCalendars, ::testing::Values("google", "microsoft"),
                         [](const auto& provider) { return provider.param; });

TEST_P(SyncedCalendars, ShowSeriesMovedAndCalledOffOccurrencesAndFollowChanges) {
  Connect();
  ASSERT_TRUE(WaitUntil([&] { return Shown().size() == 5; })) << ada_->Get(kSpring).body;
  EXPECT_THAT(Shown(), ElementsAre("Planning 2026-03-20T08:00", "Planning 2026-03-27T08:00",
                                   "Planning 2026-04-03T07:00", "Holiday 2026-04-06", "Planning 2026-04-10T07:00"))
      << "nine o'clock in Berlin, before and after the change of the clocks";
  const std::vector<std::string> far{"Far away 2041-05-01T09:00"};
  EXPECT_TRUE(WaitUntil(
      [&] { return Shown("/api/v1/calendar-events?from=2041-01-01T00:00:00Z&to=2041-12-31T00:00:00Z") == far; }));
  simulator_.Patch(Control("/events/planning_20260327T080000Z"), bj::object{{"start", "2026-03-28T15:00:00"}});
  simulator_.Post(Control("/events/planning_20260403T070000Z/cancel"), bj::object());
  simulator_.Delete(Control("/events/holiday"));
  const std::vector<std::string> changed{"Planning 2026-03-20T08:00", "Planning 2026-03-28T14:00",
                                         "Planning 2026-04-10T07:00"};
  EXPECT_TRUE(WaitUntil([&] { return Shown() == changed; })) << ada_->Get(kSpring).body;
  for (const auto& event : Get(kSpring, "events")) {
    const std::string id(event.at("id").as_string());
    EXPECT_EQ(bj::parse(ada_->Get("/api/v1/calendar-events/" + id).body), event);
  }
  simulator_.Post(Control("/expire-tokens"), bj::object());
  Put({{"summary", "After the loss"}, {"start", "2026-04-20T09:00:00"}});
  EXPECT_TRUE(WaitUntil([&] { return Shown().size() == 4; })) << "the cursor heals itself";
}

TEST_P(SyncedCalendars, AreChosenOneByOne) {
  const auto team = simulator_.Post(Control("/calendars"), bj::object{{"summary", "Team"}});
  Put({{"calendar", team.at("id")}, {"summary", "Standup"}, {"start", "2026-04-21T09:00:00"}});
  Connect();
  ASSERT_TRUE(WaitUntil([&] { return Shown().size() == 6; })) << ada_->Get(kSpring).body;
  std::string id;
  for (const auto& calendar : Get("/api/v1/calendars", "calendars")) {
    if (calendar.at("name") == "Team") id = calendar.at("id").as_string();
  }
  auto answer = ada_->Send("PATCH", "/api/v1/calendars/" + id, R"({"selected":false})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(bj::parse(answer.body).at("event_count"), 0);
  EXPECT_EQ(Shown().size(), 5u) << "at once";
  ada_->Send("PATCH", "/api/v1/calendars/" + id, R"({"selected":true})");
  EXPECT_TRUE(WaitUntil([&] { return Shown().size() == 6; }));
}

TEST_P(SyncedCalendars, AreFetchedAtOnceWhenTheirPermissionIsGrantedLater) {
  account_ = ada_->Connect(email_, {"read_mail"});
  // The mail's sync has the token without the permission in use, before and after.
  ada_->WaitUntilImported(account_);
  EXPECT_EQ(ada_->Connect(email_, {"read_mail", "read_calendar"}), account_);
  EXPECT_TRUE(WaitUntil([&] { return Shown().size() == 5; })) << ada_->Get(kSpring).body;
  EXPECT_THAT(server_.log(), Not(HasSubstr("missing_scope")));
}

TEST_P(SyncedCalendars, TellTheirStateApartFromTheMail) {
  Connect();
  const auto service = [&](const char* name) {
    return bj::parse(ada_->Get("/api/v1/connected-accounts/" + account_ + "/health").body).at("services").at(name);
  };
  EXPECT_EQ(service("send").at("status"), "off");
  EXPECT_TRUE(WaitUntil([&] { return service("calendar").at("status") == "healthy"; }));
  ada_->Post("/api/v1/connected-accounts/" + account_ + "/pause");
  EXPECT_EQ(service("calendar").at("status"), "paused");
  EXPECT_EQ(service("calendar").at("action"), "resume");
}

}  // namespace
}  // namespace latchkey::integration
