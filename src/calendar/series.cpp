#include "calendar/series.hpp"

#include <algorithm>

namespace latchkey::calendar {
namespace {

constexpr std::size_t kMaxDates = 10'000, kMaxRules = 16;
/// Enough for ten years of a daily series with a COUNT.
constexpr std::int64_t kEndSteps = 20'000;
/// A wall clock is never further from UTC than this.
constexpr std::chrono::days kMargin{1};

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

/// The value of ;NAME=... among a property's parameters.
std::string_view Parameter(std::string_view parameters, std::string_view name) {
  while (!parameters.empty()) {
    const auto end = parameters.find(';');
    const auto part = parameters.substr(0, end);
    const auto equals = part.find('=');
    if (equals != std::string_view::npos && Upper(part.substr(0, equals)) == name) return part.substr(equals + 1);
    if (end == std::string_view::npos) break;
    parameters.remove_prefix(end + 1);
  }
  return {};
}

/// One source of starts, with its next one in view.
struct Source {
  RuleWalker walker;
  const TimeZone& zone;
  std::optional<Instant> head;

  void Advance() {
    const auto local = walker.Next();
    head = local ? std::optional(zone.ToUtc(*local)) : std::nullopt;
  }
};

}  // namespace

Series::Series(const Event& master) : time_(master.time) {
  if (!time_.all_day) zone_ = TimeZone::Find(time_.zone);
  if (!zone_) zone_ = TimeZone::Utc();
  first_ = zone_->ToLocal(time_.start);
  for (const std::string& line : master.recurrence) ReadLine(line);
  std::ranges::sort(dates_);
  std::ranges::sort(excluded_dates_);
  std::ranges::sort(excluded_days_);
}

void Series::ReadLine(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const auto head = line.substr(0, colon), value = line.substr(colon + 1);
  const auto semicolon = head.find(';');
  const std::string name = Upper(head.substr(0, semicolon));
  const auto parameters = semicolon == std::string_view::npos ? std::string_view() : head.substr(semicolon + 1);
  if (name == "RRULE" || name == "EXRULE") {
    auto rule = RecurrenceRule::Parse(value);
    auto& rules = name == "RRULE" ? rules_ : excluded_rules_;
    if (rule && rules.size() < kMaxRules) rules.push_back(std::move(*rule));
  } else if (name == "RDATE" || name == "EXDATE") {
    ReadDates(parameters, value, name == "EXDATE");
  }
}

void Series::ReadDates(std::string_view parameters, std::string_view values, bool excluded) {
  std::shared_ptr<const TimeZone> zone = zone_;
  if (const auto named = Parameter(parameters, "TZID"); !named.empty() && !time_.all_day) {
    if (auto known = TimeZone::Find(ResolveZone(named))) zone = std::move(known);
  }
  while (!values.empty() && dates_.size() + excluded_dates_.size() + excluded_days_.size() < kMaxDates) {
    const auto end = values.find(',');
    // Of a PERIOD only the start counts here.
    const auto text = values.substr(0, std::min(end, values.find('/')));
    if (const auto time = ParseRecurrenceTime(text)) {
      const auto day = std::chrono::floor<std::chrono::days>(time->moment);
      Instant instant = time->utc ? Instant(time->moment.time_since_epoch()) : zone->ToUtc(time->moment);
      if (time_.all_day) {
        instant = Instant(day.time_since_epoch());
      } else if (time->is_date) {
        instant = zone->ToUtc(day + (first_ - std::chrono::floor<std::chrono::days>(first_)));
      }
      if (excluded && time->is_date && !time_.all_day) {
        excluded_days_.push_back(day);  // The whole day of a timed series: no RFC form, but written by some.
      } else {
        (excluded ? excluded_dates_ : dates_).push_back(instant);
      }
    }
    if (end == std::string_view::npos) break;
    values.remove_prefix(end + 1);
  }
}

bool Series::IsExcluded(Instant start) const {
  if (std::ranges::binary_search(excluded_dates_, start)) return true;
  if (excluded_days_.empty()) return false;
  return std::ranges::binary_search(excluded_days_, std::chrono::floor<std::chrono::days>(zone_->ToLocal(start)));
}

std::vector<Occurrence> Series::Expand(const Range& range, std::size_t limit, const std::vector<Instant>& replaced,
                                       ExpansionBudget& budget) const {
  const auto duration = std::max(time_.end - time_.start, std::chrono::microseconds(0));
  const Instant earliest = std::max(range.from - duration, range.not_before);
  const LocalSeconds from = std::chrono::floor<std::chrono::seconds>(
      std::chrono::local_time<std::chrono::microseconds>(earliest.time_since_epoch()) - kMargin);
  const LocalSeconds to = std::chrono::ceil<std::chrono::seconds>(
      std::chrono::local_time<std::chrono::microseconds>(range.to.time_since_epoch()) + kMargin);

  std::vector<Source> sources, excluded;
  const auto add = [&](const std::vector<RecurrenceRule>& rules, std::vector<Source>& list) {
    for (const auto& rule : rules) {
      Source source{.walker = RuleWalker(rule, first_, *zone_, from, to, budget), .zone = *zone_, .head = {}};
      source.Advance();
      list.push_back(std::move(source));
    }
  };
  add(rules_, sources);
  add(excluded_rules_, excluded);

  std::vector<Occurrence> found;
  auto date = std::ranges::lower_bound(dates_, earliest);
  bool first_given = time_.start < earliest;
  std::optional<Instant> last;
  while (found.size() < limit) {
    std::optional<Instant> next;
    if (!first_given) next = time_.start;
    if (date != dates_.end() && (!next || *date < *next)) next = *date;
    for (const Source& source : sources) {
      if (source.head && (!next || *source.head < *next)) next = source.head;
    }
    if (!next || *next >= range.to || !budget.Spend()) break;
    const Instant start = *next;
    if (!first_given && time_.start == start) first_given = true;
    while (date != dates_.end() && *date == start) ++date;
    for (Source& source : sources) {
      if (source.head == start) source.Advance();
    }
    bool taken_away = false;
    for (Source& source : excluded) {
      while (source.head && *source.head < start) source.Advance();
      taken_away = taken_away || source.head == start;
    }
    const bool inside = start >= range.not_before && (start + duration > range.from || start >= range.from);
    if (!inside || taken_away || last == start || IsExcluded(start)) continue;
    if (std::ranges::binary_search(replaced, start)) continue;
    last = start;
    found.push_back({.start = start, .end = start + duration});
  }
  return found;
}

Instant Series::End() const {
  const auto duration = std::max(time_.end - time_.start, std::chrono::microseconds(0));
  Instant end = time_.start;
  if (!dates_.empty()) end = std::max(end, dates_.back());
  for (const RecurrenceRule& rule : rules_) {
    if (rule.until) {
      const Instant until =
          rule.until->utc ? Instant(rule.until->moment.time_since_epoch()) : zone_->ToUtc(rule.until->moment + kMargin);
      end = std::max(end, until);
      continue;
    }
    if (!rule.count) return Instant::max();
    ExpansionBudget budget(kEndSteps);
    const LocalSeconds never{std::chrono::local_days(std::chrono::year(9999) / std::chrono::December / 31)};
    RuleWalker walker(rule, first_, *zone_, {}, never, budget);
    std::optional<LocalSeconds> last;
    while (const auto next = walker.Next()) last = next;
    if (budget.exhausted()) return Instant::max();
    if (last) end = std::max(end, zone_->ToUtc(*last));
  }
  return end + duration;
}

}  // namespace latchkey::calendar
