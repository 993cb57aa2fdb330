#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/calendar/model.hpp"

namespace latchkey::simulator::calendar {

/// One line of iCalendar (RFC 5545 section 3.1), unfolded and taken apart.
struct IcsProperty {
  std::string name;                                             ///< Upper case.
  std::vector<std::pair<std::string, std::string>> parameters;  ///< Names in upper case, quotes gone.
  std::string value;                                            ///< As it stands, escapes included.

  std::string_view Parameter(std::string_view wanted) const;
  /// The value of a TEXT property.
  std::string Text() const;
};

struct IcsComponent {
  std::string name;  ///< "VEVENT"; the outermost one has "".
  std::vector<IcsProperty> properties;
  std::vector<IcsComponent> components;

  const IcsProperty* Find(std::string_view wanted) const;
  std::string Text(std::string_view wanted) const;
};

/// Never fails: what cannot be read is left out, unclosed components end with the text, bytes that are no UTF-8 are
/// read as windows-1252. Reads vCalendar 1.0 as well as its lines allow. Components nest at most 8 deep, deeper ones
/// are dropped.
IcsComponent ParseIcs(std::string_view text);

/// What a file comes to.
struct ImportedCalendar {
  std::string name;  ///< X-WR-CALNAME, may be empty.
  std::string zone;  ///< X-WR-TIMEZONE as an IANA name, may be empty.
  std::vector<Event> events;
  std::vector<Instant> stamps;        ///< DTSTAMP of each event.
  std::vector<std::string> problems;  ///< What was left out, a sentence each.
};

/// The VEVENTs of a text, as a provider would take them: series with their exceptions, zones as IANA names (a VTIMEZONE
/// under an unknown name is replaced by the IANA zone that agrees with it), floating times in `default_zone` or the
/// file's own. Ids are made of UID and `owner`, so that the same file gives the same ids again.
ImportedCalendar ImportIcs(std::string_view text, const Person& owner, const std::string& default_zone);

/// A file may hold several revisions of one exception. RFC 5545 section 3.8.7.4 and RFC 5546 section 2.1.5: the higher
/// SEQUENCE is the newer one, then the later DTSTAMP; a provider keeps that one alone.
void KeepNewestRevisions(ImportedCalendar& imported);

}  // namespace latchkey::simulator::calendar
