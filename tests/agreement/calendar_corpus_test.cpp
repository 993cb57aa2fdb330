// Real calendars on their way through both providers' shapes into the database and out again: each event has to show at
// the instant (or on the date) that the corpus expects, on the right day of a reader in any of three zones, and each
// series at the occurrences on which two other programs agree. The corpus is not part of the project (LATCHKEY_CORPUS
// or
// ../shared/corpus); the test is skipped where it is absent.
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/json_writer.hpp"
#include "calendar/time_zone.hpp"
#include "providers/google/calendar_events.hpp"
#include "providers/microsoft/graph_calendar_events.hpp"
#include "storage/testing/scratch_store.hpp"

namespace latchkey {
namespace {

namespace bj = boost::json;
using std::chrono::days;
using std::chrono::seconds;

std::filesystem::path CorpusFolder() {
  if (const char* folder = std::getenv("LATCHKEY_CORPUS")) return std::filesystem::path(folder) / "calendar";
  return std::filesystem::path(LATCHKEY_SOURCE_DIR) / ".." / "shared" / "corpus" / "calendar";
}

struct Property {
  std::string line, value, tzid;
};
/// The properties of one VEVENT by name, as the file has them.
using Block = std::multimap<std::string, Property>;

std::vector<Block> ReadBlocks(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && (line[0] == ' ' || line[0] == '\t') && !lines.empty()) {
      lines.back() += line.substr(1);
    } else {
      lines.push_back(line);
    }
  }
  std::vector<Block> blocks;
  int depth = 0;  // Of components inside the event: alarms.
  bool inside = false;
  for (const std::string& line : lines) {
    std::string upper = line;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (upper == "BEGIN:VEVENT") {
      inside = true;
      depth = 0;
      blocks.emplace_back();
    } else if (upper == "END:VEVENT") {
      inside = false;
    } else if (inside && upper.starts_with("BEGIN:")) {
      ++depth;
    } else if (inside && upper.starts_with("END:")) {
      --depth;
    } else if (inside && depth == 0) {
      bool quoted = false;
      std::size_t colon = 0;
      while (colon < line.size() && (line[colon] != ':' || quoted)) quoted = quoted != (line[colon++] == '"');
      if (colon == line.size()) continue;
      Property property{.line = line, .value = line.substr(colon + 1), .tzid = {}};
      if (const auto at = upper.find(";TZID="); at < colon) {
        property.tzid = line.substr(at + 6, std::min(line.find(';', at + 1), colon) - at - 6);
        std::erase(property.tzid, '"');
      }
      blocks.back().emplace(upper.substr(0, upper.find_first_of(";:")), std::move(property));
    }
  }
  return blocks;
}

const Property* Find(const Block& block, const std::string& name) {
  const auto it = block.find(name);
  return it == block.end() ? nullptr : &it->second;
}

