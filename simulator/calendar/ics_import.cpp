// From components to events.
#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "simulator/calendar/ics.hpp"
#include "simulator/calendar/recurrence.hpp"
#include "simulator/calendar/series.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::calendar {
namespace {

using std::chrono::days;
using std::chrono::seconds;

/// Changes of offset that are kept of one VTIMEZONE.
constexpr std::size_t kMaxOnsets = 2000;
constexpr std::size_t kMaxProblems = 100;

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

/// 26 characters of Google's alphabet that stand for `text`.
std::string IdOf(std::string_view text) {
  std::string id;
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a, mixed again for each character.
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  for (int i = 0; i < 26; ++i) {
    hash += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z ^= z >> 27;
    id += "0123456789abcdefghijklmnopqrstuv"[z & 31];
  }
  return id;
}

/// "+0100", "-043000"
std::optional<seconds> ParseOffset(std::string_view text) {
  if (text.size() < 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  int value[3] = {0, 0, 0};
  for (std::size_t i = 1; i < std::min<std::size_t>(text.size(), 7); ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value[(i - 1) / 2] = value[(i - 1) / 2] * 10 + (text[i] - '0');
  }
  const seconds offset(value[0] * 3600 + value[1] * 60 + value[2]);
  return text[0] == '-' ? -offset : offset;
}

/// When a file's own zone changes its offset.
struct OwnZone {
  struct Onset {
    Instant at;
    seconds from;
    seconds to;
  };
  std::vector<Onset> onsets;

  seconds OffsetAt(Instant instant) const {
    if (onsets.empty()) return {};
    seconds offset = onsets.front().from;
    for (const Onset& onset : onsets) {
      if (onset.at > instant) break;
      offset = onset.to;
    }
    return offset;
  }
  Instant ToInstant(LocalTime local) const {
    const Instant utc(local.time_since_epoch());
    if (onsets.empty()) return utc;
    const Instant early = utc - OffsetAt(utc - days(1));
    return OffsetAt(early) == OffsetAt(utc - days(1)) ? early : utc - OffsetAt(early);
  }
};

OwnZone ReadZone(const IcsComponent& component, LocalTime until) {
  OwnZone zone;
  for (const IcsComponent& part : component.components) {
    const IcsProperty* start = part.Find("DTSTART");
    const auto from = part.Find("TZOFFSETFROM") ? ParseOffset(part.Find("TZOFFSETFROM")->value) : std::nullopt;
    const auto to = part.Find("TZOFFSETTO") ? ParseOffset(part.Find("TZOFFSETTO")->value) : std::nullopt;
    const auto begins = start ? ParseBasicTime(mime::Trim(start->value)) : std::nullopt;
    if (!begins || !from || !to) continue;
    Event onset;
    onset.start.local = begins->local;
    for (const IcsProperty& property : part.properties) {
      if (property.name == "RRULE") {
        auto rule = ParseRule(property.value);
        if (!rule || rule->frequency < Frequency::kMonthly) continue;
        // The limit of a zone's rule is an instant; the rule runs on the clock before the change.
        if (rule->until && rule->until_is_utc) rule->until = *rule->until + *from;
        Expand(*rule, begins->local, until, [&](LocalTime local) {
          zone.onsets.push_back({Instant(local.time_since_epoch()) - *from, *from, *to});
          return zone.onsets.size() < kMaxOnsets;
        });
      } else if (property.name == "RDATE") {
        onset.recurrence.push_back("RDATE:" + property.value);
      }
    }
    if (!part.Find("RRULE")) {
      if (onset.recurrence.empty()) onset.recurrence.push_back("RDATE:" + FormatBasicTime(begins->local));
      VisitStarts(onset, until, [&](LocalTime local) {
        zone.onsets.push_back({Instant(local.time_since_epoch()) - *from, *from, *to});
        return zone.onsets.size() < kMaxOnsets;
      });
    }
  }
  std::ranges::sort(zone.onsets, {}, &OwnZone::Onset::at);
  return zone;
}

class Importer {
 public:
  Importer(const IcsComponent& calendar, const Person& owner, std::string default_zone, ImportedCalendar& out)
      : owner_(owner), default_zone_(std::move(default_zone)), out_(out) {
    for (const IcsComponent& component : calendar.components) {
      if (component.name == "VTIMEZONE") zones_.emplace(std::string(mime::Trim(component.Text("TZID"))), &component);
    }
  }

  void Import(const IcsComponent& component) {
    Event event;
    const IcsProperty* start = component.Find("DTSTART");
    if (!start || !ReadTime(*start, event.start)) {
      return Problem(fmt::format("\"{}\" has no start that can be read and was left out", component.Text("SUMMARY")));
    }
    ReadEnd(component, event);
    ReadTexts(component, event);
    ReadPeople(component, event);
    ReadSeries(component, event);
    event.ical_uid = mime::Trim(component.Text("UID"));
    const IcsProperty* instance = component.Find("RECURRENCE-ID");
    EventTime original;
    if (instance && ReadTime(*instance, original)) event.original_start = original;
    const IcsProperty* property = component.Find("DTSTAMP");
    const auto stamp = property ? ParseBasicTime(mime::Trim(property->value)) : std::nullopt;
    out_.events.push_back(std::move(event));
    out_.stamps.push_back(stamp ? Instant(stamp->local.time_since_epoch()) : Instant());
  }

 private:
  void Problem(std::string sentence) {
    if (out_.problems.size() < kMaxProblems) out_.problems.push_back(std::move(sentence));
  }

  /// An IANA zone for a TZID, and whether `local` must be moved because only the instant could be kept.
  std::string ZoneOf(const std::string& name, LocalTime& local) {
    if (const auto known = FindZone(name)) return *known;
    const auto described = zones_.find(name);
    if (described == zones_.end()) return default_zone_;
    const auto year = std::chrono::year_month_day(std::chrono::floor<days>(local)).year();
    const auto key = std::pair(name, static_cast<int>(year));
    auto found = own_zones_.find(key);
    if (found == own_zones_.end()) {
      const LocalTime until = std::chrono::local_days((year + std::chrono::years(4)) / 1 / 1);
      Resolved resolved{ReadZone(*described->second, until), std::nullopt};
      resolved.iana = Match(*described->second, resolved.zone, local);
      found = own_zones_.emplace(key, std::move(resolved)).first;
    }
    if (found->second.iana) return *found->second.iana;
    local = LocalTime(std::chrono::floor<seconds>(found->second.zone.ToInstant(local)).time_since_epoch());
    return "UTC";
  }

  /// The zone that has the same offsets twice a month for three years; else the one that agrees at `start` and most
  /// often besides, since descriptions are older than the rules.
  static std::optional<std::string> Match(const IcsComponent& component, const OwnZone& own, LocalTime start) {
    for (const char* hint : {"X-LIC-LOCATION", "TZNAME"}) {
      if (const auto known = FindZone(component.Text(hint))) return known;
    }
    constexpr int kSamples = 3 * 26;
    const Instant begin = own.ToInstant(start);
    const Instant first =
        std::chrono::sys_days(std::chrono::year_month_day(std::chrono::floor<days>(begin)).year() / 1 / 1);
    std::optional<std::string> best;
    int best_count = kSamples * 4 / 5;
    for (const std::string& candidate : AllZones()) {
      if (OffsetAt(begin, candidate) != own.OffsetAt(begin)) continue;
      int same = 0;
      for (int i = 0; i < kSamples; ++i) {
        const Instant at = first + days(14 * i);
        same += OffsetAt(at, candidate) == own.OffsetAt(at) ? 1 : 0;
      }
      if (same > best_count) {
        best = candidate;
        best_count = same;
      }
      if (same == kSamples) break;
    }
    return best;
  }

  bool ReadTime(const IcsProperty& property, EventTime& time) {
    const auto read = ParseBasicTime(mime::Trim(property.value));
    if (!read) return false;
    time.all_day = read->date || mime::EqualsNoCase(property.Parameter("VALUE"), "DATE");
    time.local = read->local;
    if (time.all_day) {
      time.local = std::chrono::floor<days>(time.local);
      time.zone = "UTC";
    } else if (read->utc) {
      time.zone = "UTC";
    } else if (const std::string_view name = property.Parameter("TZID"); !name.empty()) {
      time.zone = ZoneOf(std::string(name), time.local);
    } else {
      time.zone = default_zone_;
    }
    return true;
  }

  void ReadEnd(const IcsComponent& component, Event& event) {
    event.end = event.start;
    const IcsProperty* end = component.Find("DTEND");
    EventTime read;
    if (end && ReadTime(*end, read) && read.all_day == event.start.all_day && read.At() >= event.start.At()) {
      event.end = read;
    } else if (const IcsProperty* duration = component.Find("DURATION")) {
      const seconds length = Duration(duration->value);
      if (event.start.all_day) {
        event.end.local += std::chrono::floor<days>(length);
      } else {
        event.end.local = ToLocal(event.start.At() + length, event.start.zone);
      }
    }
    if (event.start.all_day && event.end.local <= event.start.local) event.end.local = event.start.local + days(1);
  }

  /// "P1DT2H", "PT15M", "P2W"; nothing negative.
  static seconds Duration(std::string_view text) {
    std::int64_t total = 0;
    std::int64_t number = 0;
    if (!text.starts_with('P') && !text.starts_with("+P")) return {};
    for (const char c : text) {
      if (c >= '0' && c <= '9') {
        number = std::min<std::int64_t>(number * 10 + (c - '0'), 10'000'000);
        continue;
      }
      const std::int64_t unit = c == 'W'   ? 604'800
                                : c == 'D' ? 86'400
                                : c == 'H' ? 3'600
                                : c == 'M' ? 60
                                : c == 'S' ? 1
                                           : 0;
      total += number * unit;
      number = 0;
    }
    return seconds(std::min<std::int64_t>(total, 10LL * 366 * 86'400));
  }

  static void ReadTexts(const IcsComponent& component, Event& event) {
    event.summary = component.Text("SUMMARY");
    event.description = component.Text("DESCRIPTION");
    event.location = component.Text("LOCATION");
    const std::string status = Upper(mime::Trim(component.Text("STATUS")));
    if (status == "CANCELLED") event.status = EventStatus::kCancelled;
    if (status == "TENTATIVE") event.status = EventStatus::kTentative;
    const std::string kind = Upper(mime::Trim(component.Text("CLASS")));
    if (kind == "PUBLIC") event.visibility = "public";
    if (kind == "PRIVATE") event.visibility = "private";
    if (kind == "CONFIDENTIAL") event.visibility = "confidential";
    const std::string busy = Upper(mime::Trim(component.Text("X-MICROSOFT-CDO-BUSYSTATUS")));
    if (mime::EqualsNoCase(mime::Trim(component.Text("TRANSP")), "TRANSPARENT") || busy == "FREE") {
      event.show_as = "free";
    } else if (busy == "OOF") {
      event.show_as = "oof";
    } else if (busy == "WORKINGELSEWHERE") {
      event.show_as = "workingElsewhere";
    } else if (busy == "TENTATIVE" || event.status == EventStatus::kTentative) {
      event.show_as = "tentative";
    }
    for (const char* name : {"X-GOOGLE-CONFERENCE", "CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL"}) {
      if (event.conference_url.empty()) event.conference_url = mime::Trim(component.Text(name));
    }
    if (!event.conference_url.starts_with("http")) event.conference_url.clear();
    for (const IcsProperty& property : component.properties) {
      if (property.name != "CATEGORIES" || event.categories.size() > 50) continue;
      std::string_view list = property.value;
      while (!list.empty()) {
        const std::size_t comma = list.find(',');
        if (const auto item = mime::Trim(list.substr(0, comma)); !item.empty()) event.categories.emplace_back(item);
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
      }
    }
    const std::string sequence = component.Text("SEQUENCE");
    std::from_chars(sequence.data(), sequence.data() + std::min<std::size_t>(sequence.size(), 6), event.sequence);
    for (const auto& [name, target] :
         {std::pair("CREATED", &event.created), std::pair("LAST-MODIFIED", &event.updated)}) {
      const IcsProperty* property = component.Find(name);
      const auto time = property ? ParseBasicTime(mime::Trim(property->value)) : std::nullopt;
      if (time) *target = Instant(time->local.time_since_epoch());
    }
  }

  static Person ReadPerson(const IcsProperty& property) {
    std::string_view address = mime::Trim(property.value);
    if (mime::StartsWithNoCase(address, "mailto:")) address.remove_prefix(7);
    if (!address.contains('@')) address = property.Parameter("EMAIL");
    return {mime::Lower(mime::Trim(address)), std::string(property.Parameter("CN"))};
  }

  void ReadPeople(const IcsComponent& component, Event& event) const {
    event.creator = event.organizer = owner_;
    if (const IcsProperty* organizer = component.Find("ORGANIZER")) {
      if (const Person person = ReadPerson(*organizer); !person.email.empty()) event.organizer = person;
    }
    for (const IcsProperty& property : component.properties) {
      if (property.name != "ATTENDEE" || event.attendees.size() >= 500) continue;
      Attendee attendee{.person = ReadPerson(property)};
      if (attendee.person.email.empty()) continue;
      const std::string answer = Upper(property.Parameter("PARTSTAT"));
      if (answer == "ACCEPTED") attendee.response = "accepted";
      if (answer == "DECLINED") attendee.response = "declined";
      if (answer == "TENTATIVE") attendee.response = "tentative";
      attendee.optional = mime::EqualsNoCase(property.Parameter("ROLE"), "OPT-PARTICIPANT");
      const std::string kind = Upper(property.Parameter("CUTYPE"));
      attendee.resource = kind == "ROOM" || kind == "RESOURCE";
      event.attendees.push_back(std::move(attendee));
    }
  }

  void ReadSeries(const IcsComponent& component, Event& event) {
    if (component.Find("RECURRENCE-ID")) return;
    for (const IcsProperty& property : component.properties) {
      const bool dates = property.name == "RDATE" || property.name == "EXDATE";
      if (property.name != "RRULE" && !dates) continue;
      const std::string line = dates ? DateLine(property, event) : "RRULE:" + Upper(mime::Trim(property.value));
      if (line.empty()) continue;
      if (const std::string complaint = CheckRecurrence({line}); !complaint.empty()) {
        Problem(fmt::format("\"{}\": {}; it was left out", event.summary, complaint));
      } else {
        event.recurrence.push_back(line);
      }
    }
    // EXDATEs alone make no series.
    const auto makes = [](const std::string& line) { return !line.starts_with("EXDATE"); };
    if (std::ranges::none_of(event.recurrence, makes)) event.recurrence.clear();
  }

  /// The dates of a line in the form Google writes, on the series' own clock.
  std::string DateLine(const IcsProperty& property, const Event& event) {
    std::string values;
    std::string_view rest = property.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      IcsProperty one{"", property.parameters, std::string(rest.substr(0, comma))};
      one.value = mime::Trim(std::string_view(one.value).substr(0, one.value.find('/')));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      EventTime time;
      if (!ReadTime(one, time)) continue;
      if (!values.empty()) values += ',';
      if (event.start.all_day) {
        values += FormatBasicDate(time.local);
      } else if (time.all_day) {
        values += FormatBasicTime(time.local + (event.start.local - std::chrono::floor<days>(event.start.local)));
      } else {
        values += FormatBasicTime(ToLocal(time.At(), event.start.zone));
      }
    }
    if (values.empty()) return "";
    if (event.start.all_day) return property.name + ";VALUE=DATE:" + values;
    return property.name + ";TZID=" + event.start.zone + ":" + values;
  }

  struct Resolved {
    OwnZone zone;
    std::optional<std::string> iana;
  };

  Person owner_;
  std::string default_zone_;
  ImportedCalendar& out_;
  std::map<std::string, const IcsComponent*> zones_;
  std::map<std::pair<std::string, int>, Resolved> own_zones_;
};

/// Gives ids, and ties instances to their series.
void Link(ImportedCalendar& imported, const Person& owner) {
  std::map<std::string, std::size_t> masters;
  std::map<std::string, int> seen;
  for (std::size_t i = 0; i < imported.events.size(); ++i) {
    Event& event = imported.events[i];
    if (event.ical_uid.empty())
      event.ical_uid = fmt::format("{}-{}@example.invalid", i, FormatBasicTime(event.start.local));
    const int copy = seen[event.ical_uid]++;
    event.id = IdOf(fmt::format("{}\n{}\n{}", owner.email, event.ical_uid, copy));
    if (!event.original_start && event.is_master()) masters.emplace(event.ical_uid, i);
  }
  for (Event& event : imported.events) {
    if (!event.original_start) continue;
    const auto master = masters.find(event.ical_uid);
    if (master == masters.end()) {
      event.original_start.reset();  // Invited to one instance only: a single event for all that can be known.
      continue;
    }
    const Event& series = imported.events[master->second];
    const EventTime as_written = *event.original_start;
    if (series.start.all_day) {
      event.original_start->local = std::chrono::floor<days>(event.original_start->local);
      event.original_start->all_day = true;
    } else {
      if (event.original_start->all_day) {
        event.original_start->local += series.start.local - std::chrono::floor<days>(series.start.local);
        event.original_start->zone = series.start.zone;
        event.original_start->all_day = false;
      }
      event.original_start->local = ToLocal(event.original_start->At(), series.start.zone);
      event.original_start->zone = series.start.zone;
    }
    bool belongs = false;
    VisitStarts(series, event.original_start->local, [&](LocalTime start) {
      belongs = start == event.original_start->local;
      return start < event.original_start->local;
    });
    // Replaces nothing: providers have no such instance, so it stands for itself.
    if (!belongs && (as_written.local != series.start.local || IsExcluded(series, event.original_start->local))) {
      event.original_start.reset();
      continue;
    }
    event.master_id = series.id;
    event.id = InstanceId(series, event.original_start->local);
  }
}

}  // namespace

void KeepNewestRevisions(ImportedCalendar& imported) {
  std::map<std::string, std::size_t> newest;
  std::vector<bool> superseded(imported.events.size());
  for (std::size_t i = 0; i < imported.events.size(); ++i) {
    if (imported.events[i].master_id.empty()) continue;
    const auto [known, first] = newest.emplace(imported.events[i].id, i);
    if (first) continue;
    const auto rank = [&](std::size_t at) { return std::pair(imported.events[at].sequence, imported.stamps[at]); };
    const bool newer = rank(i) >= rank(known->second);
    superseded[newer ? std::exchange(known->second, i) : i] = true;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < imported.events.size(); ++i) {
    if (superseded[i]) continue;
    if (kept != i) {
      imported.events[kept] = std::move(imported.events[i]);
      imported.stamps[kept] = imported.stamps[i];
    }
    ++kept;
  }
  imported.events.resize(kept);
  imported.stamps.resize(kept);
}

ImportedCalendar ImportIcs(std::string_view text, const Person& owner, const std::string& default_zone) {
  ImportedCalendar imported;
  const IcsComponent root = ParseIcs(text);
  std::vector<const IcsComponent*> calendars;
  bool bare = false;
  for (const IcsComponent& component : root.components) {
    if (component.name == "VCALENDAR") calendars.push_back(&component);
    bare = bare || component.name == "VEVENT";
  }
  // Parts of calendars are passed around as well.
  if (bare) calendars.push_back(&root);
  for (const IcsComponent* calendar : calendars) {
    if (imported.name.empty()) imported.name = calendar->Text("X-WR-CALNAME");
    if (imported.zone.empty()) imported.zone = FindZone(calendar->Text("X-WR-TIMEZONE")).value_or("");
    Importer importer(*calendar, owner, imported.zone.empty() ? default_zone : imported.zone, imported);
    for (const IcsComponent& component : calendar->components) {
      if (component.name == "VEVENT") importer.Import(component);
    }
  }
  if (calendars.empty()) imported.problems.emplace_back("there is no VCALENDAR in it");
  Link(imported, owner);
  return imported;
}

}  // namespace latchkey::simulator::calendar
