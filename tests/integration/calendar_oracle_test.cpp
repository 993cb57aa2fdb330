// Kills the server over and over while a calendar changes, its tokens expire and pages fail, and compares what it shows
// in the end with what the provider's calendars hold. LATCHKEY_SEED chooses another walk.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "tests/integration/support/fixture.hpp"
#include "tests/integration/support/microsoft.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;

constexpr const char* kFrom = "2026-01-01T00:00:00Z";
constexpr const char* kTo = "2026-12-31T00:00:00Z";

class CalendarOracle : public IntegrationTest, public ::testing::WithParamInterface<std::string> {
 protected:
  CalendarOracle() { start_server_ = false; }
  void SetUp() override {
    if (GetParam() == "microsoft") email_ = UseMicrosoft(server_, simulator_);
    IntegrationTest::SetUp();
    server_.Start();
  }
  std::string Control(const std::string& path) const { return "/calendar/" + email_ + path; }
  std::string email_ = kAda;

  std::multiset<std::string> Held() {
    std::multiset<std::string> held;
    const auto answer = simulator_.Get(Control(std::string("/events?from=") + kFrom + "&to=" + kTo));
    for (const auto& event : answer.at("events").as_array()) {
      const auto& start = event.at("start").as_object();
      const auto& at = start.contains("date") ? start.at("date") : start.at("utc");
      held.insert(std::string(event.at("summary").as_string()) + " " + std::string(at.as_string()).substr(0, 16));
    }
    return held;
  }
  std::multiset<std::string> Shown(Person& person) {
    std::multiset<std::string> shown;
    std::string cursor;
    do {
      const auto answer = bj::parse(person
                                        .Get(std::string("/api/v1/calendar-events?from=") + kFrom + "&to=" + kTo +
                                             "&limit=500" + (cursor.empty() ? "" : "&cursor=" + cursor))
                                        .body);
      for (const auto& event : answer.at("events").as_array()) {
        const auto& at = event.at("is_all_day").as_bool() ? event.at("start_date") : event.at("start");
        shown.insert(std::string(event.at("title").as_string()) + " " + std::string(at.as_string()).substr(0, 16));
      }
      const auto& next = answer.at("next_cursor");
      cursor = next.is_string() ? std::string(next.as_string()) : std::string();
    } while (!cursor.empty());
    return shown;
  }
};

INSTANTIATE_TEST_SUITE_P(Providers, CalendarOracle, ::testing::Values("google", "microsoft"),
                         [](const auto& provider) { return provider.param; });

TEST_P(CalendarOracle, AnyNumberOfKillsEndsWithTheProvidersCalendars) {
  const char* chosen = std::getenv("LATCHKEY_SEED");
  const unsigned seed = chosen ? static_cast<unsigned>(std::strtoul(chosen, nullptr, 10)) : 7;
  SCOPED_TRACE("LATCHKEY_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  const auto two = [](int number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  const auto some_day = [&] { return "2026-" + two(1 + below(12)) + "-" + two(1 + below(28)); };
  const auto some_time = [&] { return some_day() + "T" + two(below(24)) + ":30:00"; };
  int made = 0;
  std::vector<std::string> ids;
  const auto change = [&] {
    const int kind = below(10);
    if (kind < 5 || ids.empty()) {
      const std::string id = "oracle" + std::to_string(++made);
      bj::object event{{"id", id}, {"summary", "Event " + std::to_string(made)}};
      event["start"] = kind == 0 ? some_day() : some_time();
      if (kind == 1) event["recurrence"] = bj::array{"RRULE:FREQ=WEEKLY;COUNT=" + std::to_string(2 + below(8))};
      if (kind == 2) event["time_zone"] = "America/New_York";
      simulator_.Post(Control("/events"), event);
      ids.push_back(id);
      return;
    }
    const auto at = static_cast<std::size_t>(below(static_cast<int>(ids.size())));
    if (kind < 8) {
      simulator_.Patch(Control("/events/" + ids[at]), bj::object{{"summary", "Renamed " + std::to_string(below(99))}});
    } else if (kind == 8) {
      simulator_.Delete(Control("/events/" + ids[at]));
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
      simulator_.Post(Control("/expire-tokens"), bj::object());
    }
  };
  for (int i = 0; i < 300; ++i) change();
  const auto ada = std::make_unique<Person>(server_, simulator_, email_, GetParam());
  ada->SignIn();
  ada->Connect(email_, {"read_mail", "read_calendar"});
  for (int kill = 0; kill < 12; ++kill) {
    for (int i = below(12); i > 0; --i) change();
    // At whatever it is doing then.
    std::this_thread::sleep_for(std::chrono::milliseconds(below(400)));
    server_.Kill();
    server_.Start();
  }
  for (int i = 0; i < 10; ++i) change();
  EXPECT_TRUE(WaitUntil([&] { return Shown(*ada) == Held(); }));
  EXPECT_EQ(Shown(*ada), Held());
}

}  // namespace
}  // namespace latchkey::integration
