// Real calendars on their whole way: iCalendar files of the corpus in the simulator, served in both providers' shapes,
// synced by the real program, and read through its interface by people in three zones. Every event shows at the instant
// or on the date that the corpus expects. The corpus is not part of the project (LATCHKEY_CORPUS or ../shared/corpus);
// the test is skipped where it is absent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <set>

#include "base/encoding.hpp"
#include "calendar/event.hpp"
#include "calendar/time_zone.hpp"
#include "tests/agreement/calendar_corpus.hpp"
#include "tests/integration/support/database_file.hpp"
#include "tests/integration/support/fixture.hpp"

namespace latchkey::integration {
namespace {

namespace bj = boost::json;
using agreement::Sample;
using std::chrono::days;

std::string Text(const bj::value& value) { return value.is_string() ? std::string(value.as_string()) : std::string(); }

class ServedCalendars : public IntegrationTest, public ::testing::WithParamInterface<std::string> {
 protected:
  ServedCalendars() { start_server_ = false; }

  void SetUp() override {
    const auto& corpus = agreement::CalendarCorpus::Shared();
    if (corpus.samples.empty()) GTEST_SKIP() << "no corpus at " << agreement::CalendarFolder();
    auto& environment = server_.environment();
    environment["AUTH_MICROSOFT_CLIENT_ID"] = kMicrosoftClientId;
    environment["AUTH_MICROSOFT_CLIENT_SECRET"] = kMicrosoftClientSecret;
    environment["MICROSOFT_DISCOVERY_URL"] = simulator_.microsoft_discovery_url();
    environment["MICROSOFT_GRAPH_URL"] = simulator_.url();
    // Read once: nothing changes.
    environment["LATCHKEY_POLL_SECONDS"] = "3600";
    const std::string email = GetParam() == "google" ? "vera@example.com" : "vera@outlook.example";
    simulator_.Post("/accounts", bj::object{{"email", email},
                                            {"provider", GetParam()},
                                            {"name", "Vera Example"},
                                            {"calendar", (agreement::CalendarFolder() / "ics").string()}});
    IntegrationTest::SetUp();
    server_.Start();
    vera_ = std::make_unique<Person>(server_, simulator_, email, GetParam());
    vera_->SignIn();
    vera_->Connect(email, {"read_mail", "read_calendar"});
    const auto read = [&] {
      DatabaseFile database(server_.database());
      const auto jobs = database.Query("SELECT count(finalized_at), count(*) FROM jobs WHERE kind = 'fetch_calendar'");
      return jobs[0][0] != "0" && jobs[0][0] == jobs[0][1];
    };
    ASSERT_TRUE(WaitUntil(read, std::chrono::minutes(5)));
    // Where the calendar's own zone is: Graph has none at calendars, and events without a zone are in it.
    std::map<std::string, std::string> zones;
    const auto served = simulator_.Get("/calendar/" + email + "/calendars");
    for (const auto& calendar : served.at("calendars").as_array()) {
      zones[Text(calendar.at("summary"))] = Text(calendar.at("time_zone"));
    }
    const auto listed = vera_->Get("/api/v1/calendars").Json();
    for (const auto& calendar : listed.at("calendars").as_array()) {
      const auto name = Text(calendar.at("name"));
      calendars_[name] = {Text(calendar.at("id")), zones[name]};
    }
  }

  struct Calendar {
    std::string id, zone;
  };
  const Calendar* Find(const std::string& file) const {
    const auto found = calendars_.find(file.substr(0, file.rfind('.')));
    return found == calendars_.end() ? nullptr : &found->second;
  }

  /// All of the calendar between two instants, however long that is. Asked once.
  const std::vector<bj::value>& Listed(const Calendar& calendar, Instant from, Instant to, const std::string& zone) {
    const std::string key = calendar.id + " " + FormatInstant(from) + " " + FormatInstant(to) + " " + zone;
    if (const auto known = listed_.find(key); known != listed_.end()) return known->second;
    auto& found = listed_[key];
    std::set<std::string> seen;
    for (Instant begin = from; begin < to; begin += days(390)) {
      std::string cursor;
      do {
        std::string path = "/api/v1/calendar-events?limit=500&calendar=" + calendar.id +
                           "&from=" + FormatInstant(begin) + "&to=" + FormatInstant(std::min(to, begin + days(390))) +
                           "&time_zone=" + PercentEncode(zone);
        if (!cursor.empty()) path += "&cursor=" + cursor;
        const auto page = vera_->Get(path).Json();
        // What spans two stretches is told in both.
        for (const auto& event : page.at("events").as_array()) {
          if (seen.insert(Text(event.at("id"))).second) found.push_back(event);
        }
        cursor = Text(page.at("next_cursor"));
      } while (!cursor.empty());
    }
    return found;
  }

