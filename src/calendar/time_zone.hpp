#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace latchkey::calendar {

/// A wall clock's reading, without a zone.
using LocalSeconds = std::chrono::local_seconds;

/// One zone of the system's time zone database (RFC 8536 files), with the rule that goes on after the last listed
/// change: an event of 2050 has its summer time too. The library that the standard will replace (Hinnant's date) ends
/// its rules in 2037 when it reads these files, and ICU carries a database of its own that is years older than the
/// system's; so the files are read here. Immutable: any thread.
class TimeZone {
 public:
  /// The zone of that exact IANA name ("Europe/Berlin"); null when there is none. Read once and kept.
  static std::shared_ptr<const TimeZone> Find(std::string_view name);
  static std::shared_ptr<const TimeZone> Utc();
  /// From the bytes of a file; null when they are no such file. For tests.
  static std::shared_ptr<const TimeZone> Parse(std::string_view name, std::string_view bytes);

  const std::string& name() const { return name_; }
  std::chrono::seconds OffsetAt(std::chrono::sys_seconds instant) const;
  LocalSeconds ToLocal(Instant instant) const;
  /// RFC 5545 section 3.3.5: a time that comes twice means the first one; a time that the clock skips is read with the
  /// offset before the gap, and so lies as far behind it.
  Instant ToUtc(LocalSeconds local) const;

  /// Of the rule behind the last listed change (RFC 8536 section 3.3).
  struct Rule {
    enum class Form { kMonthWeekDay, kJulian, kZeroBased };
    Form form = Form::kMonthWeekDay;
    int month = 0, week = 0, day = 0;
    std::chrono::seconds time{7200};
  };

 private:
  struct Footer {
    bool present = false, has_summer = false;
    std::chrono::seconds standard{0}, summer{0};
    Rule begins, ends;
  };
  static bool ParseFooter(std::string_view text, Footer& footer);
  std::chrono::seconds FooterOffset(std::chrono::sys_seconds instant) const;

  std::string name_;
  std::vector<std::int64_t> changes_;
  std::vector<std::chrono::seconds> offsets_;  ///< From each change on.
  std::chrono::seconds first_offset_{0};
  Footer footer_;
};

/// The IANA name that a provider's zone name means, or empty when nobody knows. Understood: IANA names (also with a
/// vendor's prefix, as some calendars write them), Windows names ("W. Europe Standard Time", by ICU's table), the ways
/// to say UTC, and whole-hour offsets ("GMT+02:00").
///
/// The rule for an unknown zone: an instant given with its offset stays exact and simply has no zone; a wall clock's
/// reading is taken in the calendar's own zone, and without one as UTC. The callers hold to it.
std::string ResolveZone(std::string_view name);

}  // namespace latchkey::calendar
