#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace latchkey::agreement {

/// Calendars of the corpus, which is not part of the project: LATCHKEY_CORPUS or ../shared/corpus.
std::filesystem::path CalendarFolder();

struct Property {
  std::string line, value, tzid;
};
/// The properties of one VEVENT by name, as the file has them.
using Block = std::multimap<std::string, Property>;

const Property* Find(const Block& block, const std::string& name);
std::string TextAt(const boost::json::object& object, const char* name);
/// "20201004T170000" as "2020-10-04T17:00:00".
std::string Extended(std::string_view basic);

/// One expected event with its source.
struct Sample {
  std::string file, id, title;
  std::string master;  ///< The id of the series it is an exception of.
  const Block* block = nullptr;
  boost::json::object expect;
  bool all_day = false, zulu = false;
  bool floating = false;         ///< Without a zone: in the calendar's, taken as UTC below.
  std::string start, end, zone;  ///< Wall clock as written, or dates.
  std::optional<Instant> instant;

  bool repeats() const { return block->contains("RRULE") || block->contains("RDATE"); }
  /// The first starts of a series, as wall clock readings in its zone or dates, in order.
  std::vector<std::string> Occurrences() const;
};

struct CalendarCorpus {
  /// By file, in file order.
  std::map<std::string, std::vector<Block>> blocks;
  /// What two other readers agree on and a provider can hold; empty when the corpus is absent.
  std::map<std::string, std::vector<Sample>> samples;

  static const CalendarCorpus& Shared();
};

}  // namespace latchkey::agreement