  static Instant InstantOf(const Sample& sample, const Calendar& calendar) {
    if (!sample.floating) return *sample.instant;
    const auto local =
        calendar::LocalSeconds(std::chrono::floor<std::chrono::seconds>(*sample.instant).time_since_epoch());
    return calendar::TimeZone::Find(calendar.zone)->ToUtc(local);
  }
  /// Whether the event bears the sample's name, as far as the corpus tells it: long texts are cut there, and one file's
  /// charset was not understood.
  static bool Named(const Sample& sample, const bj::value& event) {
    constexpr std::size_t kWhole = 60;
    const auto name = agreement::TextAt(sample.expect, "summary").substr(0, kWhole);
    if (name.empty() || name.find("\xEF\xBF\xBD") != std::string::npos) return true;
    const auto title = Text(event.at("title"));
    return name.size() < kWhole ? title == name : title.starts_with(name);
  }
  static bool IsCancelled(const Sample& sample) { return agreement::TextAt(sample.expect, "status") == "CANCELLED"; }

  /// On the reader's day in each zone: there, at the expected time. What is cancelled is gone at Google, and
  /// at Microsoft there as cancelled.
  void ExpectShown(const Sample& sample, const Calendar& calendar) {
    for (const std::string zone_name : {"Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"}) {
      const auto zone = calendar::TimeZone::Find(zone_name);
      calendar::LocalSeconds day;
      std::string wanted = sample.start;
      if (sample.all_day) {
        day = calendar::LocalSeconds(
            std::chrono::floor<std::chrono::seconds>(*calendar::ParseDate(sample.start)).time_since_epoch());
      } else {
        const Instant instant = InstantOf(sample, calendar);
        day = std::chrono::floor<days>(zone->ToLocal(instant));
        wanted = FormatInstant(instant).substr(0, 19);
      }
      const auto& events = Listed(calendar, zone->ToUtc(day), zone->ToUtc(day + days(1)), zone_name);
      const bool shown = std::ranges::any_of(events, [&](const bj::value& event) {
        if (event.at("is_all_day").as_bool() != sample.all_day || !Named(sample, event)) return false;
        if (Text(event.at("status")) == "cancelled") return false;
        return Text(event.at(sample.all_day ? "start_date" : "start")).substr(0, wanted.size()) == wanted;
      });
      EXPECT_EQ(shown, !IsCancelled(sample))
          << sample.file << " " << sample.id << " " << sample.start << " " << sample.zone << " in " << zone_name << ": "
          << bj::serialize(bj::array(events.begin(), events.end())).substr(0, 600);
    }
  }

  /// The first occurrences of a series, as wall clock readings in its zone or dates.
  std::vector<std::string> Occurrences(const Sample& sample, const Calendar& calendar, std::size_t count,
                                       const std::string& last) {
    const auto zone = calendar::TimeZone::Find(sample.floating ? calendar.zone : calendar::ResolveZone(sample.zone));
    const Instant first = sample.all_day ? *calendar::ParseDate(sample.start) : InstantOf(sample, calendar);
    const Instant to = *ParseInstant((last.size() == 10 ? last + "T00:00:00" : last) + "Z") + days(2);
    const auto& events = Listed(calendar, first - days(1), to, "UTC");
    const auto start_of = [&](const bj::value& event) -> std::string {
      if (event.at("is_all_day").as_bool()) return Text(event.at("start_date"));
      return FormatInstant(Instant(zone->ToLocal(*ParseInstant(Text(event.at("start")))).time_since_epoch()))
          .substr(0, 19);
    };
    // Its series is the one that has an occurrence where it begins, or the first one that bears its name.
    std::string series;
    for (const auto& event : events) {
      if (!Named(sample, event) || event.at("series_id").is_null()) continue;
      if (series.empty() || start_of(event) == sample.start) series = Text(event.at("series_id"));
      if (start_of(event) == sample.start) break;
    }
    std::vector<std::string> starts;
    for (const auto& event : events) {
      // What Exchange cannot hold as a series is there occurrence by occurrence.
      if (series.empty() ? !Named(sample, event) : Text(event.at("series_id")) != series) continue;
      if (starts.size() < count) starts.push_back(start_of(event));
    }
    std::ranges::sort(starts);
    return starts;
  }

  std::unique_ptr<Person> vera_;
  std::map<std::string, Calendar> calendars_;
  std::map<std::string, std::vector<bj::value>> listed_;
};

TEST_P(ServedCalendars, ShowEveryEventOfTheCorpusWhenItIs) {
  int shown = 0, series = 0;
  for (const auto& [file, samples] : agreement::CalendarCorpus::Shared().samples) {
    const Calendar* calendar = Find(file);
    ASSERT_NE(calendar, nullptr) << file;
    for (const Sample& sample : samples) {
      const auto expected = sample.Occurrences();
      if (!sample.repeats()) {
        ExpectShown(sample, *calendar);
        ++shown;
      } else if (!expected.empty()) {
        EXPECT_EQ(Occurrences(sample, *calendar, expected.size(), expected.back()), expected)
            << file << " " << sample.id << " " << sample.zone;
        ++series;
      }
    }
  }
  std::cout << shown << " events in three zones and " << series << " series of " << calendars_.size() << " calendars\n";
  EXPECT_GT(shown, 400);
  EXPECT_GT(series, 100);
}

INSTANTIATE_TEST_SUITE_P(Providers, ServedCalendars, ::testing::Values("google", "microsoft"),
                         [](const auto& provider) { return provider.param; });

}  // namespace
}  // namespace latchkey::integration
