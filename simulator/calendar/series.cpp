#include "simulator/calendar/series.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "simulator/calendar/recurrence.hpp"
#include "simulator/mime/text.hpp"

namespace latchkey::simulator::calendar {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::year_month_day;

/// Dates named one by one in RDATE and EXDATE lines of one event.
constexpr std::size_t kMaxDates = 20'000;

std::optional<int> Digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// "EXDATE;TZID=Europe/Berlin:20260315T130000,20260316T130000" on the series' own clock.
bool ReadDates(std::string_view line, const Event& master, std::vector<LocalTime>& out) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  std::string zone = master.start.zone;
  const std::string parameters(line.substr(0, colon));
  if (const std::size_t at = parameters.find("TZID="); at != std::string::npos) {
    const std::size_t end = parameters.find(';', at);
    zone = FindZone(parameters.substr(at + 5, end == std::string::npos ? end : end - at - 5)).value_or(zone);
  }
  std::string_view values = line.substr(colon + 1);
  while (!values.empty() && out.size() < kMaxDates) {
    const std::size_t comma = values.find(',');
    std::string_view value = values.substr(0, comma);
    values = comma == std::string_view::npos ? std::string_view() : values.substr(comma + 1);
    value = value.substr(0, value.find('/'));  // Of a PERIOD the start counts.
    const auto time = ParseBasicTime(mime::Trim(value));
    if (!time) return false;
    LocalTime local = time->local;
    if (master.start.all_day) {
      local = std::chrono::floor<days>(local);
    } else if (time->date) {
      local += master.start.local - std::chrono::floor<days>(master.start.local);
    } else if (time->utc || zone != master.start.zone) {
      local = ToLocal(ToInstant(local, time->utc ? "UTC" : zone), master.start.zone);
    }
    out.push_back(local);
  }
  return true;
}

struct SeriesLines {
  std::vector<Rule> rules;
  std::vector<LocalTime> more;
  std::vector<LocalTime> except;
};

std::expected<SeriesLines, std::string> ReadLines(const Event& master) {
  SeriesLines lines;
  for (const std::string& line : master.recurrence) {
    if (mime::StartsWithNoCase(line, "RRULE:")) {
      auto rule = ParseRule(line);
      if (!rule) return std::unexpected(rule.error());
      if (rule->until && rule->until_is_utc && !master.start.all_day) {
        rule->until = ToLocal(ToInstant(*rule->until, "UTC"), master.start.zone);
      }
      lines.rules.push_back(std::move(*rule));
    } else if (mime::StartsWithNoCase(line, "RDATE") || mime::StartsWithNoCase(line, "EXDATE")) {
      auto& list = mime::StartsWithNoCase(line, "RDATE") ? lines.more : lines.except;
      if (!ReadDates(line, master, list)) return std::unexpected(fmt::format("{} cannot be read", line));
    } else {
      return std::unexpected(fmt::format("{} is no RRULE, RDATE or EXDATE", line.substr(0, line.find(':'))));
    }
  }
  std::ranges::sort(lines.more);
  std::ranges::sort(lines.except);
  return lines;
}

}  // namespace

std::optional<BasicTime> ParseBasicTime(std::string_view text) {
  if (text.size() < 8) return std::nullopt;
  const auto date = Digits(text.substr(0, 8));
  if (!date) return std::nullopt;
  const year_month_day ymd{std::chrono::year(*date / 10000),
                           std::chrono::month(static_cast<unsigned>(*date / 100 % 100)),
                           std::chrono::day(static_cast<unsigned>(*date % 100))};
  if (!ymd.ok()) return std::nullopt;
  BasicTime time{.local = std::chrono::local_days(ymd)};
  time.date = text.size() == 8;
  if (time.date) return time;
  if (text.size() < 15 || text[8] != 'T' || text.size() > 16) return std::nullopt;
  const auto clock = Digits(text.substr(9, 6));
  time.utc = text.size() == 16;
  if (!clock || (time.utc && text[15] != 'Z')) return std::nullopt;
  const int hour = *clock / 10000;
  const int minute = *clock / 100 % 100;
  if (hour > 23 || minute > 59 || *clock % 100 > 60) return std::nullopt;
  time.local += std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(*clock % 100);
  return time;
}

std::string FormatBasicDate(LocalTime local) {
  const year_month_day ymd(std::chrono::floor<days>(local));
  return fmt::format("{:04}{:02}{:02}", static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                     static_cast<unsigned>(ymd.day()));
}

