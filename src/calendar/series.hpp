#pragma once

#include <vector>

#include "calendar/event.hpp"
#include "calendar/rule_walker.hpp"

namespace latchkey::calendar {

/// One start that a series' rule gives. For all-day series both are midnight UTC of dates.
struct Occurrence {
  Instant start{}, end{};
};

/// The recurrence set of a master (RFC 5545 section 3.8.5): its first start, what its rules and RDATEs add, without
/// what EXRULEs and EXDATEs take away. A first start that its own rule would not give, which the RFC leaves open, is in
/// the set and takes nothing off a COUNT, as other programs have it. Lines that cannot be read are left out; a series
/// of which nothing can be read still happens once. Every occurrence is exactly as long as the first (section 3.6.1).
/// Immutable: any thread.
class Series {
 public:
  explicit Series(const Event& master);

  struct Range {
    Instant from{}, to{};  ///< What overlaps [from, to), or begins in it when it has no length.
    /// Occurrences that begin before are left out: where a page of a list begins.
    Instant not_before = Instant::min();
  };
  /// In order of their starts, at most `limit`, without those whose start is in `replaced` (sorted).
  std::vector<Occurrence> Expand(const Range& range, std::size_t limit, const std::vector<Instant>& replaced,
                                 ExpansionBudget& budget) const;
  /// The end of the last occurrence; Instant::max() when there is none, or when finding it would cost too much.
  Instant End() const;

 private:
  struct ExcludedDay {
    std::chrono::local_days day;
  };
  void ReadLine(std::string_view line);
  void ReadDates(std::string_view parameters, std::string_view values, bool excluded);
  bool IsExcluded(Instant start) const;

  EventTime time_;
  std::shared_ptr<const TimeZone> zone_;
  LocalSeconds first_{};
  std::vector<RecurrenceRule> rules_, excluded_rules_;
  std::vector<Instant> dates_, excluded_dates_;
  std::vector<std::chrono::local_days> excluded_days_;
};

}  // namespace latchkey::calendar
