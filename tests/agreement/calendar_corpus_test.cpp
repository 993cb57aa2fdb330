// Real calendars on their way through both providers' shapes into the database and out again: each event has to show at
// the instant (or on the date) that the corpus expects, on the right day of a reader in any of three zones, and each
// series at the occurrences on which two other programs agree. The corpus is not part of the project (LATCHKEY_CORPUS
// or
// ../shared/corpus); the test is skipped where it is absent.
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <map>

#include "base/json_writer.hpp"
#include "calendar/time_zone.hpp"
#include "providers/google/calendar_events.hpp"
#include "providers/microsoft/graph_calendar_events.hpp"
#include "storage/testing/scratch_store.hpp"
#include "tests/agreement/calendar_corpus.hpp"

namespace latchkey {
namespace {

namespace bj = boost::json;
using agreement::Extended;
using agreement::Find;
using agreement::Property;
using agreement::Sample;
using std::chrono::days;
using std::chrono::seconds;

class CalendarShapes : public ::testing::Test {
 protected:
  void SetUp() override {
    if (samples_.empty()) GTEST_SKIP() << "no corpus at " << agreement::CalendarFolder();
    std::vector<calendar::Calendar> list;
    for (const auto& [file, samples] : samples_) {
      list.push_back({.external_id = file, .name = file, .time_zone = "UTC"});
    }
    for (const auto& stored : store.Get(db().ReplaceCalendars(fence, list))) {
      ids[stored.calendar.external_id] = stored.id;
    }
  }

  calendar::CalendarStore& db() { return store.database().calendars(); }

  void Store(const std::string& file, const calendar::Window& window, std::vector<calendar::Event> events) {
    calendar::CalendarCommit commit{.fence = fence, .calendar_id = ids[file]};
    commit.cursor = store.Get(db().BeginEpoch(fence, ids[file], window));
    commit.upserts = std::move(events);
    store.Get(db().Apply(commit));
  }

  std::vector<calendar::ListedEvent> Listed(const std::string& file, Instant from, Instant to,
                                            const std::string& zone) {
    calendar::EventQuery query{.user_id = user.id, .from = from, .to = to, .time_zone = zone};
    query.calendar_id = ids[file];
    query.limit = 500;
    return store.Get(store.database().calendar_reader().ListEvents(query)).items;
  }

  /// On the reader's day in each zone: there, at the expected time.
  void ExpectShown(const Sample& sample) {
    for (const std::string zone_name : {"Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"}) {
      const auto zone = calendar::TimeZone::Find(zone_name);
      calendar::LocalSeconds day;
      if (sample.all_day) {
        day =
            calendar::LocalSeconds(std::chrono::floor<seconds>(*calendar::ParseDate(sample.start)).time_since_epoch());
      } else {
        day = std::chrono::floor<days>(zone->ToLocal(*sample.instant));
      }
      bool shown = false;
      for (const auto& item : Listed(sample.file, zone->ToUtc(day), zone->ToUtc(day + days(1)), zone_name)) {
        const auto& time = item.event.time;
        if (item.event.title != sample.title || time.all_day != sample.all_day) continue;
        shown = shown ||
                (sample.all_day ? calendar::FormatDate(time.start) == sample.start : time.start == *sample.instant);
      }
      EXPECT_TRUE(shown) << sample.file << " " << sample.id << " " << sample.start << " " << sample.zone << " in "
                         << zone_name;
    }
  }

  /// The first occurrences of a series, as wall clock readings in its zone or dates.
  std::vector<std::string> Occurrences(const Sample& sample, std::size_t count, const std::string& last) {
    const auto zone = calendar::TimeZone::Find(calendar::ResolveZone(sample.zone));
    const Instant first = sample.all_day ? *calendar::ParseDate(sample.start) : *sample.instant;
    const Instant to = *ParseInstant((last.size() == 10 ? last + "T00:00:00" : last) + "Z") + days(2);
    std::vector<std::string> starts;
    std::string series;
    std::vector<calendar::ListedEvent> items = Listed(sample.file, first - days(1), to, "UTC");
    for (const auto& item : items) {
      if (item.event.title == sample.title && !item.series_id.empty()) series = item.series_id;
    }
    for (const auto& item : items) {
      if (series.empty() || item.series_id != series || starts.size() >= count) continue;
      const auto& time = item.event.time;
      if (time.all_day) {
        starts.push_back(calendar::FormatDate(time.start));
      } else {
        const auto local = zone->ToLocal(time.start);
        starts.push_back(FormatInstant(Instant(local.time_since_epoch())).substr(0, 19));
      }
    }
    std::ranges::sort(starts);
    return starts;
  }

  const std::map<std::string, std::vector<Sample>>& samples_ = agreement::CalendarCorpus::Shared().samples;

