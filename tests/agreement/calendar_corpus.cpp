#include "tests/agreement/calendar_corpus.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <set>

#include "calendar/event.hpp"
#include "calendar/time_zone.hpp"

namespace latchkey::agreement {
namespace {

namespace bj = boost::json;
using std::chrono::days;

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
    sample.floating = !sample.zulu;
    sample.zone = "UTC";
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

/// One file's exceptions are revisions of each other. The two readers whose agreement the corpus records take the last
/// one of the file; RFC 5545 section 3.8.7.4 says that the higher SEQUENCE is the newer one wherever it stands (and RFC
/// 5546 section 2.1.5 that it replaces the other), which is what a provider keeps.
const std::map<std::string, std::vector<std::string>> kCorrected = {
    {"node-ical__recurrence-sequence__398982.ics",
     {"2024-01-01T10:00:00", "2024-01-02T14:00:00", "2024-01-03T15:00:00", "2024-01-04T10:00:00",
      "2024-01-05T10:00:00"}},
};
/// Exceptions at times at which their series has no occurrence: they replace nothing and stand for themselves.
const std::set<std::string> kStandAlone = {"node-ical__recurrence-sequence__398982.ics e5",
                                           "node-ical__recurrence-sequence__398982.ics e6"};

CalendarCorpus Load() {
  CalendarCorpus corpus;
  const auto folder = CalendarFolder();
  std::ifstream expected(folder / "expected.jsonl");
  for (std::string line; std::getline(expected, line);) {
    const auto document = bj::parse(line).as_object();
    const auto* expect = document.if_contains("expect");
    if (expect == nullptr) continue;
    const auto* events = expect->as_object().if_contains("events");
    if (events == nullptr) continue;
    const std::string file = TextAt(document, "file");
    auto& blocks = corpus.blocks[file] = ReadBlocks(folder / "ics" / file);
    std::map<std::string, std::string> masters;
    std::vector<Sample> found;
    for (std::size_t i = 0; i < events->as_array().size() && i < blocks.size(); ++i) {
      auto sample = MakeSample(file, i, blocks[i], events->as_array()[i].as_object());
      if (!sample) continue;
      const bool repeats = sample->repeats();
      const Property* uid = Find(blocks[i], "UID");
      if (repeats && uid != nullptr && !blocks[i].contains("RECURRENCE-ID")) masters[uid->value] = sample->id;
      found.push_back(std::move(*sample));
    }
    std::erase_if(found, [&](const Sample& sample) { return IsOverruled(sample, blocks); });
    for (Sample& sample : found) {
      const Property* uid = Find(*sample.block, "UID");
      const bool alone = kStandAlone.contains(file + " " + sample.id);
      if (!alone && uid != nullptr && sample.block->contains("RECURRENCE-ID") && masters.contains(uid->value)) {
        sample.master = masters[uid->value];
      }
      corpus.samples[file].push_back(std::move(sample));
    }
  }
  return corpus;
}

}  // namespace

std::filesystem::path CalendarFolder() {
  if (const char* folder = std::getenv("LATCHKEY_CORPUS")) return std::filesystem::path(folder) / "calendar";
  return std::filesystem::path(LATCHKEY_SOURCE_DIR) / ".." / "shared" / "corpus" / "calendar";
}

const Property* Find(const Block& block, const std::string& name) {
  const auto it = block.find(name);
  return it == block.end() ? nullptr : &it->second;
}

std::string TextAt(const bj::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string Extended(std::string_view basic) {
  std::string text =
      std::string(basic.substr(0, 4)) + "-" + std::string(basic.substr(4, 2)) + "-" + std::string(basic.substr(6, 2));
  if (basic.size() >= 15) {
    text += "T" + std::string(basic.substr(9, 2)) + ":" + std::string(basic.substr(11, 2)) + ":" +
            std::string(basic.substr(13, 2));
  }
  return text;
}

std::vector<std::string> Sample::Occurrences() const {
  if (const auto corrected = kCorrected.find(file); corrected != kCorrected.end()) return corrected->second;
  std::vector<std::string> starts;
  if (const auto* instances = expect.if_contains("instances")) {
    for (const auto& instance : instances->as_array()) {
      if (instance.is_string()) starts.emplace_back(instance.get_string());
    }
  }
  // Moved ones are listed where they were.
  std::ranges::sort(starts);
  return starts;
}

const CalendarCorpus& CalendarCorpus::Shared() {
  static const CalendarCorpus corpus = Load();
  return corpus;
}

}  // namespace latchkey::agreement
