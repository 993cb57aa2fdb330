// Calendars with real programs: what the API answers, and what it keeps to itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;

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

}  // namespace
}  // namespace latchkey::integration