std::string FormatBasicTime(LocalTime local) {
  const std::chrono::hh_mm_ss clock(local - std::chrono::floor<days>(local));
  return fmt::format("{}T{:02}{:02}{:02}", FormatBasicDate(local), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string CheckRecurrence(const std::vector<std::string>& lines) {
  Event event;
  event.recurrence = lines;
  const auto read = ReadLines(event);
  return read ? "" : read.error();
}

void VisitStarts(const Event& master, LocalTime last, const std::function<bool(LocalTime)>& visit) {
  const auto lines = ReadLines(master);
  if (!lines) return;
  std::vector<LocalTime> more = lines->more;
  if (lines->rules.empty()) more.insert(more.begin(), master.start.local);
  // Two rules in one event are rare enough to be gathered first.
  for (std::size_t i = 1; i < lines->rules.size(); ++i) {
    Expand(lines->rules[i], master.start.local, last, [&](LocalTime start) {
      more.push_back(start);
      return more.size() < kMaxDates;
    });
  }
  std::ranges::sort(more);
  more.erase(std::ranges::unique(more).begin(), more.end());
  auto next = more.begin();
  bool going = true;
  const auto offer = [&](LocalTime start) {
    if (!std::ranges::binary_search(lines->except, start)) going = visit(start);
    return going;
  };
  const auto offer_before = [&](LocalTime limit) {
    while (going && next != more.end() && *next < limit && *next <= last) offer(*next++);
    if (next != more.end() && *next == limit) ++next;
    return going;
  };
  if (!lines->rules.empty()) {
    Expand(lines->rules[0], master.start.local, last,
           [&](LocalTime start) { return offer_before(start) && offer(start); });
  }
  if (going) offer_before(LocalTime::max());
}

bool IsExcluded(const Event& master, LocalTime start) {
  const auto lines = ReadLines(master);
  return lines && std::ranges::binary_search(lines->except, start);
}

std::string InstanceId(const Event& master, LocalTime start) {
  if (master.start.all_day) return master.id + "_" + FormatBasicDate(start);
  const Instant instant = ToInstant(start, master.start.zone);
  return master.id + "_" + FormatBasicTime(LocalTime(std::chrono::floor<seconds>(instant).time_since_epoch())) + "Z";
}

Event MakeInstance(const Event& master, LocalTime start) {
  Event instance = master;
  instance.recurrence.clear();
  instance.id = InstanceId(master, start);
  instance.master_id = master.id;
  instance.start.local = start;
  instance.original_start = instance.start;
  if (master.start.all_day) {
    instance.end.local = start + (master.end.local - master.start.local);
  } else {
    // What RFC 5545 calls an exact duration: an hour stays an hour in the night the clocks change.
    const Instant end = instance.start.At() + (master.end.At() - master.start.At());
    instance.end.local = ToLocal(end, master.end.zone);
  }
  return instance;
}

std::optional<Event> FindInstance(const Calendar& calendar, std::string_view id, bool is_known) {
  if (const Event* stored = calendar.Find(id)) {
    if (stored->master_id.empty()) return std::nullopt;
    return *stored;
  }
  const std::size_t mark = id.rfind('_');
  if (mark == std::string_view::npos) return std::nullopt;
  const Event* master = calendar.Find(id.substr(0, mark));
  const auto time = ParseBasicTime(id.substr(mark + 1));
  if (!master || !time || !master->is_master() || master->start.all_day != time->date || time->utc == time->date) {
    return std::nullopt;
  }
  const LocalTime wanted = time->date ? time->local : ToLocal(ToInstant(time->local, "UTC"), master->start.zone);
  bool found = is_known;
  const auto look = [&](LocalTime start) {
    found = start == wanted;
    return start < wanted;
  };
  if (!found) VisitStarts(*master, wanted, look);
  if (!found) return std::nullopt;
  Event instance = MakeInstance(*master, wanted);
  if (master->is_cancelled()) instance.status = EventStatus::kCancelled;
  return instance;
}

bool Touches(const Event& event, Instant from, Instant to, const std::string& zone_of_dates) {
  const Instant start = event.start.At(zone_of_dates);
  const Instant end = event.end.At(zone_of_dates);
  // An event without duration is in the window at its start.
  return start < to && (end > from || (end == start && start >= from));
}

std::vector<Event> Instances(const Calendar& calendar, const Event& master, const InstanceQuery& query) {
  std::vector<Event> result;
  const Instant horizon = query.to == Instant::max() ? query.now + days(730) : query.to;
  const auto stored = calendar.instances.find(master.id);
  const auto add = [&](const Event& instance) {
    if (instance.is_cancelled() && !query.cancelled) return;
    // A cancelled one is known by when it should have been.
    const bool hit = instance.is_cancelled() && instance.original_start
                         ? instance.original_start->At(calendar.zone) < horizon &&
                               instance.original_start->At(calendar.zone) >= query.from
                         : Touches(instance, query.from, query.to, calendar.zone);
    if (hit) result.push_back(instance);
  };
  if (stored != calendar.instances.end()) {
    for (const std::string& id : stored->second) {
      if (const Event* instance = calendar.Find(id)) add(*instance);
    }
  }
  const LocalTime last = ToLocal(std::min(horizon, Instant(days(1'000'000))), "UTC") + days(1);
  // What ends long before the window is passed over without being made: a series may have begun decades ago. No zone is
  // two days away from UTC, and no change of clocks moves an end by that much.
  const LocalTime early = query.from < Instant(days(-1'000'000))
                              ? LocalTime::min()
                              : ToLocal(query.from, "UTC") - days(2) - (master.end.local - master.start.local);
  VisitStarts(master, last, [&](LocalTime start) {
    if (start < early) return true;
    if (result.size() >= query.most) return false;
    if (stored != calendar.instances.end() && stored->second.contains(InstanceId(master, start))) return true;
    const Event instance = MakeInstance(master, start);
    if (instance.start.At(calendar.zone) >= horizon) return instance.start.local < last;
    add(instance);
    return true;
  });
  std::ranges::sort(result, [&](const Event& a, const Event& b) {
    const Instant first = a.start.At(calendar.zone);
    const Instant second = b.start.At(calendar.zone);
    return first != second ? first < second : a.id < b.id;
  });
  return result;
}

}  // namespace latchkey::simulator::calendar