std::string TextAt(const bj::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// "20201004T170000" as "2020-10-04T17:00:00".
std::string Extended(std::string_view basic) {
  std::string text =
      std::string(basic.substr(0, 4)) + "-" + std::string(basic.substr(4, 2)) + "-" + std::string(basic.substr(6, 2));
  if (basic.size() >= 15) {
    text += "T" + std::string(basic.substr(9, 2)) + ":" + std::string(basic.substr(11, 2)) + ":" +
            std::string(basic.substr(13, 2));
  }
  return text;
}

/// One expected event with its source.
struct Sample {
  std::string file, id, title, master;
  const Block* block = nullptr;
  bj::object expect;
  bool all_day = false, zulu = false;
  std::string start, end, zone;  ///< Wall clock as written, or dates.
  std::optional<Instant> instant;
};

std::optional<Sample> MakeSample(const std::string& file, std::size_t index, const Block& block,
                                 const bj::object& expect) {
  Sample sample{.file = file, .id = "e" + std::to_string(index), .block = &block, .expect = expect};
  const Property* start = Find(block, "DTSTART");
  sample.start = TextAt(expect, "start");
  sample.end = TextAt(expect, "end");
  // Only what both other readers agree on, and a start that a provider could hold.
  if (start == nullptr || sample.start.empty() || !expect.contains("all_day")) return std::nullopt;
  sample.all_day = expect.at("all_day").as_bool();
  if (sample.end.size() != sample.start.size() || sample.end < sample.start) sample.end = sample.start;
  if (sample.all_day && sample.end == sample.start) {
    sample.end = calendar::FormatDate(*calendar::ParseDate(sample.start) + days(1));
  }
  sample.zulu = start->value.ends_with('Z');
  sample.zone = sample.zulu ? "UTC" : start->tzid;
  sample.title = "event " + std::to_string(index);
  if (sample.all_day) return sample;
  const std::string by_name = TextAt(expect, "start_utc_iana"), by_file = TextAt(expect, "start_utc");
  const bool iana = calendar::TimeZone::Find(sample.zone) != nullptr;
  const std::string& utc = !by_name.empty() && (iana || by_file.empty()) ? by_name : by_file;
  if (sample.zulu || sample.zone.empty()) {
    sample.instant = ParseInstant(sample.start + "Z");
    sample.zone = "UTC";  // Without a zone: in the calendar's, which is UTC here.
  } else {
    sample.instant = ParseInstant(utc);
    if (calendar::ResolveZone(sample.zone).empty()) return std::nullopt;
  }
  return sample.instant ? std::optional(sample) : std::nullopt;
}

/// Two kinds of overrides that a file may hold and no provider: of an occurrence that the series' own EXDATE takes
/// away, and an older SEQUENCE of one that is there anew.
bool IsOverruled(const Sample& sample, const std::vector<Block>& blocks) {
  const Property* original = Find(*sample.block, "RECURRENCE-ID");
  const Property* uid = Find(*sample.block, "UID");
  if (original == nullptr || uid == nullptr) return false;
  const auto number = [](const Block& block) {
    const Property* sequence = Find(block, "SEQUENCE");
    return sequence == nullptr ? 0 : std::atoi(sequence->value.c_str());
  };
  for (const Block& other : blocks) {
    const Property* same = Find(other, "UID");
    if (&other == sample.block || same == nullptr || same->value != uid->value) continue;
    const Property* replaced = Find(other, "RECURRENCE-ID");
    if (replaced != nullptr && replaced->value == original->value && number(other) > number(*sample.block)) return true;
    const auto [first, last] = other.equal_range("EXDATE");
    for (auto it = first; it != last; ++it) {
      if (it->second.value.find(original->value) != std::string::npos) return true;
    }
  }
  return false;
}

class CalendarCorpus : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto folder = CorpusFolder();
    std::ifstream expected(folder / "expected.jsonl");
    for (std::string line; std::getline(expected, line);) {
      const auto document = bj::parse(line).as_object();
      const auto* expect = document.if_contains("expect");
      if (expect == nullptr) continue;
      const auto* events = expect->as_object().if_contains("events");
      if (events == nullptr) continue;
      const std::string file = TextAt(document, "file");
      // Its overrides are told apart by SEQUENCE across one another, which no provider's exceptions have.
      if (file.starts_with("node-ical__recurrence-sequence")) continue;
      auto& blocks = blocks_[file] = ReadBlocks(folder / "ics" / file);
      std::map<std::string, std::string> masters;
      std::vector<Sample> found;
      for (std::size_t i = 0; i < events->as_array().size() && i < blocks.size(); ++i) {
        auto sample = MakeSample(file, i, blocks[i], events->as_array()[i].as_object());
        if (!sample) continue;
        const bool repeats = blocks[i].contains("RRULE") || blocks[i].contains("RDATE");
        const Property* uid = Find(blocks[i], "UID");
        if (repeats && uid != nullptr && !blocks[i].contains("RECURRENCE-ID")) masters[uid->value] = sample->id;
        found.push_back(std::move(*sample));
      }
      std::erase_if(found, [&](const Sample& sample) { return IsOverruled(sample, blocks); });
      for (Sample& sample : found) {
        const Property* uid = Find(*sample.block, "UID");
        if (uid != nullptr && sample.block->contains("RECURRENCE-ID") && masters.contains(uid->value)) {
          sample.master = masters[uid->value];
        }
        samples_[file].push_back(std::move(sample));
      }
    }
  }

  void SetUp() override {
    if (samples_.empty()) GTEST_SKIP() << "no corpus at " << CorpusFolder();
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

  static std::vector<std::string> Expected(const Sample& sample) {
    std::vector<std::string> starts;
    if (const auto* instances = sample.expect.if_contains("instances")) {
      for (const auto& start : instances->as_array()) {
        if (start.is_string()) starts.emplace_back(start.get_string());
      }
    }
    // Moved ones are listed where they were.
    std::ranges::sort(starts);
    return starts;
  }

  static inline std::map<std::string, std::vector<Block>> blocks_;
  static inline std::map<std::string, std::vector<Sample>> samples_;

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

TEST_F(CalendarCorpus, ThroughGooglesShape) {
  int shown = 0, series = 0;
  for (const auto& [file, samples] : samples_) {
    std::string page = R"({"nextSyncToken":"s","items":[)";
    for (const Sample& sample : samples) page += (page.ends_with('[') ? "" : ",") + GoogleItem(sample);
    page += "]}";
    auto parsed = google::ParseEvents(page, "UTC");
    ASSERT_TRUE(parsed) << file;
    Store(file, {}, std::move(parsed->events));
    for (const Sample& sample : samples) {
      const bool repeats = sample.block->contains("RRULE") || sample.block->contains("RDATE");
      const auto expected = Expected(sample);
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

TEST_F(CalendarCorpus, ThroughGraphsShape) {
  const calendar::Window everything{
      .name = "all", .from = *ParseInstant("1800-01-01T00:00:00Z"), .to = *ParseInstant("2300-01-01T00:00:00Z")};
  int shown = 0, series = 0;
  for (const auto& [file, samples] : samples_) {
    std::string page = R"({"@odata.deltaLink":"x","value":[)";
    const auto add = [&](const std::string& item) { page += (page.ends_with('[') ? "" : ",") + item; };
    for (const Sample& sample : samples) {
      const bool repeats = sample.block->contains("RRULE") || sample.block->contains("RDATE");
      if (!repeats) {
        add(GraphItem(sample, "singleInstance"));
        continue;
      }
      add(GraphItem(sample, "seriesMaster"));
      const auto expected = Expected(sample);
      for (std::size_t i = 0; i < expected.size(); ++i) add(GraphOccurrence(sample, expected[i], i));
    }
    page += "]}";
    auto parsed = microsoft::ParseEvents(page);
    ASSERT_TRUE(parsed) << file;
    EXPECT_TRUE(parsed->undecided.empty());
    Store(file, everything, std::move(parsed->events));
    for (const Sample& sample : samples) {
      const bool repeats = sample.block->contains("RRULE") || sample.block->contains("RDATE");
      const auto expected = Expected(sample);
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