  storage::testing::ScratchStore store;
  identity::User user = store.AddUser("ada");
  connected_accounts::ConnectedAccount account = store.AddAccount(user, "ada.mail");
  calendar::WriteFence fence{.account_id = account.id, .generation = account.generation};
  std::map<std::string, calendar::CalendarId> ids;
};

void WriteGoogleTime(json::Writer& out, std::string_view name, const Sample& sample, const std::string& text) {
  out.Key(name).BeginObject();
  if (text.size() == 10) {
    out.Member("date", text);
  } else {
    out.Member("dateTime", sample.zone == "UTC" ? text + "Z" : text).Member("timeZone", sample.zone);
  }
  out.EndObject();
}

std::string GoogleItem(const Sample& sample) {
  json::Writer out;
  out.BeginObject().Member("id", sample.id).Member("status", "confirmed").Member("summary", sample.title);
  WriteGoogleTime(out, "start", sample, sample.start);
  WriteGoogleTime(out, "end", sample, sample.end);
  if (!sample.master.empty()) {
    out.Member("recurringEventId", sample.master);
    const Property* original = Find(*sample.block, "RECURRENCE-ID");
    Sample at = sample;
    at.zone = original->value.ends_with('Z') ? "UTC" : original->tzid.empty() ? sample.zone : original->tzid;
    WriteGoogleTime(out, "originalStartTime", at, Extended(original->value));
  } else if (!sample.block->contains("RECURRENCE-ID")) {
    out.Key("recurrence").BeginArray();
    for (const auto* name : {"RRULE", "EXRULE", "RDATE", "EXDATE"}) {
      const auto [first, last] = sample.block->equal_range(name);
      for (auto it = first; it != last; ++it) out.Value(it->second.line);
    }
    out.EndArray();
  }
  out.EndObject();
  return out.Take();
}

TEST_F(CalendarShapes, ThroughGooglesShape) {
  int shown = 0, series = 0;
  for (const auto& [file, samples] : samples_) {
    std::string page = R"({"nextSyncToken":"s","items":[)";
    for (const Sample& sample : samples) page += (page.ends_with('[') ? "" : ",") + GoogleItem(sample);
    page += "]}";
    auto parsed = google::ParseEvents(page, "UTC");
    ASSERT_TRUE(parsed) << file;
    Store(file, {}, std::move(parsed->events));
    for (const Sample& sample : samples) {
      const bool repeats = sample.repeats();
      const auto expected = sample.Occurrences();
      if (!repeats) {
        ExpectShown(sample);
        ++shown;
      } else if (!expected.empty()) {
        EXPECT_EQ(Occurrences(sample, expected.size(), expected.back()), expected) << file << " " << sample.id;
        ++series;
      }
    }
  }
  EXPECT_GT(shown, 400);
  EXPECT_GT(series, 100);
}

void WriteGraphTime(json::Writer& out, std::string_view name, const Sample& sample, const std::string& text) {
  out.Key(name)
      .BeginObject()
      .Member("dateTime", text.size() == 10 ? text + "T00:00:00.0000000" : text + ".0000000")
      .Member("timeZone", sample.all_day ? "UTC" : sample.zone)
      .EndObject();
}

std::string GraphItem(const Sample& sample, std::string_view type) {
  json::Writer out;
  out.BeginObject()
      .Member("id", sample.id)
      .Member("type", type)
      .Member("subject", sample.title)
      .Member("isAllDay", sample.all_day)
      .Member("originalStartTimeZone", sample.zone.empty() ? "UTC" : sample.zone);
  WriteGraphTime(out, "start", sample, sample.start);
  WriteGraphTime(out, "end", sample, sample.end);
  out.EndObject();
  return out.Take();
}

/// As calendarView/delta has it: where and when, and whose.
std::string GraphOccurrence(const Sample& sample, const std::string& start, std::size_t number) {
  json::Writer out;
  out.BeginObject()
      .Member("id", sample.id + "/" + std::to_string(number))
      .Member("type", "occurrence")
      .Member("seriesMasterId", sample.id);
  const auto at = [](const std::string& text) {
    return *ParseInstant((text.size() == 10 ? text + "T00:00:00" : text) + "Z");
  };
  const Instant end = at(start) + (at(sample.end) - at(sample.start));
  WriteGraphTime(out, "start", sample, start);
  WriteGraphTime(out, "end", sample, FormatInstant(end).substr(0, start.size()));
  out.EndObject();
  return out.Take();
}

TEST_F(CalendarShapes, ThroughGraphsShape) {
  const calendar::Window everything{
      .name = "all", .from = *ParseInstant("1800-01-01T00:00:00Z"), .to = *ParseInstant("2300-01-01T00:00:00Z")};
  int shown = 0, series = 0;
  for (const auto& [file, samples] : samples_) {
    std::string page = R"({"@odata.deltaLink":"x","value":[)";
    const auto add = [&](const std::string& item) { page += (page.ends_with('[') ? "" : ",") + item; };
    for (const Sample& sample : samples) {
      const bool repeats = sample.repeats();
      if (!repeats) {
        add(GraphItem(sample, "singleInstance"));
        continue;
      }
      add(GraphItem(sample, "seriesMaster"));
      const auto expected = sample.Occurrences();
      for (std::size_t i = 0; i < expected.size(); ++i) add(GraphOccurrence(sample, expected[i], i));
    }
    page += "]}";
    auto parsed = microsoft::ParseEvents(page);
    ASSERT_TRUE(parsed) << file;
    EXPECT_TRUE(parsed->undecided.empty());
    Store(file, everything, std::move(parsed->events));
    for (const Sample& sample : samples) {
      const bool repeats = sample.repeats();
      const auto expected = sample.Occurrences();
      if (!repeats) {
        ExpectShown(sample);
        ++shown;
      } else if (!expected.empty()) {
        EXPECT_EQ(Occurrences(sample, expected.size(), expected.back()), expected) << file << " " << sample.id;
        ++series;
      }
    }
  }
  EXPECT_GT(shown, 400);
  EXPECT_GT(series, 100);
}

}  // namespace
}  // namespace latchkey
